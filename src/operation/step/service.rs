//! Operations of the model management service: `state` in place of `status`, an id in place of a URL,
//! and a log that comes in pieces.

use super::body::{Body, resource_of};
use super::{Machine, Mode, Phase, Step};
use crate::error::{Error, ErrorKind, Hidden, ServiceError, redact};
use crate::operation::schedule::Pace;
use crate::operation::status::{Protocol, StatusClass};
use crate::token::{FinalStateVia, HttpVerb, MonitorKind};
use crate::transport::limits::texts;
use crate::transport::{Answer, TrustedOrigins};
use serde_json::Value;
use url::Url;

/// The log of a service while its operation runs.
#[derive(Debug, Clone, Default)]
pub(super) struct OperationLog {
    /// Characters received so far: the service counts these, not bytes.
    offset: usize,
    /// The last record of the piece before, which the next one may complete.
    partial: String,
    pub(super) lines: Vec<String>,
}

impl OperationLog {
    /// Takes the next piece: records `yyyyMMddHHmmss|text`, separated by `#`. Anything else is skipped.
    fn take(&mut self, piece: &str, hidden: &Hidden) {
        self.offset = self.offset.saturating_add(piece.chars().count());
        // Whole, because a secret may hold what separates records; and each line once more, because a
        // piece may end within a secret.
        let piece = hidden.text(piece);
        let mut records: Vec<&str> = piece.split('#').collect();
        let last = records.pop().unwrap_or_default();
        let mut before = std::mem::take(&mut self.partial);
        // Whether the piece before ended in the middle of a record cannot be seen from itself.
        let first = records.first().copied().unwrap_or(last);
        if text_of(first).is_none() && !first.is_empty() {
            before.push_str(first);
            match records.is_empty() {
                true => {
                    self.partial = before;
                    self.cut();
                    return;
                }
                false => records[0] = "",
            }
        }
        self.line(&before, hidden);
        for record in records {
            self.line(record, hidden);
        }
        last.clone_into(&mut self.partial);
        self.cut();
    }

    /// The last record counts as whole when nothing more comes.
    fn finish(&mut self, hidden: &Hidden) {
        let last = std::mem::take(&mut self.partial);
        self.line(&last, hidden);
    }

    fn line(&mut self, record: &str, hidden: &Hidden) {
        if let Some(text) = text_of(record)
            && self.lines.len() < texts::LOG_LINES
        {
            // Builds and scripts write what they like, signed URLs of their own logs among it.
            let end = text.char_indices().nth(4 * texts::LOG_LINE);
            let text = hidden.text(&text[..end.map_or(text.len(), |(end, _)| end)]);
            let text = redact(&text);
            self.lines
                .push(text.chars().take(texts::LOG_LINE).collect());
        }
    }

    fn cut(&mut self) {
        if let Some((end, _)) = self.partial.char_indices().nth(2 * texts::LOG_LINE) {
            self.partial.truncate(end);
        }
    }
}

/// Returns the text of a record, if it is one.
fn text_of(record: &str) -> Option<&str> {
    let (time, text) = record.split_once('|')?;
    let is_time = time.len() == 14 && time.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.trim();
    (is_time && !text.is_empty()).then_some(text)
}

