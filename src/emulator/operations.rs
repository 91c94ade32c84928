//! The common part of the operations of all resources: how they end, and where they are followed.

use std::time::Duration;

use azure_core::base64;
use sha2::{Digest as _, Sha256};

use super::call::Call;
use super::faults::Kind;
use super::http::{Answer, Incoming};
use super::state::State;

/// How an operation will end.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Succeeds,
    Fails {
        code: String,
        message: String,
        nested: bool,
    },
    IsCanceled,
}

impl Outcome {
    /// The status of an operation that has ended so.
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Succeeds => Status::Succeeded,
            Self::Fails { .. } => Status::Failed,
            Self::IsCanceled => Status::Canceled,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    InProgress,
    Succeeded,
    Failed,
    Canceled,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Canceled => "Canceled",
        }
    }
}

/// When an operation ends, and how.
#[derive(Clone, Debug)]
pub(crate) struct Fate {
    /// `None`: never.
    pub(crate) due: Option<Duration>,
    pub(crate) outcome: Outcome,
    pub(crate) status: Status,
}

impl Fate {
    /// An operation that begins now and takes so long, unless a fault decides otherwise.
    pub(crate) fn begin(
        state: &mut State,
        request: &Incoming,
        takes: Duration,
        outcome: Outcome,
        is_create: bool,
    ) -> Self {
        let mut fate = Self {
            due: Some(state.time.now().saturating_add(takes)),
            outcome,
            status: Status::InProgress,
        };
        let quota = |kind: &Kind| is_create && matches!(kind, Kind::QuotaExceeded { .. });
        match state.fault(request, |kind| {
            matches!(kind, Kind::OperationFails { .. }) || quota(kind)
        }) {
            Some(Kind::OperationFails { code, message }) => {
                fate.outcome = Outcome::Fails {
                    code,
                    message,
                    nested: false,
                };
            }
            Some(_) => {
                fate.outcome = Outcome::Fails {
                    code: "QuotaExceeded".to_owned(),
                    message:
                        "Operation could not be completed as it results in exceeding approved \
                              Total Regional Cores quota."
                            .to_owned(),
                    nested: false,
                };
            }
            None => {}
        }
        let never = |kind: &Kind| matches!(kind, Kind::NeverEndingOperation { .. });
        if state.fault(request, never).is_some() {
            fate.due = None;
        }
        fate
    }

    /// Makes the end come now, if there is one.
    pub(crate) fn hasten(&mut self, now: Duration) {
        self.due = self.due.map(|due| due.min(now));
    }

    /// When it ends, if it has not ended and the time has come.
    pub(crate) fn is_due(&self, now: Duration) -> Option<Duration> {
        let running = self.status == Status::InProgress;
        self.due.filter(|due| running && *due <= now)
    }
}

/// The URLs of an operation. There is no `Retry-After` unless the builder sets one.
pub(crate) struct Links {
    status: String,
    /// Where its result will be, for the operations that have such a header.
    result: Option<String>,
    hint: Option<Duration>,
}

impl Links {
    /// The URLs of the operation `id` at these paths, signed, or those that a fault puts in their place.
    pub(crate) fn new(call: &mut Call<'_>, id: &str, status: &str, result: Option<&str>) -> Self {
        let request = call.request;
        let foreign = |kind: &Kind| matches!(kind, Kind::ForeignPollingUrl { .. });
        let foreign = match call.state.fault(request, foreign) {
            Some(Kind::ForeignPollingUrl { url }) => Some(url),
            _ => None,
        };
        let signed = |path: &str| {
            let mut url = format!("{}{path}", request.origin);
            if call.config.signed_polling_urls {
                for (key, value) in signature(id) {
                    url.push_str(&format!("&{key}={value}"));
                }
            }
            foreign.clone().unwrap_or(url)
        };
        Self {
            status: signed(status),
            result: result.map(signed),
            hint: call.config.retry_after,
        }
    }

    pub(crate) fn on(self, answer: Answer) -> Answer {
        let answer = answer.with("Azure-AsyncOperation", self.status);
        let answer = match self.result {
            Some(result) => answer.with("Location", result),
            None => answer,
        };
        retry_after(answer, self.hint)
    }
}

pub(crate) fn retry_after(answer: Answer, hint: Option<Duration>) -> Answer {
    match hint {
        Some(hint) => answer.with("Retry-After", hint.as_millis().div_ceil(1000).to_string()),
        None => answer,
    }
}

/// The query parameters that sign a URL.
pub(crate) const SIGNATURE: &[&str] = &["t", "c", "s", "h"];

/// Whether the URL of the operation `id` came back with its signature, if it was given one.
pub(crate) fn is_signed(call: &Call<'_>, id: &str) -> bool {
    let is = |key: &str, value: &str| call.request.parameter(key).as_deref() == Some(value);
    !call.config.signed_polling_urls || signature(id).iter().all(|(key, value)| is(key, value))
}

/// The parameters that Resource Manager appends to a polling URL since 2023: a time, a certificate, a signature and
/// a hash, of the lengths that were seen. They sign nothing, but must come back as they were.
fn signature(id: &str) -> [(&'static str, String); 4] {
    let filler = |name: &str, length: usize| -> String {
        let blocks = (0..).map(|block| Sha256::digest(format!("{id} {name} {block}")));
        let text = blocks.map(|digest| {
            base64::encode_url_safe(digest)
                .trim_end_matches('=')
                .to_owned()
        });
        text.take(length / 43 + 1).collect::<String>()[..length].to_owned()
    };
    let digits: String = id
        .bytes()
        .map(|byte| char::from(b'0' + byte % 10))
        .take(18)
        .collect();
    [
        ("t", digits),
        ("c", filler("c", 2575)),
        ("s", filler("s", 342)),
        ("h", filler("h", 43)),
    ]
}
