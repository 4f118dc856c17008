//! The pages: what is asked, what was done, and each obstacle with what to do.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Html;
use pqh_runtime::contract::types::FailureKind;
use secrecy::ExposeSecret as _;

use crate::app::App;
use crate::connections::error::Obstacle;
use crate::connections::flow::{Decided, Invitation, Question};

/// One page.
#[derive(Template)]
#[template(path = "connect.html")]
pub(super) struct Page {
    #[template(skip)]
    pub(super) status: StatusCode,
    /// `ok`, `ask` or `bad`: the mark beside the title.
    tone: &'static str,
    title: String,
    /// Paragraphs.
    words: Vec<String>,
    /// What to do.
    remedy: String,
    /// For support: the service's own word.
    code: String,
    form: Option<Form>,
    /// Whether its form, which is the same for everybody, leads to the service.
    #[template(skip)]
    pub(super) leads_away: bool,
}

/// A question.
struct Form {
    /// Empty: the page's own address.
    action: String,
    decision: String,
    yes: &'static str,
    /// Whether no is an answer.
    cancels: bool,
}

impl Page {
    /// As HTML.
    pub(super) fn html(&self) -> Html<String> {
        // A template over texts: it cannot fail to be written.
        Html(self.render().unwrap_or_default())
    }

    /// Asks before a person is sent to the service.
    pub(super) fn invitation(invitation: &Invitation) -> Self {
        let Invitation { organization, service, person } = invitation;
        let title = format!("Connect a {service} workspace to {organization}");
        let words = vec![format!(
            "\u{201c}{person}\u{201d} of the organization \u{201c}{organization}\u{201d} asks for a workspace to post \
             notifications to. {service} asks you which one; at the end you are asked once more."
        )];
        Self {
            form: Some(Form { action: String::new(), decision: String::new(), yes: "Continue", cancels: false }),
            leads_away: true,
            ..Self::new(StatusCode::OK, "ask", &title, words, "If you did not expect this, close the page.")
        }
    }

    /// Asks before anything is stored.
    pub(super) fn question(channel_type: &str, question: &Question) -> Self {
        let Question { organization, service, workspace, person, again, decision } = question;
        let title = format!("Connect {workspace} to {organization}?");
        let mut words = vec![format!(
            "{service} allowed PyQueryHub to post to the workspace \u{201c}{workspace}\u{201d}. It was asked for by \
             \u{201c}{person}\u{201d} of the organization \u{201c}{organization}\u{201d}, whose administrators choose what is \
             posted there."
        )];
        if *again {
            words.push(
                "The organization has this workspace already: its connection is renewed, and its channels go on."
                    .to_owned(),
            );
        }
        Self {
            form: Some(Form {
                action: format!("/oauth/{channel_type}/confirm"),
                decision: decision.expose_secret().to_owned(),
                yes: if *again { "Reconnect" } else { "Connect" },
                cancels: true,
            }),
            ..Self::new(StatusCode::OK, "ask", &title, words, "If you did not begin this yourself, do not connect.")
        }
    }

    /// What was decided.
    pub(super) fn decided(decided: &Decided) -> Self {
        match decided {
            Decided::Declined { service, workspace } => Self::new(
                StatusCode::OK,
                "ok",
                "Not connected",
                vec![format!(
                    "Nothing was changed for the {service} workspace \u{201c}{workspace}\u{201d}, and nothing is kept of \
                     what was allowed just now."
                )],
                "You can close this page.",
            ),
            Decided::Connected { organization, service, kept } => {
                let name = &kept.row.name;
                let mut words = vec![if kept.again {
                    format!(
                        "The {service} workspace \u{201c}{name}\u{201d} is connected to \u{201c}{organization}\u{201d} again."
                    )
                } else {
                    format!(
                        "The {service} workspace \u{201c}{name}\u{201d} is connected to \u{201c}{organization}\u{201d}."
                    )
                }];
                match kept.resumed.len() {
                    0 => {}
                    1 => words.push("One notification channel goes on.".to_owned()),
                    count => words.push(format!("{count} notification channels go on.")),
                }
                if let Some(target) = &kept.row.default_target {
                    words.push(format!("You chose {} as the default channel.", target.name));
                }
                let remedy = "Next: Settings, Notification Channels, Add Channel. You can close this page.";
                Self::new(StatusCode::OK, "ok", &format!("{service} workspace connected"), words, remedy)
            }
        }
    }

