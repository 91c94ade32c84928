//! Beginnings of an operation.

use super::body::{Body, resource_of, with_api_version};
use super::rows::Rows;
use super::{Machine, Mode, Phase, Step};
use crate::error::{Error, ErrorKind, Hidden};
use crate::json::StatusDocument;
use crate::operation::schedule::Pace;
use crate::operation::status::{Protocol, StatusClass, percent};
use crate::token::{FinalStateVia, HttpVerb, MonitorKind, TokenParts};
use crate::transport::{Answer, TrustedOrigins};
use url::Url;

impl Machine {
    /// From the service's answer to the first request.
    ///
    /// # Errors
    ///
    /// The answer is a refusal, or accepts a POST without saying where its status is: then there is
    /// no operation to wait for.
    pub(crate) fn start(
        verb: HttpVerb,
        url: &Url,
        request_id: &str,
        api_version: &str,
        origins: &TrustedOrigins,
        final_via: Option<FinalStateVia>,
        answer: &Answer,
    ) -> Result<(Self, Step), Error> {
        if !matches!(answer.status, 200 | 201 | 202 | 204) {
            return Err(answer.refusal(request_id));
        }
        let arm = Protocol::Arm;
        let mut machine = Self::new(arm, verb, url, request_id, api_version, origins, final_via)
            .hiding(&answer.hidden);
        let body = Body::read(answer);
        let resource = body.object();
        let state = resource.and_then(|resource| machine.protocol.state(resource));
        let document = resource.and_then(StatusDocument::of).unwrap_or_default();
        machine.note(state, percent(&document));
        machine.rows.begin(document.modified_on());
        if let Some(resource) = resource {
            machine.note_created(resource);
        }
        let class = state.map(StatusClass::of);
        let hint = answer.retry_after();
        let regular = Pace::Regular { hint };

        let monitor = match machine.find_monitor(url, answer) {
            Ok(monitor) => monitor,
            // What is finished is finished, whatever the header says. Only the answer to a DELETE
            // shows the resource as it was before.
            Err(_) if verb != HttpVerb::Delete && class.is_some_and(StatusClass::is_terminal) => {
                None
            }
            Err(error) => {
                let step = machine.lost(ErrorKind::UntrustedUrl, error.message(), answer);
                return Ok((machine, step));
            }
        };
        if let Some((kind, url)) = monitor {
            // PATCH answers 200 when the change is made, header or not (E3).
            let by_body = verb == HttpVerb::Patch
                && answer.status == 200
                && class.is_none_or(StatusClass::is_terminal);
            if by_body {
                let step = machine.end_with_resource(resource_of(answer), Some(answer));
                return Ok((machine, step));
            }
            machine.mode = Mode::Monitor { kind, url };
            if verb != HttpVerb::Delete
                && class.is_some_and(StatusClass::is_terminal)
                && let Some(resource) = resource_of(answer)
            {
                machine.phase = Phase::Confirm { resource };
                let step = Step::Read(Pace::Now);
                return Ok((machine, step));
            }
            let step = Step::Read(regular);
            return Ok((machine, step));
        }
        use HttpVerb::{Delete, Patch, Post, Put};
        let step = match (answer.status, verb) {
            (202, Post) => {
                return Err(Error::new(
                    ErrorKind::Protocol,
                    "the service accepted the request without saying where its status is",
                )
                .with_response(answer.facts(request_id)));
            }
            (202, _) => Step::Read(regular),
            (_, Delete) => machine.succeed(None),
            (_, Post) => machine.succeed(resource_of(answer)),
            (204, Put | Patch) => machine.fetch(machine.resource.clone()),
            (201, Put | Patch) if class.is_none() => Step::Read(regular),
            (_, Put | Patch) => match class {
                Some(StatusClass::InProgress) => Step::Read(regular),
                _ if resource.is_some() => {
                    machine.end_with_resource(resource_of(answer), Some(answer))
                }
                _ => machine.fetch(machine.resource.clone()),
            },
        };
        Ok((machine, step))
    }

