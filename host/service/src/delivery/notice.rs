//! What the service tells administrators: through the channels that their organization names, never through the one that
//! is broken, and never about a notice.

use std::sync::Arc;

use pqh_runtime::contract::types::{Failure, FailureKind};
use serde_json::json;
use uuid::Uuid;

use super::Engine;
use super::scheduler::Target;
use crate::directory::{LiveChannel, Organization, Terms};
use crate::failure::kind_name;
use crate::health::Note;
use crate::store::accept::Accept;
use crate::store::connections::{self, ConnectionRow};
use crate::store::recovery;
use crate::store::rows::{NewDelivery, NewEvent, Origin, Status};

/// What administrators are told of: never through itself.
pub(super) struct Broken {
    organization: Arc<Organization>,
    /// The id of the channel or the connection.
    id: String,
    /// `channel` or `connection`
    kind: &'static str,
    /// A channel's target: another channel may lead there.
    target: Option<String>,
}

impl Broken {
    /// A channel.
    pub(super) fn channel(live: &LiveChannel) -> Self {
        let (id, target) = (live.id.clone(), Some(live.target.clone()));
        Self { organization: Arc::clone(&live.organization), id, kind: "channel", target }
    }

    /// A connection with all its channels.
    pub(super) fn connection(organization: &Arc<Organization>, row: &ConnectionRow) -> Self {
        Self { organization: Arc::clone(organization), id: row.id.clone(), kind: "connection", target: None }
    }

    /// Whether that channel is broken with it.
    fn breaks(&self, teller: &LiveChannel) -> bool {
        let connection = teller.connection.as_ref().map(|connection| connection.row.id.as_str());
        teller.id == self.id || connection == Some(self.id.as_str()) || self.target.as_ref() == Some(&teller.target)
    }
}

/// What to tell.
pub(super) struct Notice {
    title: String,
    message: String,
    remedy: String,
}

impl Notice {
    /// A channel was paused.
    pub(super) fn paused(live: &LiveChannel, failure: &Failure) -> Self {
        let alias = &live.alias;
        Self {
            title: format!("Channel paused: {alias}"),
            message: format!(
                "The notification channel \"{alias}\" ({}) is paused, and its messages are held: {} ({})",
                live.channel_type, failure.message, failure.code
            ),
            remedy: format!(
                "{} Held messages go out once the channel is checked or resumed; after 7 days they are given up.",
                failure.remedy
            ),
        }
    }

    /// A connection was lost.
    pub(super) fn lost(row: &ConnectionRow, failure: &Failure) -> Self {
        let name = &row.name;
        Self {
            title: format!("Workspace not connected: {name}"),
            message: format!(
                "The connection to the workspace \"{name}\" ({}) is lost. Its notification channels are paused, and their \
                 messages are held: {} ({})",
                row.channel_type, failure.message, failure.code
            ),
            remedy: format!(
                "{} Held messages go out once the workspace is connected again; after 7 days they are given up.",
                failure.remedy
            ),
        }
    }

    /// A message was refused for good.
    pub(super) fn rejected(live: &LiveChannel, failure: &Failure) -> Self {
        let alias = &live.alias;
        Self {
            title: format!("Message rejected: {alias}"),
            message: format!(
                "A message to the notification channel \"{alias}\" ({}) was rejected and is not tried again: {} ({})",
                live.channel_type, failure.message, failure.code
            ),
            remedy: format!("{} The message is kept, and can be replayed.", failure.remedy),
        }
    }
}

/// A notice that is ready to be kept.
pub(super) struct Prepared {
    pub(super) accept: Accept,
    targets: Vec<(Target, Terms)>,
}

impl Engine {
    /// The channels that can tell of a broken one, each target once.
    async fn tellers(&self, broken: &Broken) -> Vec<Arc<LiveChannel>> {
        let mut tellers: Vec<Arc<LiveChannel>> = Vec::new();
        for id in &broken.organization.notice_channels {
            let Some(teller) = self.patiently(|| self.0.parts.directory.channel(id)).await.flatten() else { continue };
            if !broken.breaks(&teller)
                && teller.held.is_none()
                && tellers.iter().all(|known| known.target != teller.target)
            {
                tellers.push(teller);
            }
        }
        tellers
    }

