//! Masks credentials in whatever comes back: raw, percent-encoded, JSON-escaped or base64. The second line of defence;
//! the first is that a credential goes nowhere but to its own destinations.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::zeroize::Zeroizing;
use url::Url;

use crate::hash::Sha256;

/// What stands in place of a credential.
const MASK: &str = "[masked]";
/// A part of a secret URL that is at least this long is a secret by itself.
const SECRET_SEGMENT: usize = 16;
/// All but RFC 3986's unreserved characters.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same, but for the slashes of a path.
const PATH: &AsciiSet = &UNRESERVED.remove(b'/').remove(b':');

/// The shortest form that is looked for.
const SHORTEST_FORM: usize = 8;
/// How many sets of secrets a channel keeps prepared: calls of one channel place the same ones, but for a change.
const KEPT: usize = 4;

/// All forms of some secrets, and what finds them. Made once for many calls, since it takes longer than a sandbox.
struct Prepared {
    longest: usize,
    count: usize,
    finder: AhoCorasick,
}

/// What a channel's calls have prepared so far, by a hash of the secrets.
#[derive(Default)]
pub(crate) struct PreparedMasks(Mutex<Vec<(Sha256, Arc<Prepared>)>>);

impl PreparedMasks {
    fn of(&self, secrets: &[Zeroizing<String>]) -> Option<Arc<Prepared>> {
        let mut key = Zeroizing::new(Vec::new());
        for secret in secrets {
            key.extend_from_slice(&secret.len().to_le_bytes());
            key.extend_from_slice(secret.as_bytes());
        }
        let key = Sha256::of(&key);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, prepared)) = kept.iter().find(|(known, _)| *known == key) {
            return Some(Arc::clone(prepared));
        }
        let prepared = Arc::new(prepare(secrets)?);
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push((key, Arc::clone(&prepared)));
        Some(prepared)
    }
}

fn prepare(secrets: &[Zeroizing<String>]) -> Option<Prepared> {
    let all: Vec<Zeroizing<Vec<u8>>> =
        secrets.iter().flat_map(|secret| all_forms(secret)).map(Zeroizing::new).collect();
    let finder = AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .kind(Some(AhoCorasickKind::NoncontiguousNFA))
        // Header names come back in lower case, and hex in either.
        .ascii_case_insensitive(true)
        .build(all.iter().map(|form| form.as_slice()))
        .ok()?;
    Some(Prepared { longest: all.iter().map(|form| form.len()).max()?, count: all.len(), finder })
}

/// A secret, and of a URL its parts that are secret by themselves, in each form.
fn all_forms(secret: &str) -> Vec<Vec<u8>> {
    let mut all = forms(secret);
    if let Ok(url) = Url::parse(secret) {
        let path_and_query = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let long = url.path_segments().into_iter().flatten().filter(|segment| segment.len() >= SECRET_SEGMENT);
        let values: Vec<String> = url
            .query_pairs()
            .map(|(_, value)| value.into_owned())
            .filter(|value| value.len() >= SHORTEST_FORM)
            .collect();
        let parts = long.chain(values.iter().map(String::as_str)).chain(
            // The path without its slash, as a service may name it.
            [path_and_query, path_and_query.trim_start_matches('/')]
                .into_iter()
                .filter(|part| part.len() >= SHORTEST_FORM),
        );
        all.extend(parts.flat_map(forms));
    }
    all
}

/// The credentials that one call has placed.
#[derive(Default)]
pub(crate) struct Masks {
    secrets: Vec<Zeroizing<String>>,
    shared: Arc<PreparedMasks>,
    prepared: OnceLock<Option<Arc<Prepared>>>,
}

impl Masks {
    /// None yet; what the channel's earlier calls prepared serves again.
    pub(crate) fn new(shared: Arc<PreparedMasks>) -> Self {
        Self { secrets: Vec::new(), shared, prepared: OnceLock::new() }
    }

    /// From now on masks this secret too.
    pub(crate) fn add(&mut self, secret: &str) {
        if !self.secrets.iter().any(|known| known.as_str() == secret) {
            self.secrets.push(Zeroizing::new(secret.to_owned()));
            self.prepared = OnceLock::new();
        }
    }

    fn prepared(&self) -> Option<&Prepared> {
        if self.secrets.is_empty() {
            return None;
        }
        self.prepared.get_or_init(|| self.shared.of(&self.secrets)).as_deref()
    }

    /// Bytes of the longest form: how far past a cut must be read to find what the cut would halve.
    pub(crate) fn longest(&self) -> usize {
        self.prepared().map_or(0, |prepared| prepared.longest)
    }

