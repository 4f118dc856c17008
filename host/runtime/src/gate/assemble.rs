//! Step 1: the URL, parsed once; path segments encoded; placeholders there exactly once; placing a credential does not
//! change the origin.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::contract::outbound_http::Method;

/// All but RFC 3986's unreserved characters.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Longest URL that leaves.
const LONGEST: usize = 16 << 10;

/// As it stands in the request line.
pub(crate) fn method_name(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    }
}

/// Parses a component's URL, and refuses what parsers disagree about.
pub(crate) fn parse(raw: &str) -> Result<Url, String> {
    if raw.len() > LONGEST {
        return Err(format!("the URL has {} bytes, and at most {LONGEST} are taken", raw.len()));
    }
    if let Some(bad) = raw.chars().find(|c| c.is_whitespace() || c.is_control() || *c == '\\') {
        return Err(format!("the URL holds {bad:?}: percent-encode it"));
    }
    let url = Url::parse(raw).map_err(|error| format!("the URL cannot be parsed: {error}"))?;
    checked(url, raw)
}

fn checked(url: Url, raw: &str) -> Result<Url, String> {
    if url.scheme() != "https" {
        return Err(format!("only https leaves, not {}", url.scheme()));
    }
    if !url.has_host() {
        return Err("the URL has no host".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the URL holds a user: credentials are placed by the host alone".to_owned());
    }
    if url.fragment().is_some() {
        return Err("the URL has a fragment".to_owned());
    }
    let path = raw.split(['?', '#']).next().unwrap_or_default();
    // The first three are "https:", "" and the host.
    if path.split('/').skip(3).any(is_dots) {
        return Err("the URL's path has a \".\" or \"..\" segment".to_owned());
    }
    Ok(url)
}

fn is_dots(segment: &str) -> bool {
    let plain = segment.to_ascii_lowercase().replace("%2e", ".");
    plain == "." || plain == ".."
}

/// A secret URL, with segments and parameters added.
pub(crate) fn extend(secret: &str, path: &[String], query: &[(String, String)]) -> Result<Url, String> {
    let unfit = |_: String| "the secret is no https URL that requests can be sent to".to_owned();
    let mut url = parse(secret).map_err(unfit)?;
    if let Some(segment) = path.iter().find(|segment| segment.is_empty() || is_dots(segment)) {
        return Err(format!("{segment:?} is no path segment"));
    }
    if !path.is_empty() {
        let mut segments = url.path_segments_mut().map_err(|()| "the secret is a URL without a path".to_owned())?;
        segments.pop_if_empty().extend(path);
    }
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url)
}

/// A secret in place of the text that the path holds once.
pub(crate) fn place_in_path(raw: &str, placeholder: &str, secret: &str) -> Result<String, String> {
    let end = raw.find(['?', '#']).unwrap_or(raw.len());
    let start = raw.find("://").and_then(|at| raw[at + 3..].find('/').map(|slash| at + 3 + slash)).unwrap_or(end);
    let (path, found) = (&raw[start..end], raw.matches(placeholder).count());
    if found != 1 || !path.contains(placeholder) {
        return Err(format!(
            "the URL's path must hold {placeholder:?} exactly once, and nowhere else: found {found} in the whole URL"
        ));
    }
    if is_dots(secret) {
        return Err("the credential cannot stand in a path".to_owned());
    }
    let encoded = utf8_percent_encode(secret, SEGMENT).to_string();
    Ok(format!("{}{}{}", &raw[..start], path.replace(placeholder, &encoded), &raw[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_parsers_disagree_about_is_refused() {
        for url in [
            "http://a.example/",
            "ftp://a.example/",
            "https://u:p@a.example/",
            "https://u@a.example/",
            "https://a.example/#x",
            "https://a.example/x y",
            "https://a.example\\@b.example/",
            "https://a.ex\tample/",
            "https://a.example/\r\nHost: b",
            "https://a.example/a/../b",
            "https://a.example/%2e%2E/b",
            "https://a.example/.",
            "/relative",
            "https://",
            "",
        ] {
            assert!(parse(url).is_err(), "{url:?} was let through");
        }
        assert!(parse("https://a.example/a..b/c?x=/../").is_ok());
    }

    #[test]
    fn segments_are_encoded_and_dots_are_refused() {
        let url =
            extend("https://a.example/hook/", &["a/b?c#d%".to_owned()], &[("k&".to_owned(), "v=".to_owned())]).unwrap();
        assert_eq!(url.as_str(), "https://a.example/hook/a%2Fb%3Fc%23d%25?k%26=v%3D");
        for segment in [".", "..", "%2e%2e", ""] {
            assert!(extend("https://a.example/hook", &[segment.to_owned()], &[]).is_err(), "{segment:?}");
        }
    }

    #[test]
    fn a_placeholder_stands_in_the_path_once() {
        assert_eq!(
            place_in_path("https://a.example/bot{t}/send", "{t}", "1:a/b").unwrap(),
            "https://a.example/bot1%3Aa%2Fb/send"
        );
        for url in
            ["https://a.example/", "https://a.example/{t}/{t}", "https://{t}.example/x", "https://a.example/?q={t}"]
        {
            assert!(place_in_path(url, "{t}", "secret").is_err(), "{url}");
        }
    }
}