    /// At a start: readiness says again of which paused channels and lost connections nobody can be told.
    pub(super) async fn remember_untold(&self) {
        let lost =
            self.patiently(|| recovery::ids_of_lost_connections(self.store().readers())).await.unwrap_or_default();
        for id in lost {
            let found = self.patiently(|| connections::find(self.store().readers(), &id)).await.flatten();
            let Some(row) = found else { continue };
            let Some(organization) = self.organization(&row.organization_id).await else { continue };
            self.remember(&Broken::connection(&organization, &row)).await;
        }
        let paused = self.patiently(|| recovery::paused_by_service(self.store().readers())).await.unwrap_or_default();
        for id in paused {
            let Some(live) = self.patiently(|| self.0.parts.directory.channel(&id)).await.flatten() else { continue };
            if !rests_with_its_connection(&live) {
                self.remember(&Broken::channel(&live)).await;
            }
        }
    }

    async fn remember(&self, broken: &Broken) {
        if self.tellers(broken).await.is_empty() {
            self.0.parts.health.warn(&untold_key(&broken.id), untold(broken));
        }
    }

    /// After people disconnected a connection: of what it was before, nobody has to be told any more.
    pub(crate) async fn connection_ended(&self, id: &str) {
        self.0.parts.health.clear_warning(&untold_key(id));
        self.connection_changed(id).await;
    }

    /// A delivery for each channel that can tell this; none where none can, or where a notice is what failed.
    pub(super) async fn prepare_notice(&self, broken: &Broken, notice: Notice, origin: Origin) -> Option<Prepared> {
        if origin == Origin::Notice {
            return None;
        }
        let organization = &broken.organization;
        let tellers = self.tellers(broken).await;
        if tellers.is_empty() {
            return None;
        }
        let now = self.now();
        let Notice { title, message, remedy } = notice;
        let event = NewEvent {
            id: Uuid::now_v7().to_string(),
            organization_id: organization.id.clone(),
            key: format!("notice-{}", Uuid::now_v7()),
            fingerprint: String::new(),
            origin: Origin::Notice,
            body: json!({ "title": title, "notice": { "message": message, "remedy": remedy } }).to_string(),
            title,
            severity: "warning",
            accepted_at: now,
            alert: None,
        };
        let deliveries = tellers.iter().map(|teller| NewDelivery {
            id: Uuid::now_v7().to_string(),
            seq: self.next_seq(),
            channel_id: teller.id.clone(),
            target: teller.target.clone(),
            status: Status::Queued,
            // Told at once: before anything that is not critical.
            priority: 0,
            due_at: now,
            quiet_until: None,
            packing: None,
            lease: None,
            held_reason: None,
            folded_into: None,
        });
        let targets = tellers.iter().map(|teller| (Target::from(teller.target.as_str()), teller.terms)).collect();
        Some(Prepared { accept: Accept { event, deliveries: deliveries.collect(), targets: Vec::new() }, targets })
    }

    /// After the commit: sends the notice, or says loudly that nobody can be told. `did` says whether there was anything new.
    pub(super) fn notice_kept(&self, broken: &Broken, prepared: Option<Prepared>, did: bool) {
        if !did {
            return;
        }
        if let Some(Prepared { accept, targets }) = prepared {
            self.0.open.add(&broken.organization.id, accept.deliveries.len());
            for (target, terms) in targets {
                self.0.scheduler.more(&target, terms, accept.event.accepted_at);
            }
            return;
        }
        self.0.parts.metrics.untold();
        self.0.parts.health.warn(&untold_key(&broken.id), untold(broken));
        tracing::error!(
            organization = %broken.organization.id,
            broken = %broken.id,
            "administrators could not be told: no other working channel is named for notices \
             (PATCH /v1/organization notice_channels)"
        );
    }
}

/// Whether a channel is paused for its connection's sake: that is told of the connection, or was done by people.
fn rests_with_its_connection(live: &LiveChannel) -> bool {
    let unauthorized = kind_name(FailureKind::Unauthorized);
    let is_gone = |row: &ConnectionRow| row.lost.is_some() || row.ended_at.is_some();
    live.connection.as_ref().is_some_and(|connection| is_gone(&connection.row))
        && live.paused.as_ref().is_some_and(|paused| paused.kind == unauthorized)
}

/// Under which key readiness keeps that nobody could be told of a channel or a connection.
pub(super) fn untold_key(id: &str) -> String {
    format!("untold-{id}")
}

fn untold(broken: &Broken) -> Note {
    Note::new(
        "notice-untold",
        format!(
            "The {} {} of the organization {} needs its administrators, and no other working channel tells them.",
            broken.kind, broken.id, broken.organization.id
        ),
        "Have the organization name channels for notices: PATCH /v1/organization notice_channels.",
    )
}
