//! The service with its alerts and channels, and what was asked of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pqh_tests::slack_webhook::{Hold, Webhook};
use serde_json::{Value, json};

use crate::judge::{self, Summary};
use crate::model::{Alert, Follows};
use crate::scenario::{Scenario, eventually, new_channel, text};
use crate::step::{ALERTS, CHANNELS, Step};
use crate::wire::Wire;

/// How far a check may be ahead of the clock, and a little less: milliseconds.
const AHEAD: i64 = 280_000;
const SECOND: i64 = 1_000;
/// Steps of time until everything has ended, in seconds; the last one again and again.
const CALM: [u64; 12] = [1, 1, 2, 5, 10, 30, 60, 60, 60, 600, 3_600, 3_600];
/// So many of them, at most.
const ROUNDS: usize = 150;

/// A channel with its two webhooks.
pub(crate) struct Route {
    pub(crate) alias: String,
    pub(crate) webhooks: [Webhook; 2],
    /// The one to which it leads.
    leads_to: usize,
}

/// An event that the API said was told.
pub(crate) struct Told {
    pub(crate) alert: usize,
    pub(crate) incident: usize,
    pub(crate) is_resolution: bool,
    /// Whole seconds since 1970: no two are the same.
    pub(crate) second: i64,
    /// The check's value.
    pub(crate) value: usize,
    /// Its delivery in each channel.
    pub(crate) deliveries: BTreeMap<usize, String>,
}

pub(crate) struct World {
    pub(crate) scenario: Scenario,
    pub(crate) wire: Wire,
    pub(crate) channels: Vec<Route>,
    pub(crate) alerts: Vec<Alert>,
    pub(crate) told: Vec<Told>,
    /// The time of the last check.
    at: i64,
    /// Numbers checks.
    checks: usize,
}

impl World {
    /// Plays a case to its end, and says what was wrong.
    pub(crate) async fn play(steps: &[Step]) -> Result<Summary, String> {
        let mut world = Self::start().await;
        for step in steps {
            world.step(step).await.map_err(|wrong| format!("{step:?}: {wrong}"))?;
        }
        world.calm_down().await?;
        judge::judge(&world).await
    }

    async fn start() -> Self {
        let wire = Wire::start().await;
        let to_wire = wire.base_url();
        let scenario = Scenario::with(|config| {
            config.egress.upstreams.insert("hooks.slack.com".to_owned(), to_wire);
        })
        .await;
        wire.lead_to(scenario.simulator.base_url());
        let mut channels = Vec::new();
        for number in 0..CHANNELS {
            let alias = format!("channel-{number}");
            let webhooks = [scenario.webhook(), scenario.webhook()];
            scenario.post("/v1/channels", &new_channel(&alias, &webhooks[0])).await.created();
            channels.push(Route { alias, webhooks, leads_to: 0 });
        }
        let mut alerts = Vec::new();
        for number in 0..ALERTS {
            // All channels, all but the last, the last but one and so on.
            let alert = Alert::new(&format!("Alert {number}"), 0..CHANNELS - number);
            let aliases: Vec<&str> = alert.channels.iter().map(|at| channels[*at].alias.as_str()).collect();
            let new = json!({ "name": alert.name, "rules": ["Revenue < 10000"], "channels": aliases });
            scenario.post("/v1/alerts", &new).await.created();
            alerts.push(alert);
        }
        let at = scenario.now();
        Self { scenario, wire, channels, alerts, told: Vec::new(), at, checks: 0 }
    }