#[cfg_attr(not(feature = "services"), allow(dead_code))]
impl Machine {
    /// From the answer to a request that changes a service.
    ///
    /// # Arguments
    ///
    /// * `service` - where the service itself is read.
    /// * `operations` - the base of operations; the header's host is not asked.
    /// * `result` - whether the service is the result: not of a new key.
    ///
    /// # Errors
    ///
    /// The answer is a refusal, or accepts the request without saying which operation it is.
    pub(crate) fn start_service(
        verb: HttpVerb,
        service: &Url,
        request_id: &str,
        origins: &TrustedOrigins,
        operations: &Url,
        result: bool,
        answer: &Answer,
    ) -> Result<(Self, Step), Error> {
        if !matches!(answer.status, 200 | 201 | 202 | 204) {
            return Err(answer.refusal(request_id));
        }
        let via = (verb == HttpVerb::Post && result).then_some(FinalStateVia::OriginalUri);
        let mut machine = Self::new(
            Protocol::ModelManagement,
            verb,
            service,
            request_id,
            "",
            origins,
            via,
        )
        .hiding(&answer.hidden);
        let step = match operation_id(answer) {
            Some(id) => {
                let mut url = operations.clone();
                if let Ok(mut path) = url.path_segments_mut() {
                    path.push(&id);
                }
                let kind = MonitorKind::ServiceOperation;
                machine.mode = Mode::Monitor { kind, url };
                Step::Read(Pace::Regular {
                    hint: answer.retry_after(),
                })
            }
            None if answer.status == 202 && verb != HttpVerb::Delete => {
                return Err(Error::new(
                    ErrorKind::Protocol,
                    "the service accepted the request without saying which operation it is",
                )
                .with_response(answer.facts(request_id)));
            }
            None if answer.status == 202 => Step::Read(Pace::Regular {
                hint: answer.retry_after(),
            }),
            None if verb == HttpVerb::Delete || !result => machine.succeed(None),
            None => machine.fetch(machine.resource.clone()),
        };
        Ok((machine, step))
    }

    /// Returns whether there is an operation to follow.
    pub(crate) fn has_monitor(&self) -> bool {
        matches!(self.mode, Mode::Monitor { .. })
    }

    /// Returns the lines of the log that were not reported yet.
    pub(crate) fn log(&self) -> &[String] {
        self.log.as_deref().map_or(&[], |log| &log.lines)
    }

    pub(crate) fn forget_log(&mut self) {
        if let Some(log) = &mut self.log {
            log.lines.clear();
        }
    }

    pub(super) fn service_operation_read(&mut self, answer: &Answer) -> Step {
        let body = match Body::read(answer) {
            Body::Empty => return self.empty(answer),
            body => match body.into_object() {
                Some(body) => body,
                None => return self.mute(answer, "the answer is not a JSON object"),
            },
        };
        let state = body.get("state").and_then(Value::as_str);
        let Some(state) = state.filter(|state| !state.trim().is_empty()) else {
            return self.mute(answer, "the answer has no state");
        };
        self.mute = 0;
        self.note(Some(state), None);
        let class = match state.trim().eq_ignore_ascii_case("timedout") {
            true => StatusClass::Failed,
            false => StatusClass::of(state),
        };
        self.read_log(&body, class.is_terminal());
        match class {
            StatusClass::InProgress => Step::Read(Pace::Regular {
                hint: answer.retry_after(),
            }),
            StatusClass::Succeeded => match (self.verb, self.final_via) {
                (HttpVerb::Delete, _) | (HttpVerb::Post, None) => self.succeed(None),
                _ => self.fetch(self.resource.clone()),
            },
            class => self.fail(class, &body, answer),
        }
    }

    /// Handles a read of the service itself, in place of an operation.
    pub(super) fn service_read(&mut self, answer: &Answer) -> Step {
        let Some(service) = Body::read(answer).into_object() else {
            return self.mute(answer, "the answer is not a service");
        };
        self.mute = 0;
        let state = self.protocol.state(&service);
        let class = state.map_or(StatusClass::InProgress, |state| self.protocol.class(state));
        self.note(state, None);
        self.at_resource(class, resource_of(answer), answer)
    }

    /// Returns the status as the error of a failure without an explanation.
    pub(super) fn status_as_error(&self) -> Option<ServiceError> {
        let code = self
            .status
            .clone()
            .filter(|_| self.protocol == Protocol::ModelManagement)?;
        Some(ServiceError {
            code: Some(code),
            ..ServiceError::default()
        })
    }

    /// Whatever the log holds, the state decides.
    fn read_log(&mut self, body: &Value, last: bool) {
        if let Some(piece) = body.get("streamingOperationLog").and_then(Value::as_str)
            && !piece.is_empty()
        {
            self.log.get_or_insert_default().take(piece, &self.hidden);
        }
        let Some(log) = &mut self.log else { return };
        if last {
            log.finish(&self.hidden);
        }
        if let (Phase::Status, Mode::Monitor { url, .. }) = (&self.phase, &mut self.mode) {
            url.set_query(Some(&format!("offset={}", log.offset)));
        }
    }
}

