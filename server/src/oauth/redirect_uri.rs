//! Redirect URIs: which a client may have, and which request fits which (RFC 6749, 3.1.2; RFC 8252, 7).

use crate::urls::is_loopback;
use openidconnect::url::Url;

/// The longest redirect URI, in bytes.
pub(super) const LONGEST: usize = 512;

/// Schemes that browsers handle themselves: a redirect to them would run code or open files.
const OF_BROWSERS: [&str; 25] = [
    "about",
    "blob",
    "brave",
    "chrome",
    "chrome-extension",
    "data",
    "edge",
    "feed",
    "file",
    "filesystem",
    "ftp",
    "intent",
    "jar",
    "javascript",
    "mailto",
    "moz-extension",
    "ms-settings",
    "resource",
    "search-ms",
    "sms",
    "tel",
    "vbscript",
    "view-source",
    "ws",
    "wss",
];

/// Checks a redirect URI of a client.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check(uri: &str) -> Result<(), String> {
    let wrong = |why: &str| Err(format!("the redirect URI {} {why}", shown(uri)));
    if uri.len() > LONGEST {
        return wrong("is longer than 512 bytes");
    }
    if !uri
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&byte))
    {
        return wrong("contains a character that must be encoded");
    }
    let Ok(url) = Url::parse(uri) else {
        return wrong("is not a URI with a scheme");
    };
    if url.fragment().is_some() {
        return wrong("must not have a fragment");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("must not contain credentials");
    }
    // The host becomes part of a content security policy, where a semicolon or a comma would begin something else.
    let is_plain = |host: &str| {
        host.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_[]:".contains(&byte))
    };
    if !url.host_str().is_none_or(is_plain) {
        return wrong("has a host with other characters than letters, digits, hyphens and dots");
    }
    // A parser of URLs accepts `https:host` and `https://@host`, which other programs read in another way.
    let is_web = matches!(url.scheme(), "http" | "https");
    let authority = uri
        .split_once("://")
        .map(|(_, rest)| rest.split(['/', '?']).next().unwrap_or_default());
    if is_web && authority.is_none_or(|authority| authority.is_empty() || authority.contains('@')) {
        return wrong("must have :// and then the host");
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(&url) => Ok(()),
        "http" => wrong("must use https, unless it is on loopback"),
        scheme if OF_BROWSERS.contains(&scheme) => wrong("has a scheme that programs cannot have"),
        _ => Ok(()),
    }
}

fn shown(uri: &str) -> String {
    uri.chars().take(100).collect()
}

/// Whether a request may name this redirect URI, if the client has the other one: they are equal, except that on loopback the port is free, because a
/// program gets it from the system when it starts.
pub(super) fn fits(registered: &str, requested: &str) -> bool {
    if registered == requested {
        return true;
    }
    match (without_port(registered), without_port(requested)) {
        (Some(registered), Some(requested)) => registered == requested,
        _ => false,
    }
}

/// A redirect URI on loopback without its port; `None` for others.
pub(super) fn without_port(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let host = ["127.0.0.1", "[::1]", "localhost"]
        .into_iter()
        .find(|host| rest.starts_with(host))?;
    let after = &rest[host.len()..];
    let Some(port) = after.strip_prefix(':') else {
        // Another name that only begins like loopback has no separator here.
        return (after.is_empty() || after.starts_with(['/', '?'])).then_some((host, after));
    };
    let digits = port.bytes().take_while(u8::is_ascii_digit).count();
    let path = &port[digits..];
    let is_port = (1..=5).contains(&digits) && (path.is_empty() || path.starts_with(['/', '?']));
    is_port.then_some((host, path))
}

/// The source expression by which a content security policy allows a form to lead there. Chromium applies `form-action` to redirects as well.
pub(super) fn form_action(uri: &str) -> String {
    let Ok(url) = Url::parse(uri) else {
        return String::new();
    };
    match (url.scheme(), url.host_str()) {
        // A policy cannot name an IPv6 address.
        ("http", Some(host)) if host.starts_with('[') => "http:".to_owned(),
        ("http" | "https", Some(_)) => url.origin().ascii_serialization(),
        (scheme, _) => format!("{scheme}:"),
    }
}

/// Where a redirect leads, for the consent page.
pub(super) fn place(uri: &str) -> String {
    let Ok(url) = Url::parse(uri) else {
        return shown(uri);
    };
    match (url.scheme(), url.host_str()) {
        ("http", Some(host)) => format!("a program on this computer ({host})"),
        ("https", Some(host)) => host.to_owned(),
        (scheme, _) => format!("a program on this computer that opens {scheme}: links"),
    }
}

