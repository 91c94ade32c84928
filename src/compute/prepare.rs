//! The common parts of the verbs of a compute: tokens, and the request that changes something.

use crate::error::{Error, Hidden};
use crate::names::ComputeName;
use crate::operation;
use crate::operation::request::CallOptions;
use crate::token::{HttpVerb, ResumeToken, TokenResource, Verb};
use crate::transport::{Answer, HttpRequest};
use crate::workspace::Workspace;
use azure_core::http::Method;
use serde_json::Value;
use url::Url;

/// Returns the name of a compute for people.
pub(crate) fn named(name: &ComputeName) -> String {
    format!("compute {:?}", name.as_str())
}

/// Returns the token of a verb on a compute of this kind.
pub(super) fn token(
    workspace: &Workspace,
    (name, kind): (&ComputeName, &str),
    verb: (Verb, HttpVerb),
    url: &Url,
    options: &CallOptions,
) -> Result<ResumeToken, Error> {
    let of = (TokenResource::Compute(kind.to_owned()), name.to_string());
    options.token(workspace.id(), of, verb, url, workspace.api_version())
}

/// Sends the one request that changes something, once: see [`operation::write`].
pub(super) async fn write(
    workspace: &Workspace,
    method: Method,
    url: Url,
    body: Option<&Value>,
    token: &ResumeToken,
    hidden: &Hidden,
) -> Result<Answer, Error> {
    let mut request = HttpRequest::new(method, url).hiding(hidden);
    if let Some(body) = body {
        request = request.json(body);
    }
    operation::write(workspace.client(), request, token).await
}
