//! Values as people write them: which are numbers, of which unit, and how they compare.
//!
//! Numbers are decimals and are held exactly; what cannot be held exactly is no number here, and says why.

use std::cmp::Ordering;

use rust_decimal::Decimal;

/// Characters of a value, at most.
const LENGTH: usize = 200;
/// Characters that a message quotes, at most.
pub(super) const QUOTED: usize = 60;
/// Significant digits of a number, and digits after its point, at most.
const DIGITS: usize = 28;
/// An exponent beyond all numbers that can be held, even after 200 digits.
const FAR: i64 = 1_000_000;
/// What programs print where a value is missing or is no number; without sign, in lower case.
const MISSING: &[&str] = &[
    "nan",
    "nat",
    "null",
    "(null)",
    "[null]",
    "<null>",
    "none",
    "nil",
    "undefined",
    "inf",
    "infinity",
    "∞",
    "n/a",
    "na",
    "<na>",
    "n.a.",
    "#n/a",
    "#div/0!",
    "#value!",
    "#ref!",
    "#num!",
    "#name?",
    "#null!",
];
/// The forms of numbers that are understood, for messages.
pub(super) const FORMS: &str = "42,750, -2.5%, 1.5e3, 2000ms (ms, s, min, h) or $1.5k (k, M, G; $, €, £, ¥)";

/// A value: a number with its unit, or else a text.
#[derive(Clone, Debug)]
pub(crate) struct Quantity {
    written: String,
    meaning: Result<Number, NotNumber>,
}

/// Why a text is no value at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    /// Nothing but white space.
    #[error("expected a value; found nothing")]
    Empty,
    /// More than 200 characters.
    #[error("expected a value of {LENGTH} characters at most; found {0} characters")]
    TooLong(usize),
    /// A line break or another control character within the text.
    #[error("expected a value of one line; found a control character in {}", shown(.0))]
    Control(String),
    /// A word that stands for a missing value.
    #[error("expected a value; found {}, which stands for a missing or impossible one", shown(.0))]
    Missing(String),
}

/// Why a text is no number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotNumber {
    /// Some other text.
    #[error("it does not begin as a number does")]
    NoDigits,
    /// As in a version or an address.
    #[error("it has more than one point")]
    Points,
    /// Some other text behind the digits.
    #[error("{} after the digits is no unit that is known", shown(.0))]
    UnknownUnit(String),
    /// Commas elsewhere than before each group of three digits.
    #[error("a comma groups thousands, as in 1,247,000, and a point begins decimals, as in 1.24")]
    Grouping,
    /// Minutes or millions.
    #[error("\"m\" can mean two things: write \"min\" for minutes or \"M\" for millions")]
    Ambiguous,
    /// A unit of time in capitals.
    #[error("units are case-sensitive: write {known:?} for {found:?}")]
    Case {
        /// The unit as it was written.
        found: String,
        /// The unit as it is known.
        known: &'static str,
    },
    /// Such as `$5%`.
    #[error("it has two units: write one")]
    TwoUnits,
    /// More digits than can be held.
    #[error("it has more than the {DIGITS} significant digits that are held exactly")]
    TooManyDigits,
    /// More decimals than can be held.
    #[error("it has more than the {DIGITS} digits after the point that are held exactly")]
    TooFine,
    /// A number that is too large, perhaps only in its smallest unit.
    #[error("it is larger than the numbers that are held exactly (7.9e28, for times in milliseconds)")]
    TooLarge,
}

/// Why two values do not compare as numbers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Mismatch {
    /// One is a text.
    #[error("expected a number, such as {FORMS}; found {}, which is none: {reason}", shown(written))]
    Text {
        /// The text.
        written: String,
        /// Why it is no number.
        reason: NotNumber,
    },
    /// Both are numbers of different kinds.
    #[error(
        "expected {expected} as in {}, or a number without unit; found {found} in {}",
        shown(known),
        shown(written)
    )]
    Units {
        /// The kind of the value that is compared with.
        expected: String,
        /// That value.
        known: String,
        /// The kind of the other value.
        found: String,
        /// The other value.
        written: String,
    },
}

#[derive(Clone, Debug)]
struct Number {
    /// The number before its unit, multiplied by its k, M or G.
    amount: Decimal,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Bare,
    Percent,
    /// With the same time in milliseconds.
    Time(Decimal),
    Currency(char),
}

