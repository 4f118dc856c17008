//! "Alert not triggering": why nobody is told, and what to do, in the order in which one looks.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::definition::Verdict;
use super::judge::{Silence, TRIGGERED};
use super::registry::Alert;
use crate::clock::{Millis, rfc3339};
use crate::directory::{HeldReason, LiveChannel};
use crate::store::alerts::AlertRow;
use crate::store::checks::CheckRow;
use crate::store::views::DeliveryView;

/// Something to know of an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Finding {
    /// Stable, for programs: `no-checks`, `rules-not-met`, `cooldown`, `channel-paused`, `delivery-failed` …
    code: &'static str,
    message: String,
    /// What to do; empty where all is well.
    remedy: String,
}

/// What is known of an alert.
pub(crate) struct Known<'a> {
    pub(crate) alert: &'a Alert,
    pub(crate) row: &'a AlertRow,
    pub(crate) last_check: Option<&'a CheckRow>,
    pub(crate) channels: &'a [Arc<LiveChannel>],
    /// Of the last event that it told.
    pub(crate) deliveries: &'a [DeliveryView],
    pub(crate) now: Millis,
}

/// Everything that keeps people from being told, or says that they were.
pub(crate) fn explain(known: &Known<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(of_checks(known));
    findings.extend(of_muting(known));
    findings.extend(of_channels(known));
    findings.extend(of_deliveries(known));
    findings
}

fn finding(code: &'static str, message: String, remedy: impl Into<String>) -> Finding {
    Finding { code, message, remedy: remedy.into() }
}

fn of_checks(known: &Known<'_>) -> Vec<Finding> {
    let Some(check) = known.last_check else {
        let remedy = "See whether the report's schedule runs, and whether it posts to /v1/alerts/{id}/checks with a token \
                      of this organization; `pqh alert check` posts one by hand.";
        return vec![finding("no-checks", "No check has come yet.".to_owned(), remedy)];
    };
    let at = rfc3339(check.at);
    let mut findings = Vec::new();
    match check.silence.as_deref().and_then(Silence::coded) {
        None => {
            let message = match check.state.as_str() {
                TRIGGERED => format!("At the last check ({at}) a rule was broken, and people are told."),
                _ => format!("At the last check ({at}) the alert was resolved, and people are told."),
            };
            findings.push(finding("told", message, ""));
        }
        Some(silence) => findings.push(of_silence(known, silence, &at)),
    }
    if !matches!(check.silence.as_deref(), Some("late")) {
        findings.extend(of_verdicts(check));
    }
    findings
}

fn of_silence(known: &Known<'_>, silence: Silence, at: &str) -> Finding {
    let message = format!("Last check ({at}): {}", silence.message());
    let remedy = match silence {
        Silence::RulesNotMet => {
            "Look at the values below. Where one should have broken its rule, change the rule.".to_owned()
        }
        Silence::Cooldown => {
            let next = known.row.notified_at.unwrap_or_default().saturating_add(known.row.cooldown_ms);
            format!(
                "The next check from {} on tells again, if it still holds. A shorter cooldown tells sooner.",
                rfc3339(next)
            )
        }
        Silence::Muted => "End it by `pqh alert unmute`.".to_owned(),
        Silence::Late => {
            "Checks have to come in the order of their times: look at the clock and the queue of whoever checks."
                .to_owned()
        }
        Silence::NoChannels => "Give it one: `pqh alert update … --channel …`.".to_owned(),
        Silence::NeverTold => "Nothing: there was nothing to take back.".to_owned(),
        Silence::QuietHours | Silence::ChannelPaused | Silence::Plan | Silence::Grant => {
            "See the channels below; a critical alert does not wait for quiet hours.".to_owned()
        }
    };
    finding(silence.code(), message, remedy)
}

