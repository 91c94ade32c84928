//! The resume token: what can be written down about a long-running operation and read back later.

use crate::error::{Error, ErrorKind};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::SystemTime;

/// What a later process needs to take up the wait for an operation.
///
/// A token is **secret**: the URLs in it may be signed for the caller. It holds no credential, no
/// header, no body and no key. `Debug` shows only the verb; to store it, call
/// [`expose`](Self::expose) and write the text where only its owner can read it.
///
/// A token is versioned, and bound to the verb and to the endpoint it came from:
/// [`Workspace::resume`](crate::Workspace::resume) refuses one that does not fit.
///
/// # What to store, and when
///
/// 1. Before [`send`](crate::Prepared::send): [`Prepared::token`](crate::Prepared::token).
/// 2. After it: the `resume_token` of the [compute](crate::ComputeTarget::resume_token) or
///    [operation](crate::Operation::resume_token), in place of the first.
/// 3. After an error: [`Error::resume_token`](crate::Error::resume_token). There is one where
///    something may still run.
/// 4. After the end, or an error without a token: nothing. Remove what was stored.
///
/// `docs/operations.md` says why, and what to make of each answer of a resume.
///
/// ```
/// # #[cfg(feature = "emulator")]
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), azureml_aks::Error> {
/// # use azureml_aks::{AksCompute, Workspace, emulator::Emulator};
/// # let emulator = Emulator::new();
/// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
/// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
/// # let config = AksCompute::provisioning_configuration().build()?;
/// use azureml_aks::{ComputeTarget, ResumeToken, Resumed, WaitOptions};
///
/// let prepared = ComputeTarget::prepare_create(&workspace, "myaks", config)?;
/// let stored = prepared.token().expose(); // to a file of mode 0600
/// let aks = prepared.send().await?;
/// drop(aks); // the process dies before it has stored the newer token
///
/// match workspace.resume(&ResumeToken::parse(&stored)?).await? {
///     Resumed::Compute(mut aks) => aks.wait_for_completion(WaitOptions::new()).await?,
///     other => panic!("{other:?}"),
/// }
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "emulator"))]
/// # fn main() {}
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ResumeToken(Box<TokenParts>);

/// The fields of a token, as they are written.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TokenParts {
    v: u32,
    kind: String,
    /// What was asked for.
    pub(crate) op: Verb,
    /// HTTP method of the first request.
    pub(crate) method: HttpVerb,
    /// The endpoint that the operation belongs to, as an origin.
    pub(crate) endpoint: String,
    /// The URI of the first request.
    pub(crate) initial_uri: String,
    /// Where the status is read, once the service said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_request_uri: Option<String>,
    /// The header that gave [`next_request_uri`](Self::next_request_uri).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) monitor: Option<MonitorKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_known_location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) final_state_via: Option<FinalStateVia>,
    pub(crate) api_version: String,
    /// Unix time in milliseconds.
    pub(crate) started_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_status: Option<String>,
    pub(crate) client_request_id: String,
    /// Whether the service's answer to the first request was seen.
    pub(crate) accepted: bool,
}

/// What was asked of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Verb {
    /// Attach an AKS cluster that exists.
    Attach,
    /// Create a compute with a new AKS cluster.
    Create,
    /// Delete the compute and its AKS cluster, or the web service.
    Delete,
    /// Deploy models as a web service.
    Deploy,
    /// Detach the compute; its AKS cluster stays.
    Detach,
    /// Make a new key of a web service.
    RegenerateKey,
    /// Change the compute or the web service.
    Update,
}

impl Verb {
    /// The verb as a word: `attach`, `create`, `delete`, `deploy`, `detach`, `regenerate-key` or
    /// `update`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Attach => "attach",
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Deploy => "deploy",
            Self::Detach => "detach",
            Self::RegenerateKey => "regenerate-key",
            Self::Update => "update",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The HTTP methods that start operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum HttpVerb {
    Delete,
    Patch,
    Post,
    Put,
}

/// Which header told where to read the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum MonitorKind {
    AzureAsyncOperation,
    Location,
    OperationLocation,
    /// An operation of the model management service: its id comes with `Operation-Location`, and is
    /// read below our own base, whatever host the header names.
    ServiceOperation,
}

/// Where the result of a POST is read (`x-ms-long-running-operation-options`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FinalStateVia {
    AzureAsyncOperation,
    Location,
    OriginalUri,
}

const VERSION: u32 = 1;
const KIND: &str = "azureml-aks/compute";
const SERVICE_KIND: &str = "azureml-aks/service";

/// The end of the year 9000, in milliseconds: beyond it dates cannot be reckoned with.
const LATEST: u64 = 221_845_391_999_000;

impl TokenParts {
    /// Whether it is about a web service rather than a compute.
    pub(crate) fn is_service(&self) -> bool {
        self.kind == SERVICE_KIND
    }
}

impl ResumeToken {
    /// A token for a request that was not sent yet.
    pub(crate) fn prepared(
        op: Verb,
        method: HttpVerb,
        endpoint: String,
        initial_uri: String,
        api_version: String,
        client_request_id: String,
    ) -> Self {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Self(Box::new(TokenParts {
            v: VERSION,
            kind: KIND.to_owned(),
            op,
            method,
            endpoint,
            initial_uri,
            next_request_uri: None,
            monitor: None,
            last_known_location: None,
            final_state_via: None,
            api_version,
            started_at: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
            last_status: None,
            client_request_id,
            accepted: false,
        }))
    }

