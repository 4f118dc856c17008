//! Organizations, tokens and members.

use jiff::tz::TimeZone;

use super::table::{facts, table, when, when_any};
use crate::client::wire::{Member, Organization, Token};

/// All organizations.
pub(crate) fn organizations(organizations: &[Organization], zone: &TimeZone) -> String {
    if organizations.is_empty() {
        return "There are no organizations: `pqh org create` makes one.".to_owned();
    }
    let rows = organizations.iter().map(|organization| {
        let made = when(&organization.created_at, zone);
        [organization.name.clone(), organization.plan.clone(), made, organization.id.clone()]
    });
    table(["Name", "Plan", "Created", "Id"], rows)
}

/// One organization.
pub(crate) fn organization(organization: &Organization, zone: &TimeZone) -> String {
    let notices = &organization.notice_channels;
    facts(&[
        ("Name", organization.name.clone()),
        ("Id", organization.id.clone()),
        ("Plan", organization.plan.clone()),
        ("Time zone", organization.time_zone.clone()),
        ("Locale", organization.locale.clone()),
        ("Notices to", if notices.is_empty() { "no channel".to_owned() } else { notices.join(", ") }),
        ("Created", when(&organization.created_at, zone)),
    ])
}

/// All tokens.
pub(crate) fn tokens(tokens: &[Token], zone: &TimeZone) -> String {
    if tokens.is_empty() {
        return "There are no tokens: `pqh token create` makes one.".to_owned();
    }
    let rows = tokens.iter().map(|token| {
        [
            token.name.clone(),
            token.role.clone(),
            token.organization.clone().unwrap_or_default(),
            token.member.clone().unwrap_or_default(),
            when(&token.created_at, zone),
            when_any(token.revoked_at.as_ref(), zone),
            token.id.clone(),
        ]
    });
    table(["Name", "Role", "Organization", "Member", "Created", "Revoked", "Id"], rows)
}

/// All members.
pub(crate) fn members(members: &[Member], zone: &TimeZone) -> String {
    if members.is_empty() {
        return "There are no members: `pqh member add` adds one.".to_owned();
    }
    let rows = members
        .iter()
        .map(|member| [member.name.clone(), member.email.clone(), when(&member.created_at, zone), member.id.clone()]);
    table(["Name", "E-mail", "Added", "Id"], rows)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_organization_is_shown_with_where_its_notices_go() {
        let organization_json = json!({ "id": "o-1", "name": "Acme", "plan": "paid", "time_zone": "UTC", "locale": "en-US",
            "notice_channels": [], "created_at": "2026-11-23T12:00:00.000Z" });
        let shown = organization(&serde_json::from_value(organization_json).unwrap(), &TimeZone::UTC);
        assert!(shown.starts_with("Name        Acme\nId          o-1\nPlan        paid\n"), "{shown}");
        assert!(shown.contains("Notices to  no channel\n"), "{shown}");
    }

    #[test]
    fn a_revoked_token_tells_since_when() {
        let token = json!({ "id": "t-1", "name": "ci", "role": "publisher", "organization": "o-1", "member": null,
            "created_at": "2026-11-23T12:00:00.000Z", "revoked_at": "2026-11-24T12:00:00.000Z" });
        let text = tokens(&[serde_json::from_value(token).unwrap()], &TimeZone::UTC);
        assert!(text.contains("2026-11-24 12:00:00"), "{text}");
    }
}
