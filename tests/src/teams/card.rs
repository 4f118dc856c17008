//! Whether a card is an Adaptive Card 1.2 as Teams shows it: known elements with what each requires.

use serde_json::{Map, Value};

/// How deep elements may lie within each other before it must be a mistake.
const DEEPEST: usize = 8;
/// What shows in a row; the rest hides in a menu.
const BUTTONS: usize = 6;
const SPACINGS: &[&str] = &["none", "small", "default", "medium", "large", "extraLarge", "padding"];
const STYLES: &[&str] = &["default", "emphasis", "good", "attention", "warning", "accent"];
const WEIGHTS: &[&str] = &["lighter", "default", "bolder"];
const SIZES: &[&str] = &["small", "default", "medium", "large", "extraLarge"];
const COLORS: &[&str] = &["default", "dark", "light", "accent", "good", "warning", "attention"];

type Checked = Result<(), String>;

/// What is wrong with the card.
pub(super) fn check(card: &Value) -> Checked {
    let members = object(card, "card")?;
    known(
        members,
        "card",
        &["$schema", "type", "version", "fallbackText", "speak", "lang", "msteams", "body", "actions"],
    )?;
    if members.get("type").and_then(Value::as_str) != Some("AdaptiveCard") {
        return Err("has no type AdaptiveCard".to_owned());
    }
    match members.get("version").and_then(Value::as_str) {
        Some("1.0" | "1.1" | "1.2") => {}
        other => return Err(format!("is of version {other:?}, which not every client of Teams shows")),
    }
    if let Some(fallback) = members.get("fallbackText") {
        text(fallback, "fallbackText")?;
    }
    if let Some(msteams) = members.get("msteams") {
        let msteams = object(msteams, "msteams")?;
        known(msteams, "msteams", &["width"])?;
        one_of(msteams, "msteams", "width", &["Full"])?;
    }
    elements(members, "card", "body", 0)?;
    match members.get("actions") {
        Some(buttons) => actions(buttons),
        None => Ok(()),
    }
}

fn elements(members: &Map<String, Value>, of: &str, member: &str, depth: usize) -> Checked {
    if depth > DEEPEST {
        return Err(format!("lies too deep in a {of}"));
    }
    list(members, of, member)?.iter().try_for_each(|element| self::element(element, depth + 1))
}

fn element(element: &Value, depth: usize) -> Checked {
    let members = object(element, "element")?;
    let kind = members.get("type").and_then(Value::as_str).unwrap_or_default();
    one_of(members, kind, "spacing", SPACINGS)?;
    let common = ["type", "spacing", "separator", "id"];
    match kind {
        "Container" => {
            known(members, kind, &[&common[..], &["items", "style", "bleed"]].concat())?;
            one_of(members, kind, "style", STYLES)?;
            boolean(members, kind, "bleed")?;
            elements(members, kind, "items", depth)
        }
        "ColumnSet" => {
            known(members, kind, &[&common[..], &["columns"]].concat())?;
            for column in list(members, kind, "columns")? {
                let column = object(column, "Column")?;
                known(column, "Column", &["type", "items", "width", "spacing"])?;
                elements(column, "Column", "items", depth)?;
            }
            Ok(())
        }
        "RichTextBlock" => {
            known(members, kind, &[&common[..], &["inlines"]].concat())?;
            list(members, kind, "inlines")?.iter().try_for_each(run)
        }
        "TextBlock" => {
            known(members, kind, &[&common[..], &["text", "wrap", "weight", "size", "color", "isSubtle"]].concat())?;
            look(members, kind)?;
            if members.get("wrap") != Some(&Value::Bool(true)) {
                return Err("has a TextBlock that does not wrap and is cut on a phone".to_owned());
            }
            markdown(text(required(members, kind, "text")?, kind)?)
        }
        "ActionSet" => {
            known(members, kind, &[&common[..], &["actions"]].concat())?;
            actions(required(members, kind, "actions")?)
        }
        other => Err(format!("has an element of type {other:?}")),
    }
}

fn run(run: &Value) -> Checked {
    let kind = "TextRun";
    let members = object(run, kind)?;
    known(members, kind, &["type", "text", "weight", "size", "color", "isSubtle", "italic", "strikethrough"])?;
    if members.get("type").and_then(Value::as_str) != Some(kind) {
        return Err("has an inline that is no TextRun".to_owned());
    }
    look(members, kind)?;
    text(required(members, kind, "text")?, kind).map(|_| ())
}

