//! Calling a deployed service.

mod answer;
mod builder;
mod call;
mod credential;
mod failure;
mod ids;
mod retry;
#[cfg(test)]
mod tests;

pub use answer::ScoringAnswer;
pub use builder::ScoringClientBuilder;
pub use call::ScoringRequest;
pub(crate) use credential::{CredentialKind, CredentialSource, ScoringCredential};
pub use retry::ScoringRetry;

use crate::error::{Error, redact_url};
use crate::transport::{Bearer, Sender};
use azure_core::Bytes;
use credential::Cache;
use ids::Ids;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Calls a deployed service. Clones share connections and credential.
///
/// Made from a scoring URI and a key, or by a service handle, which then fetches key or token by
/// itself: once, again shortly before it runs out, and again when the service does not take it.
/// Nothing of Azure Resource Manager is needed for a call.
///
/// # Credentials
///
/// The key or token is sent to the scoring URI and nowhere else: redirects are not followed. A service
/// without TLS has an `http` URI, and the key is then sent in clear, because there is no other
/// way to call it; see [`is_encrypted`](Self::is_encrypted).
///
/// # Time
///
/// A call has one deadline for everything it does, 100 seconds by default. That is above
/// the 60 seconds after which a service gives up by default; for one that was deployed with a
/// longer scoring timeout (300 seconds at most), set a longer
/// [`timeout`](ScoringClientBuilder::timeout).
///
/// # Sizes
///
/// The router in front of the services takes bodies of up to 100 MB. Larger answers than 100 MiB are
/// refused here, see [`answer_limit`](ScoringClientBuilder::answer_limit).
///
/// ```
/// use azure_core::http::{AsyncRawResponse, HttpClient, Request, StatusCode, Transport, headers::Headers};
/// use azureml_aks::ScoringClient;
/// use serde_json::json;
/// use std::sync::Arc;
///
/// /// Stands in for the service here. Leave `transport` out to call a real one.
/// #[derive(Debug)]
/// struct Stub;
///
/// #[async_trait::async_trait]
/// impl HttpClient for Stub {
///     async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
///         assert_eq!(request.url().path(), "/api/v1/service/diabetes/score");
///         Ok(AsyncRawResponse::from_bytes(StatusCode::Ok, Headers::new(), "[5215.1, 3726.9]"))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> azureml_aks::Result<()> {
/// let client = ScoringClient::builder("https://scoring.example/api/v1/service/diabetes/score")
///     .key("the-primary-key")
///     .transport(Transport::new(Arc::new(Stub)))
///     .build()?;
/// let scores: Vec<f64> = client.run(&json!({"data": [[1, 2, 3], [10, 9, 8]]})).await?;
/// assert_eq!(scores.len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ScoringClient {
    inner: Arc<Inner>,
}

struct Inner {
    uri: Url,
    swagger: Url,
    authority: Authority,
    sender: Sender,
    ids: Ids,
    timeout: Duration,
    retry: Option<ScoringRetry>,
    answer_limit: usize,
}

/// The source of the credential.
#[derive(Debug)]
enum Authority {
    /// The service asks for none.
    Anonymous,
    /// The caller gave it.
    Key(Bearer),
    /// It is fetched.
    Source(Cache),
}

impl ScoringClient {
    /// Sets up a client of the service at this scoring URI, for example
    /// `http://20.61.114.201:80/api/v1/service/myservice/score`.
    pub fn builder(scoring_uri: impl AsRef<str>) -> ScoringClientBuilder {
        ScoringClientBuilder::new(scoring_uri.as_ref())
    }

    /// Returns the address of the calls.
    #[must_use]
    pub fn scoring_uri(&self) -> &Url {
        &self.inner.uri
    }

    /// Whether calls are encrypted. `false` for a service without TLS: everything that is sent, the
    /// key or token among it, can then be read on the way.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.inner.uri.scheme() == "https"
    }

    /// Sends `input` as JSON and reads the answer as JSON.
    ///
    /// The shape of the input is up to the service's entry script; by convention
    /// `{"data": [...]}`.
    ///
    /// Sends: one POST of the scoring URI; before it, if none is held, what fetches the key or token;
    /// after a 401 the fetch and the POST once more.
    ///
    /// # Errors
    ///
    /// [`is_scoring_code_failure`](Error::is_scoring_code_failure),
    /// [`is_overloaded`](Error::is_overloaded), [`is_scoring_timeout`](Error::is_scoring_timeout),
    /// [`is_scoring_unauthorized`](Error::is_scoring_unauthorized) and
    /// [`is_scoring_credential_unavailable`](Error::is_scoring_credential_unavailable) tell apart what
    /// the service may answer. [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) after the call's own
    /// deadline, [`ErrorKind::Transport`](crate::ErrorKind::Transport) if no answer came,
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) if the answer is not JSON of this shape or
    /// is too large, [`ErrorKind::UntrustedUrl`](crate::ErrorKind::UntrustedUrl) for a redirect,
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the input cannot be written
    /// as JSON.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the request. The service may have begun to work on it, and goes on.
    /// A fetch of the credential that other calls wait for goes on too.
    pub async fn run<I, O>(&self, input: &I) -> Result<O, Error>
    where
        I: Serialize + Sync + ?Sized,
        O: DeserializeOwned,
    {
        self.request().run(input).await
    }

    /// Sends bytes of any content type, and gives the answer as it came.
    ///
    /// Sends: as [`run`](Self::run).
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run), except that the answer is not read as anything;
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for a content type that no header
    /// can carry.
    ///
    /// # Cancel safety
    ///
    /// As [`run`](Self::run).
    pub async fn run_bytes(
        &self,
        body: impl Into<Bytes> + Send,
        content_type: &str,
    ) -> Result<ScoringAnswer, Error> {
        self.request().run_bytes(body, content_type).await
    }

    /// A call with options of its own: deadline, request id, headers.
    pub fn request(&self) -> ScoringRequest {
        ScoringRequest::new(self.clone())
    }

    /// The service's Swagger document. `None` if it has none, because its entry script declares no
    /// schema (HTTP 404).
    ///
    /// It is looked for beside the scoring URI, under `swagger.json`.
    ///
    /// Sends: one GET, with key or token as [`run`](Self::run).
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect on the service.
    pub async fn swagger(&self) -> Result<Option<Value>, Error> {
        self.request().swagger().await
    }
}

impl fmt::Debug for ScoringClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.inner;
        f.debug_struct("ScoringClient")
            .field("scoring_uri", &redact_url(&inner.uri))
            .field("authority", &inner.authority)
            .field("sender", &inner.sender)
            .field("timeout", &inner.timeout)
            .field("retry", &inner.retry)
            .field("answer_limit", &inner.answer_limit)
            .finish()
    }
}
