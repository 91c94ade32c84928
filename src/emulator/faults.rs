//! Faults that can be injected.

use std::collections::BTreeMap;
use std::time::Duration;

use azure_core::http::Method;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::error::ArmError;
use super::http::Answer;
use super::kubernetes::Kubernetes;

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

/// The kind of a fault, named in JSON by `kind`. Each has braces: serde refuses unknown keys only there.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Kind {
    QuotaExceeded {},
    PolicyDenied {},
    UnsupportedVersion {},
    SecondAttachmentBreaksFirst {},
    PathRetired {},
    Throttled {
        /// In seconds.
        #[serde(default = "one")]
        retry_after: u64,
    },
    ServerError {
        #[serde(default = "internal_error", deserialize_with = "status")]
        status: u16,
    },
    ConnectionDropped {},
    ResponseLost {},
    TruncatedBody {},
    HtmlError {},
    ExpiredToken {},
    NeverEndingOperation {},
    ForeignPollingUrl {
        url: String,
    },
    ComputeAppears {},
    OperationFails {
        code: String,
        message: String,
    },
    ErrorBesideStatus {
        code: String,
        message: String,
    },
    ResponseOverride {
        #[serde(default = "success", deserialize_with = "status")]
        status: u16,
        #[serde(default)]
        headers: BTreeMap<String, String>,
        #[serde(default, deserialize_with = "text_or_json")]
        body: String,
    },
    Unschedulable {
        resource: String,
    },
    CrashLoop {},
    ImagePullFailure {},
    DeploymentTimedOut {},
}

const fn one() -> u64 {
    1
}

const fn internal_error() -> u16 {
    500
}

const fn success() -> u16 {
    200
}

/// A status that HTTP allows for a final answer: anything else could not be sent.
fn status<'de, D: Deserializer<'de>>(status: D) -> Result<u16, D::Error> {
    match u16::deserialize(status)? {
        status @ 200..=599 => Ok(status),
        _ => Err(D::Error::custom("`status` must be between 200 and 599")),
    }
}