    async fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Check { alert, broken } => return self.check(*alert, *broken).await,
            Step::Late { alert, broken } => return self.late_check(*alert, *broken).await,
            Step::Again { alert } => return self.same_check(*alert).await,
            Step::Cooldown { alert, seconds } => {
                self.alerts[*alert].cooldown = seconds * SECOND;
                self.edit(*alert, &json!({ "cooldown_seconds": seconds })).await;
            }
            Step::Severity { alert, severity } => self.edit(*alert, &json!({ "severity": severity })).await,
            Step::Tell { alert, channels } => {
                self.alerts[*alert].channels = channels.iter().copied().collect();
                let aliases: Vec<&str> = channels.iter().map(|at| self.channels[*at].alias.as_str()).collect();
                self.edit(*alert, &json!({ "channels": aliases })).await;
            }
            Step::Mute { alert, seconds } => {
                let until = seconds.map(|seconds| self.scenario.now() + seconds * SECOND);
                self.alerts[*alert].muted_until = until.unwrap_or(i64::MAX);
                self.mute(*alert, &until.map_or(json!({}), |until| json!({ "until": rfc3339(until) }))).await;
            }
            Step::Unmute { alert } => self.unmute(*alert).await,
            Step::Pause { channel } => self.set_paused(*channel, true).await,
            Step::Resume { channel } => self.set_paused(*channel, false).await,
            Step::Quiet { channel, hours } => self.quiet(*channel, Some(*hours)).await,
            Step::NoQuiet { channel } => self.quiet(*channel, None).await,
            Step::Redirect { channel } => {
                let route = &mut self.channels[*channel];
                route.leads_to = 1 - route.leads_to;
                // The service looks whether the other one lives before it believes in it.
                self.wire.calm(route.webhooks[route.leads_to].path());
                route.webhooks[route.leads_to].release();
                self.scenario.change_webhook(&route.alias, &route.webhooks[route.leads_to]).await.ok();
            }
            Step::Trouble { channel, trouble, times } => {
                let route = &self.channels[*channel];
                for _ in 0..*times {
                    self.wire.next(route.webhooks[route.leads_to].path(), *trouble);
                }
            }
            Step::Hold { channel, seen } => {
                let hold = if *seen { Hold::Answers } else { Hold::Requests };
                let route = &self.channels[*channel];
                route.webhooks[route.leads_to].hold(hold);
            }
            Step::Release { channel } => self.channels[*channel].webhooks.iter().for_each(Webhook::release),
            Step::Pass { seconds } => self.scenario.pass(Duration::from_secs(*seconds)),
            Step::Settle => self.scenario.settle().await,
            Step::Restart => {
                // It waits for what is in flight.
                self.channels.iter().flat_map(|route| &route.webhooks).for_each(Webhook::release);
                self.scenario.restart().await;
            }
            Step::Kill => {
                self.scenario.kill().await;
                // What was held goes down with it.
                let held = || async {
                    let held = self.scenario.simulator.held();
                    if held == 0 { Ok(()) } else { Err(json!(held)) }
                };
                eventually("the end of what was in flight", held).await;
                self.scenario.launch().await;
            }
        }
        Ok(())
    }

    async fn edit(&self, alert: usize, change: &Value) {
        self.scenario.patch(&format!("/v1/alerts/{}", path(&self.alerts[alert].name)), change).await.ok();
    }

    async fn mute(&self, alert: usize, body: &Value) {
        self.scenario.post(&format!("/v1/alerts/{}/mute", path(&self.alerts[alert].name)), body).await.ok();
    }

    async fn unmute(&mut self, alert: usize) {
        self.alerts[alert].muted_until = 0;
        self.mute(alert, &json!({ "muted": false })).await;
    }

    /// Where it is so already, nothing is asked.
    async fn set_paused(&self, channel: usize, paused: bool) {
        let alias = &self.channels[channel].alias;
        match (paused, self.scenario.channel_state(alias).await["status"] == "paused") {
            (true, false) => self.scenario.pause(alias).await,
            (false, true) => self.scenario.resume(alias).await,
            _ => {}
        }
    }

    async fn quiet(&self, channel: usize, hours: Option<i64>) {
        let clock = |at: i64| {
            let minutes = at / 60_000 % 1_440;
            format!("{:02}:{:02}", minutes / 60, minutes % 60)
        };
        let now = self.scenario.now();
        let quiet: Vec<Value> = hours
            .map(|hours| json!({ "from": clock(now), "to": clock(now + hours * 3_600_000), "time_zone": "UTC" }))
            .into_iter()
            .collect();
        let path = format!("/v1/channels/{}", self.channels[channel].alias);
        self.scenario.patch(&path, &json!({ "quiet_hours": quiet })).await.ok();
    }

    async fn check(&mut self, number: usize, broken: bool) -> Result<(), String> {
        let now = self.scenario.now();
        // A second of its own, so that what people see names the check.
        let at = (self.at + SECOND).max(now.div_euclid(SECOND) * SECOND + SECOND);
        if at > now + AHEAD {
            self.scenario.pass(Duration::from_mins(3));
        }
        let now = self.scenario.now();
        self.at = at;
        self.checks += 1;
        let value = self.checks + if broken { 1_000 } else { 20_000 };
        let alert = &mut self.alerts[number];
        let follows = alert.check(broken, at, now);
        let found = post_check(&self.scenario, alert, at, value).await;
        let event = found["event"].as_str().map(str::to_owned);
        alert.last = Some((at, value, event.clone()));
        let state = if broken { "triggered" } else { "pending" };
        let found_silence = &found["silence"]["code"];
        let (channels, is_resolution) = match follows {
            Follows::Silence(why) => {
                if found["state"] == state && event.is_none() && found_silence == why {
                    return Ok(());
                }
                return Err(format!("expected {state} and silence for {why}: {found}"));
            }
            Follows::Trigger(channels) => (channels, false),
            Follows::Resolution(channels) => (channels, true),
        };
        let waits = [Value::Null, "quiet-hours".into(), "channel-paused".into()];
        let mut deliveries = BTreeMap::new();
        for delivery in found["deliveries"].as_array().into_iter().flatten() {
            let channel = self.channels.iter().position(|route| delivery["channel"] == route.alias);
            deliveries.insert(channel.ok_or("no such channel")?, text(&delivery["id"]));
        }
        let told: BTreeSet<usize> = deliveries.keys().copied().collect();
        if found["state"] != state || event.is_none() || !waits.contains(found_silence) || told != channels {
            return Err(format!("expected {state} and that the channels {channels:?} are told: {found}"));
        }
        let incident = self.alerts[number].incident;
        let second = at / SECOND;
        self.told.push(Told { alert: number, incident, is_resolution, second, value, deliveries });
        Ok(())
    }

    async fn late_check(&mut self, number: usize, broken: bool) -> Result<(), String> {
        let alert = &self.alerts[number];
        let Some((last, ..)) = alert.last else { return Ok(()) };
        self.checks += 1;
        let value = self.checks + if broken { 1_000 } else { 20_000 };
        let found = post_check(&self.scenario, alert, last - 500, value).await;
        if found["event"].is_null() && found["silence"]["code"] == "late" {
            return Ok(());
        }
        Err(format!("expected that it is late: {found}"))
    }

    async fn same_check(&self, number: usize) -> Result<(), String> {
        let alert = &self.alerts[number];
        let Some((last, value, event)) = &alert.last else { return Ok(()) };
        let found = post_check(&self.scenario, alert, *last, *value).await;
        if found["event"] == json!(event) && found["deliveries"] == json!([]) {
            return Ok(());
        }
        Err(format!("expected the event {event:?} again: {found}"))
    }

    /// Everything is mended, each alert returns to normal, and time passes until nothing waits any more.
    async fn calm_down(&mut self) -> Result<(), String> {
        for webhook in self.channels.iter().flat_map(|route| &route.webhooks) {
            self.wire.calm(webhook.path());
            webhook.release();
        }
        for channel in 0..CHANNELS {
            self.quiet(channel, None).await;
            self.set_paused(channel, false).await;
        }
        for alert in 0..ALERTS {
            self.unmute(alert).await;
            self.check(alert, false).await.map_err(|wrong| format!("the last check of alert {alert}: {wrong}"))?;
        }
        let mut open = Vec::new();
        for round in 0..ROUNDS {
            self.scenario.settle().await;
            for channel in 0..CHANNELS {
                // An attempt that was in flight may have paused it.
                self.set_paused(channel, false).await;
            }
            let ends = ["delivered", "failed", "folded", "cancelled"];
            open = self
                .deliveries()
                .await
                .into_iter()
                .filter(|one| !ends.iter().any(|end| one["status"] == *end))
                .collect();
            if open.is_empty() {
                return Ok(());
            }
            let last = CALM.len() - 1;
            self.scenario.pass(Duration::from_secs(CALM[round.min(last)]));
        }
        Err(format!("this does not come to an end: {open:#?}"))
    }

    /// All deliveries.
    pub(crate) async fn deliveries(&self) -> Vec<Value> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.scenario.get(&format!("/v1/deliveries?limit=200{cursor}")).await;
            all.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }

    /// An alert as the API tells it.
    pub(crate) async fn alert(&self, alert: &Alert) -> Value {
        self.scenario.get(&format!("/v1/alerts/{}", path(&alert.name))).await
    }
}

async fn post_check(scenario: &Scenario, alert: &Alert, at: i64, value: usize) -> Value {
    let check = json!({ "at": rfc3339(at), "values": { "Revenue": value } });
    let path = format!("/v1/alerts/{}/checks", path(&alert.name));
    scenario.post_as(&scenario.publisher, &path, &check).await.created()
}

fn path(name: &str) -> String {
    name.replace(' ', "%20")
}

fn rfc3339(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at).unwrap().to_string()
}