impl Quantity {
    /// Reads a value as people write it; a text that is no number is kept as text.
    pub(crate) fn read(text: &str) -> Result<Self, Unreadable> {
        let text = text.trim();
        let length = text.chars().count();
        if length == 0 {
            return Err(Unreadable::Empty);
        }
        if length > LENGTH {
            return Err(Unreadable::TooLong(length));
        }
        if text.chars().any(char::is_control) {
            return Err(Unreadable::Control(text.to_owned()));
        }
        let unsigned = text.strip_prefix(is_sign).unwrap_or(text);
        let dashes = text.chars().all(|c| matches!(c, '-' | '–' | '—' | '\u{2212}'));
        if dashes || MISSING.contains(&unsigned.to_lowercase().as_str()) {
            return Err(Unreadable::Missing(text.to_owned()));
        }
        Ok(Self { written: text.to_owned(), meaning: number(text) })
    }

    /// Whether the value is a number.
    pub(crate) fn is_number(&self) -> bool {
        self.meaning.is_ok()
    }

    /// Why the value is a text and no number.
    pub(crate) fn not_number(&self) -> Option<&NotNumber> {
        self.meaning.as_ref().err()
    }

    /// The value as it was written, without white space around it.
    pub(crate) fn written(&self) -> &str {
        &self.written
    }

    /// How this number compares with the other; a number without unit takes the unit of the other.
    pub(crate) fn compare(&self, other: &Self) -> Result<Ordering, Mismatch> {
        let (this, that) = (self.number()?, other.number()?);
        match (this.unit, that.unit) {
            (Unit::Time(this), Unit::Time(that)) => Ok(this.cmp(&that)),
            (one, another) if one == another || one == Unit::Bare || another == Unit::Bare => {
                Ok(this.amount.cmp(&that.amount))
            }
            (found, expected) => Err(Mismatch::Units {
                expected: expected.kind(),
                known: other.written.clone(),
                found: found.kind(),
                written: self.written.clone(),
            }),
        }
    }

    fn number(&self) -> Result<&Number, Mismatch> {
        self.meaning.as_ref().map_err(|reason| Mismatch::Text { written: self.written.clone(), reason: reason.clone() })
    }
}

impl NotNumber {
    /// Whether the text was surely meant as a number.
    pub(crate) fn is_meant_as_number(&self) -> bool {
        !matches!(self, Self::NoDigits | Self::Points | Self::UnknownUnit(_))
    }
}

impl Unit {
    /// What a number of this unit is called.
    fn kind(self) -> String {
        match self {
            Self::Bare => "a number without unit".to_owned(),
            Self::Percent => "a percentage".to_owned(),
            Self::Time(_) => "a time".to_owned(),
            Self::Currency(symbol) => format!("an amount in {symbol}"),
        }
    }
}

/// The start of a text, quoted.
pub(super) fn shown(text: &str) -> String {
    format!("{:?}", text.chars().take(QUOTED).collect::<String>())
}

/// What stands behind the digits of a number.
enum Suffix {
    Nothing,
    Percent,
    /// A unit of time as `factor * 10^power` milliseconds.
    Time(i128, i64),
    Currency(char),
}

fn number(text: &str) -> Result<Number, NotNumber> {
    let (mut sign, rest) = take(text, is_sign);
    let (symbol, mut rest) = take(rest, is_currency);
    if symbol.is_some() {
        rest = rest.trim_start();
        if sign.is_none() {
            (sign, rest) = take(rest, is_sign);
        }
    }
    let end = rest.find(|c: char| !matches!(c, '0'..='9' | ',' | '.')).unwrap_or(rest.len());
    let (body, rest) = rest.split_at(end);
    if !body.contains(|c: char| c.is_ascii_digit()) {
        return Err(NotNumber::NoDigits);
    }
    let (exponent, rest) = exponent(rest);
    let (multiplier, suffix) = suffix(rest.trim_start())?;
    let (whole, fraction) = whole_and_fraction(body)?;

    let digits = whole + fraction;
    let power = exponent + multiplier - i64::try_from(fraction.len()).unwrap_or(FAR);
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.len() > DIGITS {
        return Err(NotNumber::TooManyDigits);
    }
    let zeros = digits.len() - digits.trim_end_matches('0').len();
    let power = power + i64::try_from(zeros).unwrap_or(FAR);
    let absolute: i128 =
        if significant.is_empty() { 0 } else { significant.parse().map_err(|_| NotNumber::TooManyDigits)? };
    let mantissa = if sign.is_some_and(|sign| sign != '+') { -absolute } else { absolute };

    let unit = match (symbol, suffix) {
        (None, Suffix::Nothing) => Unit::Bare,
        (None, Suffix::Percent) => Unit::Percent,
        (None, Suffix::Time(factor, shift)) => Unit::Time(decimal(mantissa * factor, power + shift)?),
        (Some(symbol), Suffix::Nothing) | (None, Suffix::Currency(symbol)) => Unit::Currency(symbol),
        (Some(_), Suffix::Percent | Suffix::Time(..) | Suffix::Currency(_)) => return Err(NotNumber::TwoUnits),
    };
    Ok(Number { amount: decimal(mantissa, power)?, unit })
}