fn look(members: &Map<String, Value>, kind: &str) -> Checked {
    one_of(members, kind, "weight", WEIGHTS)?;
    one_of(members, kind, "size", SIZES)?;
    one_of(members, kind, "color", COLORS)
}

fn actions(buttons: &Value) -> Checked {
    let buttons = buttons.as_array().filter(|buttons| (1..=BUTTONS).contains(&buttons.len()));
    for button in buttons.ok_or_else(|| format!("has no actions, or more than {BUTTONS}"))? {
        let members = object(button, "action")?;
        known(members, "action", &["type", "title", "url"])?;
        if members.get("type").and_then(Value::as_str) != Some("Action.OpenUrl") {
            return Err("has an action that is no Action.OpenUrl".to_owned());
        }
        text(required(members, "Action.OpenUrl", "title")?, "title")?;
        address(text(required(members, "Action.OpenUrl", "url")?, "url")?)?;
    }
    Ok(())
}

/// An absolute web address: any other breaks the whole card.
fn address(url: &str) -> Checked {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    let odd = |letter: char| letter.is_whitespace() || letter.is_control() || matches!(letter, '"' | '<' | '>' | '\\');
    if host.is_empty() || url.contains(odd) {
        return Err(format!("leads to {url:?}, which is no web address"));
    }
    Ok(())
}

/// Of Markdown, whole links alone.
fn markdown(text: &str) -> Checked {
    let mut rest = text;
    while let Some(at) = rest.find(['[', ']', '*', '_', '`', '<', '&']) {
        let link = rest[at..].strip_prefix('[').and_then(|link| link.split_once("]("));
        let Some((_, (label, (url, after)))) =
            link.and_then(|(label, link)| Some((at, (label, link.split_once(')')?))))
        else {
            return Err(format!("has Markdown that is no link: {text:?}"));
        };
        if label.is_empty() || url.contains(['(', '[', ']', '*']) {
            return Err(format!("has a link that is not whole: {text:?}"));
        }
        address(url)?;
        rest = after;
    }
    Ok(())
}

/// A text that says something, without what clients format or do not show.
fn text<'a>(value: &'a Value, of: &str) -> Result<&'a str, String> {
    let text = value.as_str().ok_or_else(|| format!("has a {of} that is no text"))?;
    if text.is_empty() {
        return Err(format!("has a {of} without text"));
    }
    if text.contains("{{DATE(") || text.contains("{{TIME(") {
        return Err(format!("has a {of} that clients format: {text:?}"));
    }
    if text.chars().any(|letter| letter.is_control() && letter != '\n' && letter != '\t') {
        return Err(format!("has control characters in a {of}: {text:?}"));
    }
    Ok(text)
}

fn object<'a>(value: &'a Value, of: &str) -> Result<&'a Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("has a {of} that is no object"))
}

fn required<'a>(members: &'a Map<String, Value>, of: &str, member: &str) -> Result<&'a Value, String> {
    members.get(member).ok_or_else(|| format!("has a {of} without {member}"))
}

/// A list that holds something.
fn list<'a>(members: &'a Map<String, Value>, of: &str, member: &str) -> Result<&'a Vec<Value>, String> {
    let list = required(members, of, member)?.as_array().filter(|list| !list.is_empty());
    list.ok_or_else(|| format!("has a {of} of which {member} is no list, or an empty one"))
}

fn known(members: &Map<String, Value>, of: &str, names: &[&str]) -> Checked {
    match members.keys().find(|member| !names.contains(&member.as_str())) {
        Some(member) => Err(format!("has a {of} with {member}, which version 1.2 or the simulator does not know")),
        None => Ok(()),
    }
}

fn one_of(members: &Map<String, Value>, of: &str, member: &str, values: &[&str]) -> Checked {
    match members.get(member) {
        Some(value) if !value.as_str().is_some_and(|value| values.contains(&value)) => {
            Err(format!("has a {of} with the {member} {value}"))
        }
        _ => Ok(()),
    }
}

fn boolean(members: &Map<String, Value>, of: &str, member: &str) -> Checked {
    match members.get(member) {
        Some(value) if !value.is_boolean() => Err(format!("has a {of} of which {member} is neither true nor false")),
        _ => Ok(()),
    }
}
