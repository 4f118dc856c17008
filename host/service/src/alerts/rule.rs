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
mod tests {
    use super::*;

    fn rule(text: &str) -> Rule {
        Rule::read(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
    }

    fn broken(text: &str, current: &str) -> bool {
        rule(text).is_broken_by(current).unwrap_or_else(|error| panic!("{text:?}, {current:?}: {error}"))
    }

    fn refusal(text: &str) -> String {
        Rule::read(text).map(|rule| panic!("{rule} is a rule")).unwrap_err().to_string()
    }

    #[test]
    fn a_rule_is_read_from_one_line() {
        for (text, metric, comparison, threshold) in [
            ("Revenue < 50000", "Revenue", "<", "50000"),
            ("Query Response Time > 2000ms", "Query Response Time", ">", "2000ms"),
            ("Status != ok", "Status", "!=", "ok"),
            ("a<=1", "a", "<=", "1"),
            ("a >= 1", "a", ">=", "1"),
            ("a == 1", "a", "=", "1"),
            ("a <> 1", "a", "!=", "1"),
            ("a ≤ 1", "a", "<=", "1"),
            ("a≥1", "a", ">=", "1"),
            ("a ≠ 1", "a", "!=", "1"),
            (" a  =  two words ", "a", "=", "two words"),
            ("a = b = c", "a", "=", "b = c"),
            ("Wow! > -5", "Wow!", ">", "-5"),
            ("Tag = !x", "Tag", "=", "!x"),
            ("Tag = <unknown>", "Tag", "=", "<unknown>"),
            ("Umsatz (€) < 1,000", "Umsatz (€)", "<", "1,000"),
        ] {
            let read = rule(text);
            assert_eq!((read.metric(), read.comparison().name(), read.threshold()), (metric, comparison, threshold));
            assert_eq!(Rule::new(metric, comparison, threshold).as_ref(), Ok(&read));
            assert_eq!(Rule::read(&read.to_string()), Ok(read));
        }
        assert_ne!(rule("a < 0.3"), rule("a < 0.30"));
    }

    #[test]
    fn comparisons_are_known_by_their_names() {
        for name in ["<", "<=", "=", "!=", ">", ">="] {
            assert_eq!(Comparison::named(name).map(Comparison::name), Some(name));
        }
        for (name, known) in [("==", "="), ("<>", "!="), ("≤", "<="), ("≥", ">="), ("≠", "!=")] {
            assert_eq!(Comparison::named(name).map(Comparison::name), Some(known));
        }
        for name in ["", "=>", "===", "!", "is", "=<"] {
            assert_eq!(Comparison::named(name), None, "{name}");
        }
    }

    #[test]
    fn each_comparison_holds_for_less_equal_and_greater_values_as_it_says() {
        for (comparison, less, equal, greater) in [
            ("<", true, false, false),
            ("<=", true, true, false),
            ("=", false, true, false),
            ("!=", true, false, true),
            (">", false, false, true),
            (">=", false, true, true),
        ] {
            let text = format!("Revenue {comparison} 50,000");
            for (current, holds) in [("49,999.99", less), ("50k", equal), ("50000.01", greater)] {
                assert_eq!(broken(&text, current), holds, "{text}: {current}");
            }
        }
    }

    #[test]
    fn values_are_judged_exactly_in_their_units() {
        for (text, current, expected) in [
            ("Revenue < 50000", "42,750", true),
            ("Revenue < 10000", "8750", true),
            ("Revenue < 10k", "8750", true),
            ("Query Response Time > 2000ms", "2500", true),
            ("Query Response Time > 2000ms", "1.5s", false),
            ("Conversion Rate < 2.5%", "3.1", false),
            ("Conversion Rate < 2.5%", "2.50%", false),
            ("Conversion Rate < 2.5%", "2.4999999%", true),
            ("a = 0.3", "0.30", true),
            ("a = 0.3", "0.30000000000000004", false),
            ("a = 1500ms", "1.5s", true),
            ("a > 1h", "90 min", true),
            ("a > -1", "\u{2212}2", false),
            ("a >= $1.5k", "1500", true),
            ("a = 1e5", "100,000", true),
        ] {
            assert_eq!(broken(text, current), expected, "{text}: {current}");
        }
    }

    #[test]
    fn texts_are_equal_or_not_exactly_as_written() {
        for (text, current, expected) in [
            ("Status != ok", "ok", false),
            ("Status != ok", " ok\n", false),
            ("Status != ok", "OK", true),
            ("Status = ok", "ok", true),
            ("Status = ok", "5", false),
            ("Status != ok", "1,24", true),
            ("Version = 1.2.3", "1.2.3", true),
            ("Day = 2026-01-01", "2026-01-02", false),
        ] {
            assert_eq!(broken(text, current), expected, "{text}: {current}");
        }
    }

    #[test]
    fn a_value_that_cannot_be_judged_is_an_error_and_never_a_verdict() {
        for text in ["a < 5", "a <= 5", "a = 5", "a != 5", "a > 5", "a >= 5", "a = ok", "a != ok"] {
            for current in ["", " ", "NaN", "null", "None", "inf", "-Infinity", "N/A", "undefined", "a\nb"] {
                let error = rule(text).is_broken_by(current).unwrap_err();
                assert!(matches!(error, ValueError::Unreadable { .. }), "{text}: {current}: {error}");
            }
        }
        for text in ["a < 5ms", "a <= 5ms", "a = 5ms", "a != 5ms", "a > 5ms", "a >= 5ms"] {
            for current in ["ok", "1,24", "5m", "5%", "$5", "5 apples", "1e99", "1.2.3", "5MS"] {
                let error = rule(text).is_broken_by(current).unwrap_err();
                assert!(matches!(error, ValueError::Mismatch { .. }), "{text}: {current}: {error}");
            }
        }
    }

    #[test]
    fn what_is_said_of_a_value_names_the_rule_and_what_to_do() {
        let said = |text: &str, current: &str| rule(text).is_broken_by(current).unwrap_err().to_string();
        assert_eq!(
            said("Revenue < 50000", "NaN"),
            "the rule \"Revenue < 50000\" cannot be checked: expected a value; found \"NaN\", which stands \
                 for a missing or impossible one; send the value that the query returned"
        );
        assert_eq!(
            said("Time > 2000ms", "5%"),
            "the rule \"Time > 2000ms\" cannot be checked: expected a time as in \"2000ms\", or a number \
                 without unit; found a percentage in \"5%\"; send a number that fits the threshold, or change \
                 the rule"
        );
        assert_eq!(
            said("Revenue < 50000", "5 apples"),
            format!(
                "the rule \"Revenue < 50000\" cannot be checked: expected a number, such as {FORMS}; found \
                     \"5 apples\", which is none: \"apples\" after the digits is no unit that is known; send a \
                     number that fits the threshold, or change the rule"
            )
        );
    }

    #[test]
    fn what_is_no_rule_is_refused_with_what_to_write() {
        let forms = FORMS;
        for (text, message) in [
            (
                "Cost per Acquisition > ",
                "the rule \"Cost per Acquisition >\" has no threshold: expected a value after \">\", such \
                     as \"Cost per Acquisition > 100\""
                    .to_owned(),
            ),
            ("  ", r#"expected a rule, such as "Revenue < 50000"; found nothing"#.to_owned()),
            (
                "Revenue",
                "the rule \"Revenue\" has no comparison: expected <, <=, =, !=, > or >= between the name \
                     of a value and a threshold, such as \"Revenue < 100\""
                    .to_owned(),
            ),
            (
                "< 5",
                "the rule \"< 5\" names no value: expected a name before \"<\", such as \"Revenue < 5\"".to_owned(),
            ),
            ("<", "the rule \"<\" names no value: expected a name before \"<\", such as \"Revenue < 100\"".to_owned()),
            (
                "Revenue => 5",
                "the rule \"Revenue => 5\" has an unknown comparison: expected <, <=, =, !=, > or >=; \
                     found \"=>\""
                    .to_owned(),
            ),
            (
                "Revenue = > 5",
                "the rule \"Revenue = > 5\" has more than one comparison: expected a value after \"=\"; \
                     found \"> 5\""
                    .to_owned(),
            ),
            (
                "a\tb < 5",
                "the rule \"a\\tb < 5\" names its value wrongly: expected a name of one line, 1 to 200 \
                     characters; found a control character"
                    .to_owned(),
            ),
            (
                "Revenue < NaN",
                format!(
                    "the rule \"Revenue < NaN\" has no usable threshold: expected a value; found \"NaN\", \
                     which stands for a missing or impossible one; write a number, such as {forms}, or a short \
                     text"
                ),
            ),
            (
                "Status < ok",
                format!(
                    "the rule \"Status < ok\" cannot compare by \"<\": expected a number, such as {forms}; \
                     found \"ok\", which is none: it does not begin as a number does; text compares by = and \
                     != only"
                ),
            ),
            (
                "Time > 5m",
                format!(
                    "the rule \"Time > 5m\" cannot compare by \">\": expected a number, such as {forms}; found \
                     \"5m\", which is none: \"m\" can mean two things: write \"min\" for minutes or \"M\" for \
                     millions; text compares by = and != only"
                ),
            ),
            (
                "Rate != 1,24",
                format!(
                    "the rule \"Rate != 1,24\" has a number that cannot be understood: expected one such as \
                     {forms}; found \"1,24\", which is none: a comma groups thousands, as in 1,247,000, and a \
                     point begins decimals, as in 1.24"
                ),
            ),
        ] {
            assert_eq!(refusal(text), message);
        }
    }

    #[test]
    fn runs_of_signs_and_signs_before_a_number_are_refused() {
        for text in ["a === 5", "a =! ok", "a << 5", "a >< 5", "a < = 5", "a = = 5", "a != > 5", "a <=> 5", "a ≤= 5"]
        {
            assert!(Rule::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rules_of_three_parts_are_held_to_the_same() {
        for (metric, comparison, threshold) in [
            ("a", "is", "5"),
            ("a", "", "5"),
            (" ", "<", "5"),
            ("a", "<", " "),
            ("", "", ""),
            ("a", "=", "a\nb"),
            ("a\u{0}", "=", "5"),
            (&"ä".repeat(201), "=", "5"),
            ("a", "=", &"x".repeat(201)),
            ("a", ">", "2026-01-01"),
            ("a", "=", "1e99"),
        ] {
            assert!(Rule::new(metric, comparison, threshold).is_err(), "{metric:?} {comparison:?} {threshold:?}");
        }
        assert!(Rule::new(&"ä".repeat(200), " >= ", &format!(" {} ", "5".repeat(28))).is_ok());
        assert!(Rule::new("a", "=", &"x".repeat(200)).is_ok());
    }

    #[test]
    fn long_texts_are_cut_in_messages() {
        let long = "x".repeat(300);
        for text in
            [long.clone(), format!("{long} < 5"), format!("a < {long}"), format!("{long} <"), format!("< {long}")]
        {
            let message = refusal(&text);
            assert!(!message.contains(&"x".repeat(61)), "{message}");
        }
        let message = refusal(&format!("{} >", "y".repeat(150)));
        assert!(message.ends_with(&format!("such as \"{} > 100\"", "y".repeat(54))), "{message}");
        let error = rule("a < 5").is_broken_by(&"x".repeat(150)).unwrap_err().to_string();
        assert!(!error.contains(&"x".repeat(61)), "{error}");
    }
}
