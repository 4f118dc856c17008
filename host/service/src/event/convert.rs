//! From the JSON's shape to the contract's event, with what was left out filled in.

use jiff::{Timestamp, tz::TimeZone};
use pqh_runtime::contract::events::{
    BrokenRule, Detail, Event, NotebookRun, Notice, Report, Resolution, RunStatus, Severity, Trigger,
};
use uuid::Uuid;

use super::{
    EventError,
    object::Object,
    shape::{EventShape, NotebookShape, NoticeShape, RuleShape, SeverityShape, StatusShape},
    text::Text,
    time::Moment,
};

/// The contract wants a kind for each notice; the JSON has none.
const NOTICE_KIND: &str = "notice";

/// Turns a validated shape into the contract's event.
pub(super) fn convert(shape: EventShape, zone: Option<&TimeZone>, now: Timestamp) -> Result<Event, EventError> {
    let occurred = match &shape.occurred_at {
        Some(text) => Moment::read("occurred_at", text)?,
        None => Moment::here(now),
    };
    let detail = detail(&shape, zone)?;
    let severity = shape.severity.map_or_else(|| default_severity(&detail), severity);
    Ok(Event {
        id: shape.id.map_or_else(|| Uuid::now_v7().to_string(), |Text(id)| id),
        alert_id: None,
        incident_id: None,
        title: shape.title.0,
        report: shape.report.map(|Object(report)| Report { name: report.name.0, url: report.url.map(|Text(url)| url) }),
        severity,
        occurred_at: occurred.milliseconds(),
        occurred_at_local: occurred.local(zone),
        locale: "en-US".to_owned(),
        detail,
        mentions: shape.mentions.into_iter().map(|Text(mention)| mention).collect(),
        labels: shape.labels.0,
        attributes: Vec::new(),
    })
}

/// How urgent an event is that does not say so: what is over or only informs is `info`; a run that failed is
/// `critical`; what somebody should look at is `warning`.
fn default_severity(detail: &Detail) -> Severity {
    match detail {
        Detail::Triggered(_) | Detail::Notice(_) => Severity::Warning,
        Detail::Notebook(run) => match run.status {
            RunStatus::Success => Severity::Info,
            RunStatus::Warning => Severity::Warning,
            RunStatus::Failure => Severity::Critical,
        },
        Detail::Resolved(_) | Detail::Digest(_) | Detail::Test => Severity::Info,
    }
}

fn severity(shape: SeverityShape) -> Severity {
    match shape {
        SeverityShape::Info => Severity::Info,
        SeverityShape::Warning => Severity::Warning,
        SeverityShape::Critical => Severity::Critical,
    }
}

/// The one detail that `validate` found.
fn detail(shape: &EventShape, zone: Option<&TimeZone>) -> Result<Detail, EventError> {
    if let Some(triggered) = &shape.triggered {
        return Ok(Detail::Triggered(Trigger {
            broken_rules: triggered.broken_rules.iter().map(|rule| self::rule(rule)).collect(),
        }));
    }
    if shape.resolved.is_some() {
        let at = triggered_at(shape)?;
        let triggered_at_local = at.map(|at| at.local(zone));
        return Ok(Detail::Resolved(Resolution { triggered_at: at.map(Moment::milliseconds), triggered_at_local }));
    }
    if let Some(run) = &shape.notebook {
        return Ok(Detail::Notebook(notebook(run)));
    }
    if let Some(message) = &shape.notice {
        return Ok(Detail::Notice(notice(message)));
    }
    Ok(Detail::Test)
}

fn triggered_at(shape: &EventShape) -> Result<Option<Moment>, EventError> {
    let text = shape.resolved.as_ref().and_then(|resolved| resolved.triggered_at.as_ref());
    text.map(|text| Moment::read("resolved.triggered_at", text)).transpose()
}

fn rule(shape: &RuleShape) -> BrokenRule {
    BrokenRule {
        metric: shape.metric.0.clone(),
        comparison: shape.comparison.0.clone(),
        threshold: shape.threshold.0.clone(),
        current: shape.current.0.clone(),
    }
}

fn notebook(shape: &NotebookShape) -> NotebookRun {
    let status = match shape.status {
        StatusShape::Success => RunStatus::Success,
        StatusShape::Warning => RunStatus::Warning,
        StatusShape::Failure => RunStatus::Failure,
    };
    NotebookRun { status, message: shape.message.0.clone() }
}

fn notice(shape: &NoticeShape) -> Notice {
    Notice {
        kind: NOTICE_KIND.to_owned(),
        message: shape.message.0.clone(),
        remedy: shape.remedy.as_ref().map(|Text(remedy)| remedy.clone()),
    }
}
