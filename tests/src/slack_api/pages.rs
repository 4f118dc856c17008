//! The pages that a browser sees at Slack.

use crate::http_service::Answer;

fn page(status: u16, title: &str, text: &str) -> Answer {
    let html = format!(
        "<!DOCTYPE html>\n<html><head><title>{title} | Slack</title></head>\n<body><h1>{title}</h1><p>{text}</p></body></html>\n"
    );
    Answer::new(status, html).header("Content-Type", "text/html; charset=utf-8")
}

/// What a person is asked before an app is installed.
pub(crate) fn consent(app: &str, scopes: &[String]) -> Answer {
    page(200, "Install app", &format!("{app} is requesting permission to access Slack: {}", scopes.join(", ")))
}

/// Why an app cannot be installed.
pub(crate) fn no_install(word: &str) -> Answer {
    page(200, "Something went wrong when authorizing this app", word)
}

/// Slack is down.
pub(crate) fn outage(status: u16) -> Answer {
    page(status, "Server Error", "It seems like there's a problem connecting to our servers.")
}

/// There is no such page.
pub(crate) fn not_found() -> Answer {
    page(404, "There's been a glitch", "We're not quite sure what went wrong.")
}