fn text_or_json<'de, D: Deserializer<'de>>(body: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(body)? {
        Value::Null => String::new(),
        Value::String(body) => body,
        other => other.to_string(),
    })
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
        Self::of(Kind::QuotaExceeded {})
    }

    /// A PUT of a compute, a cluster, a node pool or an extension is refused with 403 `RequestDisallowedByPolicy`.
    pub fn policy_denied() -> Self {
        Self::of(Kind::PolicyDenied {})
    }

    /// An attach is refused because of the cluster's Kubernetes version, whatever it is; the
    /// message lists the supported ones.
    pub fn unsupported_version() -> Self {
        Self::of(Kind::UnsupportedVersion {})
    }

    /// Attaching a cluster that is attached already breaks the first attachment. It is what the
    /// emulator does anyway, unless
    /// [`EmulatorBuilder::tolerate_second_attachment`](super::EmulatorBuilder::tolerate_second_attachment)
    /// says otherwise; with the fault the first breaks at once, not when the second is ready.
    pub fn second_attachment_breaks_first() -> Self {
        Self::of(Kind::SecondAttachmentBreaksFirst {})
    }

    /// A create is refused: computes of kind AKS can no longer be created.
    pub fn path_retired() -> Self {
        Self::of(Kind::PathRetired {})
    }

    /// 429 with `Retry-After` in whole seconds, rounded up.
    pub fn throttled(retry_after: Duration) -> Self {
        let retry_after = u64::try_from(retry_after.as_millis().div_ceil(1000));
        Self::of(Kind::Throttled {
            retry_after: retry_after.unwrap_or(u64::MAX),
        })
    }

    /// An error of this status (500, 502, 503, …) with an ARM body; nothing is done.
    pub fn server_error(status: u16) -> Self {
        Self::of(Kind::ServerError { status })
    }

    /// The connection breaks when the request was read; nothing is done and nothing answered.
    pub fn connection_dropped() -> Self {
        Self::of(Kind::ConnectionDropped {})
    }

    /// The request is served in full, then the connection breaks before the first byte of the
    /// answer.
    pub fn response_lost() -> Self {
        Self::of(Kind::ResponseLost {})
    }

    /// The request is served in full, but the connection breaks in the middle of the body.
    pub fn truncated_body() -> Self {
        Self::of(Kind::TruncatedBody {})
    }

    /// 502 with a page of HTML, as gateways send; nothing is done.
    pub fn html_error() -> Self {
        Self::of(Kind::HtmlError {})
    }

    /// 401 `ExpiredAuthenticationToken`; nothing is done.
    pub fn expired_token() -> Self {
        Self::of(Kind::ExpiredToken {})
    }

    /// The operation that the request starts stays in progress for ever, also after
    /// [`Emulator::finish_operations`](super::Emulator::finish_operations).
    pub fn never_ending_operation() -> Self {
        Self::of(Kind::NeverEndingOperation {})
    }

    /// The URLs at which to follow the operation that the request starts are replaced by this one.
    pub fn foreign_polling_url(url: impl Into<String>) -> Self {
        Self::of(Kind::ForeignPollingUrl { url: url.into() })
    }

    /// A GET of an absent compute answers 404, and right after it another client's compute of that
    /// name exists: one ready DevTest node of `Standard_D2_v2`.
    pub fn compute_appears() -> Self {
        Self::of(Kind::ComputeAppears {})
    }

    /// The operation that the request starts ends Failed with this error.
    pub fn operation_fails(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::of(Kind::OperationFails {
            code: code.into(),
            message: message.into(),
        })
    }

    /// The status of the operation on an AKS cluster or node pool that the request starts shows this error
    /// while it is in progress and when it has succeeded, as the service was recorded to do.
    pub fn error_beside_status(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::of(Kind::ErrorBesideStatus {
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
    pub(crate) fn from_json(mut value: Value) -> Result<Self, ArmError> {
        #[derive(Default, Deserialize)]
        struct Limits {
            method: Option<String>,
            path: Option<String>,
            after: Option<u32>,
            times: Option<u32>,
        }
        let wrong = |error| ArmError::bad_request(format!("The fault is not valid: {error}."));
        let limits = Limits::deserialize(&value).map_err(wrong)?;
        if let Some(map) = value.as_object_mut() {
            map.retain(|key, _| !["method", "path", "after", "times"].contains(&key.as_str()));
        }
        Ok(Self {
            kind: serde_json::from_value(value).map_err(wrong)?,
            method: limits.method.map(|method| method.to_ascii_uppercase()),
            path: limits.path.map(|path| path.to_ascii_lowercase()),
            skip: limits.after.unwrap_or(0),
            times: limits.times,
        })
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
            Self::Throttled { .. }
                | Self::ServerError { .. }
                | Self::ConnectionDropped {}
                | Self::HtmlError {}
                | Self::ExpiredToken {}
                | Self::ResponseOverride { .. }
        )
    }

    /// Whether it acts on the finished answer.
    pub(crate) fn acts_after(&self) -> bool {
        matches!(self, Self::ResponseLost {} | Self::TruncatedBody {})
    }

    /// The answer of a fault that acts before; `refusal` gives a refusal the shape of the host that
    /// was asked.
    pub(crate) fn answer(self, refusal: impl FnOnce(ArmError) -> Answer) -> Answer {
        match self {
            Self::Throttled { retry_after } => refusal(ArmError::front_door(
                429,
                "TooManyRequests",
                "The request is being throttled.",
            ))
            .with("Retry-After", retry_after.to_string()),
            Self::ServerError { status } => refusal(ArmError::front_door(
                status,
                match status {
                    503 => "ServiceUnavailable",
                    504 => "GatewayTimeout",
                    502 => "BadGateway",
                    _ => "InternalServerError",
                },
                "The server could not complete the request.",
            )),
            Self::HtmlError {} => Answer::raw(
                502,
                "text/html",
                "<html><head><title>502 Bad Gateway</title></head>\
                 <body><h1>502 Bad Gateway</h1></body></html>",
            ),
            Self::ExpiredToken {} => refusal(ArmError::front_door(
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
                answer.headers = headers.into_iter().collect();
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
    ArmError::front_door(
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

pub(crate) fn unsupported_version(version: &str, offer: &Kubernetes) -> ArmError {
    ArmError::new(
        400,
        "UnsupportedKubernetesVersion",
        format!(
            "The Kubernetes version {version} of the cluster is not supported. Supported versions \
             are: {}.",
            offer.attachable_list()
        ),
    )
}
