//! What a message says, in the guide's words, before any service's markup: so that Slack, mail and cards say the same.
//!
//! Texts in it are people's own, of any length and with any markup, but where their type says `'static`: a renderer
//! cleans, escapes and cuts each by its service's rules, and decides how a [`Part`] looks.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::Timestamp;
use crate::events::{BrokenRule, Detail, Event, NotebookRun, Notice, RunStatus, Severity, State, Summary};
use crate::text::web_url;

/// The longest address of a button.
const BUTTON_URL: usize = 3000;

/// A message in its parts, in the order in which people read them.
#[derive(Debug, Clone, PartialEq)]
pub struct Words<'a> {
    /// "🚨".
    pub sign: &'static str,
    /// "Alert Triggered".
    pub opening: &'static str,
    /// "Daily Sales Alert".
    pub title: &'a str,
    /// How it should look.
    pub tone: Tone,
    /// What it says. Never empty.
    pub parts: Vec<Part<'a>>,
    /// Further facts, without the runbook where that is a button.
    pub labels: Vec<(&'a str, &'a str)>,
    /// Who should respond: ids or e-mail addresses.
    pub responders: Vec<&'a str>,
    /// Where 'View Report' leads, as people gave it: see [`web_url`].
    pub report: Option<&'a str>,
    /// Where 'View Runbook' leads: a web address of at most 3000 characters, percent-encoded.
    pub runbook: Option<String>,
}

