//! What the simulator can be told to do with a request instead of judging it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

/// What the simulator does with a request instead of judging it.
#[derive(Debug, Clone)]
pub enum Misbehaviour {
    /// Answers with this status, these headers and this body.
    Answer {
        /// HTTP status.
        status: u16,
        /// Headers beside `Content-Type`, such as `Retry-After` or `Location`.
        headers: Vec<(String, String)>,
        /// Whole body.
        body: String,
    },
    /// Judges as always, but answers after this time.
    Delay(Duration),
    /// Judges as always, but answers only after the test notified.
    HoldUntil(Arc<Notify>),
    /// Answers `ok` one byte at a time, this long apart, with padding of spaces.
    Drip {
        /// Time between two bytes.
        every: Duration,
        /// Bytes in all.
        bytes: usize,
    },
    /// Takes the whole request and closes the connection without an answer.
    CloseBeforeAnswer,
    /// Promises 100 bytes, sends two, and closes the connection.
    CloseInBody,
    /// Answers with the request's path and body in a header and the body, as a careless proxy does.
    Echo,
}

/// Where a webhook that holds lets requests wait until it is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Before they are judged: nobody sees a message of which the connection ends meanwhile.
    Requests,
    /// After they were judged: people see the message, and whoever sent it does not know.
    Answers,
}
