//! One rule of an alert: a value's name, a comparison and a threshold, and whether a value breaks it.

use std::{cmp::Ordering, fmt};

use super::quantity::{FORMS, Mismatch, NotNumber, QUOTED, Quantity, Unreadable, shown};

/// Characters of a metric's name, at most.
const METRIC: usize = 200;
/// What a rule may compare by.
const COMPARISONS: &str = "<, <=, =, !=, > or >=";

/// How a rule compares a value with its threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// A rule: the condition on one value under which an alert triggers.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    metric: String,
    comparison: Comparison,
    threshold: Quantity,
}

/// Why something is no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RuleError {
    /// Nothing was written.
    #[error("expected a rule, such as \"Revenue < 50000\"; found nothing")]
    Empty,
    /// No comparison stands in it.
    #[error(
        "the rule {} has no comparison: expected {COMPARISONS} between the name of a value and a threshold, such as {}",
        shown(rule),
        example(rule, "<", "100")
    )]
    NoComparison {
        /// The rule as it was written.
        rule: String,
    },
    /// A comparison that is not known.
    #[error("the rule {} has an unknown comparison: expected {COMPARISONS}; found {}", shown(rule), shown(found))]
    UnknownComparison {
        /// The rule as it was written.
        rule: String,
        /// What stands for a comparison.
        found: String,
    },
    /// No name stands before the comparison.
    #[error(
        "the rule {} names no value: expected a name before \"{comparison}\", such as {}",
        shown(rule),
        example("Revenue", comparison.name(), threshold)
    )]
    NoMetric {
        /// The rule as it was written.
        rule: String,
        /// Its comparison.
        comparison: Comparison,
        /// Its threshold, or one in place of it.
        threshold: String,
    },
    /// A name that is too long or has control characters.
    #[error(
        "the rule {} names its value wrongly: expected a name of one line, 1 to {METRIC} characters; found {found}",
        shown(rule)
    )]
    Metric {
        /// The rule as it was written.
        rule: String,
        /// What is wrong.
        found: String,
    },
    /// Nothing stands behind the comparison.
    #[error(
        "the rule {} has no threshold: expected a value after \"{comparison}\", such as {}",
        shown(rule),
        example(metric, comparison.name(), "100")
    )]
    NoThreshold {
        /// The rule as it was written.
        rule: String,
        /// Its name of a value.
        metric: String,
        /// Its comparison.
        comparison: Comparison,
    },
    /// A threshold that is no value.
    #[error(
        "the rule {} has no usable threshold: {reason}; write a number, such as {FORMS}, or a short text",
        shown(rule)
    )]
    Unreadable {
        /// The rule as it was written.
        rule: String,
        /// Why it cannot be read.
        reason: Unreadable,
    },
    /// A second comparison before the threshold.
    #[error(
        "the rule {} has more than one comparison: expected a value after \"{comparison}\"; found {}",
        shown(rule),
        shown(threshold)
    )]
    TwoComparisons {
        /// The rule as it was written.
        rule: String,
        /// Its first comparison.
        comparison: Comparison,
        /// What stands behind it.
        threshold: String,
    },
    /// A text where only numbers compare.
    #[error(
        "the rule {} cannot compare by \"{comparison}\": expected a number, such as {FORMS}; found {}, which is none: \
         {reason}; text compares by = and != only",
        shown(rule),
        shown(threshold)
    )]
    NotNumber {
        /// The rule as it was written.
        rule: String,
        /// Its comparison.
        comparison: Comparison,
        /// Its threshold.
        threshold: String,
        /// Why the threshold is no number.
        reason: NotNumber,
    },
    /// A number that is written wrongly; as a text it would never equal the number that was meant.
    #[error(
        "the rule {} has a number that cannot be understood: expected one such as {FORMS}; found {}, which is none: \
         {reason}",
        shown(rule),
        shown(threshold)
    )]
    WrongNumber {
        /// The rule as it was written.
        rule: String,
        /// Its threshold.
        threshold: String,
        /// Why the threshold is no number.
        reason: NotNumber,
    },
}

/// Why a rule cannot judge a value. Such a value neither breaks nor keeps the rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ValueError {
    /// No value at all.
    #[error("the rule {} cannot be checked: {reason}; send the value that the query returned", shown(rule))]
    Unreadable {
        /// The rule.
        rule: String,
        /// Why it cannot be read.
        reason: Unreadable,
    },
    /// A text in place of a number, or a number of another kind.
    #[error(
        "the rule {} cannot be checked: {reason}; send a number that fits the threshold, or change the rule",
        shown(rule)
    )]
    Mismatch {
        /// The rule.
        rule: String,
        /// Why it does not compare.
        reason: Mismatch,
    },
}

