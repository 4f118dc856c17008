//! A new channel: kept only after the other side has taken its settings.

use std::sync::Arc;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::draft::Draft;
use super::{ChannelError, again, commit, connection_for, demand_connection, record, try_out, usable};
use crate::access::OrgCaller;
use crate::access::misfit::{self, Misfit};
use crate::app::App;
use crate::audit;
use crate::directory::{LiveChannel, Plan, alias_key, is_id};
use crate::quiet::{Calendar, QuietHours};
use crate::sealed::SealedSecrets;
use crate::store::channels::{self, ChannelRow};
use crate::store::{Store, StoreError};
use crate::target;

/// What is asked for.
pub(crate) struct NewChannel {
    pub(crate) alias: String,
    pub(crate) channel_type: String,
    /// The connection that it posts through, where its type has any: id, workspace or name.
    pub(crate) connection: Option<String>,
    /// Secrets among them.
    pub(crate) settings: Map<String, Value>,
    pub(crate) quiet_hours: Vec<QuietHours>,
}

/// Makes a channel.
pub(crate) async fn create(app: &App, by: &OrgCaller, new: NewChannel) -> Result<Arc<LiveChannel>, ChannelError> {
    let organization = app.directory.organization(&by.organization).await?;
    let organization = organization.ok_or_else(|| ChannelError::NotFound(by.organization.clone()))?;
    if organization.plan == Plan::Free {
        return Err(ChannelError::Restricted);
    }
    let NewChannel { alias, channel_type, connection, settings, quiet_hours } = new;
    Calendar::new(&quiet_hours, &organization.time_zone)?;
    let alias = readable_alias(&alias)?;
    let (component, grant) = usable(&app.plugins, &channel_type)?;
    let connection = connection_for(app, &organization.id, &component, connection.as_deref()).await?;
    // Known before the other side is bothered; the database has the last word.
    refuse_taken(&app.store, &organization.id, &alias, None).await?;
    let (id, key) = (Uuid::now_v7().to_string(), organization.key.clone());
    let mut draft = Draft::new(Map::new(), SealedSecrets::new(&id, key.clone(), Vec::new()));
    let problems = draft.take(component.plugin.descriptor(), settings)?;
    try_out(app, &component, grant, connection.as_ref(), &draft, problems).await?;
    let now = app.clock.now();
    let workspace = connection.as_ref().map(|live| live.row.workspace_id.as_str());
    let row = ChannelRow {
        connection_id: connection.as_ref().map(|live| live.row.id.clone()),
        target: target::of(component.plugin.descriptor(), workspace, &draft.settings, &draft.secrets, &key, &id)?,
        id: id.clone(),
        organization_id: organization.id.clone(),
        alias,
        channel_type,
        settings: draft.settings,
        quiet_hours,
        paused: None,
        paused_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let mut entry = record::entry(&by.caller, now, "channel.created", &row);
    entry.after = Some(record::state(&row, &draft.touched));
    let secrets = draft.secrets;
    let through = connection.map(|live| live.row.clone());
    commit(app, &id, move |connection| {
        Box::pin(async move {
            demand_connection(&mut *connection, through.as_ref()).await?;
            let inserted = channels::insert(connection, &row, &alias_key(&row.alias)).await;
            inserted.map_err(|error| taken(error, &row.alias))?;
            for secret in secrets.rows() {
                channels::put_secret(connection, &row.id, secret).await?;
            }
            Ok(audit::append(connection, &key, entry).await?)
        })
    })
    .await?;
    again(app, &id).await
}

/// An alias that people can tell from an id.
pub(super) fn readable_alias(alias: &str) -> Result<String, Misfit> {
    let alias = misfit::name("alias", alias)?;
    if is_id(&alias) {
        return Err(Misfit { field: "alias", expected: "a name that does not look like an id", found: alias });
    }
    Ok(alias)
}

/// Refuses an alias that another channel has.
pub(super) async fn refuse_taken(
    store: &Store,
    organization: &str,
    alias: &str,
    own: Option<&str>,
) -> Result<(), ChannelError> {
    let holder = channels::id_of_alias(store.readers(), organization, &alias_key(alias)).await?;
    match holder {
        Some(id) if own != Some(id.as_str()) => Err(ChannelError::AliasTaken { alias: alias.to_owned() }),
        _ => Ok(()),
    }
}

/// What a duplicate means here.
pub(super) fn taken(error: StoreError, alias: &str) -> ChannelError {
    match error {
        StoreError::Duplicate { .. } => ChannelError::AliasTaken { alias: alias.to_owned() },
        error => error.into(),
    }
}
