//! Values as people write them: what is read, what is refused, what compares.

use super::*;

fn read(text: &str) -> Quantity {
    Quantity::read(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn compare(one: &str, other: &str) -> Ordering {
    read(one).compare(&read(other)).unwrap_or_else(|error| panic!("{one:?} and {other:?}: {error}"))
}

fn reason(text: &str) -> NotNumber {
    read(text).not_number().unwrap_or_else(|| panic!("{text:?} is a number")).clone()
}

/// The digits of a whole number in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[test]
fn the_same_number_may_be_written_in_many_ways() {
    for (one, other) in [
        ("0.3", "0.30"),
        ("42,750", "42750"),
        ("1,247,000.5", "1247000.5"),
        ("+5", "5"),
        ("\u{2212}5", "-5"),
        ("-0", "0"),
        ("007", "7"),
        (".5", "0.5"),
        ("5.", "5"),
        ("  5\n", "5"),
        ("1e5", "100000"),
        ("1.5E-3", "0.0015"),
        ("1E+2", "100"),
        ("1e\u{2212}2", "0.01"),
        ("0e999999999999999999999999", "0"),
        ("1.5k", "1500"),
        ("1.5K", "1500"),
        ("2 M", "2,000,000"),
        ("3G", "3000000000"),
        ("1e3k", "1M"),
        ("$5", "5 $"),
        ("-$5", "$-5"),
        ("-$ 5", "-5$"),
        ("$1.5k", "$1,500"),
        ("1.5k €", "1500€"),
        ("2.5%", "2.50 %"),
        ("2.5\u{a0}%", "2.5%"),
        ("1.5s", "1500ms"),
        ("1h", "60 min"),
        ("1 min", "60s"),
        ("0.25h", "900000 ms"),
        ("1e-3 s", "1ms"),
    ] {
        assert_eq!(compare(one, other), Ordering::Equal, "{one:?} and {other:?}");
        assert_eq!(compare(other, one), Ordering::Equal, "{other:?} and {one:?}");
    }
}

#[test]
fn numbers_compare_exactly() {
    for (small, large) in [
        ("8750", "10k"),
        ("-2", "-1"),
        ("-1", "1"),
        ("0.3", "0.30000000000000004"),
        ("9007199254740992", "9007199254740993"),
        ("0.9999999999999999999999999999", "1"),
        ("1234567890123456789012345678", "1.234567890123456789012345679e27"),
        ("0.0000000000000000000000000001", "79228162514264337593543950335".get(..28).unwrap_or_default()),
        ("59.999999 min", "1h"),
        ("1h", "90 min"),
        ("999.999ms", "1s"),
        ("2.5%", "2.5000001%"),
        ("$9,999.99", "$10k"),
    ] {
        assert_eq!(compare(small, large), Ordering::Less, "{small:?} and {large:?}");
        assert_eq!(compare(large, small), Ordering::Greater, "{large:?} and {small:?}");
    }
}

#[test]
fn a_number_without_unit_takes_the_unit_of_the_other() {
    for (small, large) in [
        ("2000ms", "2500"),
        ("2.5%", "3.1"),
        ("0.025", "2.5%"),
        ("1.5", "2h"),
        ("2h", "10k"),
        ("$5", "6"),
        ("5", "6 £"),
    ] {
        assert_eq!(compare(small, large), Ordering::Less, "{small:?} and {large:?}");
        assert_eq!(compare(large, small), Ordering::Greater, "{large:?} and {small:?}");
    }
}

#[test]
fn numbers_of_different_kinds_do_not_compare_and_the_reason_names_both() {
    for (one, other) in [("5%", "5s"), ("5s", "$5"), ("$5", "5€"), ("5 £", "¥5"), ("5%", "€5")] {
        assert!(read(one).compare(&read(other)).is_err(), "{one:?} and {other:?}");
        assert!(read(other).compare(&read(one)).is_err(), "{other:?} and {one:?}");
    }
    assert_eq!(
        read("5%").compare(&read("2000ms")).unwrap_err().to_string(),
        r#"expected a time as in "2000ms", or a number without unit; found a percentage in "5%""#
    );
    assert_eq!(
        read("$5").compare(&read("6€")).unwrap_err().to_string(),
        r#"expected an amount in € as in "6€", or a number without unit; found an amount in $ in "$5""#
    );
}

#[test]
fn a_text_does_not_compare_as_a_number_and_the_reason_says_why() {
    let expected = format!(
        "expected a number, such as {FORMS}; found \"1,24\", which is none: a comma groups thousands, \
             as in 1,247,000, and a point begins decimals, as in 1.24"
    );
    assert_eq!(read("1,24").compare(&read("1")).unwrap_err().to_string(), expected);
    assert_eq!(read("1").compare(&read("1,24")).unwrap_err().to_string(), expected);
}

#[test]
fn what_is_no_number_is_text_with_a_reason() {
    for text in ["ok", "-x", "--5", "+-5", "-$-5", "- 5", ".", ",", "$", "%", "ms", "k", "(5)", "e5", "٣", "<5"] {
        assert_eq!(reason(text), NotNumber::NoDigits, "{text:?}");
    }
    for text in ["1.2.3", "10.0.0.1", "1..5"] {
        assert_eq!(reason(text), NotNumber::Points, "{text:?}");
    }
    for (text, unit) in [
        ("5 apples", "apples"),
        ("2026-01-01", "-01-01"),
        ("1 247", "247"),
        ("5e", "e"),
        ("5e+", "e+"),
        ("5 USD", "USD"),
        ("5kk", "kk"),
        ("5k%", "k%"),
        ("5k ms", "k ms"),
        ("5%%", "%%"),
        ("5 g", "g"),
        ("5€k", "€k"),
        ("10, Downing Street", "Downing Street"),
    ] {
        assert_eq!(reason(text), NotNumber::UnknownUnit(unit.to_owned()), "{text:?}");
    }
    for text in ["$5%", "$5$", "$5€", "€5 min"] {
        assert_eq!(reason(text), NotNumber::TwoUnits, "{text:?}");
    }
    for text in ["5m", "5 m", "$5m", "5m €"] {
        assert_eq!(reason(text), NotNumber::Ambiguous, "{text:?}");
    }
    for (text, known) in [("5MS", "ms"), ("5 S", "s"), ("5Min", "min"), ("5H", "h")] {
        assert!(matches!(reason(text), NotNumber::Case { known: unit, .. } if unit == known), "{text:?}");
    }
}

#[test]
fn a_comma_stands_before_each_group_of_three_digits_or_nowhere() {
    for text in
        ["1,24", "12,3456", "1234,567", "1,2345,678", ",5", "5,", "1,,234", "0,125", "1.234,5", "1.5,0", "1.234.567,8"]
    {
        assert_eq!(reason(text), NotNumber::Grouping, "{text:?}");
    }
    for power in 0..19 {
        for offset in [0, 1, 7, 999] {
            let number = 10_u64.pow(power) + offset;
            let (plain, text) = (number.to_string(), grouped(number));
            assert_eq!(compare(&text, &plain), Ordering::Equal, "{text}");
            for place in 0..=plain.len() {
                let (before, after) = plain.split_at(place);
                let commas = format!("{before},{after}");
                assert_eq!(read(&commas).is_number(), commas == text, "{commas}");
            }
        }
    }
    for number in 0..20_000_u64 {
        let (smaller, larger) = (number * 997, number * 997 + 1);
        assert_eq!(compare(&grouped(smaller), &larger.to_string()), Ordering::Less, "{smaller}");
    }
}

#[test]
fn every_number_of_hours_is_exact_in_the_other_units() {
    for number in (0..5_000_000_i64).step_by(997) {
        let hours = format!("{}.{:04}h", number / 10_000, number % 10_000);
        assert_eq!(compare(&hours, &format!("{}ms", number * 360)), Ordering::Equal, "{hours}");
        assert_eq!(compare(&hours, &format!("{}e-2 s", number * 36)), Ordering::Equal, "{hours}");
        assert_eq!(compare(&hours, &format!("{}e-3min", number * 6)), Ordering::Equal, "{hours}");
    }
}

#[test]
fn what_cannot_be_held_exactly_is_refused_and_never_rounded() {
    let nines = "9".repeat(28);
    for (text, expected) in [
        ("12345678901234567890123456789", NotNumber::TooManyDigits),
        ("1.0000000000000000000000000001", NotNumber::TooManyDigits),
        ("0.00000000000000000000000000001", NotNumber::TooFine),
        ("1e-29", NotNumber::TooFine),
        ("1e-99999999999999999999", NotNumber::TooFine),
        ("8e28", NotNumber::TooLarge),
        ("1e99999999999999999999", NotNumber::TooLarge),
        ("1e20G", NotNumber::TooLarge),
        ("1e25 h", NotNumber::TooLarge),
        (&format!("{nines}k"), NotNumber::TooLarge),
        (&format!("{nines} min"), NotNumber::TooLarge),
        ("0.9999999999999999999999999999e-1", NotNumber::TooFine),
        ("9999999.999999999999999999999h", NotNumber::TooManyDigits),
    ] {
        assert_eq!(reason(text), expected, "{text:?}");
    }
    for text in
        [&nines, "7e28", "1e28", "1e-28", "-7e28", &format!("1.{}", "0".repeat(190)), &format!("{}1", "0".repeat(190))]
    {
        assert!(read(text).is_number(), "{text:?}");
    }
}

#[test]
fn some_texts_are_no_values_at_all() {
    assert_eq!(Quantity::read(" \n").unwrap_err(), Unreadable::Empty);
    assert_eq!(Quantity::read(&"ä".repeat(201)).unwrap_err(), Unreadable::TooLong(201));
    assert!(Quantity::read(&"ä".repeat(200)).is_ok());
    for text in ["a\nb", "1\u{0}", "\u{1b}[31m5"] {
        assert!(matches!(Quantity::read(text), Err(Unreadable::Control(_))), "{text:?}");
    }
    for text in [
        "NaN",
        "nan",
        "-nan",
        "NaT",
        "null",
        "NULL",
        "None",
        "nil",
        "undefined",
        "inf",
        "-inf",
        "+Infinity",
        "∞",
        "N/A",
        "n/a",
        "NA",
        "<NA>",
        "#N/A",
        "#DIV/0!",
        " None ",
        "-",
        "--",
        "—",
        "\u{2212}inf",
    ] {
        assert!(matches!(Quantity::read(text), Err(Unreadable::Missing(_))), "{text:?}");
    }
    assert_eq!(
        Quantity::read("NaN").unwrap_err().to_string(),
        r#"expected a value; found "NaN", which stands for a missing or impossible one"#
    );
}

#[test]
fn only_what_was_surely_meant_as_a_number_is_told_apart_from_text() {
    for (text, meant) in [
        ("1,24", true),
        ("5m", true),
        ("1e99", true),
        ("5S", true),
        ("$5%", true),
        ("1.2.3", false),
        ("ok", false),
        ("5 apples", false),
        ("2026-01-01", false),
    ] {
        assert_eq!(reason(text).is_meant_as_number(), meant, "{text:?}");
    }
}

#[test]
fn messages_quote_sixty_characters_at_most() {
    let long = "x".repeat(150);
    let message = read(&long).compare(&read("1")).unwrap_err().to_string();
    assert!(message.contains(&"x".repeat(60)) && !message.contains(&"x".repeat(61)), "{message}");
}
