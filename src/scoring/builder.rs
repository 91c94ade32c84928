//! How a scoring client is set up.

use super::credential::{Cache, CredentialSource};
use super::ids::Ids;
use super::{Authority, Inner, ScoringClient, ScoringRetry};
use crate::error::{Error, ErrorKind};
use crate::transport::limits::{bodies, scoring};
use crate::transport::{Bearer, DefaultClient, Sender};
use azure_core::credentials::Secret;
use azure_core::http::Transport;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Sets up a [`ScoringClient`]. Nothing is sent until the client is used.
#[must_use = "call `build` to have the client"]
pub struct ScoringClientBuilder {
    uri: String,
    caller: Caller,
    timeout: Duration,
    retry: Option<ScoringRetry>,
    answer_limit: usize,
    transport: Option<Transport>,
    default_client: DefaultClient,
    proxy_error: Option<String>,
}

/// The caller's credential.
enum Caller {
    Unset,
    Anonymous,
    Key(Secret),
    Source(Arc<dyn CredentialSource>),
}

impl ScoringClientBuilder {
    pub(super) fn new(uri: &str) -> Self {
        Self {
            uri: uri.to_owned(),
            caller: Caller::Unset,
            timeout: scoring::TIMEOUT,
            retry: None,
            answer_limit: bodies::SCORING,
            transport: None,
            default_client: DefaultClient::default(),
            proxy_error: None,
        }
    }

    /// The service's primary or secondary key, or a token that the caller looks after.
    ///
    /// If the service refuses it, the call fails at once.
    pub fn key(mut self, key: impl Into<Secret>) -> Self {
        self.caller = Caller::Key(key.into());
        self
    }

    /// For a service that was deployed without authentication.
    pub fn anonymous(mut self) -> Self {
        self.caller = Caller::Anonymous;
        self
    }

    /// Waits longer than a service that gives up after so long.
    pub(crate) fn outlasts(mut self, service: Duration) -> Self {
        self.timeout = self.timeout.max(service + scoring::GRACE);
        self
    }

    /// Has key or token fetched when it is needed.
    pub(crate) fn source(mut self, source: Arc<dyn CredentialSource>) -> Self {
        self.caller = Caller::Source(source);
        self
    }

    /// Sets the time limit of a call: credential, all tries and the pauses between them; 100 seconds by
    /// default.
    ///
    /// A service gives up by itself after its scoring timeout, 60 seconds by default and 300 at
    /// most. With a timeout below that the service goes on with work that nobody waits for.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Tries again where that is safe. By default nothing is tried again.
    pub fn retry(mut self, retry: ScoringRetry) -> Self {
        self.retry = Some(retry);
        self
    }

    /// Sets the size limit of an answer in bytes, 100 MiB by default. A larger one is an error.
    pub fn answer_limit(mut self, bytes: usize) -> Self {
        self.answer_limit = bytes;
        self
    }

    /// The transport, instead of the default HTTP client: for example that of the emulator, or the one
    /// that the workspace was built with.
    ///
    /// It must not follow redirects, because it would carry the key along. No pipeline, policy or
    /// credential of `azure_core` comes with it.
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport = Some(transport);
        self
    }

    /// A proxy for the default HTTP client, which otherwise follows `HTTP_PROXY`, `HTTPS_PROXY` and
    /// `NO_PROXY`.
    pub fn proxy(mut self, proxy: impl AsRef<str>) -> Self {
        self.proxy_error = self.default_client.set_proxy(proxy.as_ref()).err();
        self
    }

    /// More certification authorities for the default HTTP client, as PEM: for a service whose
    /// certificate is its owner's. May be called again.
    pub fn extra_ca(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.default_client.extra_ca.push(pem.into());
        self
    }

    /// Sets how long the default HTTP client tries to connect; 20 seconds by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.default_client.connect_timeout = Some(timeout);
        self
    }

    /// Makes the client, without I/O.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`], with all reasons at once: a scoring URI that is empty, is not an
    /// `http` or `https` URL, or has a user's name or password in it; neither [`key`](Self::key) nor
    /// [`anonymous`](Self::anonymous); a key that no header can carry; no transport in this build; a
    /// proxy or CA that is not valid, or a proxy or CA together with a transport, which would ignore
    /// them.
    ///
    /// ```
    /// use azureml_aks::{ErrorKind, ScoringClient};
    ///
    /// let error = ScoringClient::builder("20.61.114.201/score").build().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Configuration);
    /// assert!(error.to_string().contains("not a valid URL"));
    /// assert!(error.to_string().contains("`anonymous`"));
    /// ```
    pub fn build(self) -> Result<ScoringClient, Error> {
        let mut wrong: Vec<String> = Vec::new();
        let uri = match scoring_uri(&self.uri) {
            Ok(uri) => Some(uri),
            Err(why) => {
                wrong.push(why);
                None
            }
        };
        let authority = match self.caller {
            Caller::Anonymous => Some(Authority::Anonymous),
            Caller::Source(source) => Some(Authority::Source(Cache::new(source))),
            Caller::Key(key) => {
                let bearer = Bearer::new(&key);
                if bearer.is_none() {
                    wrong.push(
                        "the key is empty or contains characters that a header cannot carry, \
                         such as spaces and line breaks"
                            .to_owned(),
                    );
                }
                bearer.map(Authority::Key)
            }
            Caller::Unset => {
                wrong.push(
                    "no credential: set `key`, or call `anonymous` for a service without \
                     authentication"
                        .to_owned(),
                );
                None
            }
        };
        wrong.extend(self.proxy_error);
        let sender = match self.transport {
            Some(_) if self.default_client.is_customised() => {
                wrong.push(
                    "proxy, extra CA and connect timeout are for the default HTTP client, and a \
                     transport was given: set them there"
                        .to_owned(),
                );
                None
            }
            Some(transport) => Some(Sender::Given(transport)),
            // Dear to make, and of no use then.
            None if !wrong.is_empty() => None,
            None => Some(Sender::default_client(&self.default_client)?),
        };
        let (Some(uri), Some(authority), Some(sender), true) =
            (uri, authority, sender, wrong.is_empty())
        else {
            return Err(Error::new(ErrorKind::Configuration, wrong.join("; ")));
        };
        if uri.scheme() == "http" && !matches!(authority, Authority::Anonymous) {
            tracing::warn!(
                host = uri.host_str(),
                "the key or token of this service is sent in plain text, because the service has no TLS"
            );
        }
        Ok(ScoringClient {
            inner: Arc::new(Inner {
                swagger: swagger_uri(&uri),
                uri,
                authority,
                sender,
                ids: Ids::default(),
                timeout: self.timeout,
                retry: self.retry,
                answer_limit: self.answer_limit,
            }),
        })
    }
}