    /// For a resource of which nothing is pending: the first read decides, and is followed by others only
    /// if the state of the resource is not final.
    pub(crate) fn watch(
        protocol: Protocol,
        url: &Url,
        request_id: &str,
        api_version: &str,
        origins: &TrustedOrigins,
        state: Option<&str>,
    ) -> (Self, Step) {
        let verb = HttpVerb::Put;
        let mut machine = Self::new(protocol, verb, url, request_id, api_version, origins, None);
        machine.note(state, None);
        machine.rows.seen_running();
        machine.judges = true;
        let step = Step::Read(Pace::Now);
        (machine, step)
    }

    /// From what another process wrote down.
    ///
    /// # Errors
    ///
    /// A URL of the token is malformed or not trusted.
    pub(crate) fn resume(
        token: &TokenParts,
        origins: &TrustedOrigins,
    ) -> Result<(Self, Step), Error> {
        let url = |text: &str| {
            let url = Url::parse(text).map_err(|_| {
                Error::new(
                    ErrorKind::ResumeToken,
                    "invalid resume token: malformed URL",
                )
            })?;
            origins
                .check(&url)
                .map_err(|error| Error::new(ErrorKind::ResumeToken, error.message().to_owned()))?;
            Ok::<Url, Error>(url)
        };
        let initial = url(&token.initial_uri)?;
        let mut machine = Self::new(
            Protocol::of(token),
            token.method,
            &initial,
            &token.client_request_id,
            &token.api_version,
            origins,
            token.final_state_via,
        );
        machine.status.clone_from(&token.last_status);
        machine.seen_status = token.last_status.is_some();
        machine.created = token.created_on.as_deref().map(Into::into);
        machine.location = token.last_known_location.as_deref().map(url).transpose()?;
        if let Some(next) = &token.next_request_uri {
            let kind = token.monitor.unwrap_or(MonitorKind::AzureAsyncOperation);
            machine.mode = Mode::Monitor {
                kind,
                url: url(next)?,
            };
        } else {
            let class = |state| machine.protocol.class(state);
            let state = token.last_status.as_deref().map(class);
            machine.seen_running = state == Some(StatusClass::InProgress);
        }
        let step = Step::Read(Pace::Now);
        Ok((machine, step))
    }

    /// Over before it began: what was to go is gone.
    pub(crate) fn gone(
        protocol: Protocol,
        url: &Url,
        request_id: &str,
        api_version: &str,
        origins: &TrustedOrigins,
    ) -> (Self, Step) {
        let verb = HttpVerb::Delete;
        let mut machine = Self::new(protocol, verb, url, request_id, api_version, origins, None);
        let step = machine.succeed(None);
        (machine, step)
    }

    pub(super) fn new(
        protocol: Protocol,
        verb: HttpVerb,
        url: &Url,
        request_id: &str,
        api_version: &str,
        origins: &TrustedOrigins,
        final_via: Option<FinalStateVia>,
    ) -> Self {
        let mut resource = url.clone();
        // Of model management the path has the version, and the query says how much is shown.
        if protocol == Protocol::Arm {
            // The first URL may carry more, such as `underlyingResourceAction` of a DELETE.
            resource.set_query(None);
            resource = with_api_version(resource, api_version);
        }
        Self {
            verb,
            protocol,
            request_id: request_id.to_owned(),
            resource,
            api_version: api_version.to_owned(),
            origins: origins.clone(),
            final_via,
            mode: Mode::Resource,
            phase: Phase::Status,
            location: None,
            status: None,
            percent: None,
            last_error: None,
            seen_status: false,
            seen_running: false,
            mute: 0,
            not_found: 0,
            failures: 0,
            failing_since: None,
            final_reads: 0,
            rows: Rows::default(),
            judges: false,
            hidden: Hidden::default(),
            created: None,
            log: None,
        }
    }
}