/// The redirect URI with these parameters.
pub(super) fn with(uri: &str, parameters: &[(&str, &str)]) -> String {
    let query = openidconnect::url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish();
    let separator = if uri.contains('?') { '&' } else { '?' };
    format!("{uri}{separator}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_uri_is_https_or_on_loopback_or_of_a_program() {
        for fine in [
            "https://app.example/callback",
            "https://app.example:8443/callback?x=1",
            "http://127.0.0.1/callback",
            "http://localhost:33418/",
            "http://[::1]:1/",
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "com.example.app:/oauth",
        ] {
            assert_eq!(check(fine), Ok(()), "{fine}");
        }
        for (wrong, part) in [
            ("", "not a URI"),
            ("/callback", "not a URI"),
            ("http://app.example/callback", "must use https"),
            ("http://localhost.example/callback", "must use https"),
            ("http://127.0.0.1.example/", "must use https"),
            ("http://10.0.0.1/", "must use https"),
            ("https://app.example/#x", "fragment"),
            ("https://user@app.example/", "credentials"),
            ("https://app.example;img-src/cb", "a host with other characters"),
            ("https://app.example,x/cb", "a host with other characters"),
            ("https:app.example/cb", "must have ://"),
            ("http:127.0.0.1/cb", "must have ://"),
            ("https://@app.example/cb", "must have ://"),
            ("chrome-extension://x/cb", "programs cannot have"),
            ("intent://x/cb", "programs cannot have"),
            ("javascript:alert(1)", "programs cannot have"),
            ("JavaScript:alert(1)", "programs cannot have"),
            ("data:text/html,x", "programs cannot have"),
            ("file:///etc/passwd", "programs cannot have"),
            ("https://app.example/\r\nSet-Cookie:a=b", "must be encoded"),
            ("https://app.example\\@evil.example/", "must be encoded"),
            ("https://äpp.example/", "must be encoded"),
            (&format!("https://app.example/{}", "x".repeat(512)), "longer than"),
        ] {
            let why = check(wrong).unwrap_err();
            assert!(why.contains(part), "{wrong}: {why}");
        }
    }

    #[test]
    fn a_request_names_exactly_a_registered_uri_except_for_the_port_on_loopback() {
        let fits_all = [
            ("https://app.example/cb", "https://app.example/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:51234/cb"),
            ("http://127.0.0.1:3000/cb", "http://127.0.0.1/cb"),
            ("http://localhost:1/cb?x=1", "http://localhost:65535/cb?x=1"),
            ("http://[::1]:1/", "http://[::1]:2/"),
            ("cursor://x/cb", "cursor://x/cb"),
        ];
        for (registered, requested) in fits_all {
            assert!(fits(registered, requested), "{registered} {requested}");
        }
        let differs = [
            ("https://app.example/cb", "https://app.example/cb/"),
            ("https://app.example/cb", "https://app.example:8443/cb"),
            ("https://app.example/cb", "https://app.example/cb?x=1"),
            ("https://app.example/cb", "https://APP.example/cb"),
            ("https://app.example/cb", "http://app.example/cb"),
            ("http://127.0.0.1/cb", "http://localhost/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1/cb/"),
            ("http://127.0.0.1/cb", "https://127.0.0.1/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:x/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:1@evil.example/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb"),
            ("http://localhost/cb", "http://localhost:123456/cb"),
            ("http://localhost/cb", "http://localhost:/cb"),
            ("cursor://x/cb", "cursor://x:1/cb"),
        ];
        for (registered, requested) in differs {
            assert!(!fits(registered, requested), "{registered} {requested}");
        }
    }

    #[test]
    fn the_policy_names_what_the_form_leads_to_and_nothing_else() {
        for (uri, source) in [
            ("https://app.example/cb?x=1", "https://app.example"),
            ("http://127.0.0.1:51234/cb", "http://127.0.0.1:51234"),
            ("http://[::1]:1/", "http:"),
            ("cursor://anysphere/cb", "cursor:"),
            ("com.example.app:/cb", "com.example.app:"),
        ] {
            assert_eq!(form_action(uri), source);
        }
        assert_eq!(
            with("https://a/cb", &[("code", "a b"), ("iss", "https://x")]),
            "https://a/cb?code=a+b&iss=https%3A%2F%2Fx"
        );
        assert_eq!(with("https://a/cb?x=1", &[("code", "c")]), "https://a/cb?x=1&code=c");
    }
}
