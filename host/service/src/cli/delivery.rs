//! Words of `pqh event` and `pqh deliveries`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use super::{
    ListOptions,
    value::{since, wait},
};

/// About events.
#[derive(Debug, Subcommand)]
pub(crate) enum EventCommand {
    /// Tell channels something.
    Post {
        /// The event as JSON; `-` reads standard input.
        event: PathBuf,
        /// A channel, by alias or id; repeat it for each.
        #[arg(long = "channel", value_name = "CHANNEL", required = true)]
        channels: Vec<String>,
        /// Asked again under this key, the event is not told again.
        #[arg(long, value_name = "KEY")]
        idempotency_key: Option<String>,
        /// Wait until it is told, and fail if it is not; 30 seconds if no others are said. Takes a token that may read.
        #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "30",
            value_parser = wait)]
        wait: Option<Duration>,
    },
    /// Show an event, and what became of it in each channel.
    Show {
        /// Its id.
        id: String,
    },
}

/// About deliveries.
#[derive(Debug, Subcommand)]
pub(crate) enum DeliveriesCommand {
    /// List deliveries, the newest first.
    List {
        /// Only those that stand so.
        #[arg(long)]
        status: Option<Status>,
        /// Only those to this channel (alias or id).
        #[arg(long)]
        channel: Option<String>,
        /// Only those whose cause has this code.
        #[arg(long)]
        code: Option<String>,
        #[command(flatten)]
        list: ListOptions,
    },
    /// Show a delivery with its attempts.
    Show {
        /// Its id.
        id: String,
    },
    /// Deliver again what failed or was cancelled: one by its id, or all that failed in such a way.
    Replay(Replayed),
    /// Give up what has not been sent.
    Cancel {
        /// Its id.
        id: String,
    },
}

/// What is delivered again.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Replayed {
    /// One delivery's id.
    #[arg(conflicts_with_all = ["channel", "code", "since"])]
    pub(crate) id: Option<String>,
    /// What failed in this channel (alias or id).
    #[arg(long)]
    pub(crate) channel: Option<String>,
    /// What failed with this code.
    #[arg(long)]
    pub(crate) code: Option<String>,
    /// What failed since then: a time like `2026-11-23T12:00:00Z`, or how long ago, like `2h`.
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub(crate) since: Option<Timestamp>,
    /// Also where its alert has moved on meanwhile, and it would tell what is no longer so.
    #[arg(long, requires = "id", conflicts_with_all = ["channel", "code", "since"])]
    pub(crate) force: bool,
}

/// How a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Status {
    /// Soon to be sent.
    Queued,
    /// Being sent.
    Sending,
    /// To be tried again.
    Waiting,
    /// Told.
    Delivered,
    /// Given up.
    Failed,
    /// Waits for somebody to mend something.
    Held,
    /// Told by another delivery.
    Folded,
    /// Not wanted any more.
    Cancelled,
}
