//! Who asks, and from where.

use crate::access::Role;
use crate::audit::Actor;

/// Who asks: a token that was found good, and the address that its request came from.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The token's id.
    pub(crate) token: String,
    /// The token's name.
    pub(crate) name: String,
    pub(crate) role: Role,
    /// The client's address.
    pub(crate) source: String,
}

impl Caller {
    /// As the audit log names them.
    pub(crate) fn actor(&self) -> Actor {
        Actor { token: Some(self.token.clone()), name: self.name.clone(), role: self.role.name().to_owned() }
    }
}

/// A caller within their organization.
#[derive(Clone, Debug)]
pub(crate) struct OrgCaller {
    /// The organization's id.
    pub(crate) organization: String,
    pub(crate) caller: Caller,
}

/// A caller of an organization, or an operator.
#[derive(Clone, Debug)]
pub(crate) struct AnyCaller {
    /// The organization's id; none for operators.
    pub(crate) organization: Option<String>,
    pub(crate) caller: Caller,
}
