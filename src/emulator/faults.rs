//! What can be made to go wrong.

use std::time::Duration;

use azure_core::http::Method;
use serde_json::{Map, Value};

use super::clusters;
use super::error::ArmError;
use super::http::Answer;
use super::services::Trouble;

/// Something that goes wrong, once injected with [`Emulator::inject`](super::Emulator::inject).
///
/// Without limits it goes wrong at every request that it can concern, until
/// [`Emulator::clear_faults`](super::Emulator::clear_faults). Of several that concern a request,
/// the one injected first acts.
#[derive(Clone, Debug)]
#[must_use = "a fault does nothing until it is injected"]
pub struct Fault {
    pub(crate) kind: Kind,
    method: Option<String>,
    path: Option<String>,
    skip: u32,
    times: Option<u32>,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    QuotaExceeded,
    PolicyDenied,
    UnsupportedVersion,
    SecondAttachmentBreaksFirst,
    PathRetired,
    Throttled(Duration),
    ServerError(u16),
    ConnectionDropped,
    ResponseLost,
    TruncatedBody,
    HtmlError,
    ExpiredToken,
    NeverEndingOperation,
    ForeignPollingUrl(String),
    ComputeAppears,
    OperationFails {
        code: String,
        message: String,
    },
    ResponseOverride {
        status: u16,
        headers: Vec<(String, String)>,
        body: String,
    },
    Deployment(Trouble),
}

impl Fault {
    pub(crate) const fn of(kind: Kind) -> Self {
        Self {
            kind,
            method: None,
            path: None,
            skip: 0,
            times: None,
        }
    }

    /// A create that is accepted and ends Failed with `QuotaExceeded`, as regional core quotas do:
    /// only when the create has run its time.
    pub fn quota_exceeded() -> Self {
        Self::of(Kind::QuotaExceeded)
    }

    /// A PUT of a compute is refused with 403 `RequestDisallowedByPolicy`.
    pub fn policy_denied() -> Self {
        Self::of(Kind::PolicyDenied)
    }

    /// An attach is refused because of the cluster's Kubernetes version, whatever it is; the
    /// message lists the supported ones.
    pub fn unsupported_version() -> Self {
        Self::of(Kind::UnsupportedVersion)
    }

    /// Attaching a cluster that is attached already breaks the first attachment. It is what the
    /// emulator does anyway, unless
    /// [`EmulatorBuilder::tolerate_second_attachment`](super::EmulatorBuilder::tolerate_second_attachment)
    /// says otherwise; with the fault the first breaks at once, not when the second is ready.
    pub fn second_attachment_breaks_first() -> Self {
        Self::of(Kind::SecondAttachmentBreaksFirst)
    }

    /// A create is refused: computes of kind AKS can no longer be created.
    pub fn path_retired() -> Self {
        Self::of(Kind::PathRetired)
    }

    /// 429 with `Retry-After` in whole seconds, rounded up.
    pub fn throttled(retry_after: Duration) -> Self {
        Self::of(Kind::Throttled(retry_after))
    }

    /// An error of this status (500, 502, 503, …) with an ARM body; nothing is done.
    pub fn server_error(status: u16) -> Self {
        Self::of(Kind::ServerError(status))
    }

    /// The connection breaks when the request was read; nothing is done and nothing answered.
    pub fn connection_dropped() -> Self {
        Self::of(Kind::ConnectionDropped)
    }

    /// The request is served in full, then the connection breaks before the first byte of the
    /// answer.
    pub fn response_lost() -> Self {
        Self::of(Kind::ResponseLost)
    }

    /// The request is served in full, but the connection breaks in the middle of the body.
    pub fn truncated_body() -> Self {
        Self::of(Kind::TruncatedBody)
    }

    /// 502 with a page of HTML, as gateways send; nothing is done.
    pub fn html_error() -> Self {
        Self::of(Kind::HtmlError)
    }

    /// 401 `ExpiredAuthenticationToken`; nothing is done.
    pub fn expired_token() -> Self {
        Self::of(Kind::ExpiredToken)
    }

    /// The operation that the request starts stays in progress for ever, also after
    /// [`Emulator::finish_operations`](super::Emulator::finish_operations).
    pub fn never_ending_operation() -> Self {
        Self::of(Kind::NeverEndingOperation)
    }

    /// The URLs at which to follow the operation that the request starts are replaced by this one.
    pub fn foreign_polling_url(url: impl Into<String>) -> Self {
        Self::of(Kind::ForeignPollingUrl(url.into()))
    }

    /// A GET of an absent compute says 404, and right after it another client's compute of that
    /// name exists: one ready DevTest node of `Standard_D2_v2`.
    pub fn compute_appears() -> Self {
        Self::of(Kind::ComputeAppears)
    }

    /// The operation that the request starts ends Failed with this error.
    pub fn operation_fails(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::of(Kind::OperationFails {
            code: code.into(),
            message: message.into(),
        })
    }

