//! A connection that is lost: its service revoked it, or takes its tokens no more. All its channels are paused, what waits
//! is held, and administrators are told once, through channels of other connections.

use pqh_runtime::contract::types::Failure;

use super::Engine;
use super::blame::blames_connection;
use super::notice::{Broken, Notice};
use crate::audit::{self, Actor, Entry, Object};
use crate::connections::LiveConnection;
use crate::directory::HeldReason;
use crate::failure::{FailureBody, kind_name};
use crate::store::channels::{self, Paused, PausedBy};
use crate::store::rows::Origin;
use crate::store::{Connection, StoreError, connections, deliveries};
use crate::vault::DataKey;

/// Pauses the channels of a connection that are not paused, and holds what waits for them. `entry` is audited for each. Which
/// they are: ids and aliases.
pub(crate) async fn pause_all(
    connection: &mut Connection,
    key: &DataKey,
    id: &str,
    paused: &Paused,
    entry: &Entry,
) -> Result<Vec<(String, String)>, StoreError> {
    let mut did = Vec::new();
    for (channel, alias) in connections::awake_channels(&mut *connection, id).await? {
        channels::pause(connection, &channel, paused, entry.at).await?;
        deliveries::hold(connection, &channel, HeldReason::ChannelPaused.name(), entry.at).await?;
        let object = Object::new("channel", &channel, &alias);
        let entry = Entry { object, after: serde_json::to_value(paused).ok(), ..entry.clone() };
        audit::append(connection, key, entry).await?;
        did.push((channel, alias));
    }
    Ok(did)
}

impl Engine {
    /// Marks a connection as lost, where it still has the tokens of `generation`, and pauses its channels.
    pub(crate) async fn lose_connection(
        &self,
        lost: &LiveConnection,
        generation: i64,
        failure: &Failure,
        origin: Origin,
    ) {
        debug_assert!(blames_connection(failure.kind), "{failure:?}");
        let Some(organization) = self.organization(&lost.row.organization_id).await else { return };
        lost.tokens.kill(generation, failure);
        let body = FailureBody::from(failure);
        let paused = Paused {
            by: PausedBy::Service,
            kind: kind_name(failure.kind).to_owned(),
            code: failure.code.clone(),
            message: failure.message.clone(),
            remedy: failure.remedy.clone(),
        };
        let broken = Broken::connection(&organization, &lost.row);
        let prepared = self.prepare_notice(&broken, Notice::lost(&lost.row, failure), origin).await;
        let now = self.now();
        let entry = |action, object| Entry {
            chain: organization.id.clone(),
            at: now,
            actor: Actor::service(),
            source: "local".to_owned(),
            action,
            object,
            before: None,
            after: None,
        };
        let mut of_connection = entry("connection.lost", Object::new("connection", &lost.row.id, &lost.row.name));
        of_connection.after = serde_json::to_value(&body).ok();
        let of_channels = entry("channel.paused", Object::new("channel", "", ""));
        let accept = prepared.as_ref().map(|prepared| prepared.accept.clone());
        let write = || {
            let (id, key, body, paused) = (lost.row.id.clone(), organization.key.clone(), body.clone(), paused.clone());
            let (of_connection, of_channels, accept) = (of_connection.clone(), of_channels.clone(), accept.clone());
            self.store().write(move |connection| {
                Box::pin(async move {
                    let is_new = connections::lose(connection, &id, generation, &body, now).await?;
                    let is_lost = is_new
                        || connections::find(&mut *connection, &id)
                            .await?
                            .is_some_and(|row| row.lost.is_some() || row.ended_at.is_some());
                    if !is_lost {
                        // It was connected again meanwhile: nothing is wrong with it.
                        return Ok::<_, StoreError>(None);
                    }
                    if is_new {
                        audit::append(connection, &key, of_connection).await?;
                    }
                    // Channels that were resumed or added since it was lost, too.
                    let did = pause_all(connection, &key, &id, &paused, &of_channels).await?;
                    if let Some(accept) = accept.filter(|_| is_new) {
                        crate::store::accept::accept(connection, &[accept]).await?;
                    }
                    Ok(Some((is_new, did.len())))
                })
            })
        };
        let done = self.patiently(write).await.flatten();
        if done.is_none() {
            self.patiently(|| lost.tokens.look_again()).await;
        }
        let (is_new, did) = done.unwrap_or_default();
        for _ in 0..did {
            self.0.parts.metrics.paused();
        }
        if is_new {
            tracing::warn!(connection = %lost.row.id, code = %failure.code, "a connection is lost: {}", failure.message);
        }
        self.notice_kept(&broken, prepared, is_new);
        // Each attempt that was under way comes here: whoever is not the first finds all done.
        if is_new || did > 0 {
            self.connection_changed(&lost.row.id).await;
        }
    }

    /// After a connection was lost, disconnected or connected again: its channels are looked at anew.
    pub(crate) async fn connection_changed(&self, id: &str) {
        let channels = self.patiently(|| connections::channels(self.store().readers(), id)).await.unwrap_or_default();
        tracing::debug!(connection = %id, channels = channels.len(), "the channels of a connection are looked at anew");
        for (channel, _) in &channels {
            self.0.parts.directory.forget_channel(channel);
        }
        for (channel, _) in &channels {
            self.reconcile_channel(channel).await;
        }
    }

    /// After a connection works again.
    pub(crate) async fn connection_found(&self, id: &str) {
        self.0.parts.health.clear_warning(&super::notice::untold_key(id));
        self.connection_changed(id).await;
    }
}