/// How a message should look: its colour, where there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// It is over, or went well: green.
    Good,
    /// It is good to know: blue.
    Info,
    /// Somebody should look: yellow.
    Warning,
    /// Somebody has to look now: red.
    Critical,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Part<'a> {
    /// Lines that belong together.
    Lines(Vec<Line<'a>>),
    /// People's text, over several lines.
    Text(&'a str),
    /// "🔎 Broken Rules:". Never empty.
    Rules(&'a [BrokenRule]),
    /// The events of a digest.
    Summaries(&'a [Summary]),
}

/// One line, or a little more where its value is of several lines.
#[derive(Debug, Clone, PartialEq)]
pub enum Line<'a> {
    /// Our own words.
    Said(&'static str),
    /// "📅 When: Dec 15, 2024 2:14 PM".
    Fact {
        /// "📅"; empty where there is none.
        sign: &'static str,
        /// "When".
        name: &'static str,
        /// The rest.
        value: Value<'a>,
    },
}

/// What a fact says.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// Our own words.
    Said(&'static str),
    /// People's name of something, on one line.
    Name {
        /// As they call it.
        name: &'a str,
        /// What stands there where nothing is left of it.
        otherwise: &'static str,
    },
    /// People's text, over several lines.
    Text(&'a str),
    /// A time.
    Time {
        /// The time itself.
        at: Timestamp,
        /// As the organization reads it. May be empty.
        local: &'a str,
    },
}

/// What stands there where nothing is left of a title.
pub const UNTITLED: &str = "(untitled)";
/// The same for a report, a metric, a label.
pub const UNNAMED: &str = "(unnamed)";
/// What the button to a report says.
pub const VIEW_REPORT: &str = "View Report";
/// What the button to a runbook says.
pub const VIEW_RUNBOOK: &str = "View Runbook";
/// What is said where a report's address does not fit.
pub const TOO_LONG: &str = "The report's address is too long to be shown here.";

impl<'a> Words<'a> {
    /// What there is to say of an event.
    pub fn of(event: &'a Event) -> Self {
        let (sign, opening) = match &event.detail {
            Detail::Triggered(_) => ("🚨", "Alert Triggered"),
            Detail::Resolved(_) => ("✅", "Alert Resolved"),
            Detail::Notebook(_) => ("📔", "Notebook Alert"),
            Detail::Notice(_) => ("📣", "Notice"),
            Detail::Digest(_) => ("🗂️", "Digest"),
            Detail::Test => ("🧪", "Test Message"),
        };
        Self {
            sign,
            opening,
            title: &event.title,
            tone: Tone::of(event),
            parts: parts(event),
            labels: event
                .labels
                .iter()
                .filter(|label| runbook_of(label).is_none())
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect(),
            responders: event.mentions.iter().map(|mention| mention.trim()).filter(|name| !name.is_empty()).collect(),
            report: event.report.as_ref().and_then(|report| report.url.as_deref()),
            runbook: event.labels.iter().find_map(runbook_of),
        }
    }
}

impl Words<'_> {
    /// What buttons say and where they lead, those of at most `limit` bytes; and whether the report's address is longer. A
    /// runbook has 3000 bytes at most.
    pub fn links(&self, limit: usize) -> (Vec<(&'static str, String)>, bool) {
        let report = self.report.and_then(web_url);
        let left_out = report.as_ref().is_some_and(|url| url.len() > limit);
        let links = [(VIEW_REPORT, report), (VIEW_RUNBOOK, self.runbook.clone())];
        let fitting = links.into_iter().filter_map(|(says, url)| Some((says, url.filter(|url| url.len() <= limit)?)));
        (fitting.collect(), left_out)
    }
}

/// The address of a runbook, where this label is one that fits a button.
fn runbook_of((name, value): &(String, String)) -> Option<String> {
    if name != "runbook" {
        return None;
    }
    web_url(value).filter(|url| url.len() <= BUTTON_URL)
}

impl Tone {
    /// An event's.
    pub fn of(event: &Event) -> Self {
        match &event.detail {
            Detail::Resolved(_) => Self::Good,
            Detail::Notebook(run) => match run.status {
                RunStatus::Success => Self::Good,
                RunStatus::Warning => Self::Warning,
                RunStatus::Failure => Self::Critical,
            },
            Detail::Digest(digest) => digest.summaries.iter().map(Self::of_summary).max().unwrap_or(Self::Good),
            Detail::Triggered(_) | Detail::Notice(_) | Detail::Test => event.severity.into(),
        }
    }

    /// That of an event in a digest.
    pub fn of_summary(summary: &Summary) -> Self {
        if summary.state == State::Resolved { Self::Good } else { summary.severity.into() }
    }
}

impl From<Severity> for Tone {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Info => Self::Info,
            Severity::Warning => Self::Warning,
            Severity::Critical => Self::Critical,
        }
    }
}

impl Severity {
    /// As machines read it: "critical".
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl RunStatus {
    /// As machines read it: "failure".
    pub fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Warning => "warning",
            Self::Failure => "failure",
        }
    }
}

/// The sign of an event in a digest.
pub fn sign_of(summary: &Summary) -> &'static str {
    match summary.state {
        State::Triggered => "🚨",
        State::Resolved => "✅",
        State::Notebook => "📔",
        State::Notice => "📣",
    }
}

fn parts(event: &Event) -> Vec<Part<'_>> {
    let when = || Value::Time { at: event.occurred_at, local: &event.occurred_at_local };
    let report = || event.report.as_ref().map(|report| fact("📊", "Report", name(&report.name, UNNAMED)));
    match &event.detail {
        Detail::Triggered(trigger) => {
            let mut lines: Vec<Line<'_>> = report().into_iter().collect();
            lines.push(fact("⚠️ ", "Alert", name(&event.title, UNTITLED)));
            lines.push(fact("📅", "When", when()));
            let mut parts = vec![Part::Lines(lines)];
            if !trigger.broken_rules.is_empty() {
                parts.push(Part::Rules(&trigger.broken_rules));
            }
            parts
        }
        Detail::Resolved(resolution) => {
            let mut lines: Vec<Line<'_>> = report().into_iter().collect();
            lines.push(Line::Said("✅ This alert has returned to an 'ok' state."));
            let mut parts = vec![Part::Lines(lines), Part::Lines(vec![fact("", "Resolved", when())])];
            let local = resolution.triggered_at_local.as_deref().unwrap_or_default();
            let triggered = resolution.triggered_at.map(|at| fact("", "Triggered", Value::Time { at, local }));
            parts.extend(triggered.map(|line| Part::Lines(vec![line])));
            parts
        }
        Detail::Notebook(run) => vec![Part::Lines(notebook(run))],
        Detail::Notice(notice) => self::notice(notice),
        Detail::Digest(digest) => vec![Part::Summaries(&digest.summaries)],
        Detail::Test => vec![
            Part::Lines(vec![Line::Said("This is a test. Alerts to this channel will look like this message.")]),
            Part::Lines(vec![fact("📅", "When", when())]),
        ],
    }
}

