//! Ends, and the ways there.

use super::body::{Body, failure_facts, resource_of, result_of, with_api_version};
use super::{Machine, Mode, Outcome, Phase, Step};
use crate::error::{ErrorKind, ResponseFacts, ServiceError};
use crate::operation::schedule::Pace;
use crate::operation::status::{Protocol, StatusClass};
use crate::token::{FinalStateVia, HttpVerb};
use crate::transport::Answer;
use crate::transport::limits::failures;
use serde_json::Value;
use serde_json::value::RawValue;
use url::Url;

/// The reason why an operation is over although its resource is there.
const MADE_AGAIN: &str =
    "the resource of the operation was deleted, and another one of its name was created since";

impl Machine {
    /// Handles the success that the monitor reports.
    pub(super) fn finish(&mut self, body: &Value, answer: &Answer) -> Step {
        use HttpVerb::{Delete, Patch, Post, Put};
        match (self.verb, self.final_via) {
            (Delete, _) => return self.succeed(None),
            (Post, Some(FinalStateVia::OriginalUri)) => return self.fetch(self.resource.clone()),
            (Post, Some(FinalStateVia::AzureAsyncOperation)) => {
                return self.succeed(result_of(body));
            }
            (Post, Some(FinalStateVia::Location) | None) | (Put | Patch, _) => {}
        }
        // The service may name the result; it wins over the first URL.
        let named = body.get("resourceLocation").and_then(Value::as_str);
        let named = named.and_then(|text| self.origins.resolve(&self.resource, text));
        let named = match named {
            Some(Err(error)) => {
                return self.end(Outcome::Lost {
                    kind: ErrorKind::UntrustedUrl,
                    why: error.message().to_owned(),
                    facts: ResponseFacts::default(),
                });
            }
            Some(Ok(url)) => Some(with_api_version(url, &self.api_version)),
            None => None,
        };
        // The list has shown the resource already, unless it is another one that is named.
        let listed = named.as_ref().is_none_or(|url| self.is_resource(url));
        if listed && let Some(resource) = self.rows.take_resource() {
            return self.settle(resource, answer);
        }
        let otherwise = match self.verb {
            Post => self.location.clone(),
            _ => Some(self.resource.clone()),
        };
        match named.or(otherwise) {
            Some(url) => self.fetch(url),
            None => self.succeed(result_of(body)),
        }
    }

    /// Handles the failure or cancellation that the monitor reports.
    pub(super) fn fail(&mut self, class: StatusClass, body: &Value, answer: &Answer) -> Step {
        let canceled = class == StatusClass::Canceled;
        let facts = failure_facts(
            ServiceError::find(body, &self.hidden),
            Some(answer),
            &self.request_id,
            &self.hidden,
        );
        if facts.error.is_none()
            && let Some(row) = self.rows.take_resource()
            && let Ok(row) = serde_json::from_str::<Value>(row.get())
            && let error @ Some(_) = ServiceError::of_provisioning(&row, &self.hidden)
        {
            let facts = ResponseFacts { error, ..facts };
            return self.end(Outcome::Failed { canceled, facts });
        }
        // A service tells more of its failure than the operation that made it. Of a new key it knows
        // nothing: what stands there is of an older failure.
        let tells = match self.protocol {
            Protocol::Arm => facts.error.is_none() && self.verb != HttpVerb::Post,
            Protocol::ModelManagement => match self.verb {
                HttpVerb::Delete => false,
                HttpVerb::Post => self.final_via.is_some(),
                HttpVerb::Put | HttpVerb::Patch => true,
            },
        };
        if tells {
            let facts = Box::new(facts);
            self.phase = Phase::Reason { canceled, facts };
            return Step::Read(Pace::Now);
        }
        self.end(Outcome::Failed { canceled, facts })
    }

    /// Ends with what the resource itself shows; with the answer that showed it, unless that was a row of
    /// a list.
    pub(super) fn end_with_resource(
        &mut self,
        text: Option<Box<RawValue>>,
        answer: Option<&Answer>,
    ) -> Step {
        let read = |text: &RawValue| serde_json::from_str::<Value>(text.get()).ok();
        let resource = text.as_deref().and_then(read).unwrap_or_default();
        self.end_as(text, &resource, answer)
    }

