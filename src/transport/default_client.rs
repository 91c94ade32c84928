//! The HTTP client that is used when none is given. It is set up here, and used in `http` and in
//! `direct/client`. `reqwest` is named in these three files alone.

use crate::error::{Error, ErrorKind};
use azure_core::http::Transport;
use std::time::Duration;
use url::Url;

/// The settings of the default client.
#[derive(Debug, Clone, Default)]
pub(crate) struct DefaultClient {
    pub(crate) proxy: Option<Url>,
    pub(crate) extra_ca: Vec<Vec<u8>>,
    pub(crate) connect_timeout: Option<Duration>,
}

impl DefaultClient {
    pub(crate) fn is_customised(&self) -> bool {
        self.proxy.is_some() || !self.extra_ca.is_empty() || self.connect_timeout.is_some()
    }

    /// Reads the URL of a proxy. Errors do not quote it: proxies carry passwords.
    pub(crate) fn set_proxy(&mut self, text: &str) -> Result<(), String> {
        match Url::parse(text) {
            // Of another scheme the client would make nothing, and send directly.
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => {
                self.proxy = Some(url);
                Ok(())
            }
            Ok(_) => Err("the proxy is not an http or https URL".to_owned()),
            Err(error) => Err(format!("the proxy is not a valid URL: {error}")),
        }
    }
}

/// Makes the default transport.
#[cfg(any(feature = "rustls", feature = "native_tls"))]
pub(crate) fn transport(settings: &DefaultClient) -> Result<Transport, Error> {
    let http = super::http::Http(client(settings)?);
    Ok(Transport::new(std::sync::Arc::new(http)))
}

/// Makes the default client.
///
/// Pooled, without redirects: a redirect could carry a token elsewhere. With the versions of TLS
/// that the TLS library speaks, 1.2 among them: services on AKS do not speak 1.3.
#[cfg(any(feature = "rustls", feature = "native_tls"))]
pub(super) fn client(settings: &DefaultClient) -> Result<reqwest::Client, Error> {
    let refuse = |what: &str, error: reqwest::Error| {
        Error::new(ErrorKind::Configuration, format!("{what}: {error}")).with_source(error)
    };
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(
            settings
                .connect_timeout
                .unwrap_or(super::limits::calls::CONNECT),
        );
    if let Some(proxy) = &settings.proxy {
        let proxy = reqwest::Proxy::all(proxy.clone())
            .map_err(|error| refuse("the proxy cannot be used", error))?;
        builder = builder.proxy(proxy);
    }
    for pem in &settings.extra_ca {
        let certificates = reqwest::Certificate::from_pem_bundle(pem)
            .map_err(|error| refuse("the extra CA is not a PEM certificate", error))?;
        if certificates.is_empty() {
            return Err(Error::new(
                ErrorKind::Configuration,
                "the extra CA contains no PEM certificate",
            ));
        }
        builder = builder.tls_certs_merge(certificates);
    }
    builder
        .build()
        .map_err(|error| refuse("the HTTP client cannot be made", error))
}

/// Without a TLS feature there is nothing to make it of.
#[cfg(not(any(feature = "rustls", feature = "native_tls")))]
pub(crate) fn transport(_settings: &DefaultClient) -> Result<Transport, Error> {
    Err(Error::new(
        ErrorKind::Configuration,
        "this build has no HTTP client: enable the feature `rustls` or `native_tls`, or give a \
         transport in the client options",
    ))
}
