//! Connections as people name them: by id, by the workspace's id, or by its name in any case.

use std::sync::Arc;

use super::LiveConnection;
use super::error::ConnectionError;
use crate::app::App;
use crate::store::connections::{self, ConnectionRow};

/// An organization's connection. One that was disconnected is meant only where no other is called so.
pub(crate) async fn find(app: &App, organization: &str, name: &str) -> Result<Arc<LiveConnection>, ConnectionError> {
    let unknown = || ConnectionError::NotFound(name.chars().take(100).collect());
    let all = connections::list(app.store.readers(), organization, "", i64::MAX).await?;
    let (live, ended): (Vec<_>, Vec<_>) = all.iter().partition(|row| row.ended_at.is_none());
    let mut called = called(live, name);
    if called.is_empty() {
        called = self::called(ended, name);
    }
    match called.as_slice() {
        [] => Err(unknown()),
        [row] => app.connections.find(&row.id).await?.ok_or_else(unknown),
        several => Err(ConnectionError::Several {
            name: name.to_owned(),
            known: several.iter().map(|row| (row.id.clone(), row.channel_type.clone())).collect(),
        }),
    }
}

/// Those that are meant: an id counts before a workspace's id, and that before a name.
pub(crate) fn called<'a>(rows: impl IntoIterator<Item = &'a ConnectionRow>, name: &str) -> Vec<&'a ConnectionRow> {
    let rows: Vec<&ConnectionRow> = rows.into_iter().collect();
    let lower = name.to_lowercase();
    let ways: [&dyn Fn(&ConnectionRow) -> bool; 3] =
        [&|row| row.id == name, &|row| row.workspace_id == name, &|row| row.name.to_lowercase() == lower];
    let found = ways.into_iter().map(|fits| rows.iter().copied().filter(|row| fits(row)).collect::<Vec<_>>());
    found.into_iter().find(|found| !found.is_empty()).unwrap_or_default()
}
