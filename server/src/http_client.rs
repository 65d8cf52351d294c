//! The HTTP client for outgoing requests: reqwest with rustls and ring. It trusts the certificate authorities of the machine.

use reqwest::ClientBuilder;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use std::sync::{Arc, LazyLock};

#[expect(clippy::disallowed_methods, reason = "the one place that configures TLS")]
/// A client builder with TLS. `reqwest::Client::new` would need a process-wide cryptography provider, and none is installed.
///
/// # Errors
/// The TLS library refuses its own defaults, which is a programming error.
pub fn builder() -> Result<ClientBuilder, rustls::Error> {
    // Loading the machine's certificates takes milliseconds, so it happens once.
    static TLS: LazyLock<Result<ClientConfig, rustls::Error>> = LazyLock::new(tls);
    Ok(reqwest::Client::builder().tls_backend_preconfigured(TLS.clone()?))
}

fn tls() -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        tracing::warn!(
            errors = ?found.errors,
            "this machine has no trusted certificate authority, so every https request will fail: install ca-certificates, or set SSL_CERT_FILE"
        );
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn https_begins_with_a_handshake() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let client = super::builder().unwrap().no_proxy().build().unwrap();
        let asked = tokio::spawn(async move { client.get(url).send().await });
        let (mut stream, _) = listener.accept().await.unwrap();
        // RFC 8446, 5.1: a record of the handshake.
        assert_eq!(stream.read_u8().await.unwrap(), 22);
        drop(stream);
        assert!(asked.await.unwrap().is_err());
    }
}
