//! Sample events, as the guide shows them.

use crate::events::{
    BrokenRule, Detail, Digest, Event, NotebookRun, Notice, Report, Resolution, RunStatus, Severity, State, Summary,
    Trigger,
};

/// Dec 15, 2024 2:14 PM in UTC.
pub const WHEN: u64 = 1_734_272_040_000;

/// An event with this title and detail, of severity warning, about no report.
pub fn event(title: &str, detail: Detail) -> Event {
    Event {
        id: "evt-1".to_owned(),
        alert_id: Some("alert-1".to_owned()),
        incident_id: Some("incident-1".to_owned()),
        title: title.to_owned(),
        report: None,
        severity: Severity::Warning,
        occurred_at: WHEN,
        occurred_at_local: "Dec 15, 2024 2:14 PM".to_owned(),
        locale: "en-US".to_owned(),
        detail,
        mentions: Vec::new(),
        labels: Vec::new(),
        attributes: Vec::new(),
    }
}

/// A broken rule.
pub fn rule(metric: &str, comparison: &str, threshold: &str, current: &str) -> BrokenRule {
    BrokenRule {
        metric: metric.to_owned(),
        comparison: comparison.to_owned(),
        threshold: threshold.to_owned(),
        current: current.to_owned(),
    }
}

fn report(name: &str) -> Report {
    Report { name: name.to_owned(), url: Some("https://app.pyqueryhub.com/reports/42".to_owned()) }
}

/// "Daily Sales Alert" with its two broken rules.
pub fn triggered() -> Event {
    let broken_rules = vec![rule("Revenue", "<", "10000", "8750"), rule("New Customers", "<", "50", "23")];
    Event {
        report: Some(report("Q4 Sales Dashboard")),
        severity: Severity::Critical,
        ..event("Daily Sales Alert", Detail::Triggered(Trigger { broken_rules }))
    }
}

/// The resolution of [`triggered`], without the time of the trigger.
pub fn resolved() -> Event {
    Event {
        report: Some(report("Q4 Sales Dashboard")),
        severity: Severity::Critical,
        occurred_at: WHEN + 138 * 60_000,
        occurred_at_local: "Dec 15, 2024 4:32 PM".to_owned(),
        ..event("Daily Sales Alert", Detail::Resolved(Resolution { triggered_at: None, triggered_at_local: None }))
    }
}

/// "Data Processing Update", with this status.
pub fn notebook(status: RunStatus) -> Event {
    let message = "Daily ETL completed successfully. 1,247 records processed.".to_owned();
    Event {
        report: Some(report("Daily ETL")),
        severity: Severity::Info,
        alert_id: None,
        incident_id: None,
        ..event("Data Processing Update", Detail::Notebook(NotebookRun { status, message }))
    }
}

/// A notice to administrators.
pub fn notice() -> Event {
    let notice = Notice {
        kind: "channel-paused".to_owned(),
        message: "The channel \"DevOps Alerts\" was paused.".to_owned(),
        remedy: Some("Reconnect it and resume it.".to_owned()),
    };
    Event { alert_id: None, incident_id: None, ..event("Channel paused", Detail::Notice(notice)) }
}

/// Somebody tries the channel out.
pub fn test() -> Event {
    Event { alert_id: None, incident_id: None, severity: Severity::Info, ..event("DevOps Alerts", Detail::Test) }
}

/// A digest of this many alerts, all but the first of them resolved.
pub fn digest(count: usize) -> Event {
    let summaries = (1..=count)
        .map(|number| Summary {
            event_id: format!("evt-{number}"),
            title: format!("Alert {number}"),
            state: if number == 1 { State::Triggered } else { State::Resolved },
            severity: Severity::Warning,
            occurred_at: WHEN,
            occurred_at_local: "Dec 15, 2024 2:14 PM".to_owned(),
            report: Some(report("Q4 Sales Dashboard")),
            text: "Revenue < 10000 (Current: 8750)".to_owned(),
        })
        .collect();
    Event {
        alert_id: None,
        incident_id: None,
        ..event(&format!("{count} alerts"), Detail::Digest(Digest { summaries }))
    }
}