/// The exponent at the start of what follows the digits, and the rest. What only begins as an exponent is none.
fn exponent(text: &str) -> (i64, &str) {
    let (Some(_), rest) = take(text, |c| matches!(c, 'e' | 'E')) else { return (0, text) };
    let (sign, rest) = take(rest, is_sign);
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, rest) = rest.split_at(end);
    if digits.is_empty() {
        return (0, text);
    }
    let size = digits.parse().map_or(FAR, |size: i64| size.min(FAR));
    (if sign.is_some_and(|sign| sign != '+') { -size } else { size }, rest)
}

/// The power of ten of a multiplier, and the unit.
fn suffix(text: &str) -> Result<(i64, Suffix), NotNumber> {
    match text {
        "%" => return Ok((0, Suffix::Percent)),
        "ms" => return Ok((0, Suffix::Time(1, 0))),
        "s" => return Ok((0, Suffix::Time(1, 3))),
        "min" => return Ok((0, Suffix::Time(6, 4))),
        "h" => return Ok((0, Suffix::Time(36, 5))),
        _ => {}
    }
    if let Some(known) = ["ms", "s", "min", "h"].into_iter().find(|known| text.eq_ignore_ascii_case(known)) {
        return Err(NotNumber::Case { found: text.to_owned(), known });
    }
    let (multiplier, rest) = take(text, |c| matches!(c, 'k' | 'K' | 'M' | 'G' | 'm'));
    let mut behind = rest.trim_start().chars();
    let suffix = match (behind.next(), behind.next()) {
        (None, _) => Suffix::Nothing,
        (Some(symbol), None) if is_currency(symbol) => Suffix::Currency(symbol),
        _ => return Err(NotNumber::UnknownUnit(text.to_owned())),
    };
    let power = match multiplier {
        Some('m') => return Err(NotNumber::Ambiguous),
        Some('M') => 6,
        Some('G') => 9,
        Some(_) => 3,
        None => 0,
    };
    Ok((power, suffix))
}

/// The digits before the point without their commas, and those after it.
fn whole_and_fraction(body: &str) -> Result<(String, &str), NotNumber> {
    let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
    if fraction.contains(',') {
        return Err(NotNumber::Grouping);
    }
    if fraction.contains('.') {
        return Err(NotNumber::Points);
    }
    if let Some((first, groups)) = whole.split_once(',') {
        // "0,125" is an eighth where a comma begins decimals: nobody groups thousands of it.
        let begins = (1..=3).contains(&first.len()) && !first.starts_with('0');
        if !begins || groups.split(',').any(|group| group.len() != 3) {
            return Err(NotNumber::Grouping);
        }
    }
    Ok((whole.replace(',', ""), fraction))
}

/// `mantissa * 10^power`, exactly.
fn decimal(mut mantissa: i128, mut power: i64) -> Result<Decimal, NotNumber> {
    if mantissa == 0 {
        return Ok(Decimal::ZERO);
    }
    while power < 0 && mantissa % 10 == 0 {
        mantissa /= 10;
        power += 1;
    }
    if let Ok(power) = u32::try_from(power) {
        return 10_i128
            .checked_pow(power)
            .and_then(|factor| mantissa.checked_mul(factor))
            .and_then(|whole| Decimal::try_from_i128_with_scale(whole, 0).ok())
            .ok_or(NotNumber::TooLarge);
    }
    let scale = u32::try_from(power.unsigned_abs()).map_err(|_| NotNumber::TooFine)?;
    if scale > Decimal::MAX_SCALE {
        return Err(NotNumber::TooFine);
    }
    Decimal::try_from_i128_with_scale(mantissa, scale).map_err(|_| NotNumber::TooManyDigits)
}

/// The first character if it is of the kind, and the rest.
fn take(text: &str, kind: impl Fn(char) -> bool) -> (Option<char>, &str) {
    let mut rest = text.chars();
    match rest.next().filter(|first| kind(*first)) {
        Some(first) => (Some(first), rest.as_str()),
        None => (None, text),
    }
}

fn is_sign(c: char) -> bool {
    matches!(c, '+' | '-' | '\u{2212}')
}

fn is_currency(c: char) -> bool {
    matches!(c, '$' | '€' | '£' | '¥')
}

#[cfg(test)]
#[path = "quantity_tests.rs"]
mod tests;