    /// That of a verb on a web service; `result` says whether the service is what it gives.
    #[cfg(feature = "services")]
    pub(crate) fn for_service(mut self, result: bool) -> Self {
        SERVICE_KIND.clone_into(&mut self.0.kind);
        self.0.final_state_via = result.then_some(FinalStateVia::OriginalUri);
        self
    }

    /// Reads a token that [`expose`](Self::expose) wrote.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ResumeToken`] if the text is no token of this library, or of a version that
    /// this one does not know. The text is not quoted.
    ///
    /// ```
    /// use azureml_aks::{ErrorKind, ResumeToken};
    ///
    /// let error = ResumeToken::parse("{}").unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::ResumeToken);
    /// ```
    pub fn parse(text: &str) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Header {
            v: u32,
            kind: String,
        }
        let refuse = |message: String| Error::new(ErrorKind::ResumeToken, message);
        let header: Header = serde_json::from_str(text)
            .map_err(|_| refuse("the text is no resume token of azureml-aks".to_owned()))?;
        if !matches!(header.kind.as_str(), KIND | SERVICE_KIND) {
            return Err(refuse(
                "the token belongs to another kind of operation".to_owned(),
            ));
        }
        if header.v != VERSION {
            return Err(refuse(format!(
                "the token is of version {}; this library reads version {VERSION}",
                header.v
            )));
        }
        // serde's message could quote a part of the token.
        let parts: TokenParts = serde_json::from_str(text).map_err(|error| {
            refuse(format!("the token is damaged at column {}", error.column()))
        })?;
        if parts.started_at > LATEST {
            return Err(refuse("the token is damaged: it is of no time".to_owned()));
        }
        Ok(Self(Box::new(parts)))
    }

    /// The token as text, to be stored where only its owner can read it.
    #[must_use]
    pub fn expose(&self) -> String {
        // Strings, numbers and unit variants: serialising them cannot fail.
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// What was asked of the service.
    #[must_use]
    pub fn verb(&self) -> Verb {
        self.0.op
    }

    /// The name of the compute or the web service.
    #[must_use]
    pub fn target(&self) -> Option<String> {
        self.segment_after(if self.0.is_service() {
            "services"
        } else {
            "computes"
        })
    }

    /// The name of the workspace, so that a store of tokens can be sorted by it.
    #[must_use]
    pub fn workspace(&self) -> Option<String> {
        self.segment_after("workspaces")
    }

    fn segment_after(&self, name: &str) -> Option<String> {
        let url = url::Url::parse(&self.0.initial_uri).ok()?;
        let mut segments = url.path_segments()?;
        segments.find(|segment| segment.eq_ignore_ascii_case(name))?;
        segments.next().map(str::to_owned)
    }

    /// When the request was prepared.
    #[must_use]
    pub fn started_at(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(self.0.started_at)
    }

    /// The last status that was seen, as the service spelled it.
    #[must_use]
    pub fn last_status(&self) -> Option<&str> {
        self.0.last_status.as_deref()
    }

    pub(crate) fn parts(&self) -> &TokenParts {
        &self.0
    }

    pub(crate) fn parts_mut(&mut self) -> &mut TokenParts {
        &mut self.0
    }
}

impl fmt::Debug for ResumeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResumeToken")
            .field("verb", &self.0.op)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> ResumeToken {
        ResumeToken::prepared(
            Verb::Create,
            HttpVerb::Put,
            "https://management.azure.com".into(),
            "https://management.azure.com/x?api-version=1".into(),
            "1".into(),
            "id".into(),
        )
    }

    #[test]
    fn a_token_reads_back_as_it_was_written() {
        let mut token = token();
        token.parts_mut().next_request_uri = Some("https://management.azure.com/y?c=1&h=2".into());
        token.parts_mut().monitor = Some(MonitorKind::AzureAsyncOperation);
        token.parts_mut().last_status = Some("InProgress".into());
        assert_eq!(ResumeToken::parse(&token.expose()).unwrap(), token);
    }

    #[test]
    fn damaged_foreign_and_newer_tokens_are_refused_without_being_quoted() {
        let good = token().expose();
        let cases = [
            (good.replace("\"v\":1", "\"v\":2"), "version 2"),
            (good.replace("azureml-aks/compute", "other"), "another kind"),
            (good.replace("\"create\"", "\"s3cr3t\""), "damaged"),
            (good[..good.len() - 1].to_owned(), "no resume token"),
            (good.replace("{\"v\"", "{\"extra\":1,\"v\""), "damaged"),
            (
                good.replace("\"startedAt\":", "\"startedAt\":9999"),
                "no time",
            ),
            (String::new(), "no resume token"),
        ];
        for (text, expected) in cases {
            let error = ResumeToken::parse(&text).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(!format!("{error:?}").contains("s3cr3t"));
        }
    }

    #[test]
    fn a_token_says_what_it_is_about() {
        let mut token = token();
        assert_eq!((token.target(), token.workspace()), (None, None));
        token.parts_mut().initial_uri =
            "https://h/subscriptions/s/workspaces/w/computes/a?api-version=1".into();
        assert_eq!(token.target().as_deref(), Some("a"));
        assert_eq!(token.workspace().as_deref(), Some("w"));
    }

    #[test]
    fn debug_shows_no_url() {
        assert_eq!(format!("{:?}", token()), "ResumeToken { verb: Create, .. }");
    }
}