impl Comparison {
    /// The comparison as rules show it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// The comparison of that name, in any of its spellings.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "<" => Self::Less,
            "<=" | "≤" => Self::LessOrEqual,
            "=" | "==" => Self::Equal,
            "!=" | "<>" | "≠" => Self::NotEqual,
            ">" => Self::Greater,
            ">=" | "≥" => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    /// Whether it holds for a value that compares so with the threshold.
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }

    /// Whether texts compare by it.
    fn is_of_text(self) -> bool {
        matches!(self, Self::Equal | Self::NotEqual)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Rule {
    /// A rule of its three parts.
    pub(crate) fn new(metric: &str, comparison: &str, threshold: &str) -> Result<Self, RuleError> {
        let (metric, name, threshold) = (metric.trim(), comparison.trim(), threshold.trim());
        let rule = [metric, name, threshold].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        if rule.is_empty() {
            return Err(RuleError::Empty);
        }
        if name.is_empty() {
            return Err(RuleError::NoComparison { rule });
        }
        let Some(comparison) = Comparison::named(name) else {
            return Err(RuleError::UnknownComparison { rule, found: name.to_owned() });
        };
        if metric.is_empty() {
            let threshold = if threshold.is_empty() { "100" } else { threshold }.to_owned();
            return Err(RuleError::NoMetric { rule, comparison, threshold });
        }
        if let Some(found) = misnamed(metric) {
            return Err(RuleError::Metric { rule, found });
        }
        if threshold.is_empty() {
            return Err(RuleError::NoThreshold { rule, metric: metric.to_owned(), comparison });
        }
        let threshold = match Quantity::read(threshold) {
            Ok(threshold) => threshold,
            Err(reason) => return Err(RuleError::Unreadable { rule, reason }),
        };
        if let Some(reason) = threshold.not_number() {
            let (reason, written) = (reason.clone(), threshold.written().to_owned());
            let behind = written.trim_start_matches(|c: char| is_of_comparison(c) || c.is_whitespace());
            if behind != written && Quantity::read(behind).is_ok_and(|behind| behind.is_number()) {
                return Err(RuleError::TwoComparisons { rule, comparison, threshold: written });
            }
            if !comparison.is_of_text() {
                return Err(RuleError::NotNumber { rule, comparison, threshold: written, reason });
            }
            if reason.is_meant_as_number() {
                return Err(RuleError::WrongNumber { rule, threshold: written, reason });
            }
        }
        Ok(Self { metric: metric.to_owned(), comparison, threshold })
    }

    /// A rule on one line, such as `Revenue < 50000`, `Query Response Time > 2000ms` or `Status != ok`.
    pub(crate) fn read(text: &str) -> Result<Self, RuleError> {
        let text = text.trim();
        // A `!` is a sign only before `=`: names may end in one.
        let signs = text.char_indices().find(|&(at, c)| match c {
            '!' => text.get(at..).is_some_and(|rest| rest.starts_with("!=")),
            _ => is_of_comparison(c),
        });
        let Some((metric, rest)) = signs.and_then(|(at, _)| text.split_at_checked(at)) else {
            return Self::new(text, "", "");
        };
        // The whole run of signs is the comparison, so that `<=` is not `<`, and `=>` is not `=` with the text `>`.
        let end = rest.find(|c| !is_of_comparison(c)).unwrap_or(rest.len());
        let (comparison, threshold) = rest.split_at(end);
        Self::new(metric, comparison, threshold)
    }

    /// The name of the value that the rule watches.
    pub(crate) fn metric(&self) -> &str {
        &self.metric
    }

    /// How the rule compares.
    pub(crate) fn comparison(&self) -> Comparison {
        self.comparison
    }

    /// What the rule compares with, as it was written.
    pub(crate) fn threshold(&self) -> &str {
        self.threshold.written()
    }

    /// Whether the condition holds for this value.
    pub(crate) fn is_broken_by(&self, current: &str) -> Result<bool, ValueError> {
        let current =
            Quantity::read(current).map_err(|reason| ValueError::Unreadable { rule: self.to_string(), reason })?;
        let ordering = if self.threshold.is_number() {
            current
                .compare(&self.threshold)
                .map_err(|reason| ValueError::Mismatch { rule: self.to_string(), reason })?
        } else {
            current.written().cmp(self.threshold.written())
        };
        Ok(self.comparison.holds(ordering))
    }
}

/// Rules are equal if they are written alike.
impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.metric == other.metric && self.comparison == other.comparison && self.threshold() == other.threshold()
    }
}

impl Eq for Rule {}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.metric, self.comparison, self.threshold())
    }
}

/// What is wrong with a metric's name.
fn misnamed(metric: &str) -> Option<String> {
    let length = metric.chars().count();
    if length > METRIC {
        return Some(format!("{length} characters"));
    }
    metric.chars().any(char::is_control).then(|| "a control character".to_owned())
}

fn is_of_comparison(c: char) -> bool {
    matches!(c, '<' | '>' | '=' | '!' | '≤' | '≥' | '≠')
}

/// A rule as it could be written, quoted; a long name is cut, so that the rest can be seen.
fn example(metric: &str, comparison: &str, threshold: &str) -> String {
    let behind = format!(" {comparison} {threshold}");
    let room = QUOTED.saturating_sub(behind.chars().count()).max(QUOTED / 3);
    shown(&format!("{}{behind}", metric.chars().take(room).collect::<String>()))
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;
