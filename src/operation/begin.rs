//! From the token of a request and its answer to the operation: what the token holds is not passed again.

use super::prepare::Ticket;
use super::status::Protocol;
use super::step::{Machine, Step};
use crate::error::{Error, ErrorKind};
use crate::token::ResumeToken;
use crate::transport::{Answer, ServiceClient};
use url::Url;

/// Returns the operation that the answer to a request of ARM begins.
///
/// # Errors
///
/// The answer is a refusal, or accepts a POST without saying where its status is.
pub(crate) fn begin(
    client: &ServiceClient,
    token: &ResumeToken,
    answer: &Answer,
) -> Result<(Machine, Step), Error> {
    let parts = token.parts();
    Machine::start(
        parts.method,
        &first_url(token)?,
        token.id(),
        &parts.api_version,
        client.origins(),
        parts.final_state_via,
        answer,
    )
}

/// Returns the operation that the answer to a request of the model management service begins; `operations` is where
/// its status is read.
///
/// # Errors
///
/// The answer is a refusal, or accepts the request without saying which operation it is.
#[cfg(feature = "services")]
pub(crate) fn begin_service(
    client: &ServiceClient,
    token: &ResumeToken,
    operations: &Url,
    answer: &Answer,
) -> Result<(Machine, Step), Error> {
    let parts = token.parts();
    Machine::start_service(
        parts.method,
        &first_url(token)?,
        token.id(),
        client.origins(),
        operations,
        parts.final_state_via.is_some(),
        answer,
    )
}

/// Returns a removal that has nothing to do: the resource is already gone.
///
/// # Errors
///
/// As for [`begin`].
pub(crate) fn done(client: &ServiceClient, token: &ResumeToken) -> Result<(Machine, Step), Error> {
    Ok(Machine::gone(
        Protocol::of(token.parts()),
        &first_url(token)?,
        token.id(),
        &token.parts().api_version,
        client.origins(),
    ))
}

/// Returns a wait for a resource in its present state, or, with a ticket, for a request that left no other trace.
pub(crate) fn watch(
    client: &ServiceClient,
    protocol: Protocol,
    url: &Url,
    api_version: &str,
    ticket: Option<&Ticket>,
    state: Option<&str>,
) -> (Machine, Step) {
    let id = match ticket {
        Some(ticket) => ticket.token.id().to_owned(),
        None => azure_core::Uuid::new_v4().into(),
    };
    Machine::watch(protocol, url, &id, api_version, client.origins(), state)
}

impl Ticket {
    /// Returns a wait for a resource of Resource Manager in its present state, for a request that left no other trace.
    pub(crate) fn watch(
        &self,
        client: &ServiceClient,
        url: &Url,
        state: Option<&str>,
    ) -> (Machine, Step) {
        let api_version = &self.token.parts().api_version;
        watch(client, Protocol::Arm, url, api_version, Some(self), state)
    }
}

fn first_url(token: &ResumeToken) -> Result<Url, Error> {
    Url::parse(&token.parts().initial_uri).map_err(|_| {
        Error::new(
            ErrorKind::ResumeToken,
            "this token cannot be resumed: its URL is malformed",
        )
    })
}
