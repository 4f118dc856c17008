//! Compares what people saw with what was told and with what the service says of it.

use std::collections::{BTreeMap, HashMap};
use std::ops::AddAssign;

use serde_json::Value;

use crate::scenario::{HOUR, millis, text};
use crate::step::CHANNELS;
use crate::wire::Trouble;
use crate::world::{Route, Told, World};

/// How much happened: a test to which nothing happens proves nothing.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    events: usize,
    deliveries: usize,
    messages: usize,
    in_digests: usize,
    folded: usize,
    failed: usize,
    repeated: usize,
}

impl Summary {
    /// Whether each of it happened.
    pub(crate) fn has_all(&self) -> bool {
        let Self { events, deliveries, messages, in_digests, folded, failed, repeated } = self;
        [events, deliveries, messages, in_digests, folded, failed, repeated].into_iter().all(|count| *count > 0)
    }
}

impl AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.deliveries += other.deliveries;
        self.messages += other.messages;
        self.in_digests += other.in_digests;
        self.folded += other.folded;
        self.failed += other.failed;
        self.repeated += other.repeated;
    }
}

/// What a message says of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    is_resolution: bool,
    second: i64,
    /// Of a trigger.
    value: Option<usize>,
    /// Of a digest's line.
    in_digest: bool,
}

/// What is wrong, or how much happened.
pub(crate) async fn judge(world: &World) -> Result<Summary, String> {
    let all: HashMap<String, Value> =
        world.deliveries().await.into_iter().map(|delivery| (text(&delivery["id"]), delivery)).collect();
    let mut case = Case { world, all, wrong: Vec::new(), sums: Summary::default() };
    case.sums.events = world.told.len();
    for (number, alert) in world.alerts.iter().enumerate() {
        let found = world.alert(alert).await;
        if found["state"] != "pending" || !found["triggered_at"].is_null() {
            case.wrong.push(format!("alert {number} is not over: {found}"));
        }
    }
    for channel in 0..CHANNELS {
        case.judge_channel(channel);
    }
    if case.wrong.is_empty() { Ok(case.sums) } else { Err(case.report()) }
}

struct Case<'a> {
    world: &'a World,
    /// By id.
    all: HashMap<String, Value>,
    wrong: Vec<String>,
    sums: Summary,
}

impl<'a> Case<'a> {
    fn judge_channel(&mut self, channel: usize) {
        let seen = self.seen(channel);
        self.judge_messages(channel, &seen);
        let world = self.world;
        for told in &world.told {
            if let Some(id) = told.deliveries.get(&channel) {
                self.judge_delivery(channel, told, id, &seen);
            }
        }
        self.judge_ends(channel, &seen);
    }

    /// What people saw in a channel, in its order, each with the event that it tells.
    fn seen(&mut self, channel: usize) -> Vec<(&'a Told, Entry)> {
        let route = &self.world.channels[channel];
        let mut seen = Vec::new();
        for received in self.world.scenario.simulator.received() {
            if !route.webhooks.iter().any(|webhook| webhook.path() == &*received.webhook) {
                continue;
            }
            self.sums.messages += 1;
            let entries = entries(&received.message);
            if entries.is_empty() {
                self.wrong.push(format!("channel {channel}: a message tells nothing: {}", received.message));
            }
            for entry in entries {
                self.sums.in_digests += usize::from(entry.in_digest);
                let told = self.world.told.iter().find(|told| {
                    told.second == entry.second
                        && told.is_resolution == entry.is_resolution
                        && entry.value.is_none_or(|value| value == told.value)
                        && told.deliveries.contains_key(&channel)
                });
                match told {
                    Some(told) => seen.push((told, entry)),
                    None => self.wrong.push(format!("channel {channel}: {entry:?} was never to be told")),
                }
            }
        }
        seen
    }

