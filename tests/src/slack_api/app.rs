//! What Slack knows of an app: its configuration, its installations, the tokens that it gave out.

/// An app's configuration at Slack.
#[derive(Debug, Clone)]
pub struct App {
    /// `A…`.
    pub id: String,
    /// As people see it.
    pub name: String,
    /// Public.
    pub client_id: String,
    /// Proves to `oauth.v2.access` who asks.
    pub client_secret: String,
    /// Signs events and interactions.
    pub signing_secret: String,
    /// The one address to which browsers go back.
    pub redirect_url: String,
    /// The bot scopes that its manifest asks for.
    pub scopes: Vec<String>,
    /// The events that it subscribed to; all, where this is `None`.
    pub events: Option<Vec<String>>,
    /// Whether tokens expire.
    pub rotates: bool,
    /// The only workspace that may install it; any, when its distribution is on.
    pub only_team: Option<String>,
}

impl App {
    /// An app with secrets of its own, without rotation.
    pub fn new(redirect_url: &str, scopes: &[&str]) -> Self {
        Self {
            id: "A0PYQUERYHUB".to_owned(),
            name: "PyQueryHub".to_owned(),
            client_id: "1234567890.9876543210".to_owned(),
            client_secret: random(32),
            signing_secret: random(32),
            redirect_url: redirect_url.to_owned(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            events: None,
            rotates: false,
            only_team: None,
        }
    }

    /// The same with tokens that expire.
    #[must_use]
    pub fn rotating(mut self) -> Self {
        self.rotates = true;
        self
    }
}

/// A bot token that was given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// `xoxb-…`, or `xoxe.xoxb-1-…` where tokens rotate: a secret.
    pub value: String,
    /// The app.
    pub app_id: String,
    /// The workspace, or for an org-wide install the Enterprise organization.
    pub place: String,
    /// Whether it is of an org-wide install.
    pub is_enterprise_install: bool,
    /// The app's bot.
    pub bot_user_id: String,
    /// What it may.
    pub scopes: Vec<String>,
    /// Milliseconds since 1970.
    pub issued_at: i64,
    /// Milliseconds since 1970; `None` where tokens do not rotate.
    pub expires_at: Option<i64>,
    /// The word that it is refused with, such as `token_revoked`; `None` while it lives.
    pub ended: Option<&'static str>,
}

impl Token {
    /// The word that it is refused with at `now`.
    pub(crate) fn refused(&self, now: i64) -> Option<&'static str> {
        self.ended.or_else(|| self.expires_at.is_some_and(|at| now >= at).then_some("token_expired"))
    }
}

/// A refresh token that was given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// `xoxe-1-…`: a secret.
    pub value: String,
    /// The app.
    pub app_id: String,
    /// The workspace or Enterprise organization.
    pub place: String,
    /// When it was used first: milliseconds since 1970. After a short grace it is revoked.
    pub used_at: Option<i64>,
    /// Whether it was revoked otherwise.
    pub is_revoked: bool,
}

/// An app in a workspace, or in an Enterprise organization. It stays known after it was removed: its bot comes back as the
/// same account.
#[derive(Debug, Clone)]
pub(crate) struct Installation {
    pub(crate) app_id: String,
    pub(crate) place: String,
    pub(crate) bot_user_id: String,
    pub(crate) bot_id: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) is_installed: bool,
}

/// Random letters and digits.
pub(crate) fn random(length: usize) -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(length).collect()
}
