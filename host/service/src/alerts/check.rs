//! A check: its values are read by the alert's rules, judged with the alert as it is when it is kept, and what follows is
//! kept with it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::definition::Verdict;
use super::error::{AlertError, ValueProblem};
use super::judge::{self, Decision, Facts, Silence};
use super::registry::Alert;
use crate::access::OrgCaller;
use crate::app::App;
use crate::clock::{Millis, rfc3339};
use crate::delivery::AlertEvent;
use crate::directory::{HeldReason, LiveChannel, Organization};
use crate::store::accept::Accept;
use crate::store::alerts::AlertRow;
use crate::store::checks::{Check, CheckRow, Judged, Kept};
use crate::store::rows::{AlertPart, NewDelivery, Status};

/// How far a check's time may be ahead of our clock.
const AHEAD: Millis = 5 * 60_000;
/// How often a check is judged anew since its alert changed meanwhile.
const ROUNDS: usize = 8;

/// A value as it came: text, or a JSON number.
pub(crate) type Value = Box<RawValue>;

/// What is asked for.
pub(crate) struct NewCheck {
    /// When it was made; now, where it does not say.
    pub(crate) at: Option<Millis>,
    /// By metric.
    pub(crate) values: BTreeMap<String, Value>,
}

/// A check that was kept, now or the first time.
pub(crate) struct Checked {
    pub(crate) alert: Arc<Alert>,
    pub(crate) row: CheckRow,
    /// The deliveries that it led to, with the alias of each one's channel; none where it was kept before.
    pub(crate) deliveries: Vec<(NewDelivery, String)>,
}

/// Judges a check and keeps it. Not to be dropped on the way.
pub(crate) async fn check(app: &App, by: &OrgCaller, name: &str, new: NewCheck) -> Result<Checked, AlertError> {
    let now = app.clock.now();
    let at = new.at.unwrap_or(now);
    if at > now.saturating_add(AHEAD) {
        return Err(AlertError::TooEarly { now: rfc3339(now), found: rfc3339(at) });
    }
    let mut known: HashMap<String, Option<Arc<LiveChannel>>> = HashMap::new();
    for _ in 0..ROUNDS {
        let alert = app.alerts.resolve(&by.organization, name).await?;
        let organization = app.directory.organization(&alert.organization).await?;
        let organization = organization.ok_or_else(|| AlertError::NotFound(name.to_owned()))?;
        learn(app, &mut known, &alert.channels).await?;
        let verdicts = verdicts(&alert, &new.values)?;
        let case = Case {
            organization,
            verdicts_json: serde_json::to_string(&verdicts).unwrap_or_default(),
            fingerprint: fingerprint(&verdicts),
            verdicts,
            at,
            is_given: new.at.is_some(),
            now,
            known: known.clone(),
            alert: Arc::clone(&alert),
        };
        let channels: Vec<Arc<LiveChannel>> = known.values().flatten().cloned().collect();
        let engine = app.delivery.clone();
        let judge = Arc::new(move |row: &AlertRow, earlier: Option<CheckRow>| case.judge(&engine, row, earlier));
        match app.delivery.check(Check { alert_id: alert.id.clone(), at: new.at, judge }, &channels).await? {
            Judged::Keep(kept) => return Ok(checked(alert, *kept, &known)),
            Judged::Repeated(row) => return Ok(Checked { alert, row, deliveries: Vec::new() }),
            Judged::Conflict => return Err(AlertError::Conflict { at: rfc3339(at) }),
            Judged::QueueFull(most) => return Err(AlertError::QueueFull { most }),
            Judged::Unknown(channels) => learn(app, &mut known, &channels).await?,
            Judged::Changed => app.alerts.forget(&alert),
            Judged::Gone => {
                app.alerts.forget(&alert);
                return Err(AlertError::NotFound(name.to_owned()));
            }
        }
    }
    Err(AlertError::Restless)
}

/// Finds channels that are not known yet; one that is there no more is known as none.
async fn learn(
    app: &App,
    known: &mut HashMap<String, Option<Arc<LiveChannel>>>,
    ids: &[String],
) -> Result<(), AlertError> {
    for id in ids {
        if !known.contains_key(id) {
            known.insert(id.clone(), app.directory.channel(id).await?);
        }
    }
    Ok(())
}

