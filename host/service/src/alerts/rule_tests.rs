//! Rules: what is read, what is refused, and when they are broken.

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
        ("< 5", "the rule \"< 5\" names no value: expected a name before \"<\", such as \"Revenue < 5\"".to_owned()),
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
    for text in ["a === 5", "a =! ok", "a << 5", "a >< 5", "a < = 5", "a = = 5", "a != > 5", "a <=> 5", "a ≤= 5"] {
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
    for text in [long.clone(), format!("{long} < 5"), format!("a < {long}"), format!("{long} <"), format!("< {long}")] {
        let message = refusal(&text);
        assert!(!message.contains(&"x".repeat(61)), "{message}");
    }
    let message = refusal(&format!("{} >", "y".repeat(150)));
    assert!(message.ends_with(&format!("such as \"{} > 100\"", "y".repeat(54))), "{message}");
    let error = rule("a < 5").is_broken_by(&"x".repeat(150)).unwrap_err().to_string();
    assert!(!error.contains(&"x".repeat(61)), "{error}");
}
