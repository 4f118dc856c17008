//! What an event has to be, beyond its shape.

use url::Url;

use super::{
    EventError,
    shape::{EventShape, ReportShape, RuleShape},
    text::Text,
};

/// What an event may tell; exactly one of them.
const DETAILS: &str = "triggered, resolved, notebook, notice, test";

/// Refuses what the contract cannot carry or no channel could show.
pub(super) fn validate(event: &EventShape) -> Result<(), EventError> {
    filled_if_given("id", event.id.as_ref())?;
    filled("title", &event.title)?;
    exactly_one_detail(event)?;
    if let Some(report) = &event.report {
        validate_report(report)?;
    }
    for (index, mention) in event.mentions.iter().enumerate() {
        filled(&format!("mentions[{index}]"), mention)?;
    }
    if event.labels.0.iter().any(|(name, _)| name.trim().is_empty()) {
        return Err(EventError::at("labels", "expected a name for each label, found an empty one"));
    }
    if let Some(triggered) = &event.triggered {
        if triggered.broken_rules.is_empty() {
            return Err(EventError::at("triggered.broken_rules", "expected at least one broken rule, found none"));
        }
        for (index, rule) in triggered.broken_rules.iter().enumerate() {
            validate_rule(index, rule)?;
        }
    }
    if let Some(notebook) = &event.notebook {
        filled("notebook.message", &notebook.message)?;
    }
    if let Some(notice) = &event.notice {
        filled("notice.message", &notice.message)?;
        filled_if_given("notice.remedy", notice.remedy.as_ref())?;
    }
    Ok(())
}

fn exactly_one_detail(event: &EventShape) -> Result<(), EventError> {
    let present: Vec<&str> = [
        ("triggered", event.triggered.is_some()),
        ("resolved", event.resolved.is_some()),
        ("notebook", event.notebook.is_some()),
        ("notice", event.notice.is_some()),
        ("test", event.test.is_some()),
    ]
    .into_iter()
    .filter_map(|(name, there)| there.then_some(name))
    .collect();
    match present.as_slice() {
        [_] => Ok(()),
        [] => Err(EventError::at("", format!("expected exactly one of {DETAILS}, found none"))),
        several => {
            Err(EventError::at("", format!("expected exactly one of {DETAILS}, found {}", several.join(" and "))))
        }
    }
}

fn validate_report(report: &ReportShape) -> Result<(), EventError> {
    filled("report.name", &report.name)?;
    let Some(Text(url)) = &report.url else { return Ok(()) };
    let refuse = |found: &str| {
        EventError::at("report.url", format!("expected an absolute http or https URL, found {found}: {url:?}"))
    };
    let lower = url.get(..8).unwrap_or(url).to_ascii_lowercase();
    if !lower.starts_with("http://") && !lower.starts_with("https://") {
        return Err(refuse("something else"));
    }
    // The parser would drop these silently, and channels would show another address than the one that is opened.
    if url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(refuse("one with white space or control characters"));
    }
    Url::parse(url).map(drop).map_err(|error| refuse(&format!("a malformed one ({error})")))
}

fn validate_rule(index: usize, rule: &RuleShape) -> Result<(), EventError> {
    let members = [
        ("metric", &rule.metric),
        ("comparison", &rule.comparison),
        ("threshold", &rule.threshold),
        ("current", &rule.current),
    ];
    members.into_iter().try_for_each(|(name, text)| filled(&format!("triggered.broken_rules[{index}].{name}"), text))
}

fn filled_if_given(path: &str, text: Option<&Text>) -> Result<(), EventError> {
    text.map_or(Ok(()), |text| filled(path, text))
}

fn filled(path: &str, text: &Text) -> Result<(), EventError> {
    if text.0.trim().is_empty() {
        return Err(EventError::at(path, "expected text, found an empty string"));
    }
    Ok(())
}
