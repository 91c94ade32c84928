//! The meaning of a service's refusal, and its remedy.
//!
//! Statuses as the router of the services gives them: `azure-docs`, "Troubleshoot remote model
//! deployment" (2020-03), "Deploy a model to an Azure Kubernetes Service cluster" (2020-09).

use crate::error::{Error, ErrorKind, Hidden};
use crate::transport::{Answer, Reply};
use url::Url;

pub(super) const CODE: &str = "read the service's container logs for the exception in run(), or for the \
     end of the process (often too little memory); it was raised on this input";

pub(super) const OVERLOADED: &str = "no replica is free: raise the minimum or the maximum of replicas \
     (autoscale_min_replicas, autoscale_max_replicas), or lower the target utilisation \
     (autoscale_target_utilization) so that the service grows earlier";

pub(super) const SLOW: &str = "run() took longer than the service's scoring_timeout (60 seconds by default, 300 at most): \
     make it faster, or update the service with a longer one";

pub(super) const REFUSED: &str = "use the service's present primary or secondary key, or a new token; the kind must be \
     the one that the service has switched on";

pub(super) const ANONYMOUS: &str = "the service requires a key or token: set it with `key`";

pub(super) const REGION: &str = "keys and tokens come from the workspace's region, not from the cluster: try again later, and \
     keep cluster and workspace in one region; a client that is made with a key needs no fetch";

const MISSING: &str =
    "there is no service at this scoring URI: read the URI from the service again";

const PROXY: &str =
    "give the proxy's URL with its user and password to `proxy`, or call without the proxy";

const REDIRECTED: &str = "build the client with the service's current URI";

/// An answer that is not a success.
///
/// # Arguments
///
/// * `secret` - the key or token that was sent, which a service may repeat.
pub(super) fn of(reply: Reply, url: &Url, secret: Option<&str>, client_request_id: &str) -> Error {
    let status = reply.status;
    let hidden = Hidden::of(secret);
    if (300..400).contains(&status) {
        return redirected(&reply, url).hiding(&hidden);
    }
    let answer = Answer {
        hidden,
        ..reply.into_answer()
    };
    let facts = answer.facts(client_request_id);
    let reason = match (&facts.error, &facts.excerpt) {
        (Some(error), _) => error.describe(),
        (None, Some(excerpt)) => excerpt.clone(),
        (None, None) => "it gave no reason".to_owned(),
    };
    let (kind, what, remedy) = match status {
        401 | 403 => (
            ErrorKind::ScoringUnauthorized,
            "the service refuses the caller",
            Some(if secret.is_some() { REFUSED } else { ANONYMOUS }),
        ),
        502 => (
            ErrorKind::ScoringCodeFailed,
            "the service's own code failed",
            Some(CODE),
        ),
        503 => (
            ErrorKind::ScoringOverloaded,
            "the service is overloaded",
            Some(OVERLOADED),
        ),
        504 => (
            ErrorKind::ScoringTimeout,
            "the service ended the request at its scoring timeout",
            Some(SLOW),
        ),
        404 => (
            ErrorKind::Service,
            "the service was not found",
            Some(MISSING),
        ),
        407 => (
            ErrorKind::Service,
            "the proxy refuses the caller, and nothing reached the service",
            Some(PROXY),
        ),
        _ => (ErrorKind::Service, "the service refused the request", None),
    };
    let error = Error::new(kind, format!("{what}: {reason}")).with_foreign_response(facts);
    match remedy {
        Some(remedy) => error.with_remedy(remedy),
        None => error,
    }
}

/// A body that is not JSON of the shape that was asked for, and why.
pub(super) fn unreadable(reply: Reply, why: &serde_json::Error, client_request_id: &str) -> Error {
    let answer = reply.into_answer();
    let error = answer.undecodable(why, client_request_id);
    let line = answer
        .text()
        .split(|byte| *byte == b'\n')
        .nth(why.line().saturating_sub(1));
    // Where a value is missed, or begins with a minus sign.
    let is_number = line.is_some_and(|line| {
        [1, 2, 3].iter().any(|back| {
            let rest = line.get(why.column().saturating_sub(*back)..);
            rest.is_some_and(|rest| rest.starts_with(b"NaN") || rest.starts_with(b"Infinity"))
        })
    });
    // Text that is JSON in itself is what a script gives that dumps its result: a common surprise.
    if serde_json::from_slice::<String>(answer.text()).is_ok() {
        error.with_remedy(
            "the answer is one JSON string: read it as a String, or let run() return the value itself \
             and not its text",
        )
    } else if !why.is_data() && is_number {
        error.with_remedy(
            "the answer has NaN or Infinity, which Python writes and JSON does not have: let run() return null \
             or a text for them",
        )
    } else {
        error
    }
}

/// Only the origin is named: the rest of the target may hold anything.
fn redirected(reply: &Reply, url: &Url) -> Error {
    let target = reply
        .header("location")
        .and_then(|location| url.join(location).ok())
        .filter(Url::has_host)
        .map_or_else(
            || "nowhere".to_owned(),
            |target| target.origin().ascii_serialization(),
        );
    Error::new(
        ErrorKind::UntrustedUrl,
        format!("the service redirects to {target}, and redirects are not followed"),
    )
    .with_foreign_response(crate::error::ResponseFacts {
        status: Some(reply.status),
        ..Default::default()
    })
    .with_remedy(REDIRECTED)
}