    /// The answer is this one; nothing is done. Without a `Content-Type` among the headers the
    /// body is announced as JSON.
    pub fn response_override(
        status: u16,
        headers: &[(&str, &str)],
        body: impl Into<String>,
    ) -> Self {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect();
        Self::of(Kind::ResponseOverride {
            status,
            headers,
            body: body.into(),
        })
    }

    /// Only at requests of this method whose path contains this, compared without case.
    pub fn on(mut self, method: Method, path_substring: impl Into<String>) -> Self {
        self.method = Some(method.to_string());
        self.on_path(path_substring)
    }

    /// Only at requests whose path contains this, compared without case.
    pub fn on_path(mut self, path_substring: impl Into<String>) -> Self {
        self.path = Some(path_substring.into().to_ascii_lowercase());
        self
    }

    /// Only so many times.
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Only after so many requests that it would have concerned.
    pub fn after(mut self, requests: u32) -> Self {
        self.skip = requests;
        self
    }

    /// From the JSON of the admin route.
    pub(crate) fn from_json(value: &Value) -> Result<Self, ArmError> {
        let map = value
            .as_object()
            .ok_or_else(|| ArmError::bad_request("a fault is a JSON object with a `kind`"))?;
        let kind = Self::kind_from_json(map)?;
        Ok(Self {
            kind,
            method: text(map, "method")?.map(|method| method.to_ascii_uppercase()),
            path: text(map, "path")?.map(|path| path.to_ascii_lowercase()),
            skip: number(map, "after")?.unwrap_or(0),
            times: number(map, "times")?,
        })
    }

    fn kind_from_json(map: &Map<String, Value>) -> Result<Kind, ArmError> {
        let name = text(map, "kind")?
            .ok_or_else(|| ArmError::bad_request("a fault needs the key `kind`"))?;
        let need = |key: &str| {
            text(map, key)?.ok_or_else(|| {
                ArmError::bad_request(format!("a fault of kind `{name}` needs the key `{key}`"))
            })
        };
        let (kind, own): (Kind, &[&str]) = match name.as_str() {
            "quota_exceeded" => (Kind::QuotaExceeded, &[]),
            "policy_denied" => (Kind::PolicyDenied, &[]),
            "unsupported_version" => (Kind::UnsupportedVersion, &[]),
            "second_attachment_breaks_first" => (Kind::SecondAttachmentBreaksFirst, &[]),
            "path_retired" => (Kind::PathRetired, &[]),
            "throttled" => {
                let seconds = number(map, "retry_after")?.unwrap_or(1);
                (
                    Kind::Throttled(Duration::from_secs(seconds.into())),
                    &["retry_after"],
                )
            }
            "server_error" => (Kind::ServerError(status(map)?.unwrap_or(500)), &["status"]),
            "connection_dropped" => (Kind::ConnectionDropped, &[]),
            "response_lost" => (Kind::ResponseLost, &[]),
            "truncated_body" => (Kind::TruncatedBody, &[]),
            "html_error" => (Kind::HtmlError, &[]),
            "expired_token" => (Kind::ExpiredToken, &[]),
            "never_ending_operation" => (Kind::NeverEndingOperation, &[]),
            "foreign_polling_url" => (Kind::ForeignPollingUrl(need("url")?), &["url"]),
            "compute_appears" => (Kind::ComputeAppears, &[]),
            "operation_fails" => (
                Kind::OperationFails {
                    code: need("code")?,
                    message: need("message")?,
                },
                &["code", "message"],
            ),
            "response_override" => {
                let headers = match map.get("headers") {
                    None => Vec::new(),
                    Some(Value::Object(headers)) => headers
                        .iter()
                        .map(|(name, value)| {
                            let value = value.as_str().ok_or_else(|| {
                                ArmError::bad_request("`headers` maps names to strings")
                            })?;
                            Ok((name.clone(), value.to_owned()))
                        })
                        .collect::<Result<_, ArmError>>()?,
                    Some(_) => {
                        return Err(ArmError::bad_request("`headers` maps names to strings"));
                    }
                };
                let body = match map.get("body") {
                    None | Some(Value::Null) => String::new(),
                    Some(Value::String(body)) => body.clone(),
                    Some(other) => other.to_string(),
                };
                let status = status(map)?.unwrap_or(200);
                (
                    Kind::ResponseOverride {
                        status,
                        headers,
                        body,
                    },
                    &["status", "headers", "body"],
                )
            }
            "unschedulable" => (Self::unschedulable(need("resource")?).kind, &["resource"]),
            "crash_loop" => (Self::crash_loop().kind, &[]),
            "image_pull_failure" => (Self::image_pull_failure().kind, &[]),
            "deployment_timed_out" => (Self::deployment_timed_out().kind, &[]),
            other => {
                return Err(ArmError::unsupported(format!(
                    "there is no fault kind `{other}`"
                )));
            }
        };
        let common = ["kind", "method", "path", "times", "after"];
        match map
            .keys()
            .find(|key| !common.contains(&key.as_str()) && !own.contains(&key.as_str()))
        {
            Some(key) => Err(ArmError::bad_request(format!(
                "a fault of kind `{name}` has no key `{key}`"
            ))),
            None => Ok(kind),
        }
    }
}