    /// Nothing out of order, and nothing twice without a mark.
    fn judge_messages(&mut self, channel: usize, seen: &[(&Told, Entry)]) {
        let mut last: BTreeMap<usize, i64> = BTreeMap::new();
        let mut times: BTreeMap<i64, usize> = BTreeMap::new();
        for (told, _) in seen {
            let last = last.entry(told.alert).or_insert(told.second);
            if told.second < *last {
                self.wrong.push(format!("channel {channel}: {} came after what followed it", name(told)));
            }
            *last = told.second.max(*last);
            *times.entry(told.second).or_default() += 1;
        }
        for told in &self.world.told {
            if times.get(&told.second).is_some_and(|times| *times > 1) {
                self.sums.repeated += 1;
                let chain = self.chain(&told.deliveries[&channel]);
                if !chain.iter().any(|delivery| delivery["possible_repeat"] == true) {
                    self.wrong.push(format!("channel {channel}: {} came twice, and nothing says so", name(told)));
                }
            }
        }
    }

    /// A delivery, and what it was folded into.
    fn chain(&self, id: &str) -> Vec<&Value> {
        let mut chain: Vec<&Value> = self.all.get(id).into_iter().collect();
        while let Some(next) = chain.last().and_then(|last| last["folded_into"].as_str()) {
            // Whatever goes round would be told by nobody.
            match self.all.get(next) {
                Some(next) if chain.len() < self.all.len() => chain.push(next),
                _ => break,
            }
        }
        chain
    }

    /// Told, by itself or by another, or failed for a reason that the case made.
    fn judge_delivery(&mut self, channel: usize, told: &Told, id: &str, seen: &[(&Told, Entry)]) {
        self.sums.deliveries += 1;
        let chain = self.chain(id);
        let wrong = self.wrong_of(channel, told, &chain, seen);
        let is_folded = chain.len() > 1;
        let is_failed = chain.last().is_some_and(|last| last["status"] == "failed");
        self.sums.folded += usize::from(is_folded);
        self.sums.failed += usize::from(is_failed);
        if let Some(wrong) = wrong {
            self.wrong.push(format!("channel {channel}: {} {wrong}", name(told)));
        }
    }

    fn wrong_of(&self, channel: usize, told: &Told, chain: &[&Value], seen: &[(&Told, Entry)]) -> Option<String> {
        let route = &self.world.channels[channel];
        let Some(last) = chain.last() else { return Some("has no delivery".to_owned()) };
        for pair in chain.windows(2) {
            let [folded, teller] = pair else { continue };
            if folded["status"] != "folded" || teller["channel"]["alias"] != route.alias {
                return Some(format!("is folded, and is not: {folded}"));
            }
            let later = self
                .world
                .told
                .iter()
                .find(|told| told.deliveries.get(&channel).is_some_and(|id| teller["id"] == **id));
            if later.is_some_and(|later| later.alert != told.alert || later.second < told.second) {
                return Some(format!("was told by something else: {teller}"));
            }
        }
        let is_seen = |exactly: bool| {
            seen.iter().any(|(other, _)| {
                other.alert == told.alert
                    && if exactly { other.second == told.second } else { other.second >= told.second }
            })
        };
        match last["status"].as_str() {
            Some("delivered") if is_seen(chain.len() == 1) => None,
            Some("delivered") => Some(format!("was delivered, and nobody saw it: {last}")),
            Some("failed") => (!self.may_fail(route, last)).then(|| format!("failed without a reason: {last}")),
            _ => Some(format!("has not come to an end: {last}")),
        }
    }

    /// Whether the case gave it a reason.
    fn may_fail(&self, route: &Route, delivery: &Value) -> bool {
        let met = |troubles: &[Trouble]| {
            troubles
                .iter()
                .any(|trouble| route.webhooks.iter().any(|webhook| self.world.wire.has_met(webhook.path(), *trouble)))
        };
        let lasted = millis(&delivery["ended_at"]) - millis(&delivery["accepted_at"]);
        let is_over = |hours: u128| u128::try_from(lasted).is_ok_and(|lasted| lasted >= hours * HOUR.as_millis());
        match delivery["cause"]["kind"].as_str() {
            Some("rejected") => met(&[Trouble::Rejected, Trouble::Layout]),
            Some("unknown-outcome") => met(&[Trouble::CutBefore, Trouble::CutAfter]),
            Some("unavailable" | "unauthorized") => met(&[Trouble::Unavailable, Trouble::Blamed]) && is_over(23),
            Some("throttled") => met(&[Trouble::Throttled, Trouble::ThrottledLong]) && is_over(23),
            Some("unreachable") => delivery["cause"]["code"] == "held-too-long" && is_over(7 * 24),
            _ => false,
        }
    }

