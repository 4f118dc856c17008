//! Step 2: what one channel's component may send where, and which credentials it has.

use std::collections::BTreeMap;
use std::sync::Arc;

use lettre::Address;
use serde_json::{Map, Value};
use url::Url;

use crate::contract::channel::{Credential, Descriptor, Destination, FieldKind, Placement};
use crate::contract::outbound_http::{self, Request};
use crate::gate::destination::{HostPattern, Origin};
use crate::gate::mask::{Masks, PreparedMasks};
use crate::gate::{assemble, headers};
use crate::grant::Grant;
use crate::limits::Limits;
use crate::secrets::SecretSource;
use crate::settings as fields;

/// A channel as the gate sees it.
pub(crate) struct Binding {
    descriptor: Descriptor,
    grant: Grant,
    /// Origins of fields that hold a URL, secret ones included.
    origins: BTreeMap<String, Origin>,
    /// Addresses of fields that hold a list of them.
    addresses: BTreeMap<String, Vec<Address>>,
    /// Text settings, for the user name of HTTP Basic.
    texts: BTreeMap<String, String>,
    pub(crate) secrets: Arc<dyn SecretSource>,
    masks: Arc<PreparedMasks>,
}

/// What the gate would do with a request.
pub(crate) struct Previewed {
    pub(crate) url: Option<String>,
    pub(crate) destination: String,
    pub(crate) credentials: Vec<String>,
    pub(crate) verdict: Result<(), String>,
}

impl Binding {
    pub(crate) fn new(
        descriptor: Descriptor,
        grant: Grant,
        settings: &Map<String, Value>,
        secrets: Arc<dyn SecretSource>,
    ) -> Self {
        let texts: BTreeMap<String, String> =
            settings.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect();
        let origin = |key: &str, kind: &FieldKind| {
            let text = match kind {
                FieldKind::Url => texts.get(key).cloned(),
                FieldKind::SecretUrl => secrets.facts(key).and_then(|facts| facts.origin),
                _ => None,
            };
            Origin::of(&Url::parse(&text?).ok()?)
        };
        let origins = descriptor
            .fields
            .iter()
            .filter_map(|field| Some((field.key.clone(), origin(&field.key, &field.kind)?)))
            .collect();
        let addresses = descriptor
            .fields
            .iter()
            .filter(|field| matches!(field.kind, FieldKind::EmailList))
            .map(|field| (field.key.clone(), fields::addresses(settings.get(&field.key))))
            .collect();
        Self { descriptor, grant, origins, addresses, texts, secrets, masks: Arc::default() }
    }

    /// The names of the credentials that can be placed now.
    pub(crate) fn available(&self) -> Vec<String> {
        let filled = |credential: &&Credential| self.secrets.facts(&credential.secret).is_some();
        self.descriptor.credentials.iter().filter(filled).map(|credential| credential.name.clone()).collect()
    }

    /// For a new call.
    pub(crate) fn masks(&self) -> Masks {
        Masks::new(Arc::clone(&self.masks))
    }