    /// What stands in the way.
    pub(super) fn obstacle(app: &App, channel_type: &str, obstacle: &Obstacle) -> Self {
        const AGAIN: &str = "Begin again in PyQueryHub: Settings, Integrations, Connect Workspace.";
        const OPERATOR: &str = "Ask the operator of this PyQueryHub to look at the service's log.";
        let entry = app.plugins.find(channel_type);
        let service = entry.as_ref().map_or("The service", |entry| entry.plugin.descriptor().name.as_str());
        let page =
            |status, title: &str, words: &str, remedy| Self::new(status, "bad", title, vec![words.to_owned()], remedy);
        match obstacle {
            Obstacle::Forged => page(
                StatusCode::BAD_REQUEST,
                "This did not begin here",
                "Nobody at this PyQueryHub asked for what came with this address, so nothing was connected.",
                AGAIN,
            ),
            Obstacle::OtherBrowser => page(
                StatusCode::FORBIDDEN,
                "This did not begin in this browser",
                "Connecting a workspace has to end in the browser in which it began, so that nobody can connect theirs in \
                 your name. Nothing was connected.",
                "Begin again in PyQueryHub, and stay in one browser; it has to accept cookies.",
            ),
            Obstacle::Replayed => page(
                StatusCode::CONFLICT,
                "This was used already",
                "Each link, each permission and each question works once, and for 10 minutes at most. If you just \
                 connected the workspace, all is well; else nothing was connected.",
                AGAIN,
            ),
            Obstacle::Expired => page(
                StatusCode::GONE,
                "This took too long",
                "Connecting a workspace has to end within 10 minutes. Nothing was connected.",
                AGAIN,
            ),
            Obstacle::Denied => page(
                StatusCode::OK,
                "Not connected",
                &format!("You did not allow it at {service}, so nothing was connected."),
                "You can close this page, or begin again in PyQueryHub.",
            ),
            Obstacle::Service(word) => {
                let words = format!("{service} ended it with an error. Nothing was connected.");
                let remedy =
                    "Begin again in PyQueryHub. If it stays so, ask the operator to look at the service's log.";
                Self { code: word.clone(), ..page(StatusCode::BAD_GATEWAY, "Not connected", &words, remedy) }
            }
            Obstacle::NoAnswer => {
                let words = format!("{service} did not answer as expected. Nothing was connected.");
                page(StatusCode::BAD_GATEWAY, "Not connected", &words, "Begin again in PyQueryHub in a few minutes.")
            }
            Obstacle::Refused(failure) => Self {
                code: failure.code.clone(),
                ..page(
                    status_of(failure.kind),
                    "Not connected",
                    &format!("{} Nothing was connected.", failure.message),
                    &failure.remedy,
                )
            },
            Obstacle::OtherOrganization { workspace } => page(
                StatusCode::CONFLICT,
                "Connected elsewhere",
                &format!(
                    "The workspace \u{201c}{workspace}\u{201d} is connected to another organization of this PyQueryHub. \
                     Nothing was connected here."
                ),
                "Have the other organization disconnect it first, or choose another workspace.",
            ),
            Obstacle::NotAllowed => page(
                StatusCode::FORBIDDEN,
                "Not connected",
                "Whoever began this may not connect workspaces any more. Nothing was connected.",
                "Ask an administrator of your organization to begin again.",
            ),
            Obstacle::NotSetUp => page(
                StatusCode::SERVICE_UNAVAILABLE,
                "Not set up",
                "This PyQueryHub is not set up to connect such workspaces (any more). Nothing was connected.",
                OPERATOR,
            ),
            Obstacle::Busy => page(
                StatusCode::SERVICE_UNAVAILABLE,
                "Too many at once",
                "Too many people connect workspaces just now. Nothing was connected.",
                "Begin again in PyQueryHub in a few minutes.",
            ),
            Obstacle::Trouble => page(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something went wrong here",
                "PyQueryHub could not do it. Nothing was connected.",
                OPERATOR,
            ),
        }
    }

    fn new(status: StatusCode, tone: &'static str, title: &str, words: Vec<String>, remedy: &str) -> Self {
        let (title, remedy) = (title.to_owned(), remedy.to_owned());
        Self { status, tone, title, words, remedy, code: String::new(), form: None, leads_away: false }
    }
}

/// Whose fault it is, as far as a failure says.
fn status_of(kind: FailureKind) -> StatusCode {
    match kind {
        FailureKind::Throttled | FailureKind::Unavailable | FailureKind::UnknownOutcome => StatusCode::BAD_GATEWAY,
        FailureKind::Rejected | FailureKind::Unreachable | FailureKind::Unauthorized => StatusCode::BAD_REQUEST,
    }
}