/// Reads every value that a rule asks for; all that is wrong is told.
fn verdicts(alert: &Alert, values: &BTreeMap<String, Value>) -> Result<Vec<Verdict>, AlertError> {
    let mut problems: Vec<ValueProblem> = Vec::new();
    let mut verdicts = Vec::with_capacity(alert.rules.len());
    for rule in &alert.rules {
        let metric = rule.metric();
        let found = value(values, metric).and_then(|current| {
            let broken = rule.is_broken_by(&current).map_err(|error| error.to_string())?;
            Ok((current, broken))
        });
        match found {
            Ok((current, broken)) => verdicts.push(Verdict {
                metric: metric.to_owned(),
                comparison: rule.comparison().name().to_owned(),
                threshold: rule.threshold().to_owned(),
                current,
                broken,
            }),
            Err(message) => problems.push(ValueProblem { metric: metric.to_owned(), message }),
        }
    }
    if problems.is_empty() { Ok(verdicts) } else { Err(AlertError::BadValues(problems)) }
}

/// A value as text, numbers with every digit that came.
fn value(values: &BTreeMap<String, Value>, metric: &str) -> Result<String, String> {
    let named = format!("`values`: {metric:?}");
    let Some(raw) = values.get(metric).or_else(|| trimmed(values, metric)) else {
        let others: Vec<String> = values.keys().take(10).map(|name| format!("{name:?}")).collect();
        let found = if others.is_empty() { "none".to_owned() } else { others.join(", ") };
        return Err(format!("{named}: expected a value, found values of {found}"));
    };
    let raw = raw.get();
    match raw.as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw).map_err(|error| format!("{named}: {error}")),
        Some(b'-' | b'0'..=b'9') => Ok(raw.to_owned()),
        _ => {
            let shown: String = raw.chars().take(60).collect();
            Err(format!("{named}: expected text or a number, found {shown}"))
        }
    }
}

/// A metric with white space around its name.
fn trimmed<'a>(values: &'a BTreeMap<String, Value>, metric: &str) -> Option<&'a Value> {
    values.iter().find(|(name, _)| name.trim() == metric).map(|(_, value)| value)
}

fn fingerprint(verdicts: &[Verdict]) -> String {
    let mut hash = Sha256::new();
    for verdict in verdicts {
        for part in [&verdict.metric, &verdict.current] {
            hash.update(part.len().to_le_bytes());
            hash.update(part.as_bytes());
        }
    }
    hex::encode(hash.finalize())
}

/// A check with all that judging it needs.
struct Case {
    alert: Arc<Alert>,
    organization: Arc<Organization>,
    verdicts: Vec<Verdict>,
    verdicts_json: String,
    fingerprint: String,
    at: Millis,
    /// Whether it said itself when it was made.
    is_given: bool,
    now: Millis,
    known: HashMap<String, Option<Arc<LiveChannel>>>,
}

impl Case {
    /// Judges with the alert as it is within the transaction.
    fn judge(&self, engine: &crate::delivery::Engine, row: &AlertRow, earlier: Option<CheckRow>) -> Judged {
        if row.version != self.alert.version {
            return Judged::Changed;
        }
        let mut at = self.at;
        if let Some(last) = row.last_run.filter(|last| at <= *last) {
            match earlier {
                // Nobody said when it was made: after the last, then.
                _ if !self.is_given => at = last.saturating_add(1),
                Some(same) if same.fingerprint == self.fingerprint => return Judged::Repeated(same),
                Some(_) if at == last => return Judged::Conflict,
                _ => {
                    let check = self.row(row, at, &row.state, None, Some(Silence::Late));
                    return Judged::Keep(Box::new(Kept::of(judge::late(row), check, None)));
                }
            }
        }
        let channels: Vec<String> =
            self.alert.channels.iter().filter(|id| matches!(self.known.get(*id), Some(Some(_)))).cloned().collect();
        let broken = self.verdicts.iter().any(|verdict| verdict.broken);
        let (next, decision) = judge::judge(row, &Facts { at, now: self.now, broken, channels: &channels });
        let (event, told) = match decision {
            Decision::Silent(silence) => {
                let check = self.row(row, at, &next.state, None, Some(silence));
                return Judged::Keep(Box::new(Kept::of(next, check, None)));
            }
            Decision::Trigger { incident } => (self.trigger(incident, at), channels),
            Decision::Resolve { incident, triggered_at, told } => (self.resolution(incident, at, triggered_at), told),
        };
        let unknown: Vec<String> = told.iter().filter(|id| !self.known.contains_key(*id)).cloned().collect();
        if !unknown.is_empty() {
            return Judged::Unknown(unknown);
        }
        let live: Vec<Arc<LiveChannel>> = told.iter().filter_map(|id| self.known.get(id).cloned().flatten()).collect();
        if live.is_empty() {
            let check = self.row(row, at, &next.state, None, Some(Silence::NeverTold));
            return Judged::Keep(Box::new(Kept::of(next, check, None)));
        }
        if let Err(most) = engine.has_room(&self.organization.id) {
            return Judged::QueueFull(most);
        }
        let accept = engine.prepare(&self.organization, &live, event, self.now);
        let silence = silence(&accept, &live);
        let check = self.row(row, at, &next.state, Some(&accept.event.id), silence);
        Judged::Keep(Box::new(Kept::of(next, check, Some(accept))))
    }

