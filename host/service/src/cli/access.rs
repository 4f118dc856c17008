//! Words of `pqh token`, `pqh member` and `pqh org`: who there is, and what they may do.

use clap::{Args, Subcommand, ValueEnum};
use jiff::tz::TimeZone;

use super::{ConfigOptions, ServerOptions, value::time_zone};

/// About tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token; it is shown this once.
    Create {
        /// What it is for, to tell it from others.
        name: String,
        /// What its holder may do.
        #[arg(long)]
        role: Role,
        /// The organization that it is of; operators say it, admins have their own.
        #[arg(long, value_name = "ID")]
        organization: Option<String>,
        /// The person that it is of: without that member, it ends.
        #[arg(long, value_name = "ID")]
        member: Option<String>,
    },
    /// List tokens, without their secrets.
    List {
        /// Only those of an organization; for operators.
        #[arg(long, value_name = "ID")]
        organization: Option<String>,
    },
    /// End a token at once.
    Revoke {
        /// Its id.
        id: String,
    },
}

/// What the holder of a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Post events.
    Publisher,
    /// Post events, read all of an organization.
    Member,
    /// All of one organization.
    Admin,
    /// Organizations, plugins and grants; nothing inside an organization.
    Operator,
}

/// About members.
#[derive(Debug, Subcommand)]
pub(crate) enum MemberCommand {
    /// Add a person to the organization.
    Add {
        /// The name.
        name: String,
        /// The address.
        #[arg(long)]
        email: String,
    },
    /// List the organization's people.
    List,
    /// Remove a person, and revoke their tokens.
    Remove {
        /// The member's id.
        id: String,
    },
}

/// About organizations.
#[derive(Debug, Subcommand)]
pub(crate) enum OrgCommand {
    /// Make an organization, and show its first admin's token this once; opens the database itself.
    Create {
        /// What it is called.
        name: String,
        /// What it pays for: without a paid plan nothing is sent.
        #[arg(long, default_value = "paid")]
        plan: Plan,
        /// Where its local times are told.
        #[arg(long, value_name = "ZONE", default_value = "UTC")]
        timezone: String,
        /// The language tag of its people.
        #[arg(long, value_name = "TAG", default_value = "en-US")]
        locale: String,
        #[command(flatten)]
        config: ConfigOptions,
    },
    /// List the organizations; for operators.
    List {
        #[command(flatten)]
        server: ServerOptions,
    },
    /// Show an organization.
    Show {
        /// Its id, for operators; left out: the token's own.
        id: Option<String>,
        #[command(flatten)]
        server: ServerOptions,
    },
    /// Change an organization.
    Set {
        /// Its id, for operators, who set name and plan; left out: the token's own, of which admins set the rest.
        id: Option<String>,
        #[command(flatten)]
        changes: OrgChanges,
        #[command(flatten)]
        server: ServerOptions,
    },
}

/// What is to change of an organization.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct OrgChanges {
    /// Its name.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Its plan; operators say it, of the organization that ID names.
    #[arg(long, requires = "id")]
    pub(crate) plan: Option<Plan>,
    /// Where its times are told, like `America/New_York`.
    #[arg(long, value_name = "ZONE", value_parser = time_zone, conflicts_with = "id")]
    pub(crate) timezone: Option<TimeZone>,
    /// How its times and numbers are written, like `en-US`.
    #[arg(long, conflicts_with = "id")]
    pub(crate) locale: Option<String>,
    /// A channel (alias or id) that tells administrators what they must mend; repeat it for each.
    #[arg(long = "notice-channel", value_name = "CHANNEL", conflicts_with = "id")]
    pub(crate) notice_channels: Vec<String>,
    /// No channel tells administrators anything.
    #[arg(long, conflicts_with_all = ["id", "notice_channels"])]
    pub(crate) no_notice_channels: bool,
}

/// What an organization pays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Plan {
    /// No channels of its own.
    Free,
    /// All.
    Paid,
}
