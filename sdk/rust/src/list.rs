//! Lists that fit: as many lines as there is room for, each whole, and how many more there are.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::text::{length, line};

/// `heading` and as many lines as fit into `limit` characters, each whole; what does not fit is counted.
pub fn fitting(heading: &str, lines: impl Iterator<Item = String>, total: usize, noun: &str, limit: usize) -> String {
    let mut list = heading.to_owned();
    let mut used = length(heading);
    let mut shown = 0;
    for line in lines {
        let left = total - shown - 1;
        let reserve = if left > 0 { 1 + length(&more(left, noun)) } else { 0 };
        let needed = 1 + length(&line);
        if used + needed + reserve > limit {
            break;
        }
        list.push('\n');
        list.push_str(&line);
        used += needed;
        shown += 1;
    }
    match total - shown {
        0 => list,
        _ if shown == 0 => format!("{heading} {} {noun}{}", count(total), plural(total)),
        left => format!("{list}\n{}", more(left, noun)),
    }
}

/// "… and 3 more labels".
pub fn more(left: usize, noun: &str) -> String {
    format!("… and {} more {noun}{}", count(left), plural(left))
}

/// What is said of those that are not shown; nothing where all are.
pub fn left_out(total: usize, shown: usize, noun: &str) -> String {
    if total > shown { more(total - shown, noun) } else { String::new() }
}

/// "ada@example.com, bo@example.com and 3 more": people's names, of which at most `most` are told.
pub fn names(all: &[&str], most: usize) -> String {
    let told: Vec<String> = all.iter().take(most).map(|name| line(name, 100)).collect();
    let told = told.join(", ");
    if all.len() > most { format!("{told} and {} more", count(all.len() - most)) } else { told }
}

/// "s", but for one.
pub fn plural(number: usize) -> &'static str {
    if number == 1 { "" } else { "s" }
}

/// A number as the guide writes it: "9,950".
pub fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(limit: usize) -> String {
        fitting("Rules:", (1..=3).map(|number| format!("{number}. rule")), 3, "rule", limit)
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        assert_eq!(list(100), "Rules:\n1. rule\n2. rule\n3. rule");
        assert_eq!(list(35), "Rules:\n1. rule\n… and 2 more rules");
        assert_eq!(list(10), "Rules: 3 rules");
        assert_eq!(more(1, "label"), "… and 1 more label");
    }

    #[test]
    fn of_many_names_some_are_told() {
        assert_eq!(names(&["ada", " b\no "], 3), "ada, b o");
        assert_eq!(names(&["ada", "bo", "cy"], 2), "ada, bo and 1 more");
        assert_eq!(names(&[], 2), "");
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([1, 999, 1000, 1_234_567].map(count), ["1", "999", "1,000", "1,234,567"]);
    }
}