/// Reads a scoring URI. Errors do not quote it, because it may hold a password.
fn scoring_uri(text: &str) -> Result<Url, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("the scoring URI is empty: the service may not be deployed yet".to_owned());
    }
    let mut url = Url::parse(text).map_err(|error| {
        format!(
            "the scoring URI is not a valid URL ({error}): it must begin with http:// or https://"
        )
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("the scoring URI is not an http or https URL".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "the scoring URI has a user's name or password in it, which would not be used: take \
             it out"
                .to_owned(),
        );
    }
    url.set_fragment(None);
    Ok(url)
}

/// Beside the scoring URI: its last segment replaced, as Microsoft's Python client does it. What the
/// service says of it is not looked at.
fn swagger_uri(uri: &Url) -> Url {
    let mut swagger = uri.clone();
    swagger.set_query(None);
    // An http URL has segments.
    if let Ok(mut segments) = swagger.path_segments_mut() {
        segments.pop_if_empty().pop().push("swagger.json");
    }
    swagger
}

impl fmt::Debug for ScoringClientBuilder {
    /// Without the URI, which is not checked yet and may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let caller = match &self.caller {
            Caller::Unset => "unsaid",
            Caller::Anonymous => "anonymous",
            Caller::Key(_) => "key",
            Caller::Source(_) => "source",
        };
        f.debug_struct("ScoringClientBuilder")
            .field("caller", &caller)
            .field("timeout", &self.timeout)
            .field("retry", &self.retry)
            .field("answer_limit", &self.answer_limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn swagger_document_is_beside_the_scoring_uri() {
        for (uri, expected) in [
            (
                "http://20.61.114.201:80/api/v1/service/s/score",
                "http://20.61.114.201/api/v1/service/s/swagger.json",
            ),
            ("https://h/score", "https://h/swagger.json"),
            ("https://h/a/score/", "https://h/a/swagger.json"),
            (
                "https://h:8443/a/score?x=1",
                "https://h:8443/a/swagger.json",
            ),
            ("https://h", "https://h/swagger.json"),
        ] {
            let uri = scoring_uri(uri).unwrap();
            assert_eq!(swagger_uri(&uri).as_str(), expected);
        }
    }

    #[cfg(not(any(feature = "rustls", feature = "native_tls")))]
    #[test]
    fn build_without_an_http_client_is_reported() {
        let error = ScoringClient::builder("https://h/score")
            .anonymous()
            .build();
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
    }

    proptest! {
        #[test]
        fn any_text_is_a_uri_of_http_or_an_error_that_does_not_quote_it(
            scheme in "(https?|ftp|file|data|)", user in "(u:s3cr3t@|s3cr3t@|)", rest in "\\PC{0,20}",
        ) {
            match scoring_uri(&format!("{scheme}://{user}{rest}")) {
                Ok(uri) => {
                    prop_assert!(uri.has_host() && uri.scheme().starts_with("http"));
                    prop_assert!(uri.username().is_empty() && uri.password().is_none());
                    prop_assert_eq!(swagger_uri(&uri).origin(), uri.origin());
                }
                Err(why) => prop_assert!(!why.contains("s3cr3t"), "{}", why),
            }
        }
    }
}
