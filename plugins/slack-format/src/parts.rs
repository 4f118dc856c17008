//! What a message says, part by part, each within its own limit.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use pqh_channel_sdk::events::{BrokenRule, Summary};
use pqh_channel_sdk::list::{count, fitting, more, plural};
use pqh_channel_sdk::text::{MARKER, length, one_line, truncate, web_url};
use pqh_channel_sdk::words::{Line, Part, UNNAMED, UNTITLED, VIEW_REPORT, Value, Words, sign_of};

use crate::mrkdwn::{date, line, line_or, lines, link};

/// How many labels are shown (Slack: fields <= 10).
const LABELS: usize = 10;
/// How many of a digest's summaries are named, each of them. The host puts no more into one.
const NAMED: usize = 25;
/// What is left of a title where room is scarce: eight characters and the marker, even where each is sent as `&amp;`.
const SHORTEST_TITLE: usize = 48;
/// The local text of a digest's times, as sent. What is longer gives way to the time in UTC.
const LOCAL_TIME: usize = 32;

/// How much room each part has, in characters as sent. All together stay below 10,000, Slack's undocumented total.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Broken rules, a message, or one section of a digest's summaries.
    pub(crate) body: usize,
    /// A digest's summaries, all together. 25 of them need 3300 at least.
    pub(crate) digest: usize,
    /// Names and titles within a line.
    pub(crate) name: usize,
    /// A notice's remedy, and who should respond.
    pub(crate) extra: usize,
    /// A label's name, and its value.
    pub(crate) label: (usize, usize),
}

impl Limits {
    /// 2900 + 2 * 250 + 2 * 700 + 10 * 430, with what stands between them; a digest's summaries leave room to labels and
    /// responders.
    pub(crate) const BLOCKS: Self = Self { body: 2900, digest: 9200, name: 250, extra: 700, label: (80, 340) };
    /// For a message of text alone: 4000 with everything.
    pub(crate) const PLAIN: Self = Self { body: 1400, digest: 3400, name: 200, extra: 300, label: (30, 60) };
}

/// A title on one line.
pub(crate) fn title(text: &str, limit: usize) -> String {
    line_or(text, limit, UNTITLED)
}

/// The sections between headline and labels. Never empty, none longer than 3000.
pub(crate) fn sections(words: &Words<'_>, limits: &Limits) -> Vec<String> {
    let mut sections = Vec::new();
    for part in &words.parts {
        match part {
            Part::Lines(lines) => {
                sections.push(lines.iter().map(|line| told(line, limits)).collect::<Vec<_>>().join("\n"));
            }
            Part::Text(text) => sections.push(lines(text, limits.body)),
            Part::Rules(broken) => sections.push(rules(broken, limits.body)),
            Part::Summaries(summaries) => sections.extend(digest_sections(summaries, limits)),
        }
    }
    sections
}

fn told(part: &Line<'_>, limits: &Limits) -> String {
    let (sign, name, value) = match part {
        Line::Said(words) => return (*words).to_owned(),
        Line::Fact { sign, name, value } => (sign, name, value),
    };
    let value = match value {
        Value::Said(words) => (*words).to_owned(),
        Value::Name { name, otherwise } => line_or(name, limits.name, otherwise),
        // The remedy of a notice stands below its message.
        Value::Text(text) if *name == "Message" => lines(text, limits.body - 60),
        Value::Text(text) => lines(text, limits.extra - 20),
        Value::Time { at, local } => date(*at, local),
    };
    let space = if sign.is_empty() { "" } else { " " };
    format!("{sign}{space}*{name}:* {value}")
}

/// Numbered, as many as fit into `limit`, and how many more there are.
pub(crate) fn rules(rules: &[BrokenRule], limit: usize) -> String {
    let rule = |(at, rule): (usize, &BrokenRule)| {
        format!(
            "{}. {} {} {} (Current: {})",
            at + 1,
            line_or(&rule.metric, 300, UNNAMED),
            line(&rule.comparison, 30),
            line(&rule.threshold, 150),
            line(&rule.current, 150),
        )
    };
    fitting("🔎 *Broken Rules:*", rules.iter().enumerate().map(rule), rules.len(), "broken rule", limit)
}

/// How much of each summary is told. Addresses are shown whole or not at all.
#[derive(Debug, Clone, Copy)]
struct Share {
    title: usize,
    text: usize,
    link: usize,
}

impl Share {
    const fn new(title: usize, text: usize, link: usize) -> Self {
        Self { title, text, link }
    }

    /// From all that is ever told to the least. Links go first, the longest before the others, then texts, then the ends
    /// of titles; all summaries give up the same.
    const STEPS: [Self; 10] = [
        Self::new(120, 200, 500),
        Self::new(120, 200, 250),
        Self::new(120, 200, 150),
        Self::new(120, 200, 0),
        Self::new(120, 130, 0),
        Self::new(100, 100, 0),
        Self::new(80, 70, 0),
        Self::new(64, 40, 0),
        Self::new(64, 0, 0),
        Self::new(SHORTEST_TITLE, 0, 0),
    ];
}

