//! What a token may do.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a token may do: `publisher` tells events; `member` reads as well; `admin` runs one organization; `operator` runs the
/// service for all, and sees nothing inside an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    Publisher,
    Member,
    Admin,
    Operator,
}

impl Role {
    /// As it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Publisher => "publisher",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Operator => "operator",
        }
    }

    /// The role of that name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Publisher, Self::Member, Self::Admin, Self::Operator].into_iter().find(|role| role.name() == name)
    }
}