/// What the last check found, rule by rule.
fn of_verdicts(check: &CheckRow) -> Vec<Finding> {
    let verdicts: Vec<Verdict> = serde_json::from_str(&check.verdicts).unwrap_or_default();
    let told = verdicts.into_iter().map(|verdict| {
        let Verdict { metric, comparison, threshold, current, broken } = verdict;
        let (code, word) = if broken { ("rule-broken", "broken") } else { ("rule-holds", "not broken") };
        finding(code, format!("{metric} {comparison} {threshold} is {word}: the value was {current}."), "")
    });
    told.collect()
}

fn of_muting(known: &Known<'_>) -> Option<Finding> {
    let until = known.row.muted_until.filter(|until| *until > known.now)?;
    let message = match until {
        Millis::MAX => "The alert is muted until somebody ends it.".to_owned(),
        until => format!("The alert is muted until {}.", rfc3339(until)),
    };
    Some(finding("muted-now", message, format!("`pqh alert unmute {:?}` ends it.", known.alert.name)))
}

fn of_channels(known: &Known<'_>) -> Vec<Finding> {
    if known.channels.is_empty() {
        let message = "The alert names no channel that is there.".to_owned();
        return vec![finding("no-channels-now", message, "Give it one: `pqh alert update … --channel …`.")];
    }
    known.channels.iter().filter_map(|channel| of_channel(channel, known.now)).collect()
}

fn of_channel(channel: &LiveChannel, now: Millis) -> Option<Finding> {
    let alias = &channel.alias;
    if let Some(paused) = &channel.paused {
        let message = format!("The channel {alias:?} is paused: {}", paused.message);
        return Some(finding("channel-paused-now", message, paused.remedy.clone()));
    }
    match channel.held {
        Some(HeldReason::Plan) => {
            let message = "The organization's plan has no notification channels.".to_owned();
            Some(finding("plan-now", message, "Upgrade to a paid plan: what waits is told then."))
        }
        Some(_) => {
            let message = format!("The channel {alias:?} may not send, or no longer takes its settings.");
            Some(finding("grant-now", message, format!("`pqh channel show {alias:?}` says why.")))
        }
        None => channel.quiet.until(now).map(|until| {
            let message = format!("The channel {alias:?} has quiet hours until {}.", rfc3339(until));
            finding("quiet-hours-now", message, "What waits is told then; critical alerts do not wait.")
        }),
    }
}

fn of_deliveries(known: &Known<'_>) -> Vec<Finding> {
    let told = known.deliveries.iter().filter_map(|delivery| {
        let alias = delivery.alias.as_deref().unwrap_or("(deleted)");
        let cause = delivery.cause.as_deref().and_then(crate::failure::FailureBody::read);
        let why = |cause: Option<&crate::failure::FailureBody>| {
            cause.map_or_else(String::new, |cause| format!(": {} ({})", cause.message, cause.code))
        };
        let look = format!("`pqh deliveries show {}` says more.", delivery.id);
        match delivery.status.as_str() {
            "failed" => {
                let message = format!("The last message to {alias:?} failed{}", why(cause.as_ref()));
                Some(finding("delivery-failed", message, cause.map_or(look, |cause| cause.remedy)))
            }
            "queued" | "waiting" | "sending" => {
                let message = format!("The last message to {alias:?} is on its way{}.", why(cause.as_ref()));
                Some(finding("delivery-waits", message, look))
            }
            "held" => {
                let reason = delivery.held_reason.as_deref().unwrap_or_default();
                Some(finding("delivery-held", format!("The last message to {alias:?} is held: {reason}."), look))
            }
            "delivered" => {
                let at = rfc3339(delivery.ended_at.unwrap_or_default());
                Some(finding("delivered", format!("The last message to {alias:?} was delivered at {at}."), ""))
            }
            "cancelled" => {
                let message = format!("The last message to {alias:?} was cancelled.");
                Some(finding("delivery-cancelled", message, look))
            }
            _ => None,
        }
    });
    told.collect()
}
