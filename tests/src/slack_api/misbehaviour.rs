//! What the simulator can be told to do with a call besides answering it as Slack would.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;

use super::pages;
use crate::http_service::{Answer, Reply};

/// What happens to a call. What says "after" does what was asked first.
#[derive(Debug, Clone)]
pub enum Misbehaviour {
    /// 200 with `{"ok": false, "error": word}`; `ratelimited` comes so too.
    Word(String),
    /// 429 with `Retry-After` in seconds and `{"ok": false, "error": "ratelimited"}`.
    RateLimited(u64),
    /// This status with Slack's HTML page of an outage.
    Page(u16),
    /// This answer.
    Answer(Answer),
    /// The connection is closed without an answer.
    Close,
    /// The connection is closed after it was done.
    CloseAfter,
    /// 200 with `{"ok": false, "error": word}` after it was done: `internal_error` and `fatal_error` may have posted.
    WordAfter(String),
    /// This status with Slack's HTML page of an outage, after it was done.
    PageAfter(u16),
    /// The answer comes this much later.
    AnswerLater(Duration),
    /// The answer comes when the test notified (`notify_one` for each).
    AnswerHeld(Arc<Notify>),
}

impl Misbehaviour {
    /// 200 with `{"ok": false, "error": word}`.
    pub fn word(word: &str) -> Self {
        Self::Word(word.to_owned())
    }

    /// Whether the call is done all the same.
    pub(crate) fn does(&self) -> bool {
        match self {
            Self::Word(_) | Self::RateLimited(_) | Self::Page(_) | Self::Answer(_) | Self::Close => false,
            Self::CloseAfter | Self::WordAfter(_) | Self::PageAfter(_) | Self::AnswerLater(_) | Self::AnswerHeld(_) => {
                true
            }
        }
    }

    /// What comes of the call whose answer would be `answer`.
    pub(crate) fn reply(self, answer: Answer) -> Reply {
        match self {
            Self::Word(word) | Self::WordAfter(word) => refusal(&word).into(),
            Self::RateLimited(seconds) => rate_limited(seconds).into(),
            Self::Page(status) | Self::PageAfter(status) => pages::outage(status).into(),
            Self::Answer(answer) => answer.into(),
            Self::Close | Self::CloseAfter => Reply::Close,
            Self::AnswerLater(time) => Reply::Later(time, answer),
            Self::AnswerHeld(released) => Reply::Held(released, answer),
        }
    }
}

/// A status with a JSON body.
pub(crate) fn json(status: u16, body: &Value) -> Answer {
    Answer::new(status, body.to_string()).header("Content-Type", "application/json; charset=utf-8")
}

/// 200 with `{"ok": false, "error": word}`.
pub(crate) fn refusal(word: &str) -> Answer {
    json(200, &json!({ "ok": false, "error": word }))
}

/// 429 with `Retry-After`.
pub(crate) fn rate_limited(seconds: u64) -> Answer {
    json(429, &json!({ "ok": false, "error": "ratelimited" })).header("Retry-After", &seconds.to_string())
}
