//! Masks credentials in whatever comes back: raw, percent-encoded, JSON-escaped or base64. The second line of defence;
//! the first is that a credential goes nowhere but to its own destinations.

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::zeroize::Zeroizing;
use url::Url;

/// What stands in place of a credential.
const MASK: &str = "[masked]";
/// A part of a secret URL that is at least this long is a secret by itself.
const SECRET_SEGMENT: usize = 16;
/// All but RFC 3986's unreserved characters.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same, but for the slashes of a path.
const PATH: &AsciiSet = &UNRESERVED.remove(b'/').remove(b':');

/// The forms of all credentials that one call has placed.
#[derive(Default)]
pub(crate) struct Masks {
    forms: Vec<Zeroizing<Vec<u8>>>,
    finder: OnceLock<Option<AhoCorasick>>,
}

impl Masks {
    /// From now on masks this secret too.
    pub(crate) fn add(&mut self, secret: &str) {
        self.forms.extend(forms(secret).into_iter().map(Zeroizing::new));
        if let Ok(url) = Url::parse(secret) {
            let path_and_query = &url[url::Position::BeforePath..url::Position::AfterQuery];
            let long = url.path_segments().into_iter().flatten().filter(|segment| segment.len() >= SECRET_SEGMENT);
            let values: Vec<String> =
                url.query_pairs().map(|(_, value)| value.into_owned()).filter(|value| value.len() >= 8).collect();
            let parts = long.chain(values.iter().map(String::as_str)).chain(
                // The path without its slash, as a service may name it.
                [path_and_query, path_and_query.trim_start_matches('/')].into_iter().filter(|part| part.len() >= 8),
            );
            self.forms.extend(parts.flat_map(forms).map(Zeroizing::new));
        }
        self.finder = OnceLock::new();
    }

    /// Bytes of the longest form: how far past a cut must be read to find what the cut would halve.
    pub(crate) fn longest(&self) -> usize {
        self.forms.iter().map(|form| form.len()).max().unwrap_or(0)
    }

    fn finder(&self) -> Option<&AhoCorasick> {
        self.finder
            .get_or_init(|| {
                if self.forms.is_empty() {
                    return None;
                }
                AhoCorasick::builder()
                    .match_kind(MatchKind::LeftmostLongest)
                    .kind(Some(AhoCorasickKind::NoncontiguousNFA))
                    // Header names come back in lower case, and hex in either.
                    .ascii_case_insensitive(true)
                    .build(self.forms.iter().map(|form| form.as_slice()))
                    .ok()
            })
            .as_ref()
    }

    /// The same bytes without credentials.
    pub(crate) fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        if self.forms.iter().all(|form| form.len() > bytes.len()) {
            return bytes;
        }
        match self.finder() {
            Some(finder) if finder.is_match(&bytes) => {
                finder.replace_all_bytes(&bytes, &vec![MASK.as_bytes(); self.forms.len()])
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
        for found in self.finder().into_iter().flat_map(|finder| finder.find_iter(bytes)) {
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
    forms.retain(|form| form.len() >= 8);
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
