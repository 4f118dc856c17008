//! Connected workspaces, and where in them messages can go.

use jiff::tz::TimeZone;

use super::table::{facts, table, when, when_any};
use crate::client::wire::{Authorization, Connection, Listing, Target};

/// What to do with a link, beside the link itself.
pub(crate) fn invitation(begun: &Authorization, zone: &TimeZone) -> String {
    format!(
        "Open this link in your browser, once, and be back before {}. It is yours alone: who follows it connects a \
         workspace to your organization.",
        when(&begun.expires_at, zone)
    )
}

/// All connections.
pub(crate) fn list(connections: &[Connection]) -> String {
    if connections.is_empty() {
        return "No workspace is connected: `pqh connection connect TYPE` connects one.".to_owned();
    }
    let rows = connections.iter().map(|connection| {
        let problem = connection.problem.as_ref().map(|problem| problem.message.clone());
        [
            connection.workspace.name.clone(),
            connection.kind.clone(),
            connection.status.clone(),
            problem.unwrap_or_default(),
            connection.channels.len().to_string(),
            connection.id.clone(),
        ]
    });
    table(["Workspace", "Type", "Status", "Why", "Channels", "Id"], rows)
}

/// One connection.
pub(crate) fn show(connection: &Connection, zone: &TimeZone) -> String {
    let Connection { workspace, problem, .. } = connection;
    let problem = problem.as_ref();
    let remedy = match connection.status.as_str() {
        "disconnected" => format!("Connect it again: `pqh connection connect {}`.", connection.kind),
        _ => problem.map(|problem| problem.remedy.clone()).unwrap_or_default(),
    };
    facts(&[
        ("Workspace", format!("{} ({})", workspace.name, workspace.id)),
        ("Id", connection.id.clone()),
        ("Type", connection.kind.clone()),
        ("Status", connection.status.clone()),
        ("Lost", when_any(connection.lost_at.as_ref(), zone)),
        ("Word", problem.map(|problem| problem.code.clone()).unwrap_or_default()),
        ("Why", problem.map(|problem| problem.message.clone()).unwrap_or_default()),
        ("What to do", remedy),
        ("Default", connection.default_target.as_ref().map(target).unwrap_or_default()),
        ("Channels", connection.channels.join(", ")),
        ("Connected", format!("{} by {}", when(&connection.connected_at, zone), connection.connected_by)),
    ])
}

/// What was found in a workspace.
pub(crate) fn targets(targets: &[Target]) -> String {
    if targets.is_empty() {
        return "Nothing is found.".to_owned();
    }
    let rows = targets.iter().map(|target| {
        let reachable = if target.reachable { "yes" } else { "no" };
        [target.name.clone(), target.kind.replace('-', " "), reachable.to_owned(), target.id.clone()]
    });
    table(["Name", "Kind", "Reachable", "Id"], rows)
}

/// What is still to come; empty where that is nothing.
pub(crate) fn listing(listing: &Listing) -> String {
    let mut lines = Vec::new();
    if listing.loading {
        lines.push(format!("More are still loading ({} are known by now): repeat it in a moment.", listing.count));
    }
    if let Some(problem) = &listing.problem {
        lines.push(format!("{}: {} {}", problem.code, problem.message, problem.remedy));
    }
    if listing.next_cursor.is_some() {
        lines.push("There are more: --limit N shows more of them, no --limit all.".to_owned());
    }
    lines.join("\n")
}

/// A target in a line.
fn target(target: &Target) -> String {
    let note = if target.reachable { "" } else { ", not reachable yet" };
    format!("{} ({}{note})", target.name, target.id)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn connection(more: &Value) -> Connection {
        let mut connection = json!({ "id": "n-1", "type": "chat", "workspace": { "id": "T1", "name": "Acme" },
            "status": "connected", "problem": null, "lost_at": null, "default_target": null, "channels": ["Sales", "Ops"],
            "connected_by": "first admin", "connected_at": "2026-11-23T12:00:00.000Z",
            "updated_at": "2026-11-23T12:00:00.000Z" });
        connection.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(connection).unwrap()
    }

    #[test]
    fn a_connection_is_shown_with_its_channels() {
        let target = json!({ "id": "C1", "name": "#sales", "kind": "private-channel", "reachable": false });
        let expected = "\
Workspace   Acme (T1)
Id          n-1
Type        chat
Status      connected
Default     #sales (C1, not reachable yet)
Channels    Sales, Ops
Connected   2026-11-23 12:00:00 by first admin
";
        assert_eq!(show(&connection(&json!({ "default_target": target })), &TimeZone::UTC), expected);
    }

    #[test]
    fn a_lost_connection_says_why_and_what_to_do() {
        let problem = json!({ "kind": "unauthorized", "code": "token_revoked", "message": "It is gone.",
            "remedy": "Reconnect your workspace." });
        let lost = json!({ "status": "lost", "problem": problem, "lost_at": "2026-11-23T12:30:00.000Z" });
        let text = show(&connection(&lost), &TimeZone::UTC);
        for part in ["2026-11-23 12:30:00", "token_revoked", "It is gone.", "Reconnect your workspace."] {
            assert!(text.contains(part), "{text}");
        }
        assert!(list(&[connection(&lost)]).contains("It is gone."));
    }

    #[test]
    fn what_is_still_loading_is_said_and_nothing_where_all_is_there() {
        let listing = |loading: bool, problem: Value| {
            let page = json!({ "items": [], "next_cursor": null, "loading": loading, "count": 7, "problem": problem });
            super::listing(&serde_json::from_value(page).unwrap())
        };
        assert_eq!(listing(false, Value::Null), "");
        let rests = json!({ "kind": "throttled", "code": "ratelimited", "message": "It rests.", "remedy": "Wait." });
        let text = listing(true, rests);
        assert!(text.contains("7 are known") && text.contains("ratelimited: It rests."), "{text}");
    }
}