    /// A setting that is text.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.texts.get(key).map(String::as_str)
    }

    /// The credential that is the request's address, and those that the request names.
    pub(crate) fn credentials(&self, request: &Request) -> Result<(Option<&Credential>, Vec<&Credential>), String> {
        let find = |name: &String| {
            self.descriptor
                .credentials
                .iter()
                .find(|credential| credential.name == *name)
                .ok_or_else(|| format!("{name:?} is no credential that this component describes"))
        };
        let address = match &request.address {
            outbound_http::Address::Url(_) => None,
            outbound_http::Address::Secret(secret) => {
                let credential = find(&secret.credential)?;
                if !matches!(credential.placement, Placement::Address) {
                    return Err(format!("the credential `{}` is no address", credential.name));
                }
                Some(credential)
            }
        };
        let mut named = Vec::with_capacity(request.credentials.len());
        for name in &request.credentials {
            let credential = find(name)?;
            if matches!(credential.placement, Placement::Address) {
                return Err(format!("the credential `{name}` is an address: send the request to it"));
            }
            if named.iter().any(|known: &&Credential| known.name == *name) {
                return Err(format!("the credential `{name}` is named twice"));
            }
            named.push(credential);
        }
        // A signature covers all else.
        named.sort_by_key(|credential| matches!(credential.placement, Placement::Sign(_)));
        Ok((address, named))
    }

    /// Whether the origin is granted, and a destination of each credential.
    pub(crate) fn allows(&self, origin: &Origin, credentials: &[&Credential]) -> Result<(), String> {
        if !self.grant.allows(origin, |key| self.origins.get(key).cloned()) {
            return Err(format!(
                "{origin} is not granted to `{}` (granted: {}). To allow it: --grant {origin}",
                self.descriptor.id, self.grant
            ));
        }
        for credential in credentials {
            if !credential.destinations.iter().any(|destination| self.is(destination, origin)) {
                return Err(format!(
                    "the credential `{}` never goes to {origin}: that is not among its destinations",
                    credential.name
                ));
            }
        }
        Ok(())
    }

    /// Whether mail to this address is granted.
    pub(crate) fn allows_mail(&self, address: &Address) -> Result<(), String> {
        let held = |key: &str| self.addresses.get(key).is_some_and(|addresses| addresses.contains(address));
        if self.grant.allows_mail(address, held) {
            return Ok(());
        }
        let domain = address.domain();
        Err(format!(
            "mail to {address} is not granted to `{}` (granted: {}). To allow it: --grant @{domain}",
            self.descriptor.id, self.grant
        ))
    }

    fn is(&self, destination: &Destination, origin: &Origin) -> bool {
        match destination {
            Destination::Host(pattern) => HostPattern::parse(pattern).is_ok_and(|pattern| pattern.matches(origin)),
            Destination::Field(key) => self.origins.get(key).is_some_and(|known| known == origin),
            Destination::Recipients(_) | Destination::Other(_) => false,
        }
    }

    /// What the gate would do, without reading a secret.
    pub(crate) fn preview(&self, request: &Request, limits: &Limits) -> Previewed {
        let mut previewed = Previewed {
            url: None,
            destination: String::new(),
            credentials: request.credentials.clone(),
            verdict: Ok(()),
        };
        previewed.verdict = self.try_preview(request, limits, &mut previewed);
        previewed
    }

    fn try_preview(&self, request: &Request, limits: &Limits, previewed: &mut Previewed) -> Result<(), String> {
        let (address, named) = self.credentials(request)?;
        let mut all = named;
        let origin = match (&request.address, address) {
            (outbound_http::Address::Secret(secret), Some(credential)) => {
                previewed.credentials.insert(0, secret.credential.clone());
                assemble::extend("https://preview.invalid/", &secret.path, &secret.query)?;
                all.push(credential);
                self.origins.get(&credential.secret).cloned()
            }
            (outbound_http::Address::Url(raw), _) => {
                let hidden = |credential: &&&Credential| {
                    matches!(credential.placement, Placement::Path(_) | Placement::Query(_))
                };
                let mut assembled = raw.clone();
                for credential in &all {
                    if let Placement::Path(placeholder) = &credential.placement {
                        assembled = assemble::place_in_path(&assembled, placeholder, "x")?;
                    }
                }
                let url = assemble::parse(&assembled)?;
                if all.iter().find(hidden).is_none() {
                    previewed.url = Some(url.to_string());
                }
                Origin::of(&url)
            }
            (outbound_http::Address::Secret(_), None) => None,
        };
        let Some(origin) = origin else {
            // The secret is not filled in yet: all that it could be.
            let mut destinations: Vec<String> = all
                .iter()
                .flat_map(|credential| &credential.destinations)
                .map(|destination| match destination {
                    Destination::Host(host) => host.clone(),
                    Destination::Field(key) => format!("the origin of `{key}`"),
                    Destination::Recipients(key) => format!("mail to `{key}`"),
                    Destination::Other((name, _)) => name.clone(),
                })
                .collect();
            destinations.dedup();
            previewed.destination = destinations.join(" or ");
            check_size(request, limits)?;
            return headers::check(&request.headers).map(drop);
        };
        previewed.destination = origin.to_string();
        self.allows(&origin, &all)?;
        check_size(request, limits)?;
        headers::check(&request.headers).map(drop)
    }
}

/// Whether a request's body is within the limit.
pub(crate) fn check_size(request: &Request, limits: &Limits) -> Result<(), String> {
    if request.body.len() > limits.request_bytes {
        return Err(format!(
            "the body has {} bytes, and at most {} are taken",
            request.body.len(),
            limits.request_bytes
        ));
    }
    Ok(())
}
