//! The one error type, and what it holds: findings, the errors of the service, logs of containers.

mod convert;
mod display;
mod finding;
mod hiding;
mod logs;
pub(crate) mod redact;
mod runtime;
#[cfg(feature = "services")]
mod scoring;
mod service;
mod transient;

pub use finding::{Finding, Severity};
#[cfg(feature = "services")]
pub(crate) use hiding::SharedHidden;
pub(crate) use hiding::{Hidden, Shown};
pub use logs::ContainerLogs;
pub(crate) use redact::{place_of, redact, redact_cause, redact_url};
pub(crate) use runtime::in_runtime;
pub use service::ServiceError;
pub(crate) use transient::{is_passing, may_have_worked};

use crate::facts::codes;
use crate::token::ResumeToken;
use serde::{Serialize, Serializer};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Any error, as the source of an [`Error`] or from a [`TokenStore`](crate::TokenStore).
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// The error of a call, with its kind, its message and its causes.
///
/// Opaque on purpose: ask [`kind`](Self::kind) or a predicate such as
/// [`is_not_found`](Self::is_not_found), and read the facts through the accessors. `Display` gives
/// one text with the service's most specific message, its code, the ids that Microsoft's support
/// asks for, and a remedy where one is known.
///
/// # Secrets
///
/// Hidden, in every text and in the [source](std::error::Error::source):
///
/// - what the requests through the same handle carried, however the service spells it: certificates and
///   private keys, passwords of registries, keys of services, and values of environment variables of 8
///   characters and more;
/// - the values of queries in URLs, except the API version, and the credential's tokens.
///
/// Not hidden: shorter values of variables; and, on a handle that was resumed, read or listed, what earlier
/// requests carried, until they are passed to the handle with `hide`. In other texts of the service a guess hides what
/// looks like a secret (`password=…`, `Bearer …`, PEM), and a text that looks like none stays. Texts of a
/// service are cut at 4 kB after that.
///
/// An error is one pointer wide, and cheap to clone: clones share the facts and the
/// [source](std::error::Error::source).
///
/// # Design
///
/// One cheap error instead of an enum per area: a caller rarely branches on more than "is it
/// there", "may I try again" ([`is_transient`](Self::is_transient)) and "did the *operation* fail or
/// only the *reading of its status*", and each of these is a predicate that stays true when the
/// variants behind it change.
///
/// ```
/// use azureml_aks::{AksCompute, ClusterPurpose, ErrorKind};
///
/// let error = AksCompute::provisioning_configuration()
///     .cluster_purpose(ClusterPurpose::FastProd)
///     .vm_size("Standard_D2_v2")
///     .agent_count(3)
///     .build()
///     .unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Validation);
/// assert_eq!(error.findings()[0].rule, "capacity.production_minimum");
/// ```
#[derive(Clone)]
pub struct Error {
    /// Shared by all clones: a failure that many calls wait for is made once.
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    /// The action that failed, for example `create compute "myaks"`.
    context: Option<String>,
    message: String,
    findings: Vec<Finding>,
    response: Option<ResponseFacts>,
    operation: Option<OperationFacts>,
    remedy: Option<&'static str>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
    /// `true` if the cause of a credential's failure is transient.
    cause_may_pass: bool,
    logs: Option<ContainerLogs>,
}

/// The longest text of a service that an error keeps, in bytes: a service may send megabytes.
const LONGEST_TEXT: usize = 4 << 10;

/// Returns the text, cut to [`LONGEST_TEXT`] at the boundary of a character.
fn bounded(mut text: String) -> String {
    if text.len() > LONGEST_TEXT {
        let end = (0..=LONGEST_TEXT)
            .rev()
            .find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or(0));
        text.push('…');
    }
    text
}

/// In place of a text that may quote a secret.
const NOT_SHOWN: &str = "[not shown]";

