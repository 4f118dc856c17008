//! Step 3: headers that components may set, and what the host keeps for itself.

use http::{HeaderMap, HeaderName, HeaderValue};

/// The host's own headers, and those that only proxies or connections have.
const FORBIDDEN: [&str; 20] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "cookie2",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-real-ip",
    "set-cookie",
    "proxy-connection",
    "user-agent",
];
/// Families of them.
const FORBIDDEN_PREFIXES: [&str; 3] = ["proxy-", "x-forwarded-", "sec-"];
/// Most headers of a request.
const MOST: usize = 64;
/// Bytes of all headers together.
const MOST_BYTES: usize = 16 << 10;

/// Checks a component's headers.
pub(crate) fn check(headers: &[(String, String)]) -> Result<HeaderMap, String> {
    if headers.len() > MOST {
        return Err(format!("{} headers, and at most {MOST} are taken", headers.len()));
    }
    if headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > MOST_BYTES {
        return Err(format!("the headers have over {MOST_BYTES} bytes"));
    }
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let (name, value) = pair(name, value)?;
        if is_forbidden(&name) {
            return Err(format!("the header `{name}` is the host's own: a component cannot set it"));
        }
        map.append(name, value);
    }
    Ok(map)
}

/// Of an answer to a service: drops what is the host's own, what is no header, and what is too much.
pub(crate) fn keep_answerable(headers: &mut Vec<(String, String)>) {
    let mut left = MOST_BYTES;
    headers.truncate(MOST);
    headers.retain(|(name, value)| {
        let fits = pair(name, value).is_ok_and(|(name, _)| !is_forbidden(&name));
        let bytes = name.len() + value.len();
        let kept = fits && bytes <= left;
        left -= if kept { bytes } else { 0 };
        kept
    });
}

/// Whether a component, or a field of headers, must not set it.
fn is_forbidden(name: &HeaderName) -> bool {
    FORBIDDEN.contains(&name.as_str()) || FORBIDDEN_PREFIXES.iter().any(|prefix| name.as_str().starts_with(prefix))
}

/// A well-formed header. The value is not in the message: it may be secret.
pub(crate) fn pair(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let shown: String = name.chars().take(64).collect();
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("{shown:?} is no header name"))?;
    let value = HeaderValue::from_str(value)
        .map_err(|_| format!("the value of the header `{name}` holds a character that no header may hold"))?;
    Ok((name, value))
}

/// A header of a `secret-headers` field: an administrator may set `authorization`, but nothing that steers the connection.
pub(crate) fn secret_pair(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, mut value) = pair(name, value)?;
    if name != http::header::AUTHORIZATION && name != http::header::COOKIE && is_forbidden(&name) {
        return Err(format!("the header `{name}` is the host's own: it cannot be set by a field"));
    }
    value.set_sensitive(true);
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str, value: &str) -> bool {
        check(&[(name.to_owned(), value.to_owned())]).is_err()
    }

    #[test]
    fn injected_lines_are_refused_in_names_and_values() {
        for (name, value) in
            [("x", "a\r\nHost: b"), ("x", "a\nb"), ("x\r\ny", "a"), ("x y", "a"), ("", "a"), ("x", "a\0")]
        {
            assert!(refused(name, value), "{name:?}: {value:?}");
        }
    }

    #[test]
    fn the_hosts_own_headers_are_refused_in_any_case() {
        for name in [
            "Host",
            "content-length",
            "Transfer-Encoding",
            "expect",
            "accept-encoding",
            "Authorization",
            "cookie",
            "connection",
            "te",
            "upgrade",
            "proxy-authorization",
            "X-Forwarded-For",
            "forwarded",
            "via",
        ] {
            assert!(refused(name, "x"), "{name}");
        }
        assert!(!refused("content-type", "application/json"));
    }

    #[test]
    fn an_answer_keeps_what_is_neither_the_hosts_own_nor_malformed() {
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let mut headers = [
            ("Content-Type", "text/plain"),
            ("Set-Cookie", "a=b"),
            ("content-length", "7"),
            ("Transfer-Encoding", "chunked"),
            ("keep-alive", "timeout=5"),
            ("x-no", "a\r\nset-cookie: b"),
            ("x no", "a"),
            ("x-yes", "b"),
        ]
        .map(own)
        .to_vec();
        keep_answerable(&mut headers);
        assert_eq!(headers, [("Content-Type", "text/plain"), ("x-yes", "b")].map(own));
        let mut many = vec![own(("x", &"a".repeat(9 << 10))); 100];
        keep_answerable(&mut many);
        assert_eq!(many.len(), 1);
    }

    #[test]
    fn too_many_headers_are_refused() {
        let many: Vec<_> = (0..65).map(|n| (format!("x-{n}"), String::new())).collect();
        assert!(check(&many).unwrap_err().contains("65 headers"));
        assert!(refused("x", &"a".repeat(MOST_BYTES)));
    }
}
