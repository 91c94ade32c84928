//! What the verbs of a compute send, and the tokens of it.

use crate::error::Error;
use crate::names::ComputeName;
use crate::operation;
use crate::token::{HttpVerb, ResumeToken, Verb};
use crate::transport::{Answer, HttpRequest};
use crate::workspace::Workspace;
use azure_core::http::Method;
use serde_json::Value;
use url::Url;

/// A compute, for people.
pub(super) fn named(name: &ComputeName) -> String {
    format!("compute {:?}", name.as_str())
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

/// Sends the one request that changes something. Never twice: see [`operation::write`].
pub(super) async fn write(
    workspace: &Workspace,
    method: Method,
    url: Url,
    body: Option<&Value>,
    token: &ResumeToken,
) -> Result<Answer, Error> {
    let mut request = HttpRequest::new(method, url);
    if let Some(body) = body {
        request = request.json(body);
    }
    operation::write(workspace.client(), request, token).await
}