/// The details of a failure in an HTTP answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct ResponseFacts {
    pub(crate) status: Option<u16>,
    pub(crate) error: Option<ServiceError>,
    pub(crate) request_id: Option<String>,
    pub(crate) correlation_id: Option<String>,
    pub(crate) client_request_id: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    /// The first characters of a body that is not an ARM error, without secrets.
    pub(crate) excerpt: Option<String>,
}

/// The details of a long-running operation whose wait failed.
#[derive(Debug, Clone)]
pub(crate) struct OperationFacts {
    pub(crate) last_status: Option<String>,
    pub(crate) elapsed: Duration,
    pub(crate) polls: u32,
    pub(crate) token: Option<ResumeToken>,
}

/// The coarse reason of an [`Error`].
///
/// `Display` and `Serialize` give the word of [`as_str`](Self::as_str).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A compute or a model of that name exists, and the verb does not overwrite.
    AlreadyExists,
    /// The workspace or the scoring client cannot be set up, or the request cannot be made of what
    /// was given: `config.json`, credential, transport, endpoint, scoring URI or header.
    Configuration,
    /// No token could be had from the credential.
    Credential,
    /// The wait ended at its deadline. The operation may still run.
    DeadlineExceeded,
    /// A file or a folder of this machine cannot be read or written, or changed while it was read.
    File,
    /// The request that was to begin the operation never arrived: begin again.
    NotStarted,
    /// The service ended the operation as cancelled.
    OperationCanceled,
    /// The service ended the operation as failed.
    OperationFailed,
    /// The status of the operation cannot be read. The operation may still run.
    OperationStatusLost,
    /// The service's answer breaks the protocol, or is larger than the limit.
    Protocol,
    /// The verb does not fit the resource, for example `delete` of an attached compute.
    Refused,
    /// The operation succeeded, but its result cannot be read.
    ResultUnavailable,
    /// A resume token is damaged or belongs elsewhere.
    ResumeToken,
    /// The service's own code failed on the request (HTTP 502 of a scoring call).
    ScoringCodeFailed,
    /// No key or token for the service can be had now: the workspace's region does not answer. The
    /// service itself may be well.
    ScoringCredentialUnavailable,
    /// The service has no free replica (HTTP 503 of a scoring call).
    ScoringOverloaded,
    /// The service's own code took longer than its scoring timeout (HTTP 504 of a scoring call).
    ScoringTimeout,
    /// The service does not take the key or token, or wants one and was sent none (HTTP 401 or 403 of
    /// a scoring call).
    ScoringUnauthorized,
    /// The service refused a request.
    Service,
    /// The call took longer than its own timeout.
    Timeout,
    /// The store of resume tokens did not take one. Nothing was sent.
    TokenStore,
    /// The request did not reach the service, or no answer came back.
    Transport,
    /// A URL handed out by the service points outside the trusted endpoints, or a scoring call was
    /// redirected. Nothing was sent there.
    UntrustedUrl,
    /// A configuration breaks rules; see [`Error::findings`].
    Validation,
}

impl ErrorKind {
    /// Returns the kind as a word in snake case, for example `already_exists`: stable, and fit for a
    /// label of a metric.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AlreadyExists => "already_exists",
            Self::Configuration => "configuration",
            Self::Credential => "credential",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::File => "file",
            Self::NotStarted => "not_started",
            Self::OperationCanceled => "operation_canceled",
            Self::OperationFailed => "operation_failed",
            Self::OperationStatusLost => "operation_status_lost",
            Self::Protocol => "protocol",
            Self::Refused => "refused",
            Self::ResultUnavailable => "result_unavailable",
            Self::ResumeToken => "resume_token",
            Self::ScoringCodeFailed => "scoring_code_failed",
            Self::ScoringCredentialUnavailable => "scoring_credential_unavailable",
            Self::ScoringOverloaded => "scoring_overloaded",
            Self::ScoringTimeout => "scoring_timeout",
            Self::ScoringUnauthorized => "scoring_unauthorized",
            Self::Service => "service",
            Self::Timeout => "timeout",
            Self::TokenStore => "token_store",
            Self::Transport => "transport",
            Self::UntrustedUrl => "untrusted_url",
            Self::Validation => "validation",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for ErrorKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Error {
    /// Returns the kind of the error: its coarse reason.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// Returns the broken rules, all of them, where the kind is [`ErrorKind::Validation`]; otherwise
    /// nothing. Each is of severity [`Error`](Severity::Error).
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.inner.findings
    }

