//! What the type is, and the rules that the host checks its fields against.

use alloc::format;

use pqh_channel_sdk::prelude::*;

use crate::headers::OURS;
use crate::{HEADERS, SECRET, SECRET_HEADERS, URL};

pub(crate) fn descriptor() -> Descriptor {
    Descriptor::new(
        "webhook",
        "Webhook (signed)",
        "Posts each event as JSON to an HTTPS address of yours, signed by the Standard Webhooks specification.",
    )
    .field(url())
    .field(Field::standard_webhooks_secret(SECRET, "Signing secret"))
    .field(
        Field::long_text(HEADERS, "Headers")
            .help("Sent with each request: one \"Name: value\" a line, 20 at most. What is secret goes below.")
            .hint("placeholder", "X-Environment: production"),
    )
    .field(secret_headers())
    .credential(Credential::new(URL, Placement::Address).to_field(URL))
    .credential(Credential::new(SECRET, Placement::standard_webhooks()).to_field(URL))
    .credential(Credential::new(SECRET_HEADERS, Placement::Headers).to_field(URL))
    .target([URL])
    .hint("documentation", "https://www.standardwebhooks.com")
    .hint("category", "automation")
}

fn url() -> Field {
    Field::secret_url(URL, "Receiver's URL")
        .required()
        .help("Where your receiver takes POST requests. Kept as a secret, since such addresses often hold tokens.")
        .must_match("(?is)https://.*", "The address has to start with https://: nothing is sent unencrypted.")
        .must_not_match(
            r"(?is)https://[^/?#\\]*@.*",
            "The address holds a user name or password. Leave them out, and put them among the secret headers: \
             Authorization, with \"Basic \" and the base64 of user:password.",
        )
        .must_not_match(r"(?s).*[\s\\#].*", "The address holds white space, a backslash or a \"#\": leave it out.")
        .hint("placeholder", "https://example.com/hooks/pyqueryhub")
}

fn secret_headers() -> Field {
    let ours = OURS.replace(".*", r#"[^"\\]*"#);
    Field::secret_headers(SECRET_HEADERS, "Secret headers")
        .help("Sent with each request and kept sealed, as a JSON object: {\"Authorization\": \"Bearer …\"}.")
        .must_match(r#"(?s)\s*\{\s*".*"#, "Expected a JSON object with at least one header, such as {\"Authorization\": \"Bearer …\"}; or leave the field empty.")
        .must_not_match(
            &format!(r#"(?is).*"(?:{ours})"\s*:.*"#),
            "One of these headers is set by PyQueryHub itself or by the connection: content-type, webhook-…, host, \
             user-agent, content-length and the like. Leave it out.",
        )
}
