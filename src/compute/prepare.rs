//! A verb between "prepared" and "sent".

use crate::error::{Error, ErrorKind, OperationFacts};
use crate::names::ComputeName;
use crate::token::{HttpVerb, ResumeToken, Verb};
use crate::transport::{Answer, HttpRequest, Limit, Sending};
use crate::workspace::Workspace;
use azure_core::http::Method;
use futures::future::BoxFuture;
use serde_json::Value;
use std::fmt;
use std::time::Duration;
use url::Url;

/// A verb that is ready to be sent, with its resume token.
///
/// The token exists before any byte is sent: store it first, and nothing is lost whatever happens
/// after. [`Workspace::resume`] then finds out whether the request arrived.
///
/// Dropping this value sends nothing.
#[must_use = "nothing is sent before `send` is called"]
pub struct Prepared<T> {
    target: ComputeName,
    token: ResumeToken,
    work: Work<T>,
}

type Work<T> = Box<dyn FnOnce(ResumeToken) -> BoxFuture<'static, Result<T, Error>> + Send + Sync>;

impl<T> Prepared<T> {
    pub(super) fn new(
        target: ComputeName,
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
        result
            .map_err(|error| error.with_context(|| format!("{verb} compute {:?}", target.as_str())))
    }
}

impl<T> fmt::Debug for Prepared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("verb", &self.token.verb())
            .field("target", &self.target.as_str())
            .finish_non_exhaustive()
    }
}

/// The token of a verb on a compute.
pub(super) fn token(workspace: &Workspace, verb: Verb, method: HttpVerb, url: &Url) -> ResumeToken {
    ResumeToken::prepared(
        verb,
        method,
        url.origin().ascii_serialization(),
        url.to_string(),
        workspace.api_version().to_owned(),
        azure_core::Uuid::new_v4().into(),
    )
}

/// Sends the one request that changes something. Never twice: see [`uncertain`].
pub(super) async fn write(
    workspace: &Workspace,
    method: Method,
    url: Url,
    body: Option<&Value>,
    token: &ResumeToken,
) -> Result<Answer, Error> {
    let id = token.parts().client_request_id.clone();
    let mut request = HttpRequest::new(method, url).request_id(Some(id.clone()));
    if let Some(body) = body {
        request = request.json(body);
    }
    let answer = workspace
        .client()
        .send(&request, Sending::Once, Limit::RESOURCE, None)
        .await
        .map_err(|error| match error.kind() {
            // No token, no trust, or our own brake: nothing was sent.
            ErrorKind::Credential | ErrorKind::UntrustedUrl | ErrorKind::Service => error,
            _ => uncertain(error, token),
        })?;
    if answer.status == 408 || answer.status >= 500 {
        return Err(uncertain(answer.refusal(&id), token));
    }
    Ok(answer)
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