    /// [`end_with_resource`](Self::end_with_resource) of one that was read; with its text, which is the result.
    fn end_as(
        &mut self,
        text: Option<Box<RawValue>>,
        resource: &Value,
        answer: Option<&Answer>,
    ) -> Step {
        let protocol = self.protocol;
        if self.is_another(resource) {
            return self.end(Outcome::Lost {
                kind: ErrorKind::Service,
                why: MADE_AGAIN.to_owned(),
                facts: ResponseFacts::default(),
            });
        }
        let state = protocol.state(resource);
        let class = state.map_or(StatusClass::Succeeded, |state| protocol.class(state));
        match class {
            StatusClass::Succeeded | StatusClass::InProgress => self.succeed(text),
            StatusClass::Failed | StatusClass::Canceled => {
                let error = protocol.reason(resource, &self.hidden);
                let facts = failure_facts(error, answer, &self.request_id, &self.hidden);
                self.end(Outcome::Failed {
                    canceled: class == StatusClass::Canceled,
                    facts,
                })
            }
        }
    }

    pub(super) fn fetch(&mut self, url: Url) -> Step {
        self.phase = Phase::Final { url };
        Step::Read(Pace::Now)
    }

    pub(super) fn final_read(&mut self, answer: &Answer, url: Url) -> Step {
        let fetched = matches!(answer.status, 200..300);
        let is_result = self.verb == HttpVerb::Post && self.protocol == Protocol::Arm;
        if is_result && fetched && answer.status != 202 {
            match Body::text(answer) {
                Body::Json(result) => return self.succeed(Some(result)),
                Body::Empty => return self.succeed(None),
                Body::Garbage => {}
            }
        } else if fetched && let Some(resource) = resource_of(answer) {
            return self.settle(resource, answer);
        }
        // Right after the success a 404 may only be a slow replica.
        let passing = fetched || answer.status == 404;
        self.final_reads += 1;
        if passing && self.final_reads < failures::RESULT_READS {
            self.phase = Phase::Final { url };
            return Step::Read(Pace::Backoff {
                failures: self.final_reads,
                hint: answer.retry_after(),
            });
        }
        self.end(Outcome::Unfetched {
            url,
            why: "the operation succeeded, and its result cannot be read".to_owned(),
            facts: answer.facts(&self.request_id),
        })
    }

    /// Decides by the state of the resource: services have reported "succeeded" too early.
    pub(super) fn settle(&mut self, text: Box<RawValue>, answer: &Answer) -> Step {
        let protocol = self.protocol;
        let resource: Value = serde_json::from_str(text.get()).unwrap_or_default();
        let state = protocol.state(&resource);
        if state.map(|state| protocol.class(state)) == Some(StatusClass::InProgress) {
            self.note(state, None);
            self.seen_running = true;
            self.mode = Mode::Resource;
            return Step::Read(Pace::Regular {
                hint: answer.retry_after(),
            });
        }
        self.end_as(Some(text), &resource, Some(answer))
    }

    /// Returns whether a resource is another one than the operation made or changed: the service gave it another
    /// `createdOn`. Nothing is compared with a clock of this machine.
    fn is_another(&self, resource: &Value) -> bool {
        let created = created_on(resource);
        let same = |own: &str, shown: &str| {
            let time = |text: &str| azure_core::time::parse_rfc3339(text).ok();
            own == shown || (time(own).is_some() && time(own) == time(shown))
        };
        matches!((self.created.as_deref(), created), (Some(own), Some(shown)) if !same(own, shown))
    }

    /// Keeps the first `createdOn` that the service gives for the resource.
    pub(super) fn note_created(&mut self, resource: &Value) {
        if self.created.is_none() && self.verb == HttpVerb::Put && self.protocol == Protocol::Arm {
            self.created = created_on(resource).map(Into::into);
        }
    }

    /// Returns whether a URL is that of the resource, in any letter case.
    fn is_resource(&self, url: &Url) -> bool {
        url.path().eq_ignore_ascii_case(self.resource.path())
    }

    pub(super) fn reason_read(
        &mut self,
        answer: &Answer,
        canceled: bool,
        facts: ResponseFacts,
    ) -> Step {
        let body = Body::read(answer);
        let reason = body
            .json()
            .and_then(|resource| self.protocol.reason(resource, &self.hidden));
        let protocol = self.protocol;
        let state = body.json().and_then(|resource| protocol.state(resource));
        let recovered = state.map(|state| protocol.class(state)) == Some(StatusClass::Succeeded);
        let error = match (reason, facts.error) {
            // What stands there may be an older failure: the operation's own details win, and all that it
            // says over what a healthy service still has.
            (_, Some(error)) if !error.details.is_empty() || recovered => Some(error),
            (reason, error) => reason.or(error),
        };
        let error = error.or_else(|| self.status_as_error());
        let error = error.map(|error| error.hiding(&self.hidden));
        self.end(Outcome::Failed {
            canceled,
            facts: ResponseFacts { error, ..facts },
        })
    }
}

/// `properties.createdOn` of a resource.
fn created_on(resource: &Value) -> Option<&str> {
    let created = resource.get("properties")?.get("createdOn")?.as_str()?;
    (!created.trim().is_empty()).then_some(created)
}