fn notebook(run: &NotebookRun) -> Vec<Line<'_>> {
    let status = match run.status {
        RunStatus::Success => "Success ✅",
        RunStatus::Warning => "Warning ⚠️",
        RunStatus::Failure => "Failure ❌",
    };
    let mut lines = vec![fact("", "Status", Value::Said(status))];
    if says_something(&run.message) {
        lines.push(fact("", "Message", Value::Text(&run.message)));
    }
    lines
}

fn notice(notice: &Notice) -> Vec<Part<'_>> {
    let mut parts = if says_something(&notice.message) {
        vec![Part::Text(&notice.message)]
    } else if says_something(&notice.kind) {
        vec![Part::Text(&notice.kind)]
    } else {
        vec![Part::Lines(vec![Line::Said("(no message)")])]
    };
    let remedy = notice.remedy.as_deref().filter(|remedy| says_something(remedy));
    parts.extend(remedy.map(|remedy| Part::Lines(vec![fact("", "What to do", Value::Text(remedy))])));
    parts
}

fn says_something(text: &str) -> bool {
    text.chars().any(|character| !crate::text::one_line(character.encode_utf8(&mut [0; 4])).is_empty())
}

fn fact<'a>(sign: &'static str, name: &'static str, value: Value<'a>) -> Line<'a> {
    Line::Fact { sign, name, value }
}

fn name<'a>(name: &'a str, otherwise: &'static str) -> Value<'a> {
    Value::Name { name, otherwise }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::events;

    #[test]
    fn a_digest_looks_as_bad_as_the_worst_that_is_not_over() {
        let mut event = events::digest(3);
        assert_eq!(Tone::of(&event), Tone::Warning);
        let Detail::Digest(digest) = &mut event.detail else { panic!("no digest") };
        digest.summaries[1].severity = Severity::Critical;
        digest.summaries[0].state = State::Resolved;
        assert_eq!(Tone::of(&event), Tone::Good);
    }

    #[test]
    fn a_label_that_is_a_runbook_becomes_a_button_only_where_it_leads_somewhere() {
        let mut event = events::triggered();
        event.labels = vec![("runbook".into(), "https://wiki.example/r b".into()), ("team".into(), "sales".into())];
        let words = Words::of(&event);
        assert_eq!(words.runbook.as_deref(), Some("https://wiki.example/r%20b"));
        assert_eq!(words.labels, [("team", "sales")]);
        event.labels[0].1 = "ask Ada".into();
        let words = Words::of(&event);
        assert_eq!((words.runbook, words.labels.len()), (None, 2));
    }

    #[test]
    fn links_that_are_too_long_are_left_out_and_told() {
        let mut event = events::triggered();
        assert_eq!(Words::of(&event).links(100).0, [(VIEW_REPORT, "https://app.pyqueryhub.com/reports/42".into())]);
        assert_eq!(Words::of(&event).links(10), (vec![], true));
        event.report.as_mut().unwrap().url = Some("javascript:alert(1)".into());
        assert_eq!(Words::of(&event).links(100), (vec![], false));
    }

    #[test]
    fn a_notice_without_words_says_at_least_what_it_is() {
        let mut event = events::notice();
        let Detail::Notice(notice) = &mut event.detail else { panic!("no notice") };
        notice.message = " \u{202e}\n".into();
        notice.remedy = Some(" ".into());
        assert_eq!(Words::of(&event).parts, [Part::Text("channel-paused")]);
    }
}
