//! The part of the data plane that holds artifacts, assets, models and environments, each under a
//! prefix of its own, and the blob store beside it.

use serde_json::{Value, json};

use crate::emulator::artifacts::{self, blobs};
use crate::emulator::error::ArmError;
use crate::emulator::http::{Answer, Incoming, is_blob_path};
use crate::emulator::routes::{Reply, check_scope, unsupported_route};
use crate::emulator::services;
use crate::emulator::state::{Config, State};
use crate::emulator::store;
use crate::emulator::{assets, environments, models};

/// The longest that a name of a model or an environment may be.
const LONGEST_NAME: usize = 255;

/// What a route works with: the data plane has its version in the path.
pub(crate) struct Call<'call> {
    pub(crate) config: &'call Config,
    pub(crate) state: &'call mut State,
    pub(crate) request: &'call Incoming,
}

impl Call<'_> {
    /// Refuses query parameters that the route does not know.
    pub(crate) fn only_parameters(&self, known: &[&str]) -> Result<(), ArmError> {
        match self
            .request
            .parameters()
            .find(|(key, _)| !known.contains(&key.as_str()))
        {
            Some((key, _)) => Err(ArmError::unsupported(format!(
                "The query parameter '{key}' is not supported."
            ))),
            None => Ok(()),
        }
    }

    /// Refuses a patch that does not say that it is one.
    pub(crate) fn is_patch(&self) -> Result<(), ArmError> {
        let kind = self.request.header("content-type").unwrap_or_default();
        if kind.starts_with("application/json-patch+json") {
            return Ok(());
        }
        Err(ArmError::new(
            415,
            "UnsupportedMediaType",
            "A patch must be sent as application/json-patch+json.",
        ))
    }

    /// A whole number from the query.
    pub(crate) fn number(&self, name: &str) -> Result<Option<usize>, ArmError> {
        let Some(text) = self.request.parameter(name) else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| {
            ArmError::bad_request(format!(
                "The query parameter '{name}' is no number: {text}."
            ))
        })
    }

    /// A page of a list: it begins where the parameter `token` says, and has at most `count` items
    /// and never more than the emulator's page size. With it the token of the next page.
    pub(crate) fn page<T>(
        &self,
        items: impl IntoIterator<Item = T>,
        token: &str,
        count: Option<usize>,
    ) -> Result<(Vec<T>, Option<String>), ArmError> {
        if count == Some(0) {
            return Err(ArmError::bad_request("'count' must be at least 1."));
        }
        let size = count.map_or(self.config.page_size, |count| {
            count.min(self.config.page_size)
        });
        let start = self.number(token)?.unwrap_or_default();
        let (page, next) = store::page(items, start, size);
        Ok((page, next.map(|next| next.to_string())))
    }

    /// The URL of this request with another token.
    pub(crate) fn next_link(&self, token: &str, next: &str) -> String {
        let kept = self.request.parameters().filter(|(key, _)| key != token);
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .append_pair(token, next)
            .finish();
        format!("{}{}?{query}", self.request.origin, self.request.path)
    }

    /// The time now, as the service writes it.
    pub(crate) fn now(&self) -> String {
        self.state.time.stamp(self.state.time.now())
    }
}

/// The answer when the path belongs here; `segments` are as they were sent, `lower` in lower case.
pub(crate) fn route(
    config: &Config,
    state: &mut State,
    request: &Incoming,
    segments: &[String],
    lower: &[&str],
) -> Option<Reply> {
    if is_blob_path(&request.path) {
        let path = segments[1..].join("/");
        return Some(Ok(blobs::serve(config, state, request, &path)));
    }
    let (service, version, scope) = match lower {
        [service, version, scope @ ..] => (*service, *version, scope),
        _ => return None,
    };
    let [
        "subscriptions",
        subscription,
        "resourcegroups",
        group,
        "providers",
        "microsoft.machinelearningservices",
        "workspaces",
        workspace,
        rest @ ..,
    ] = scope
    else {
        return None;
    };
    let names = &segments[segments.len() - rest.len()..];
    let in_scope = |config: &Config| -> Result<(), ArmError> {
        if !request.authorized() {
            return Err(ArmError::new(
                401,
                "AuthenticationFailed",
                "Authentication failed. The 'Authorization' header is missing or has no bearer \
                 token.",
            ));
        }
        check_scope(config, subscription, Some(group))?;
        if workspace.eq_ignore_ascii_case(&config.workspace) {
            Ok(())
        } else {
            Err(ArmError::not_found(&format!(
                "Microsoft.MachineLearningServices/workspaces/{workspace}"
            )))
        }
    };
    let call = Call {
        config,
        state,
        request,
    };
    match (service, version, rest) {
        ("artifact", "v2.0", ["artifacts", ..]) => {
            Some(in_scope(config).and_then(|()| artifacts::serve(call, &names[1..])))
        }
        ("modelmanagement", "v1.0", ["assets", ..]) => {
            Some(in_scope(config).and_then(|()| assets::serve(call, &names[1..])))
        }
        ("modelmanagement", "v1.0", ["models", ..]) => {
            Some(in_scope(config).and_then(|()| models::serve(call, &names[1..])))
        }
        ("modelmanagement", "v1.0", ["services", ..]) => {
            Some(in_scope(config).and_then(|()| services::verbs::serve(call, names, rest)))
        }
        ("modelmanagement", "v1.0", ["operations", id]) => {
            Some(in_scope(config).and_then(|()| services::status::status(&call, id)))
        }
        ("environment", "v1.0", ["environments", ..]) => {
            Some(in_scope(config).and_then(|()| environments::serve(call, &names[1..])))
        }
        ("artifact" | "environment" | "modelmanagement", ..) => {
            Some(Err(unsupported_route(request)))
        }
        _ => None,
    }
}

/// A list with the URL of the next page, if there is one.
pub(crate) fn listed(value: Vec<Value>, next_link: Option<String>) -> Answer {
    let mut body = json!({ "value": value });
    if let Some(next_link) = next_link {
        body["nextLink"] = json!(next_link);
    }
    Answer::json(200, &body)
}

/// A name of a model, an asset or an environment: letters, digits, `-`, `_` and `.`, the first one a
/// letter or a digit.
pub(crate) fn check_name(what: &str, name: &str) -> Result<(), ArmError> {
    let fits = (1..=LONGEST_NAME).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if fits {
        return Ok(());
    }
    Err(ArmError::bad_request(format!(
        "The {what} name '{name}' is invalid: it must have 1 to {LONGEST_NAME} letters, digits, \
         dashes, underscores and dots, and begin with a letter or a digit."
    )))
}