    /// The same bytes without credentials.
    pub(crate) fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        if bytes.len() < SHORTEST_FORM {
            return bytes;
        }
        match self.prepared() {
            Some(Prepared { finder, count, .. }) if finder.is_match(&bytes) => {
                finder.replace_all_bytes(&bytes, &vec![MASK.as_bytes(); *count])
            }
            _ => bytes,
        }
    }

    /// The first `limit` bytes without credentials, one that starts before the cut included. Masking shortens, and what
    /// lies past the cut must not move up: it may end within a credential.
    pub(crate) fn cut(&self, bytes: &[u8], limit: usize) -> Vec<u8> {
        let limit = limit.min(bytes.len());
        let mut out = Vec::with_capacity(limit);
        let mut done = 0;
        for found in self.prepared().into_iter().flat_map(|prepared| prepared.finder.find_iter(bytes)) {
            if found.start() >= limit {
                break;
            }
            out.extend_from_slice(&bytes[done..found.start()]);
            out.extend_from_slice(MASK.as_bytes());
            done = found.end();
        }
        out.extend_from_slice(bytes.get(done..limit).unwrap_or_default());
        out.truncate(limit);
        out
    }

    /// The same text without credentials.
    pub(crate) fn text(&self, text: String) -> String {
        match String::from_utf8(self.bytes(text.into_bytes())) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }
    }
}

/// A secret in each form that a service might echo.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![secret.as_bytes().to_vec()];
    for set in [NON_ALPHANUMERIC, UNRESERVED, PATH] {
        let encoded = utf8_percent_encode(secret, set).to_string();
        forms.push(lower_escapes(&encoded).into_bytes());
        forms.push(encoded.into_bytes());
    }
    if let Ok(json) = serde_json::to_string(secret) {
        let json = json.trim_matches('"').to_owned();
        forms.push(json.replace('/', "\\/").into_bytes());
        forms.push(json.into_bytes());
    }
    forms.push(secret.replace('&', "&amp;").into_bytes());
    // As a form or a query has it: a space is a plus sign.
    forms.push(url::form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>().into_bytes());
    // As part of something longer, base64 shows a secret in three shapes, by where it starts. What does not depend on
    // its neighbours is enough to find it.
    for shift in 0..3_usize {
        let mut padded = vec![0; shift];
        padded.extend_from_slice(secret.as_bytes());
        let first = (shift * 8).div_ceil(6);
        let last = padded.len() * 8 / 6;
        for alphabet in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let encoded = alphabet.encode(&padded);
            forms.extend(encoded.as_bytes().get(first..last).map(<[u8]>::to_vec));
        }
    }
    forms.push(hex::encode(secret).into_bytes());
    forms.sort();
    forms.dedup();
    forms.retain(|form| form.len() >= SHORTEST_FORM);
    forms
}

/// "%2F" as "%2f".
fn lower_escapes(text: &str) -> String {
    let mut escape = 0;
    text.chars()
        .map(|character| {
            if character == '%' {
                escape = 2;
            } else if escape > 0 {
                escape -= 1;
                return character.to_ascii_lowercase();
            }
            character
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "xoxb-canary/with \"quotes\"&more";

    fn masked(text: &str) -> String {
        let mut masks = Masks::default();
        masks.add(SECRET);
        masks.text(text.to_owned())
    }

    #[test]
    fn a_secret_is_masked_in_each_encoding() {
        let percent = utf8_percent_encode(SECRET, NON_ALPHANUMERIC).to_string();
        let json = serde_json::to_string(SECRET).unwrap();
        let base64 = |text: String| STANDARD_NO_PAD.encode(text);
        for echo in [
            SECRET.to_owned(),
            percent.clone(),
            lower_escapes(&percent),
            json.clone(),
            json.replace('/', "\\/"),
            base64(SECRET.to_owned()),
            base64(format!("a{SECRET}b")),
            base64(format!("ab{SECRET}c")),
            hex::encode(SECRET),
        ] {
            let out = masked(&format!("before {echo} after"));
            assert!(out.contains(MASK) && out.starts_with("before ") && out.ends_with(" after"), "{echo} -> {out}");
        }
    }

    #[test]
    fn the_token_of_a_secret_url_is_masked_by_itself_and_with_its_path() {
        let mut masks = Masks::default();
        masks.add("https://hooks.example.com/services/T0/B0/canarycanarycanary01");
        for echo in
            ["canarycanarycanary01", "/services/T0/B0/canarycanarycanary01", "services/T0/B0/canarycanarycanary01"]
        {
            assert_eq!(masks.text(format!("no service {echo}!")), "no service [masked]!");
        }
        assert_eq!(masks.text("services are fine".to_owned()), "services are fine");
    }

    #[test]
    fn a_cut_leaves_no_part_of_a_secret_however_many_stand_before_it() {
        let mut masks = Masks::default();
        masks.add(SECRET);
        let body = SECRET.repeat(10);
        for limit in 0..SECRET.len() * 3 {
            let read = &body.as_bytes()[..limit + masks.longest()];
            let out = String::from_utf8(masks.cut(read, limit)).unwrap();
            assert!(out.len() <= limit && MASK.repeat(4).starts_with(&out), "{limit}: {out}");
        }
    }

    #[test]
    fn what_holds_no_secret_stays_as_it_is() {
        assert_eq!(masked("ok"), "ok");
        assert_eq!(masked("a longer answer without anything in it"), "a longer answer without anything in it");
    }
}