/// Returns the id of the operation that an answer begins.
fn operation_id(answer: &Answer) -> Option<String> {
    let named = answer.header("operation-location").map(|location| {
        let path = location.split(['?', '#']).next().unwrap_or_default();
        let last = path.trim_end_matches('/').rsplit('/').next();
        let id = last.unwrap_or_default().replace('+', "%2B");
        let decoded = url::form_urlencoded::parse(id.as_bytes()).next();
        decoded.map_or_else(String::new, |(id, _)| id.into_owned())
    });
    // An update may name it in the body.
    let id = named.or_else(|| {
        let body = Body::read(answer).into_object()?;
        Some(body.get("operationId")?.as_str()?.to_owned())
    })?;
    let id = id.trim();
    // A segment that would leave the base is not an id.
    (!id.is_empty() && !matches!(id, "." | "..") && !id.contains('/')).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&str]) -> (Vec<String>, usize) {
        let mut log = OperationLog::default();
        for piece in pieces {
            log.take(piece, &Hidden::default());
        }
        log.finish(&Hidden::default());
        (log.lines, log.offset)
    }

    #[test]
    fn records_are_read_however_they_are_cut_and_garbage_is_passed_over() {
        let expected = ["one", "two \u{e9}", "three"].map(str::to_owned).to_vec();
        for pieces in [
            &["20200101000000|one#20200101000001|two \u{e9}#20200101000002|three"][..],
            &[
                "20200101000000|one#20200101000001|two \u{e9}#",
                "20200101000002|three#",
            ],
            &[
                "20200101000000|one",
                "#20200101000001|two \u{e9}",
                "#20200101000002|three",
            ],
            &[
                "20200101000000|one#202001010",
                "00001|two \u{e9}#2",
                "0200101000002|thr",
                "ee",
            ],
            &[
                "20200101000000|one#",
                "20200101000001|two \u{e9}",
                "20200101000002|three",
            ],
            &["20200101000000|one#bad#|#2020|x#20200101000001|two \u{e9}#20200101000002|three"],
        ] {
            let (found, offset) = lines(pieces);
            assert_eq!(found, expected, "{pieces:?}");
            let characters: usize = pieces.iter().map(|piece| piece.chars().count()).sum();
            assert_eq!(offset, characters, "{pieces:?}");
        }
    }

    #[test]
    fn log_without_an_end_takes_no_memory_without_an_end() {
        let mut log = OperationLog::default();
        for _ in 0..2_000 {
            log.take(
                &format!("20200101000000|{}#", "x".repeat(5_000)),
                &Hidden::default(),
            );
            log.take(&"y".repeat(5_000), &Hidden::default());
        }
        assert_eq!(log.lines.len(), texts::LOG_LINES);
        assert!(log.lines.iter().all(|line| line.len() <= texts::LOG_LINE));
        assert!(log.partial.len() <= 2 * texts::LOG_LINE);
    }

    #[test]
    fn operation_is_its_last_segment_on_whatever_host() {
        let id = |location: &str| {
            operation_id(&Answer::of(202, &[("operation-location", location)], b""))
        };
        for location in [
            "https://other.example/x/operations/a1",
            "https://other.example/x/operations/a1/",
            "https://other.example/x/operations/a1?api-version=1/2",
            "/operations/a1#x",
            "a1",
        ] {
            assert_eq!(id(location).as_deref(), Some("a1"), "{location}");
        }
        for location in ["https://other.example/..", "/", "https://h/a%2Fb", "?x"] {
            assert_eq!(id(location), None, "{location}");
        }
        let body = operation_id(&Answer::of(200, &[], br#"{"operationId":"a2"}"#));
        assert_eq!(body.as_deref(), Some("a2"));
    }
}
