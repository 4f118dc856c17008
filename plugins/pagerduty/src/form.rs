//! What the type is, and the rules that the host checks the integration key against.

use pqh_channel_sdk::prelude::*;

use crate::{EU, ROUTING_KEY, US};

pub(crate) fn descriptor() -> Descriptor {
    Descriptor::new(
        "pagerduty",
        "PagerDuty",
        "Opens alerts in a PagerDuty service, and resolves them when they are over.",
    )
    .field(
Field::secret(ROUTING_KEY, "Integration key")
        .required()
        .help(
            "In PagerDuty: Services, Service Directory, your service, Integrations, Add integration, Events API v2; then copy \
             its Integration Key. Whoever has it can page people. The key of an event orchestration or ruleset takes alerts, \
             but no messages of success.",
        )
        .must_not_match(
            "[A-Za-z0-9_+-]{20}",
            "This looks like a REST API key, which cannot send events. Copy the Integration Key of an Events API v2 integration: \
             your service, Integrations, Events API v2.",
        )
        .must_match(
            "[A-Za-z0-9]{32}",
            "This is no integration key: that has exactly 32 letters and digits. Copy it from PagerDuty: your service, \
             Integrations, Events API v2, Integration Key.",
        )
        .hint("placeholder", "e93facc04764012d7bfb002500d5d1a6"),
    )
    .field(Field::choice("region", "Service region", &[("us", "US"), ("eu", "EU")]).default_value("us").help(
        "Where you log in tells it: app.eu.pagerduty.com, or a name before .eu.pagerduty.com, is EU; all else \
                     is US.",
    ))
    .credential(Credential::new(ROUTING_KEY, Placement::JsonBody("/routing_key".into())).to_host(US).to_host(EU))
    .target([ROUTING_KEY])
    // About 120 a minute for each key, whoever sends (FACTS.md, 4): half of that is left to others.
    .pace_per_target(60, 5)
    .hint("documentation", "https://support.pagerduty.com/main/docs/services-and-integrations")
    .hint("category", "on-call")
}
