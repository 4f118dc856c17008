//! Words of the commands that call a component themselves, without a service: `send`, `preview`, `check`.

use std::path::PathBuf;

use clap::Args;
use jiff::tz::TimeZone;

use super::value::{setting, time_zone, upstream};

/// How an event is read.
#[derive(Debug, Args)]
pub(crate) struct EventOptions {
    /// Where local times are told, like `America/New_York`; else the event's own offset counts.
    #[arg(long, value_name = "ZONE", value_parser = time_zone)]
    pub(crate) timezone: Option<TimeZone>,
}

/// Which channel, with which settings.
#[derive(Debug, Args)]
pub(crate) struct ChannelOptions {
    /// The channel's type: `pqh plugin list` knows them.
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) channel_type: String,

    /// A setting; repeat it for each. Lists of addresses are separated by commas.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
    pub(crate) settings: Vec<(String, String)>,

    /// Send what is meant for HOST to URL instead, as tests do; may be repeated.
    #[arg(long = "upstream", value_name = "HOST=URL", value_parser = upstream)]
    pub(crate) upstreams: Vec<(String, String)>,

    /// The service's configuration, of which [mail] counts: the relay. Left out: only variables of that section count.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Let a component that is not built in send to HOST, or mail to @DOMAIN; may be repeated.
    #[arg(long = "grant", value_name = "HOST")]
    pub(crate) grants: Vec<String>,
}
