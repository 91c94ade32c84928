//! A verb between "prepared" and "sent".

use crate::error::{Error, ErrorKind, OperationFacts};
use crate::token::ResumeToken;
use crate::transport::{Answer, HttpRequest, Limit, Sending, ServiceClient};
use futures::future::BoxFuture;
use std::fmt;
use std::time::Duration;

/// A verb that is ready to be sent, with its resume token.
///
/// The token exists before any byte is sent: store it first, and nothing is lost whatever happens
/// after. [`Workspace::resume`](crate::Workspace::resume) then finds out whether the request arrived;
/// for web services `AksWebservice::resume` does.
///
/// Dropping this value sends nothing.
#[must_use = "nothing is sent before `send` is called"]
pub struct Prepared<T> {
    /// What it is about, for people: `compute "myaks"`.
    target: String,
    token: ResumeToken,
    work: Work<T>,
}

type Work<T> = Box<dyn FnOnce(ResumeToken) -> BoxFuture<'static, Result<T, Error>> + Send + Sync>;

impl<T> Prepared<T> {
    pub(crate) fn new(
        target: String,
        token: ResumeToken,
        work: impl FnOnce(ResumeToken) -> BoxFuture<'static, Result<T, Error>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            target,
            token,
            work: Box::new(work),
        }
    }

    /// What finds out in another process what became of the verb.
    #[must_use]
    pub fn token(&self) -> &ResumeToken {
        &self.token
    }

    /// Sends the verb; see the verb itself for what that is.
    ///
    /// # Errors
    ///
    /// Those of the verb. Where it is not known whether the request arrived, the error carries a
    /// [`resume_token`](Error::resume_token).
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is done, the request may or may not have arrived: resume
    /// [`token`](Self::token) to find out.
    pub async fn send(self) -> Result<T, Error> {
        let verb = self.token.verb();
        let target = self.target;
        let result = (self.work)(self.token).await;
        result.map_err(|error| error.with_context(|| format!("{verb} {target}")))
    }
}

impl<T> fmt::Debug for Prepared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("verb", &self.token.verb())
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

/// Sends the one request that changes something. Never twice: see [`uncertain`].
pub(crate) async fn write(
    client: &ServiceClient,
    request: HttpRequest,
    token: &ResumeToken,
) -> Result<Answer, Error> {
    let answer = send(client, request, token).await?;
    if may_have_worked(&answer) {
        let refusal = answer.refusal(&token.parts().client_request_id);
        return Err(uncertain(refusal, token));
    }
    Ok(answer)
}

/// [`write()`], of a request or an answer that holds secrets: texts of a refusal are not shown, be it
/// certain or not.
#[cfg(feature = "services")]
pub(crate) async fn write_secret(
    client: &ServiceClient,
    request: HttpRequest,
    token: &ResumeToken,
) -> Result<Answer, Error> {
    let answer = send(client, request, token).await?;
    let unclear = may_have_worked(&answer);
    answer
        .successful_secret(&token.parts().client_request_id)
        .map_err(|refusal| match unclear {
            true => uncertain(refusal, token),
            false => refusal,
        })
}

async fn send(
    client: &ServiceClient,
    request: HttpRequest,
    token: &ResumeToken,
) -> Result<Answer, Error> {
    let id = token.parts().client_request_id.clone();
    let request = request.request_id(Some(id));
    client
        .send(&request, Sending::Once, Limit::RESOURCE, None)
        .await
        .map_err(|error| match error.kind() {
            // No token, no trust, or our own brake: nothing was sent.
            ErrorKind::Credential | ErrorKind::UntrustedUrl | ErrorKind::Service => error,
            _ => uncertain(error, token),
        })
}

/// Whether the request may have had its effect although it was refused.
fn may_have_worked(answer: &Answer) -> bool {
    answer.status == 408 || answer.status >= 500
}

/// What follows from the answer to such a request. One that was accepted in a way that cannot be
/// understood may run: the error carries the token.
#[cfg(feature = "services")]
pub(crate) fn accepted<T>(begun: Result<T, Error>, token: &ResumeToken) -> Result<T, Error> {
    begun.map_err(|error| match error.kind() {
        ErrorKind::Protocol => uncertain(error, token),
        _ => error,
    })
}

/// The request may have arrived although no good answer came: the error carries the token.
fn uncertain(error: Error, token: &ResumeToken) -> Error {
    error.with_operation(OperationFacts {
        last_status: None,
        elapsed: Duration::ZERO,
        polls: 0,
        token: Some(token.clone()),
    })
}
