//! Reads of the status, at a monitor, a `Location` or the resource.

use super::body::{Body, resource_of, text_of, with_api_version};
use super::{Machine, Mode, Outcome, Phase, Step, Why};
use crate::error::{Error, ErrorKind};
use crate::operation::schedule::Pace;
use crate::operation::status::{
    Protocol, StatusClass, is_operation_shaped, monitor_status, percent,
};
use crate::token::{HttpVerb, MonitorKind};
use crate::transport::Answer;
use serde_json::Value;
use serde_json::value::RawValue;
use std::time::Duration;
use url::Url;

impl Machine {
    pub(super) fn status_read(&mut self, answer: &Answer, elapsed: Duration) -> Step {
        match (answer.status, &self.mode) {
            (200..300, _) => {
                self.recovered();
                self.seen_status = true;
                self.not_found = 0;
            }
            (404 | 410, _) => return self.missing(answer, elapsed),
            (401, _) => {
                return self.lost(
                    ErrorKind::OperationStatusLost,
                    "the service does not accept the credential any more",
                    answer,
                );
            }
            (403, _) => {
                let facts = answer.facts(&self.request_id);
                return match self.mode {
                    Mode::Monitor { .. } => self.probe(Why::Forbidden(facts), answer),
                    Mode::Resource => self.lost(
                        ErrorKind::OperationStatusLost,
                        "the resource may not be read",
                        answer,
                    ),
                };
            }
            // "Exactly the response that a synchronous call would have had": the operation failed.
            (
                400..500,
                Mode::Monitor {
                    kind: MonitorKind::Location,
                    ..
                },
            ) => {
                let facts = answer.facts(&self.request_id);
                return self.end(Outcome::Failed {
                    canceled: false,
                    facts,
                });
            }
            _ => {
                return self.lost(
                    ErrorKind::OperationStatusLost,
                    "the status of the operation cannot be read",
                    answer,
                );
            }
        }
        let adopted = self.adopt_monitor(answer);
        let step = match self.mode {
            Mode::Monitor {
                kind: MonitorKind::ServiceOperation,
                ..
            } => self.service_operation_read(answer),
            Mode::Monitor {
                kind: MonitorKind::Location,
                ..
            } => self.location_read(answer),
            Mode::Monitor { .. } => self.monitor_read(answer),
            Mode::Resource => self.resource_read(answer),
        };
        match adopted {
            // It matters only where the status would be read there.
            Err(error) if matches!(self.phase, Phase::Status) => {
                self.lost(ErrorKind::UntrustedUrl, error.message(), answer)
            }
            _ => step,
        }
    }

    pub(super) fn monitor_read(&mut self, answer: &Answer) -> Step {
        let regular = Pace::Regular {
            hint: answer.retry_after(),
        };
        let document = match (answer.status, Body::status(answer)) {
            (204, _) => {
                return match self.verb {
                    HttpVerb::Delete | HttpVerb::Post => self.succeed(None),
                    _ => self.empty(answer),
                };
            }
            (202, Body::Empty) => return Step::Read(regular),
            (_, Body::Empty) => return self.empty(answer),
            (_, Body::Garbage) => return self.mute(answer, "the answer is not valid JSON"),
            (_, Body::Json(document)) => document.unwrap_or_default(),
        };
        let Some(status) = monitor_status(&document, self.resource.path()) else {
            if answer.status == 202 {
                return Step::Read(regular);
            }
            return self.mute(answer, "the answer has no status");
        };
        let class = StatusClass::of(status);
        // Only an end needs the whole body.
        let body = match class {
            StatusClass::InProgress => Value::Null,
            _ => match Body::read(answer).into_object() {
                Some(body) => body,
                None => return self.mute(answer, "the answer is not valid JSON"),
            },
        };
        self.mute = 0;
        self.note(Some(status), percent(&document));
        match class {
            StatusClass::InProgress => Step::Read(regular),
            StatusClass::Succeeded => self.finish(&body, answer),
            class => self.fail(class, &body, answer),
        }
    }

    pub(super) fn location_read(&mut self, answer: &Answer) -> Step {
        if answer.status == 202 {
            return Step::Read(Pace::Regular {
                hint: answer.retry_after(),
            });
        }
        let body = Body::read(answer);
        match &body {
            Body::Json(json) if is_operation_shaped(json) => self.monitor_read(answer),
            Body::Json(json) => match (self.verb, resource_of(answer)) {
                (HttpVerb::Delete, _) => self.succeed(None),
                (HttpVerb::Post, _) => self.succeed(text_of(json)),
                (HttpVerb::Put | HttpVerb::Patch, Some(resource)) => self.settle(resource, answer),
                (HttpVerb::Put | HttpVerb::Patch, None) => self.fetch(self.resource.clone()),
            },
            Body::Garbage => self.mute(answer, "the answer is not valid JSON"),
            Body::Empty => match self.verb {
                HttpVerb::Put | HttpVerb::Patch => self.fetch(self.resource.clone()),
                HttpVerb::Delete | HttpVerb::Post => self.succeed(None),
            },
        }
    }