    /// Whoever was told that an alert is triggered hears last that it is over, unless that failed.
    fn judge_ends(&mut self, channel: usize, seen: &[(&Told, Entry)]) {
        for alert in 0..self.world.alerts.len() {
            let Some((last, _)) = seen.iter().rev().find(|(told, _)| told.alert == alert) else { continue };
            if last.is_resolution {
                continue;
            }
            let resolution = self.world.told.iter().find(|told| {
                told.alert == alert
                    && told.is_resolution
                    && told.incident == last.incident
                    && told.deliveries.contains_key(&channel)
            });
            let end = resolution.and_then(|told| self.chain(&told.deliveries[&channel]).last().copied());
            if end.is_none_or(|end| end["status"] != "failed") {
                self.wrong.push(format!("channel {channel}: {} is the last that people heard", name(last)));
            }
        }
    }

    /// What is wrong, and what is known of those alerts.
    fn report(mut self) -> String {
        let mut report = std::mem::take(&mut self.wrong);
        for channel in 0..CHANNELS {
            report.push(format!("channel {channel}, as it was told:"));
            for told in &self.world.told {
                let Some(id) = told.deliveries.get(&channel) else { continue };
                let ends = self.chain(id).into_iter().map(|delivery| {
                    let mark = if delivery["possible_repeat"] == true { ", marked" } else { "" };
                    let cause = delivery["cause"]["code"].as_str().map(|code| format!(", {code}")).unwrap_or_default();
                    format!("{} ({}{mark}{cause})", short(&delivery["id"]), text(&delivery["status"]))
                });
                report.push(format!("    {}: {}", name(told), ends.collect::<Vec<_>>().join(" -> ")));
            }
            report.push(format!("channel {channel}, as it was seen:"));
            for (told, entry) in self.seen(channel) {
                report.push(format!("    {}{}", name(told), if entry.in_digest { " (digest)" } else { "" }));
            }
        }
        report.join("\n")
    }
}

fn name(told: &Told) -> String {
    let Told { alert, incident, is_resolution, second, .. } = told;
    let what = if *is_resolution { "resolution" } else { "trigger" };
    format!("{what} {} of alert {alert} (incident {incident})", second % 1_000_000)
}

fn short(id: &Value) -> String {
    text(id).chars().rev().take(6).collect::<Vec<_>>().into_iter().rev().collect()
}

/// What a message tells: one event, or a digest's.
fn entries(message: &Value) -> Vec<Entry> {
    let mut texts = Vec::new();
    match message["attachments"].as_array() {
        Some(attachments) if !attachments.is_empty() => {
            for attachment in attachments {
                texts_of(&attachment["blocks"], &mut texts);
            }
        }
        _ => texts.extend(message["text"].as_str()),
    }
    let whole = texts.join("\n");
    whole.lines().filter_map(|line| entry(line, &whole)).collect()
}

fn texts_of<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| texts_of(item, texts)),
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name == "text" => texts.push(text),
                    member => texts_of(member, texts),
                }
            }
        }
        _ => {}
    }
}

/// What a line tells of an event, where it is the one that says when.
fn entry(line: &str, whole: &str) -> Option<Entry> {
    let (is_resolution, in_digest) = match line {
        _ if line.contains("*When:* <!date^") => (false, false),
        _ if line.starts_with("*Resolved:* <!date^") => (true, false),
        _ if line.starts_with("🚨 *") => (false, true),
        _ if line.starts_with("✅ *") => (true, true),
        _ => return None,
    };
    let number = |text: &str, before: &str, after: char| -> Option<i64> {
        text.split_once(before)?.1.split_once(after)?.0.parse().ok()
    };
    let second = number(line, "<!date^", '^')?;
    let value = number(if in_digest { line } else { whole }, "(Current: ", ')');
    Some(Entry { is_resolution, second, value: value.and_then(|value| usize::try_from(value).ok()), in_digest })
}
