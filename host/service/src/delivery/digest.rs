//! What waited for a channel goes out as one message: the last state of each alert, each event named.

use std::sync::Arc;

use uuid::Uuid;

use super::Engine;
use super::scheduler::Turn;
use crate::clock::Millis;
use crate::directory::LiveChannel;
use crate::event::digest::{self, Summarized};
use crate::store::accept::Accept;
use crate::store::digests::{self, Member};
use crate::store::lease::{self, Found, Lease};
use crate::store::rows::{NewDelivery, NewEvent, Origin, Packing, Settle, Status};
use crate::store::{Connection, StoreError};

/// Events of one digest, at most.
const MOST: i64 = 25;

/// What was leased, and how the number of what has not ended changed by it.
struct Gathered {
    found: Found,
    folded: usize,
    added: usize,
}

impl Engine {
    /// Leases what waits for a channel as one message, or what alone is left of it. None where the channel is not what it
    /// was.
    pub(super) async fn lease_digest(
        &self,
        turn: &Turn,
        channel_id: &str,
        lease: Lease,
    ) -> Result<Option<Found>, StoreError> {
        let live = self.0.parts.directory.channel(channel_id).await?;
        let live = live.filter(|live| live.held.is_none() && live.target == *turn.target);
        let Some(live) = live else { return Ok(None) };
        let channel = Arc::clone(&live);
        let gathered = self
            .store()
            .write(move |connection| Box::pin(async move { gather(connection, &channel, &lease).await }))
            .await?;
        let Gathered { found, folded, added } = gathered;
        self.0.open.add(&live.organization.id, added);
        self.0.open.ended(&live.organization.id, folded);
        Ok(Some(found))
    }

    /// A digest that was refused for good is taken apart: one of its events must not take the others down. How many go out by
    /// themselves now; none where it could not be done.
    pub(super) async fn take_apart(&self, settle: &Settle, organization: &str) -> Option<usize> {
        let now = self.now();
        let write = || {
            let settle = settle.clone();
            self.store()
                .write(move |connection| Box::pin(async move { digests::take_apart(connection, &settle, now).await }))
        };
        let count = self.patiently(write).await??;
        self.0.open.add(organization, count);
        self.0.open.ended(organization, 1);
        tracing::warn!("a digest was refused: its {count} messages go out one by one");
        Some(count)
    }
}

async fn gather(connection: &mut Connection, live: &LiveChannel, lease: &Lease) -> Result<Gathered, StoreError> {
    let only = |found| Gathered { found, folded: 0, added: 0 };
    let members = digests::members(connection, &lease.target, &live.id, lease.now, MOST).await?;
    let zone = &live.organization.time_zone;
    // One that cannot be read goes by itself, and says so.
    let told: Vec<(&Member, Summarized)> = members
        .iter()
        .filter_map(|member| {
            Some((member, digest::summarize(&member.body, &member.event_key, zone, member.accepted_at)?))
        })
        .collect();
    let latest: Vec<&Summarized> = told
        .iter()
        .enumerate()
        .filter(|(at, (member, _))| {
            let later = told.iter().skip(at + 1).any(|(later, _)| later.alert_id == member.alert_id);
            member.alert_id.is_none() || !later
        })
        .map(|(_, (_, summary))| summary)
        .collect();
    let Some((last, _)) = told.last() else {
        // Nothing that can go with others: the head goes alone.
        let alone = Lease { digest_before: None, ..lease.clone() };
        return Ok(only(lease::lease(connection, &alone).await?));
    };
    let ids: Vec<String> = told.iter().map(|(member, _)| member.id.clone()).collect();
    if latest.len() == 1 {
        // The states of one alert: its last tells all.
        let earlier: Vec<String> = ids.iter().filter(|id| **id != last.id).cloned().collect();
        if !earlier.is_empty() {
            digests::fold(connection, &earlier, &last.id, lease.now).await?;
        }
        let found = lease::lease_one(connection, &last.id, lease).await?;
        return Ok(Gathered { found, folded: earlier.len(), added: 0 });
    }
    let first = told.iter().map(|(member, _)| member.seq).min().unwrap_or(last.seq);
    let priority = told.iter().map(|(member, _)| member.priority).min().unwrap_or(1);
    let accept = digest_of(live, lease, &latest, first, priority);
    let Some(teller) = accept.deliveries.first().map(|delivery| delivery.id.clone()) else {
        return Ok(only(Found::Nothing));
    };
    digests::fold(connection, &ids, &teller, lease.now).await?;
    let found = digests::keep(connection, &accept, lease).await?;
    Ok(Gathered { found, folded: ids.len(), added: 1 })
}

fn digest_of(live: &LiveChannel, lease: &Lease, told: &[&Summarized], seq: i64, priority: i64) -> Accept {
    let id = Uuid::now_v7().to_string();
    let now: Millis = lease.now;
    let event = NewEvent {
        key: format!("digest-{id}"),
        id,
        organization_id: live.organization.id.clone(),
        fingerprint: String::new(),
        origin: Origin::Digest,
        body: digest::compose(told),
        title: digest::title(told.len()),
        severity: digest::severity(told),
        accepted_at: now,
        alert: None,
    };
    let delivery = NewDelivery {
        id: Uuid::now_v7().to_string(),
        // In the place of the first that it tells.
        seq,
        channel_id: live.id.clone(),
        target: lease.target.clone(),
        status: Status::Sending,
        priority,
        due_at: now,
        quiet_until: None,
        packing: Some(Packing::Digest),
        lease: Some((lease.owner.clone(), lease.until)),
        held_reason: None,
        folded_into: None,
    };
    Accept { event, deliveries: vec![delivery], targets: Vec::new() }
}
