//! `/api/v1/service/{name}/…`: what the router before a service's replicas lets in, and the answer of
//! what stands behind it.

use super::{ScoringRequest, Service};
use crate::emulator::call::Call;
use crate::emulator::error::ArmError;
use crate::emulator::http::{Answer, Incoming};
use crate::emulator::journal::headers;
use crate::emulator::routes::Reply;
use crate::emulator::state::State;

/// The service that a request is for, if it lets the request in and answers.
fn admitted<'call>(call: &'call Call<'_>) -> Result<&'call Service, ArmError> {
    let name = call.name("service");
    let service =
        call.state.services.get(name).ok_or_else(|| {
            ArmError::new(404, "NotFound", format!("There is no service '{name}'."))
        })?;
    if !service.admits(call.request.bearer(), call.state.time.now()) {
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
    Ok(service)
}

/// Whether the service is there and takes the credential of this request.
pub(crate) fn admits(state: &State, request: &Incoming, name: &str) -> bool {
    let service = state.services.get(name);
    service.is_some_and(|service| service.admits(request.bearer(), state.time.now()))
}

pub(crate) fn swagger(call: Call<'_>) -> Reply {
    let name = admitted(&call)?.name.to_ascii_lowercase();
    let document =
        call.state.services.swagger.get(&name).ok_or_else(|| {
            ArmError::new(404, "NotFound", "The entry script declares no schema.")
        })?;
    Ok(Answer::json(200, document))
}

/// Lets a request in. What scores is called later, and waited for no longer than the service does.
pub(crate) fn score(call: Call<'_>) -> Reply {
    let service = admitted(&call)?;
    let timeout = service.scoring_timeout();
    let scorer = call.state.services.scorer.clone();
    let request = ScoringRequest {
        service: service.name.clone(),
        query: call.request.query.clone(),
        headers: headers(call.request),
        body: call.request.body.to_vec(),
    };
    Ok(Answer::later(async move {
        match tokio::time::timeout(timeout, scorer.call(request)).await {
            Ok(response) => {
                let mut answer =
                    Answer::raw(response.status, &response.content_type, response.body);
                answer.headers.extend(response.headers);
                answer
            }
            Err(_) => {
                let text = format!(
                    "The service did not answer within {} ms.",
                    timeout.as_millis()
                );
                Answer::raw(504, "text/plain; charset=utf-8", text)
            }
        }
    }))
}
