//! What people say of an alert, checked; and what it tells.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::error::AlertError;
use super::rule::Rule;
use crate::clock::{Millis, rfc3339};
use crate::event;

/// Rules of an alert, at most.
const MOST_RULES: usize = 100;
/// Characters of a frequency, at most.
const LONGEST_FREQUENCY: usize = 200;

/// What is kept of an alert beside its name, its channels and its state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Definition {
    pub(crate) rules: Vec<RuleBody>,
    /// `info`, `warning` or `critical`.
    pub(crate) severity: String,
    /// As in an event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) report: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mentions: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) labels: Option<Box<RawValue>>,
    /// As people say it: "Daily at 6 PM". Kept and shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) frequency: Option<String>,
}

/// A rule as people wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct RuleBody {
    metric: String,
    comparison: String,
    threshold: String,
}

/// What a check found of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Verdict {
    pub(crate) metric: String,
    pub(crate) comparison: String,
    pub(crate) threshold: String,
    /// The value as it came.
    pub(crate) current: String,
    pub(crate) broken: bool,
}

impl Definition {
    /// The rules, ready to judge.
    pub(crate) fn rules(&self) -> Result<Vec<Rule>, AlertError> {
        let read = |(at, rule): (usize, &RuleBody)| {
            Rule::new(&rule.metric, &rule.comparison, &rule.threshold)
                .map_err(|error| AlertError::BadDefinition { path: format!("rules[{at}]"), message: error.to_string() })
        };
        self.rules.iter().enumerate().map(read).collect()
    }

    /// Whether all of it can be told: by the rules of events.
    pub(super) fn check(&self, name: &str) -> Result<(), AlertError> {
        let rules = self.rules()?;
        if rules.is_empty() || rules.len() > MOST_RULES {
            let message =
                format!("expected 1 to {MOST_RULES} rules, such as \"Revenue < 50000\"; found {}", rules.len());
            return Err(AlertError::BadDefinition { path: "rules".to_owned(), message });
        }
        if let Some(frequency) = &self.frequency
            && (frequency.chars().count() > LONGEST_FREQUENCY || frequency.chars().any(char::is_control))
        {
            let message = format!("expected one line of at most {LONGEST_FREQUENCY} characters");
            return Err(AlertError::BadDefinition { path: "frequency".to_owned(), message });
        }
        let sample = self.resolution(name, 0, None);
        event::read(sample.as_bytes(), Some(&TimeZone::UTC), Timestamp::UNIX_EPOCH).map_err(AlertError::of_event)?;
        Ok(())
    }

    /// The event that it is triggered.
    pub(super) fn trigger(&self, name: &str, at: Millis, verdicts: &[Verdict]) -> String {
        let broken_rules = verdicts.iter().filter(|verdict| verdict.broken);
        let broken_rules = broken_rules.map(|verdict| {
            let Verdict { metric, comparison, threshold, current, broken: _ } = verdict;
            BrokenRule { metric, comparison, threshold, current }
        });
        self.event(name, at, |told| told.triggered = Some(Triggered { broken_rules: broken_rules.collect() }))
    }

    /// The event that it is over.
    pub(super) fn resolution(&self, name: &str, at: Millis, triggered_at: Option<Millis>) -> String {
        let triggered_at = triggered_at.map(rfc3339);
        self.event(name, at, |told| {
            told.severity = None;
            told.resolved = Some(Resolved { triggered_at });
        })
    }

    fn event<'a>(&'a self, title: &'a str, at: Millis, say: impl FnOnce(&mut Told<'a>)) -> String {
        let mut told = Told {
            title,
            severity: Some(&self.severity),
            occurred_at: rfc3339(at.max(0)),
            report: self.report.as_deref(),
            mentions: self.mentions.as_deref(),
            labels: self.labels.as_deref(),
            triggered: None,
            resolved: None,
        };
        say(&mut told);
        // What has text alone for keys is always JSON.
        serde_json::to_string(&told).unwrap_or_default()
    }
}

/// An event as `docs/events.md` has it.
#[derive(Serialize)]
struct Told<'a> {
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<&'a str>,
    occurred_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mentions: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    triggered: Option<Triggered<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved: Option<Resolved>,
}

#[derive(Serialize)]
struct Triggered<'a> {
    broken_rules: Vec<BrokenRule<'a>>,
}

#[derive(Serialize)]
struct BrokenRule<'a> {
    metric: &'a str,
    comparison: &'a str,
    threshold: &'a str,
    current: &'a str,
}

#[derive(Serialize)]
struct Resolved {
    #[serde(skip_serializing_if = "Option::is_none")]
    triggered_at: Option<String>,
}

/// Rules as a request has them: each a text, or an object.
pub(super) fn rules(given: &[Value]) -> Result<Vec<RuleBody>, AlertError> {
    given.iter().enumerate().map(|(at, rule)| self::rule(rule, &format!("rules[{at}]"))).collect()
}

fn rule(given: &Value, path: &str) -> Result<RuleBody, AlertError> {
    let refuse = |message: String| AlertError::BadDefinition { path: path.to_owned(), message };
    let rule = match given {
        Value::String(text) => Rule::read(text).map_err(|error| refuse(error.to_string()))?,
        Value::Object(members) => {
            let known = ["metric", "comparison", "threshold"];
            if let Some(unknown) = members.keys().find(|key| !known.contains(&key.as_str())) {
                return Err(refuse(format!("unknown member {unknown:?}, expected metric, comparison and threshold")));
            }
            let member = |name: &str| match members.get(name) {
                Some(Value::String(text)) => Ok(text.as_str()),
                Some(Value::Number(number)) => {
                    Err(refuse(format!("{name}: expected text, found the number {number}: write \"{number}\"")))
                }
                // What is missing is said with the rule's own words.
                None | Some(Value::Null) => Ok(""),
                Some(_) => Err(refuse(format!("{name}: expected text, such as \"10000\""))),
            };
            Rule::new(member("metric")?, member("comparison")?, member("threshold")?)
                .map_err(|error| refuse(error.to_string()))?
        }
        _ => {
            let expected =
                "expected text such as \"Revenue < 50000\", or an object with metric, comparison and threshold";
            return Err(refuse(expected.to_owned()));
        }
    };
    Ok(RuleBody {
        metric: rule.metric().to_owned(),
        comparison: rule.comparison().name().to_owned(),
        threshold: rule.threshold().to_owned(),
    })
}
