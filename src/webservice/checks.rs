//! The service's own checks of a request, asked before the request is made.

use crate::error::{Error, Finding, Hidden, ServiceError};
use crate::rules::{self, Findings};
use crate::transport::limits::services::CHECKS;
use crate::transport::{HttpRequest, Limit, Sending};
use crate::workspace::DataPlane;
use azure_core::http::Method;
use futures::future::join_all;
use serde_json::{Value, json};

/// Returns the findings that do not refuse the request, or one error with everything that speaks against
/// the request. With `despite` nothing refuses it: errors become warnings.
pub(super) fn judge(found: Findings, despite: bool) -> Result<Vec<Finding>, Error> {
    let found = match despite {
        true => found.despite_refusals(),
        false => found,
    };
    found.finish("request, as the service checks it,")
}

/// A check: what is checked, where it is asked, and what is sent.
pub(super) struct Check {
    what: &'static str,
    path: Vec<String>,
    body: Value,
}

impl Check {
    /// Makes the check that the name is free.
    pub(super) fn name(name: &str) -> Self {
        Self::new("name", &["name", name], json!({}))
    }

    /// Makes the check that the nodes have the requested resources.
    pub(super) fn resources(body: &Value) -> Self {
        Self::new("resources", &["resource"], body.clone())
    }

    /// Makes the check that a service can be created with this request.
    pub(super) fn create(name: &str, body: &Value) -> Self {
        let body = json!({
            "type": "Create", "serviceName": name, "createRequest": body, "updateRequest": null,
        });
        Self::new("request", &[], body)
    }

    /// Makes the check that a service can be changed with this patch.
    pub(super) fn update(name: &str, patch: &Value) -> Self {
        let body = json!({
            "type": "Update", "serviceName": name, "createRequest": null, "updateRequest": patch,
        });
        Self::new("request", &[], body)
    }

    fn new(what: &'static str, rest: &[&str], body: Value) -> Self {
        let path = ["services", "validate"].iter().chain(rest);
        Self {
            what,
            path: path.map(|&part| part.to_owned()).collect(),
            body,
        }
    }
}

/// Asks all of them at the same time.
///
/// Sends: a POST for each.
pub(super) async fn ask(plane: &DataPlane, checks: &[Check], hidden: &Hidden) -> Findings {
    let answers = join_all(checks.iter().map(|check| one(plane, check, hidden))).await;
    let mut findings = Findings::default();
    for (check, answer) in checks.iter().zip(answers) {
        match answer {
            Ok(None) => {}
            Ok(Some(message)) => findings.refuse(
                rules::DEPLOYMENT_CHECKED,
                check.what,
                None,
                message,
                "correct it, or send the request with `despite_findings`",
            ),
            Err(error) => {
                tracing::debug!(check = check.what, %error, "the service did not make a check");
                findings.unchecked(
                    rules::DEPLOYMENT_NOT_CHECKED,
                    check.what,
                    "the service did not check this in advance",
                    "no action needed: the service checks it when it handles the request",
                );
            }
        }
    }
    findings
}

/// Sends one check, and returns the problem that it reports, in the service's words.
async fn one(plane: &DataPlane, check: &Check, hidden: &Hidden) -> Result<Option<String>, Error> {
    let path: Vec<&str> = check.path.iter().map(String::as_str).collect();
    let request = HttpRequest::new(Method::Post, plane.model_management(&path))
        .json(&check.body)
        .hiding(hidden);
    let id = &request.client_request_id;
    let answer = plane
        .client()
        .send(&request, Sending::Once, Limit::RESOURCE, Some(CHECKS))
        .await?;
    // Problems of the request come with status 200; any other status is a failure of the check.
    let body: Value = answer.successful(id)?.json(id)?;
    let error = body.get("error").filter(|error| !error.is_null());
    let find = |error| ServiceError::find(&json!({ "error": error }), &request.hidden);
    Ok(error.and_then(find).map(|error| error.describe()))
}
