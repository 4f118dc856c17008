//! What an event says beside its summary, as PagerDuty shows it best: one table of names and texts, nothing nested.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use pqh_channel_sdk::events::Event;
use pqh_channel_sdk::list::{left_out, names};
use pqh_channel_sdk::plain::{self, rule};
use pqh_channel_sdk::text::{line_or, lines};
use pqh_channel_sdk::words::{Line, Part, UNNAMED, Value, Words};
use serde::{Serialize, Serializer};

// Together below 300,000 bytes, even of four bytes a character: a whole event has 512 KB at most (FACTS.md, 2).
const RULES: usize = 100;
const LABELS: usize = 50;
const LABEL: (usize, usize) = (80, 500);
const TEXT: usize = 8000;
const RESPONDERS: usize = 20;

/// `custom_details`: rows in order, each name once.
#[derive(Debug, Default)]
pub(crate) struct Details(Vec<(String, String)>);

impl Details {
    pub(crate) fn of(event: &Event, words: &Words<'_>) -> Self {
        let mut details = Self::default();
        for part in &words.parts {
            match part {
                Part::Lines(lines) => lines.iter().for_each(|line| match line {
                    Line::Said(words) => details.push("Message", (*words).to_owned()),
                    Line::Fact { name, value, .. } => details.push(name, plain::value(value, TEXT)),
                }),
                Part::Text(text) => details.push("Message", lines(text, TEXT)),
                Part::Rules(rules) => {
                    for (number, broken) in (1..).zip(rules.iter().take(RULES)) {
                        details.push(&format!("Rule {number}"), rule(broken));
                    }
                    details.push("More rules", left_out(rules.len(), RULES, "broken rule"));
                }
                Part::Summaries(_) => {}
            }
        }
        if !details.has("When") {
            let when = Value::Time { at: event.occurred_at, local: &event.occurred_at_local };
            details.push("When", plain::value(&when, TEXT));
        }
        for (name, value) in words.labels.iter().take(LABELS) {
            details.push(&line_or(name, LABEL.0, UNNAMED), line_or(value, LABEL.1, "(empty)"));
        }
        details.push("More labels", left_out(words.labels.len(), LABELS, "label"));
        details.push("Who should respond", names(&words.responders, RESPONDERS));
        details
    }

    /// A row, where there is something to say; a name that stands already gets a number.
    pub(crate) fn push(&mut self, name: &str, value: String) {
        if value.is_empty() {
            return;
        }
        let mut unique = name.to_owned();
        let mut number = 2;
        while self.has(&unique) {
            unique = format!("{name} ({number})");
            number += 1;
        }
        self.0.push((unique, value));
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(held, _)| held == name)
    }
}

impl Serialize for Details {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