    fn trigger(&self, incident_id: String, at: Millis) -> AlertEvent {
        let definition = &self.alert.definition;
        AlertEvent {
            part: self.part(incident_id, false),
            body: definition.trigger(&self.alert.name, at, &self.verdicts),
            title: self.alert.name.clone(),
            severity: super::change::severity(&definition.severity),
            urgent: definition.severity == "critical",
        }
    }

    fn resolution(&self, incident_id: String, at: Millis, triggered_at: Option<Millis>) -> AlertEvent {
        let definition = &self.alert.definition;
        AlertEvent {
            part: self.part(incident_id, true),
            body: definition.resolution(&self.alert.name, at, triggered_at),
            title: self.alert.name.clone(),
            severity: "info",
            urgent: definition.severity == "critical",
        }
    }

    fn part(&self, incident_id: String, is_resolution: bool) -> AlertPart {
        AlertPart { alert_id: self.alert.id.clone(), incident_id, is_resolution }
    }

    fn row(&self, alert: &AlertRow, at: Millis, state: &str, event: Option<&String>, why: Option<Silence>) -> CheckRow {
        CheckRow {
            alert_id: alert.id.clone(),
            number: alert.checks + 1,
            at,
            received_at: self.now,
            verdicts: self.verdicts_json.clone(),
            state: state.to_owned(),
            event_id: event.cloned(),
            silence: why.map(|why| why.code().to_owned()),
            fingerprint: self.fingerprint.clone(),
        }
    }
}

/// Why nobody is told yet, where every delivery waits for something.
fn silence(accept: &Accept, channels: &[Arc<LiveChannel>]) -> Option<Silence> {
    let mut first = None;
    for delivery in &accept.deliveries {
        let held = channels.iter().find(|channel| channel.id == delivery.channel_id).and_then(|channel| channel.held);
        let why = match (delivery.status, held) {
            (Status::Waiting, _) => Silence::QuietHours,
            (Status::Held, Some(HeldReason::ChannelPaused)) => Silence::ChannelPaused,
            (Status::Held, Some(HeldReason::Plan)) => Silence::Plan,
            (Status::Held, _) => Silence::Grant,
            // Told by another delivery, which waits or does not.
            (Status::Folded, _) => continue,
            _ => return None,
        };
        first.get_or_insert(why);
    }
    first
}

fn checked(alert: Arc<Alert>, kept: Kept, known: &HashMap<String, Option<Arc<LiveChannel>>>) -> Checked {
    let deliveries = kept.accept.map(|accept| accept.deliveries).unwrap_or_default();
    let alias = |delivery: &NewDelivery| {
        known.get(&delivery.channel_id).cloned().flatten().map(|channel| channel.alias.clone()).unwrap_or_default()
    };
    let deliveries = deliveries.into_iter().map(|delivery| {
        let alias = alias(&delivery);
        (delivery, alias)
    });
    Checked { alert, row: kept.check, deliveries: deliveries.collect() }
}