/// A summary's parts, each as sent.
#[derive(Debug)]
struct Told {
    sign: &'static str,
    title: String,
    text: String,
    date: String,
    link: Option<String>,
}

impl Told {
    fn of(summary: &Summary) -> Self {
        let url = summary.report.as_ref().and_then(|report| web_url(report.url.as_deref()?));
        let local = &summary.occurred_at_local;
        let local = if length(&line(local, 2 * LOCAL_TIME)) > LOCAL_TIME { "" } else { local };
        Self {
            sign: sign_of(summary),
            title: beginning(&summary.title, 120),
            text: line(&summary.text, 200),
            date: date(summary.occurred_at, local),
            link: url.map(|url| link(&url, VIEW_REPORT)),
        }
    }

    fn line(&self, share: Share) -> String {
        let Self { sign, title, text, date, link } = self;
        let text = truncate(text, share.text, MARKER);
        let colon = if text.is_empty() { "" } else { ": " };
        let link = link.as_deref().filter(|link| length(link) <= share.link).unwrap_or_default();
        let dot = if link.is_empty() { "" } else { " · " };
        [sign, " *", &truncate(title, share.title, MARKER), "*", colon, &text, " · ", date, dot, link].concat()
    }
}

/// A title of which something is always left: neither white space before it nor marks without end on its first
/// character take its place.
fn beginning(text: &str, limit: usize) -> String {
    let text = text.trim_start_matches(|character: char| one_line(character.encode_utf8(&mut [0; 4])).is_empty());
    let told = title(text, limit);
    if truncate(&told, SHORTEST_TITLE, MARKER) != MARKER {
        return told;
    }
    let first: String = text.chars().take(8).collect();
    title(&first, limit) + MARKER
}

/// A digest's summaries below their number, each named, in as many sections as they need.
fn digest_sections(summaries: &[Summary], limits: &Limits) -> Vec<String> {
    if summaries.is_empty() {
        return vec!["Nothing to tell.".to_owned()];
    }
    let named = summaries.get(..NAMED).unwrap_or(summaries);
    let told: Vec<Told> = named.iter().map(Told::of).collect();
    let left = summaries.len() - named.len();
    let heading = format!("*{} message{}:*", count(summaries.len()), plural(summaries.len()));
    let mut texts = Vec::new();
    for share in Share::STEPS {
        let mut sections = Sections::new(limits.body, &heading);
        for told in &told {
            sections.push(&told.line(share));
        }
        if left > 0 {
            sections.push(&more(left, "message"));
        }
        texts = sections.texts;
        if sections.used <= limits.digest {
            break;
        }
    }
    texts
}

/// Whole lines in as few texts as hold them, each of at most `limit` characters.
struct Sections {
    limit: usize,
    texts: Vec<String>,
    /// Characters of the last, and of all.
    last: usize,
    used: usize,
}

impl Sections {
    fn new(limit: usize, first: &str) -> Self {
        let used = length(first) + 1;
        Self { limit, texts: vec![first.to_owned()], last: used, used }
    }

    fn push(&mut self, line: &str) {
        let needed = length(line) + 1;
        self.used += needed;
        self.last += needed;
        if let Some(text) = self.texts.last_mut().filter(|_| self.last <= self.limit) {
            text.push('\n');
            text.push_str(line);
        } else {
            self.texts.push(line.to_owned());
            self.last = needed;
        }
    }
}

/// The labels of a message, as section fields.
#[derive(Debug)]
pub(crate) struct Labels {
    pub(crate) fields: Vec<String>,
    pub(crate) left_out: Option<String>,
}

pub(crate) fn labels(words: &Words<'_>, limits: &Limits) -> Labels {
    let field = |(name, value): &(&str, &str)| {
        format!("*{}:*\n{}", line_or(name, limits.label.0, UNNAMED), line_or(value, limits.label.1, "(empty)"))
    };
    let left = words.labels.len().saturating_sub(LABELS);
    Labels {
        fields: words.labels.iter().take(LABELS).map(field).collect(),
        left_out: (left > 0).then(|| more(left, "label")),
    }
}

/// Who should respond: Slack's ids as mentions, anybody else as text.
pub(crate) fn responders(words: &Words<'_>, limits: &Limits) -> Option<String> {
    let names: Vec<String> =
        words.responders.iter().map(|mention| responder(mention)).filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        return None;
    }
    let mut told = "👥 *Who should respond:*".to_owned();
    let mut shown = 0;
    for name in &names {
        let separator = if shown == 0 { " " } else { ", " };
        if length(&told) + length(name) + 30 > limits.extra {
            break;
        }
        told = format!("{told}{separator}{name}");
        shown += 1;
    }
    match names.len() - shown {
        0 => Some(told),
        left => Some(format!("{told} and {} more", count(left))),
    }
}

fn responder(mention: &str) -> String {
    let id_like = (7..=25).contains(&mention.len())
        && mention.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && mention.bytes().any(|byte| byte.is_ascii_digit());
    match mention.bytes().next() {
        Some(b'U' | b'W') if id_like => format!("<@{mention}>"),
        Some(b'S') if id_like => format!("<!subteam^{mention}>"),
        _ => line(mention, 100),
    }
}
