//! `/api/v1/service/{name}/…`: what the router before a service's replicas lets in, and the answer of
//! what stands behind it.

use std::time::Duration;

use crate::emulator::error::ArmError;
use crate::emulator::http::{Answer, Incoming};
use crate::emulator::journal::headers;
use crate::emulator::routes::{get_only, not_allowed, unsupported_route};
use crate::emulator::services::{Scorer, ScoringRequest};
use crate::emulator::state::State;

pub(crate) enum Begun {
    Answered(Answer),
    Calls(Call),
}

/// A scoring request on its way.
pub(crate) struct Call {
    scorer: Scorer,
    request: ScoringRequest,
    timeout: Duration,
}

impl Call {
    /// Waits for what scores, but not longer than the service does.
    pub(crate) async fn answer(self) -> Answer {
        match tokio::time::timeout(self.timeout, self.scorer.call(self.request)).await {
            Ok(response) => {
                let mut answer =
                    Answer::raw(response.status, &response.content_type, response.body);
                answer.headers.extend(response.headers);
                answer
            }
            Err(_) => Answer::raw(
                504,
                "text/plain; charset=utf-8",
                format!(
                    "The service did not answer within {} ms.",
                    self.timeout.as_millis()
                ),
            ),
        }
    }
}

/// Lets a request in, or refuses it. What scores is called later, outside of the lock.
pub(crate) fn begin(
    state: &State,
    request: &Incoming,
    segments: &[String],
) -> Result<Begun, ArmError> {
    let lower: Vec<String> = segments.iter().map(|s| s.to_ascii_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let (name, last) = match lower[..] {
        [
            "api",
            "v1",
            "service",
            name,
            last @ ("score" | "swagger.json"),
        ] => (name, last),
        _ => return Err(unsupported_route(request)),
    };
    let service = state
        .services
        .get(name)
        .ok_or_else(|| ArmError::new(404, "NotFound", format!("There is no service '{name}'.")))?;
    let bearer = request
        .headers
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer"))
        .map(|(_, value)| value.trim());
    if !service.admits(bearer, state.time.now()) {
        return Err(ArmError::new(
            401,
            "Unauthorized",
            "The request has no credential that this service takes.",
        ));
    }
    if !service.serves() {
        return Err(ArmError::new(
            503,
            "ServiceUnavailable",
            format!("The service '{name}' has no replicas that answer."),
        ));
    }
    if last == "swagger.json" {
        get_only(request)?;
        let document = state.services.swagger.get(name).ok_or_else(|| {
            ArmError::new(404, "NotFound", "The entry script declares no schema.")
        })?;
        return Ok(Begun::Answered(Answer::json(200, document)));
    }
    if request.method != "POST" {
        return Err(not_allowed(request));
    }
    Ok(Begun::Calls(Call {
        scorer: state.services.scorer.clone(),
        request: ScoringRequest {
            service: service.name.clone(),
            query: request.query.clone(),
            headers: headers(request),
            body: request.body.to_vec(),
        },
        timeout: service.scoring_timeout(),
    }))
}
