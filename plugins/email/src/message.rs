//! What a mail says, cleaned and cut: both its texts are made of this.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use pqh_channel_sdk::events::{BrokenRule, Summary};
use pqh_channel_sdk::list::{count, left_out, names, plural};
use pqh_channel_sdk::text::{line, line_or, lines, web_url};
use pqh_channel_sdk::time::local_or_utc;
use pqh_channel_sdk::words::{Line, Part, Tone, UNNAMED, UNTITLED, Value, Words, sign_of};

use crate::html::color;

/// The longest address that is linked; in a digest, where 25 may stand, a quarter of it.
const LINK: usize = 3000;
/// A digest names no more; the host puts no more into one.
const SUMMARIES: usize = 25;

/// How much of people's texts is told: less, all alike, where a mail would be longer than Gmail shows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    name: usize,
    text: usize,
    rules: usize,
    /// Labels, and names of responders.
    few: usize,
}

impl Limits {
    pub(crate) const STEPS: [Self; 4] = [
        Self { name: 250, text: 10_000, rules: 50, few: 30 },
        Self { name: 200, text: 4_000, rules: 25, few: 20 },
        Self { name: 120, text: 2_000, rules: 15, few: 15 },
        Self { name: 80, text: 1_000, rules: 10, few: 10 },
    ];
}

/// What a mail says, within limits.
#[derive(Debug)]
pub(crate) struct Content {
    /// "🚨 Alert Triggered: Daily Sales Alert".
    pub(crate) headline: String,
    pub(crate) color: &'static str,
    pub(crate) sections: Vec<Section>,
    /// Name and value.
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) more_labels: String,
    pub(crate) responders: String,
    pub(crate) buttons: Vec<(&'static str, String)>,
    pub(crate) report_left_out: bool,
}

#[derive(Debug)]
pub(crate) enum Section {
    /// A name, which may be empty, and what is said under it.
    Lines(Vec<(String, String)>),
    Rules {
        rows: Vec<Rule>,
        more: String,
    },
    Summaries {
        heading: String,
        rows: Vec<Told>,
        more: String,
    },
}

#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) metric: String,
    /// "< 10000".
    pub(crate) condition: String,
    pub(crate) current: String,
}

/// An event of a digest.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) sign: &'static str,
    pub(crate) color: &'static str,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) when: String,
    pub(crate) link: Option<String>,
}

impl Content {
    pub(crate) fn of(words: &Words<'_>, limits: Limits) -> Self {
        let (buttons, report_left_out) = words.links(LINK);
        let named = |(name, value): &(&str, &str)| {
            (line_or(name, limits.name, UNNAMED), line_or(value, limits.name, "(empty)"))
        };
        Self {
            headline: format!("{} {}: {}", words.sign, words.opening, line_or(words.title, limits.name, UNTITLED)),
            color: color(words.tone),
            sections: words.parts.iter().map(|part| section(part, limits)).collect(),
            labels: words.labels.iter().take(limits.few).map(named).collect(),
            more_labels: left_out(words.labels.len(), limits.few, "label"),
            responders: names(&words.responders, limits.few),
            buttons,
            report_left_out,
        }
    }
}

fn section(part: &Part<'_>, limits: Limits) -> Section {
    match part {
        Part::Lines(all) => Section::Lines(all.iter().map(|line| told(line, limits)).collect()),
        Part::Text(text) => Section::Lines(vec![(String::new(), lines(text, limits.text))]),
        Part::Rules(rules) => Section::Rules {
            rows: rules.iter().take(limits.rules).map(|rule| self::rule(rule, limits)).collect(),
            more: left_out(rules.len(), limits.rules, "broken rule"),
        },
        Part::Summaries(summaries) => Section::Summaries {
            heading: format!("{} message{}:", count(summaries.len()), plural(summaries.len())),
            rows: summaries.iter().take(SUMMARIES).map(|summary| self::summary(summary, limits)).collect(),
            more: left_out(summaries.len(), SUMMARIES, "message"),
        },
    }
}

fn told(part: &Line<'_>, limits: Limits) -> (String, String) {
    match part {
        Line::Said(words) => (String::new(), (*words).to_owned()),
        Line::Fact { sign, name, value } => {
            let value = match value {
                Value::Said(words) => (*words).to_owned(),
                Value::Name { name, otherwise } => line_or(name, limits.name, otherwise),
                Value::Text(text) => lines(text, limits.text),
                Value::Time { at, local } => line(&local_or_utc(*at, local), limits.name),
            };
            let space = if sign.is_empty() { "" } else { " " };
            (format!("{sign}{space}{name}:"), value)
        }
    }
}

fn rule(rule: &BrokenRule, limits: Limits) -> Rule {
    Rule {
        metric: line_or(&rule.metric, limits.name, UNNAMED),
        condition: format!("{} {}", line(&rule.comparison, 30), line(&rule.threshold, limits.name)),
        current: line(&rule.current, limits.name),
    }
}

fn summary(summary: &Summary, limits: Limits) -> Told {
    let url = summary.report.as_ref().and_then(|report| web_url(report.url.as_deref()?));
    Told {
        sign: sign_of(summary),
        color: color(Tone::of_summary(summary)),
        title: line_or(&summary.title, limits.name, UNTITLED),
        text: line(&summary.text, limits.name),
        when: line(&local_or_utc(summary.occurred_at, &summary.occurred_at_local), 60),
        link: url.filter(|url| url.len() <= LINK / 4),
    }
}
