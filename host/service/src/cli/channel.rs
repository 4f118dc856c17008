//! Words of `pqh channel`.

use clap::{Args, Subcommand};

use super::{SECRETS, value::setting};
use crate::quiet::QuietHours;

/// Said where `PQH_SET_…` is not read: a variable left from another command must not change a channel that works.
const SECRETS_OF_A_CHANGE: &str = "A secret is best kept out of shell history: --set KEY=@FILE reads it from a file, \
--set KEY=- from standard input. What is not named stays as it is.";

/// About an organization's channels.
#[derive(Debug, Subcommand)]
pub(crate) enum ChannelCommand {
    /// List the channels.
    List,
    /// Show what channels can be made of, with their settings.
    Types,
    /// Show a channel; its secrets are not shown.
    Show(Named),
    /// Add a channel, once its settings are found to work.
    #[command(after_help = SECRETS)]
    Add {
        /// What it is called.
        alias: String,
        /// Its type: `pqh channel types` knows them.
        #[arg(long = "type", value_name = "TYPE")]
        channel_type: String,
        /// The connection that it posts through, for types that people connect: `pqh connection list` knows them. Where there
        /// is one alone of the type, it may be left out.
        #[arg(long, value_name = "CONNECTION")]
        connection: Option<String>,
        /// A setting; repeat it for each. Lists of addresses are separated by commas.
        #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
        settings: Vec<(String, String)>,
        /// When what is not critical waits, like `"mon-fri 22:00-07:00 Europe/Berlin"`; repeat it for each interval.
        #[arg(long, value_name = "HOURS")]
        quiet_hours: Vec<QuietHours>,
    },
    /// Change a channel, once its settings are found to work.
    #[command(after_help = SECRETS_OF_A_CHANGE)]
    Update {
        #[command(flatten)]
        channel: Named,
        #[command(flatten)]
        changes: ChannelChanges,
        /// Only if it still is this version, as `pqh channel show` tells it.
        #[arg(long, value_name = "VERSION")]
        if_version: Option<u64>,
    },
    /// Post a test message, and tell what came of it.
    Test(Named),
    /// Find out whether a channel works, and post nothing; a channel that the service paused and that works goes on.
    Check(Named),
    /// Hold what is for a channel until it is resumed.
    Pause {
        #[command(flatten)]
        channel: Named,
        /// Why, for those who wonder.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Let a paused channel go on.
    Resume(Named),
    /// Delete a channel, and cancel what waits for it.
    Delete {
        #[command(flatten)]
        channel: Named,
        /// Also where alerts tell it.
        #[arg(long)]
        force: bool,
    },
}

/// Which channel.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The channel's alias or id.
    #[arg(value_name = "CHANNEL")]
    pub(crate) channel: String,
}

/// What is to change of a channel.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct ChannelChanges {
    /// What it is called from now on.
    #[arg(long)]
    pub(crate) alias: Option<String>,
    /// A setting; repeat it for each. Lists of addresses are separated by commas.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
    pub(crate) settings: Vec<(String, String)>,
    /// Remove a setting; may be repeated.
    #[arg(long = "unset", value_name = "KEY")]
    pub(crate) unset: Vec<String>,
    /// When what is not critical waits, in place of all intervals before; repeat it for each.
    #[arg(long, value_name = "HOURS")]
    pub(crate) quiet_hours: Vec<QuietHours>,
    /// Have no quiet hours any more.
    #[arg(long, conflicts_with = "quiet_hours")]
    pub(crate) no_quiet_hours: bool,
}