    /// Returns the HTTP status of the answer that failed.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        self.inner.response.as_ref()?.status
    }

    /// Returns the service's most specific error code, for example `QuotaExceeded`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.service_error()?.innermost().0
    }

    /// Returns the service's error as it sent it, with its nested details.
    #[must_use]
    pub fn service_error(&self) -> Option<&ServiceError> {
        self.inner.response.as_ref()?.error.as_ref()
    }

    /// Returns the service's `x-ms-request-id`, for which Microsoft's support asks first.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.inner.response.as_ref()?.request_id.as_deref()
    }

    /// Returns the service's `x-ms-correlation-request-id`.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.inner.response.as_ref()?.correlation_id.as_deref()
    }

    /// Returns the `x-ms-client-request-id` that this library sent.
    #[must_use]
    pub fn client_request_id(&self) -> Option<&str> {
        self.inner.response.as_ref()?.client_request_id.as_deref()
    }

    /// Returns the time that the service asked to wait before the next try.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.inner.response.as_ref()?.retry_after
    }

    /// Returns the logs of a web service's containers from the time when its deployment failed.
    #[must_use]
    pub fn container_logs(&self) -> Option<&ContainerLogs> {
        self.inner.logs.as_ref()
    }

    /// Returns the resources that the cluster lacks, where it has no room for a web service: `cpu`, `memory`,
    /// `nvidia.com/gpu`, … as the scheduler calls it. Empty for other failures.
    #[must_use]
    pub fn missing_resources(&self) -> Vec<String> {
        self.service_error()
            .map(ServiceError::missing_resources)
            .unwrap_or_default()
    }

    /// Returns the remedy that a person can apply, for well-known failures.
    #[must_use]
    pub fn remedy(&self) -> Option<&'static str> {
        self.inner.remedy
    }

    /// Returns the token that resumes the wait, where the operation may still run.
    #[must_use]
    pub fn resume_token(&self) -> Option<&ResumeToken> {
        self.inner.operation.as_ref()?.token.as_ref()
    }

    /// Returns the last status that the service gave for the operation, as it spelled it.
    #[must_use]
    pub fn last_status(&self) -> Option<&str> {
        self.inner.operation.as_ref()?.last_status.as_deref()
    }

    /// Returns the time that the operation had been waited for.
    #[must_use]
    pub fn elapsed(&self) -> Option<Duration> {
        Some(self.inner.operation.as_ref()?.elapsed)
    }

    /// Returns the number of times that the status of the operation had been read.
    #[must_use]
    pub fn polls(&self) -> Option<u32> {
        Some(self.inner.operation.as_ref()?.polls)
    }

    /// Returns whether the resource does not exist (HTTP 404).
    ///
    /// # Troubleshooting
    ///
    /// ARM also answers 404 for a workspace that the credential may not see in another tenant;
    /// check the subscription and the tenant of the credential.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.http_status() == Some(404)
    }

    /// Returns whether the name is taken.
    ///
    /// # Troubleshooting
    ///
    /// `.or_get()` on `create` and `attach` takes the existing compute instead. To attach its cluster anew, detach
    /// first: under another name, the cluster would be attached twice.
    #[must_use]
    pub fn is_already_exists(&self) -> bool {
        self.kind() == ErrorKind::AlreadyExists
    }

    /// Returns whether another operation runs on the resource, or its state forbids the verb (HTTP 409).
    ///
    /// # Troubleshooting
    ///
    /// Wait for the running operation (`wait_for_completion` works on a handle that was only read),
    /// then try again.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.http_status() == Some(409)
    }

    /// Returns whether the service refused the request because another operation runs on the resource, and says so. To be
    /// told from other conflicts ([`is_conflict`](Self::is_conflict)), which waiting does not help.
    ///
    /// # Troubleshooting
    ///
    /// Wait for the running operation, then send the request again. AKS runs one operation at a time on a cluster and its
    /// node pools.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        let says = |error: &ServiceError| error.any(codes::says_busy);
        self.is_conflict() && self.service_error().is_some_and(says)
    }

    /// Returns whether the service, or this library on its behalf, throttles requests (HTTP 429).
    ///
    /// # Troubleshooting
    ///
    /// [`retry_after`](Self::retry_after) says for how long. Many workspaces of one subscription
    /// share one budget of reads.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.http_status() == Some(429)
    }

    /// Returns whether the credential was not accepted, or no token was available.
    ///
    /// # Troubleshooting
    ///
    /// Sign in again (`az login`), and check that cloud and tenant are those of the workspace.
    #[must_use]
    pub fn is_unauthenticated(&self) -> bool {
        self.kind() == ErrorKind::Credential || self.http_status() == Some(401)
    }

    /// Returns whether the credential lacks a right (HTTP 403).
    ///
    /// # Troubleshooting
    ///
    /// Attaching needs Contributor on the cluster's resource group and *Azure Kubernetes Service
    /// Cluster Admin* on the cluster.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.http_status() == Some(403)
    }

    /// Returns whether a time limit of this library ended the call: the call's own, or the deadline of a wait.
    ///
    /// # Troubleshooting
    ///
    /// After a deadline the operation may still run: [`resume_token`](Self::resume_token) takes the
    /// wait up again.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::Timeout | ErrorKind::DeadlineExceeded
        )
    }

    /// Returns whether the service ended the operation as failed or cancelled: it no longer runs.
    ///
    /// # Troubleshooting
    ///
    /// A failed compute stays in the workspace and keeps its name: `delete` or `detach` it before
    /// the next try.
    #[must_use]
    pub fn is_operation_failure(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::OperationFailed | ErrorKind::OperationCanceled
        )
    }

    /// Returns whether the operation may still run although the call or the wait ended: its status is lost, a
    /// deadline has passed, or no answer came to the request that begins it.
    ///
    /// # Troubleshooting
    ///
    /// Keep [`resume_token`](Self::resume_token) and resume later, in this process or another.
    #[must_use]
    pub fn may_still_run(&self) -> bool {
        self.resume_token().is_some()
            || matches!(
                self.kind(),
                ErrorKind::OperationStatusLost | ErrorKind::DeadlineExceeded
            )
    }

    /// Returns whether the service refuses this kind of compute as a whole: the path is retired.
    ///
    /// # Troubleshooting
    ///
    /// Attach a cluster of your own, or use compute of kind `Kubernetes`.
    #[must_use]
    pub fn is_path_retired(&self) -> bool {
        self.service_error()
            .is_some_and(|error| error.any(codes::says_path_retired))
    }
}

