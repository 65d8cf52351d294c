//! The service's own URLs, and which URLs only this machine can reach.

use anyhow::{Context, Result, bail};
use openidconnect::url::{Host, Url};

/// The path of the MCP endpoint.
pub const MCP_PATH: &str = "/mcp";

/// The path of OAuth 2.0 Protected Resource Metadata (RFC 9728) of a resource at the root. The path of another resource is appended to it.
pub const PROTECTED_RESOURCE: &str = "/.well-known/oauth-protected-resource";
/// The path that accepts evidence.
pub const EVIDENCE_PATH: &str = "/api/v1/evidence";

/// The URL of the metadata that names the authorization server of the MCP endpoint. RFC 9728, 3.1: the well-known part comes before the path.
pub fn mcp_metadata_url(public_url: &str) -> String {
    format!("{public_url}{PROTECTED_RESOURCE}{MCP_PATH}")
}

/// The audience of tokens for the MCP endpoint of the service at this public URL (RFC 8707).
pub fn mcp_audience(public_url: &str) -> String {
    format!("{public_url}{MCP_PATH}")
}

/// A public URL in its one accepted form: scheme, host and port, without a trailing slash.
///
/// # Errors
/// One line that says what is wrong with the URL.
pub fn public_url(text: &str) -> Result<String> {
    let url = Url::parse(text).with_context(|| format!("the public URL {text} is not a URL"))?;
    let is_origin = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !is_origin {
        bail!("the public URL {text} must be http:// or https:// with a host, and without path, query or credentials");
    }
    Ok(url.origin().ascii_serialization())
}

/// Whether only this machine can reach the URL: the host is an address of loopback, or `localhost` itself.
///
/// A name below `localhost` does not count. RFC 6761 reserves such names, but not every resolver keeps to it: some ask a DNS server,
/// which may answer with any address. A client secret would then be sent there without TLS.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// [`is_loopback`] for a URL that is still text. Text that is not a URL is not on loopback.
pub fn is_loopback_url(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| is_loopback(&url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_an_origin() {
        assert_eq!(public_url("http://127.0.0.1:3000/").unwrap(), "http://127.0.0.1:3000");
        assert_eq!(
            public_url("https://Loopiq.Example:443").unwrap(),
            "https://loopiq.example"
        );
        for refused in [
            "loopiq.example",
            "ftp://x",
            "https://x/path",
            "https://x/?q",
            "https://u@x/",
            "http://",
        ] {
            assert!(public_url(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn loopback_is_localhost_and_its_addresses_and_no_other_name() {
        for loopback in [
            "http://127.0.0.1:3000",
            "http://127.8.9.10",
            "http://[::1]:1",
            "http://localhost",
            "http://LOCALHOST:80/path",
        ] {
            assert!(is_loopback_url(loopback), "{loopback}");
        }
        for elsewhere in [
            "http://10.0.0.1",
            "https://localhost.example",
            "http://idp.localhost",
            "http://idp.localhost:3000",
            "http://localhost.",
            "http://notlocalhost",
            "http://[::ffff:127.0.0.1]",
            "localhost",
            "",
        ] {
            assert!(!is_loopback_url(elsewhere), "{elsewhere}");
        }
    }
}
