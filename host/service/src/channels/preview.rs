//! What a delivery would send: nothing is sent, and no secret is read.

use std::sync::Arc;

use pqh_runtime::{Channel, DeliveryRequest, Grant, Preview};
use serde_json::{Map, Value};

use super::draft::Draft;
use super::{ChannelError, connection_for, find_kept};
use crate::app::App;
use crate::directory::Organization;
use crate::event;
use crate::sealed::SealedSecrets;

/// With which settings.
pub(crate) enum Previewing {
    /// Those of a channel.
    Channel(String),
    /// These; secrets may be missing.
    Settings { channel_type: String, settings: Map<String, Value> },
}

/// Shows what an event would become. `event` is JSON.
pub(crate) async fn preview(
    app: &App,
    organization: &str,
    with: Previewing,
    event: &str,
) -> Result<Preview, ChannelError> {
    let organization = app.directory.organization(organization).await?;
    let organization = organization.ok_or_else(|| ChannelError::NotFound(String::new()))?;
    let event = event::read_kept(event, &organization.time_zone, &organization.locale, app.clock.now())?;
    let channel = open(app, &organization, with).await?;
    let request = DeliveryRequest::first(event.id.clone(), event);
    Ok(channel.preview(&request).await)
}

async fn open(app: &App, organization: &Organization, with: Previewing) -> Result<Channel, ChannelError> {
    let (channel_type, mut draft, given, mut connection) = match with {
        Previewing::Channel(name) => {
            let (live, row, secrets) = find_kept(app, &organization.id, &name).await?;
            (row.channel_type, Draft::new(row.settings, secrets), None, live.connection.clone())
        }
        Previewing::Settings { channel_type, settings } => {
            let secrets = SealedSecrets::new("preview", organization.key.clone(), Vec::new());
            (channel_type, Draft::new(Map::new(), secrets), Some(settings), None)
        }
    };
    let Some(entry) = app.plugins.find(&channel_type) else {
        let known = app.plugins.all().map(|entry| entry.id().to_owned()).collect();
        return Err(ChannelError::UnknownType { found: channel_type, known });
    };
    if let Some(settings) = given {
        let problems = draft.take(entry.plugin.descriptor(), settings)?;
        if !problems.is_empty() {
            return Err(ChannelError::BadSettings(problems));
        }
        // In the one workspace that there is; else a preview needs none.
        connection = connection_for(app, &organization.id, &entry, None).await.ok().flatten();
    }
    // Without a grant the verdict on each request says what is missing.
    let grant = app.plugins.grant_of(&channel_type).unwrap_or_else(|| Grant::nothing(&entry.plugin));
    let workspace = connection.map(|live| live.workspace());
    let configured = entry.plugin.configure_preview(grant, workspace, draft.settings, Arc::new(draft.secrets)).await;
    configured.map_err(|error| ChannelError::BadSettings(error.problems().to_vec()))
}
