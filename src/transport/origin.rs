//! Credentials go only to origins that we trust.

use crate::error::{Error, ErrorKind, place_of};
use std::sync::Arc;
use url::Url;

/// The origins that may see a token: the endpoint of ARM, or the hosts that the workspace's discovery
/// named, and nothing that any other answer names.
#[derive(Debug, Clone)]
pub(crate) struct TrustedOrigins {
    /// Shared: each of ten thousand operations has one.
    endpoints: Arc<[Url]>,
}

impl TrustedOrigins {
    pub(crate) fn new(endpoint: Url) -> Self {
        Self::of([endpoint])
    }

    pub(crate) fn of(endpoints: impl IntoIterator<Item = Url>) -> Self {
        Self {
            endpoints: endpoints.into_iter().collect(),
        }
    }

    /// Whether a token may be sent to `url`: https, the same host (`Url` lower-cases it), the same
    /// port (`:443` and none are the same), and nobody's name before the `@`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UntrustedUrl`], with no more of the URL than its origin.
    pub(crate) fn check(&self, url: &Url) -> Result<(), Error> {
        let bare = url.scheme() == "https" && url.username().is_empty() && url.password().is_none();
        let same = |endpoint: &Url| {
            url.scheme() == endpoint.scheme()
                && url.host_str() == endpoint.host_str()
                && url.port_or_known_default() == endpoint.port_or_known_default()
        };
        if bare && self.endpoints.iter().any(same) {
            return Ok(());
        }
        let mut trusted: Vec<String> = self
            .endpoints
            .iter()
            .map(|endpoint| endpoint.origin().ascii_serialization())
            .collect();
        trusted.dedup();
        Err(Error::new(
            ErrorKind::UntrustedUrl,
            format!(
                "the service named a URL outside {}, and nothing was sent there: {}",
                trusted.join(", "),
                place_of(url)
            ),
        ))
    }

    /// Reads a URL that an answer names, relative ones against `base`, and checks it.
    ///
    /// `None` where the text is not a URL: the next header then decides.
    pub(crate) fn resolve(&self, base: &Url, text: &str) -> Option<Result<Url, Error>> {
        let text = text.trim();
        let url = match Url::parse(text) {
            Ok(url) => url,
            // RFC 3986, though ARM forbids it and only some services do it (E8). A bare word would
            // resolve too, so only paths count.
            Err(url::ParseError::RelativeUrlWithoutBase) if text.starts_with('/') => {
                base.join(text).ok()?
            }
            Err(_) => return None,
        };
        if url.cannot_be_a_base() || url.host_str().is_none() {
            return None;
        }
        Some(self.check(&url).map(|()| url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted() -> TrustedOrigins {
        TrustedOrigins::new(Url::parse("https://management.azure.com").unwrap())
    }

    #[test]
    fn same_origin_is_trusted_however_it_is_written() {
        for url in [
            "https://management.azure.com/x?y=1",
            "https://management.azure.com:443/x",
            "https://MANAGEMENT.azure.com/x",
        ] {
            assert!(trusted().check(&Url::parse(url).unwrap()).is_ok(), "{url}");
        }
    }

    #[test]
    fn other_origins_are_refused() {
        for url in [
            "https://evil.example/s3cr3t?x=s3cr3t#s3cr3t",
            "https://evil.example:8443/s3cr3t",
            "http://management.azure.com/x",
            "https://management.azure.com.evil/x",
            "https://management.azure.com@evil.example/x",
            "https://user@management.azure.com/x",
            "https://user:s3cr3t@management.azure.com/x",
            "https://management.azure.com:8443/x",
            "https://xmanagement.azure.com/x",
            "ftp://management.azure.com/x",
        ] {
            let error = trusted().check(&Url::parse(url).unwrap()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UntrustedUrl, "{url}");
            assert!(!error.to_string().contains("s3cr3t"), "{error}");
        }
        let url = Url::parse("https://evil.example:8443/x").unwrap();
        let text = trusted().check(&url).unwrap_err().to_string();
        assert!(text.ends_with(" https://evil.example:8443"), "{text}");
    }

    #[test]
    fn relative_urls_are_resolved_and_words_are_refused() {
        let base = Url::parse("https://management.azure.com/a/b?c=1").unwrap();
        let resolve = |text| trusted().resolve(&base, text);
        assert_eq!(
            resolve("/x?y=%20").unwrap().unwrap().as_str(),
            "https://management.azure.com/x?y=%20"
        );
        assert!(resolve("//evil.example/x").unwrap().is_err());
        for text in ["", "nonsense", "not a url", "mailto:a@b", "urn:x"] {
            assert!(resolve(text).is_none(), "{text}");
        }
    }
}
