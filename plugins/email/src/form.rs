//! What the type is, and what an administrator fills in.

use pqh_channel_sdk::prelude::*;

use crate::TO;

pub(crate) fn descriptor() -> Descriptor {
    Descriptor::new("email", "E-mail", "Mails alerts to people, through the mail relay that your operator configured.")
        .field(
            Field::email_list(TO, "Recipients")
                .required()
                .help("Up to 50 addresses, which see each other. For more, or for a team that changes: a distribution list.")
                .hint("placeholder", "ada@example.com, team@example.com"),
        )
        .mails(TO)
        .target([TO])
        // More than this nobody reads one by one: the rest goes out as digests.
        .pace_per_target(10, 10)
        .digests()
        .hint("category", "mail")
}
