//! What the type is, and the rules that the host checks the workflow's URL against (FACTS.md, 1).

use alloc::format;

use pqh_channel_sdk::prelude::*;

use crate::URL;

const CREATE: &str = "in Teams, open the channel's menu, choose Workflows, and add \"Send webhook alerts to a channel\" (before: \"Post to a channel when a webhook request is received\")";

/// Where workflows are called: Power Platform's clouds, and Logic Apps' addresses, which live on in sovereign clouds.
const HOSTS: [&str; 8] = [
    "*.environment.api.powerplatform.com",
    "*.environment.api.gov.powerplatform.microsoft.us",
    "*.api.high.powerplatform.microsoft.us",
    "*.api.appsplatform.us",
    "*.api.powerplatform.partner.microsoftonline.cn",
    "*.logic.azure.com",
    "*.logic.azure.us",
    "*.logic.azure.cn",
];

pub(crate) fn descriptor() -> Descriptor {
    let summary = "Posts alerts as cards into a channel or chat of Teams, through a workflow of your own.";
    let credential = Credential::new(URL, Placement::Address);
    Descriptor::new("teams", "Microsoft Teams (workflow)", summary)
        .field(url())
        .credential(HOSTS.iter().fold(credential, |credential, host| credential.to_host(host)))
        .target([URL])
        // 23 in any 5 minutes: a workflow's posts beyond 25 may be lost, which nobody is told (FACTS.md, 4 and 7).
        .pace_per_target(3, 8)
        .digests()
        .hint("documentation", "https://learn.microsoft.com/connectors/teams/#microsoft-teams-webhook")
        .hint("category", "chat")
}

fn url() -> Field {
    Field::secret_url(URL, "Workflow URL")
        .required()
        .help(&format!("To make one, {CREATE}, and copy the URL that it shows. It is a secret: whoever has it can post. A workflow ends with its owner's account: add a second owner. Outside of sovereign clouds, URLs at logic.azure.com ended in November 2025: copy the new one from the workflow."))
        .must_not_match(
            r"(?i)https?://([^/?#]*\.)?(webhook\.office\.com|outlook\.office\.com|outlook\.office365\.com)([:/?#].*)?",
            &format!("This is the URL of an Office 365 connector, which Microsoft has retired. Make a workflow instead: {CREATE}."),
        )
        .must_not_match(
            "(?i).*&amp;.*",
            "The URL holds \"&amp;\" in place of \"&\", as it stands in the source of a web page or mail. Copy it from the workflow itself.",
        )
        .must_match(
            r"(?i)https://([a-z0-9-]+\.)+(environment\.api\.(powerplatform\.com|gov\.powerplatform\.microsoft\.us)|api\.(high\.powerplatform\.microsoft\.us|appsplatform\.us|powerplatform\.partner\.microsoftonline\.cn)|logic\.azure\.(com|us|cn))(:443)?([/?#].*)?",
            "This is no address of a workflow: its host has to end in .environment.api.powerplatform.com, the same of a government's or China's cloud, or .logic.azure.com.",
        )
        .must_match(
            r"[^?#]*/workflows/[^/?#]+/triggers/[^?#]+([?#].*)?",
            "This is no URL of a workflow's trigger: its path has to hold /workflows/ and /triggers/. Copy the URL from the workflow, not from the browser's address bar.",
        )
        .must_match(
            r"[^?#]*\?([^#]*&)?sig=[^&#\s]+(&[^#\s]*)?",
            "The URL has no signature (\"sig=\"). Copy it whole; where the workflow shows it without, set \"Who can trigger the flow?\" to \"Anyone\" there.",
        )
        .hint("placeholder", "https://….environment.api.powerplatform.com:443/powerautomate/automations/direct/workflows/…/triggers/manual/paths/invoke?api-version=1&sp=…&sv=1.0&sig=…")
}