    pub(super) fn resource_read(&mut self, answer: &Answer) -> Step {
        if self.protocol == Protocol::ModelManagement {
            return self.service_read(answer);
        }
        let Body::Json(Some(document)) = Body::status(answer) else {
            return self.mute(answer, "the answer is not a resource");
        };
        let state = document.provisioning_state();
        let class = state.map_or(StatusClass::Succeeded, StatusClass::of);
        let resource = match class {
            StatusClass::InProgress => None,
            _ => match resource_of(answer) {
                Some(resource) => Some(resource),
                None => return self.mute(answer, "the answer is not a resource"),
            },
        };
        self.mute = 0;
        self.note(state, percent(&document));
        self.at_resource(class, resource, answer)
    }

    /// The resource was read in place of a monitor, and stands so.
    pub(super) fn at_resource(
        &mut self,
        class: StatusClass,
        resource: Option<Box<RawValue>>,
        answer: &Answer,
    ) -> Step {
        let regular = Pace::Regular {
            hint: answer.retry_after(),
        };
        self.seen_running |= class == StatusClass::InProgress;
        self.judges = false;
        match (self.verb, class) {
            (_, StatusClass::InProgress) => Step::Read(regular),
            // The resource is as it was before the delete, until the service gets to it: also
            // `Failed` may be of old.
            (HttpVerb::Delete, StatusClass::Failed | StatusClass::Canceled)
                if self.seen_running =>
            {
                self.end_with_resource(resource, Some(answer))
            }
            // Its state was not final, and is final again: given up, or made again by another caller.
            (HttpVerb::Delete, StatusClass::Succeeded) if self.seen_running => self.lost(
                ErrorKind::OperationStatusLost,
                "the resource is in a final state again, which does not show how the operation ended",
                answer,
            ),
            (HttpVerb::Delete, _) => Step::Read(regular),
            _ => self.end_with_resource(resource, Some(answer)),
        }
    }
}

/// Finds the URL at which the status is read.
impl Machine {
    /// Returns the best monitor that the headers name: the first one, in ARM's order, that is a URL.
    pub(super) fn find_monitor(
        &mut self,
        base: &Url,
        answer: &Answer,
    ) -> Result<Option<(MonitorKind, Url)>, Error> {
        if let Some(Ok(location)) = self.header_url(MonitorKind::Location, base, answer) {
            self.location = Some(location);
        }
        for kind in [
            MonitorKind::AzureAsyncOperation,
            MonitorKind::OperationLocation,
            MonitorKind::Location,
        ] {
            if let Some(url) = self.header_url(kind, base, answer) {
                return Ok(Some((kind, url?)));
            }
        }
        Ok(None)
    }

    /// A poll may move the monitor; the header that named it is followed, no other.
    pub(super) fn adopt_monitor(&mut self, answer: &Answer) -> Result<(), Error> {
        let Mode::Monitor { kind, url } = &self.mode else {
            return Ok(());
        };
        let kind = *kind;
        if kind == MonitorKind::ServiceOperation {
            return Ok(());
        }
        // Most services name the place again at each poll.
        let stays = answer.header(header_of(kind)) == Some(url.as_str());
        let moved = match stays {
            true => None,
            false => self.header_url(kind, url, answer),
        };
        let location = match kind {
            MonitorKind::Location => None,
            _ => self.header_url(MonitorKind::Location, url, answer),
        };
        if let Some(Ok(location)) = location {
            self.location = Some(location);
        }
        if let Some(new) = moved {
            self.mode = Mode::Monitor { kind, url: new? };
        }
        Ok(())
    }

    pub(super) fn header_url(
        &self,
        kind: MonitorKind,
        base: &Url,
        answer: &Answer,
    ) -> Option<Result<Url, Error>> {
        let url = self
            .origins
            .resolve(base, answer.header(header_of(kind))?)?;
        Some(url.map(|url| with_api_version(url, &self.api_version)))
    }
}

fn header_of(kind: MonitorKind) -> &'static str {
    match kind {
        MonitorKind::AzureAsyncOperation => "azure-asyncoperation",
        MonitorKind::OperationLocation | MonitorKind::ServiceOperation => "operation-location",
        MonitorKind::Location => "location",
    }
}