fn text(map: &Map<String, Value>, key: &str) -> Result<Option<String>, ArmError> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(ArmError::bad_request(format!("`{key}` must be a string"))),
    }
}

fn number(map: &Map<String, Value>, key: &str) -> Result<Option<u32>, ArmError> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value
            .as_u64()
            .and_then(|number| u32::try_from(number).ok())
            .map(Some)
            .ok_or_else(|| ArmError::bad_request(format!("`{key}` must be a whole number"))),
    }
}

/// A status that HTTP allows for a final answer: anything else could not be sent.
fn status(map: &Map<String, Value>) -> Result<Option<u16>, ArmError> {
    match number(map, "status")? {
        None => Ok(None),
        Some(status @ 200..=599) => Ok(u16::try_from(status).ok()),
        Some(_) => Err(ArmError::bad_request(
            "`status` must be between 200 and 599",
        )),
    }
}

/// The faults that wait for their request.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The first fault that concerns this request and is of a wanted kind, counted as used.
    pub(crate) fn take(
        &mut self,
        method: &str,
        path: &str,
        wanted: impl Fn(&Kind) -> bool,
    ) -> Option<Kind> {
        let path = path.to_ascii_lowercase();
        for fault in &mut self.0 {
            let concerned = fault.times != Some(0)
                && wanted(&fault.kind)
                && fault
                    .method
                    .as_deref()
                    .is_none_or(|wanted| wanted == method)
                && fault
                    .path
                    .as_deref()
                    .is_none_or(|wanted| path.contains(wanted));
            if !concerned {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            if let Some(times) = &mut fault.times {
                *times -= 1;
            }
            return Some(fault.kind.clone());
        }
        None
    }
}

impl Kind {
    /// Whether it acts before the request is looked at.
    pub(crate) fn acts_before(&self) -> bool {
        matches!(
            self,
            Self::Throttled(_)
                | Self::ServerError(_)
                | Self::ConnectionDropped
                | Self::HtmlError
                | Self::ExpiredToken
                | Self::ResponseOverride { .. }
        )
    }

    /// Whether it acts on the finished answer.
    pub(crate) fn acts_after(&self) -> bool {
        matches!(self, Self::ResponseLost | Self::TruncatedBody)
    }

    /// The answer of a fault that acts before; `refusal` gives a refusal the shape of the host that
    /// was asked.
    pub(crate) fn answer(self, refusal: impl FnOnce(ArmError) -> Answer) -> Answer {
        match self {
            Self::Throttled(retry_after) => {
                let seconds = retry_after.as_millis().div_ceil(1000);
                refusal(ArmError::new(
                    429,
                    "TooManyRequests",
                    "The request is being throttled.",
                ))
                .with("Retry-After", seconds.to_string())
            }
            Self::ServerError(status) => refusal(ArmError::new(
                status,
                match status {
                    503 => "ServiceUnavailable",
                    504 => "GatewayTimeout",
                    502 => "BadGateway",
                    _ => "InternalServerError",
                },
                "The server could not complete the request.",
            )),
            Self::HtmlError => Answer::raw(
                502,
                "text/html",
                "<html><head><title>502 Bad Gateway</title></head>\
                 <body><h1>502 Bad Gateway</h1></body></html>",
            ),
            Self::ExpiredToken => refusal(ArmError::new(
                401,
                "ExpiredAuthenticationToken",
                "The access token expiry time is in the past.",
            ))
            .with("WWW-Authenticate", "Bearer error=\"invalid_token\""),
            Self::ResponseOverride {
                status,
                headers,
                body,
            } => {
                let mut answer = Answer {
                    body: body.into_bytes(),
                    ..Answer::empty(status)
                };
                answer.headers = headers;
                if !answer.has("content-type") && !answer.body.is_empty() {
                    answer = answer.with("Content-Type", "application/json; charset=utf-8");
                }
                answer
            }
            // The others never reach this point; a dropped connection has no answer to show.
            _ => Answer {
                manner: super::http::Manner::Severed,
                ..Answer::empty(500)
            },
        }
    }
}

/// The refusals that faults of the service's own kind give.
pub(crate) fn policy_denied(name: &str) -> ArmError {
    ArmError::new(
        403,
        "RequestDisallowedByPolicy",
        format!(
            "Resource '{name}' was disallowed by policy. Policy identifiers: \
             '[{{\"policyAssignment\":{{\"name\":\"Load Balancers should not have public IPs\"}}}}]'."
        ),
    )
}

pub(crate) fn path_retired() -> ArmError {
    ArmError::new(
        400,
        "BadRequest",
        "Creating a compute of type AKS is no longer supported. Use a compute of type Kubernetes \
         instead.",
    )
}

pub(crate) fn unsupported_version(version: &str) -> ArmError {
    ArmError::new(
        400,
        "UnsupportedKubernetesVersion",
        format!(
            "The Kubernetes version {version} of the cluster is not supported. Supported versions \
             are: {}.",
            clusters::attachable_list()
        ),
    )
}