/// Constructors for the rest of the crate.
impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            inner: Arc::new(Inner {
                kind,
                context: None,
                message: message.into(),
                findings: Vec::new(),
                response: None,
                operation: None,
                remedy: None,
                source: None,
                cause_may_pass: false,
                logs: None,
            }),
        }
    }

    /// `what` names the thing that breaks rules: "provisioning configuration", "compute name", …
    pub(crate) fn validation(what: &'static str, findings: Vec<Finding>) -> Self {
        let count = findings.len();
        let rules = if count == 1 { "rule" } else { "rules" };
        let mut error = Self::new(
            ErrorKind::Validation,
            format!("the {what} breaks {count} {rules}"),
        );
        error.inner_mut().findings = findings;
        error
    }

    /// The service answered, and its answer is a refusal.
    pub(crate) fn service(response: ResponseFacts) -> Self {
        Self::of_response(ErrorKind::Service, response)
    }

    /// Makes an error whose text comes from the service.
    pub(crate) fn of_response(kind: ErrorKind, response: ResponseFacts) -> Self {
        let response = response.bounded();
        let mut error = Self::new(kind, bounded(response.describe()));
        error.inner_mut().remedy = response.remedy();
        error.inner_mut().response = Some(response);
        error
    }

    #[must_use]
    pub(crate) fn with_response(mut self, response: ResponseFacts) -> Self {
        let response = response.bounded();
        let inner = self.inner_mut();
        inner.remedy = inner.remedy.or_else(|| response.remedy());
        inner.response = Some(response);
        self
    }

    #[must_use]
    pub(crate) fn with_operation(mut self, operation: OperationFacts) -> Self {
        self.inner_mut().operation = Some(operation);
        self
    }

    /// With the codes of the service and none of its texts: for requests and answers that hold secrets
    /// which the texts may quote in any form. Remedies stay; they are texts of ours.
    #[must_use]
    pub(crate) fn without_texts(mut self) -> Self {
        let inner = self.inner_mut();
        if let Some(facts) = inner.response.take() {
            let shown = facts.clone().without_texts();
            let message = &mut inner.message;
            *message = message.replace(&bounded(facts.describe()), &shown.describe());
            // A status that is lost quotes these alone.
            let outer = facts.error.and_then(|error| error.message);
            for text in [outer, facts.excerpt].into_iter().flatten() {
                *message = message.replace(&text, NOT_SHOWN);
            }
            inner.response = Some(shown);
        }
        self
    }

    /// Says what was being done; the first one to say so is right.
    #[must_use]
    pub(crate) fn with_context(mut self, context: impl FnOnce() -> String) -> Self {
        if self.inner.context.is_none() {
            self.inner_mut().context = Some(context());
        }
        self
    }

    #[must_use]
    pub(crate) fn with_remedy(mut self, remedy: &'static str) -> Self {
        self.inner_mut().remedy = Some(remedy);
        self
    }

    #[cfg(feature = "services")]
    #[must_use]
    pub(crate) fn with_logs(mut self, logs: ContainerLogs) -> Self {
        self.inner_mut().logs = (!logs.is_empty()).then_some(logs);
        self
    }

    #[must_use]
    pub(crate) fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.inner_mut().source = Some(Arc::from(source.into()));
        self
    }

    /// Returns the facts, to change them. Clones keep theirs.
    fn inner_mut(&mut self) -> &mut Inner {
        Arc::make_mut(&mut self.inner)
    }

    pub(crate) fn response(&self) -> Option<&ResponseFacts> {
        self.inner.response.as_ref()
    }

    pub(crate) fn message(&self) -> &str {
        &self.inner.message
    }
}

impl ResponseFacts {
    fn remedy(&self) -> Option<&'static str> {
        self.error.as_ref()?.find_remedy()
    }

    /// With texts of 4 kB at most. Must be called after secrets were hidden: a cut could leave a part
    /// of it.
    fn bounded(self) -> Self {
        Self {
            error: self.error.map(ServiceError::bounded),
            ..self
        }
    }

    fn without_texts(self) -> Self {
        Self {
            error: self.error.map(ServiceError::without_texts),
            excerpt: self.excerpt.map(|_| NOT_SHOWN.to_owned()),
            ..self
        }
    }

    /// `Code: message`, or the best that there is.
    fn describe(&self) -> String {
        match &self.error {
            Some(error) => error.describe(),
            None => match (&self.excerpt, self.status) {
                (Some(excerpt), _) => {
                    format!("the answer is not an error in ARM's form: {excerpt}")
                }
                (None, Some(status)) => format!("the service answered {status} without a body"),
                (None, None) => "the service gave no reason".to_owned(),
            },
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.inner.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests;
