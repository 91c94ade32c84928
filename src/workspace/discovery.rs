//! Where the services of a workspace are: never built by hand, for a workspace behind a private link
//! has hosts of its own.

use super::Workspace;
use crate::error::{Error, ErrorKind, redact_url};
use crate::names::WorkspaceId;
use crate::transport::{
    Cloud, HttpRequest, Limit, Sending, ServiceClient, Settings, TrustedOrigins,
};
use serde_json::{Map, Value};
use std::sync::Arc;
use tokio::sync::OnceCell;
use url::Url;

/// What the hosts of a workspace are reached with, and what is known of them.
#[derive(Debug)]
pub(super) struct Hosts {
    settings: Settings,
    cloud: Cloud,
    own_transport: bool,
    /// Filled by the first use. One handle has one workspace, and one discovery URL.
    found: OnceCell<DataPlane>,
}

impl Hosts {
    pub(super) fn new(settings: Settings, cloud: Cloud, own_transport: bool) -> Self {
        Self {
            settings,
            cloud,
            own_transport,
            found: OnceCell::new(),
        }
    }
}

/// The services beside ARM: pipelines, audience and origins of their own.
#[derive(Debug)]
pub(crate) struct DataPlane {
    client: Arc<ServiceClient>,
    model_management: Url,
    artifacts: Url,
    environments: Url,
    local_stores: bool,
}

impl DataPlane {
    pub(crate) fn client(&self) -> &Arc<ServiceClient> {
        &self.client
    }

    /// Whether a blob store may be on this machine, without TLS.
    pub(crate) fn local_stores(&self) -> bool {
        self.local_stores
    }

    /// `…/modelmanagement/v1.0/subscriptions/…/workspaces/{w}/{segments}`.
    pub(crate) fn model_management(&self, segments: &[&str]) -> Url {
        extended(&self.model_management, segments)
    }

    /// `…/artifact/v2.0/subscriptions/…/workspaces/{w}/artifacts/{segments}`.
    pub(crate) fn artifacts(&self, segments: &[&str]) -> Url {
        extended(&self.artifacts, segments)
    }

    /// `…/environment/v1.0/subscriptions/…/workspaces/{w}/environments/{segments}`.
    pub(crate) fn environments(&self, segments: &[&str]) -> Url {
        extended(&self.environments, segments)
    }

    /// What the discovery document says.
    fn of(document: &Map<String, Value>, id: &WorkspaceId, hosts: &Hosts) -> Result<Self, Error> {
        let [model_management, history, experimentation] = [
            host(document, "modelmanagement")?,
            host(document, "history")?,
            host(document, "experimentation")?,
        ];
        let base = |host: &Url, service: [&str; 2], last: &[&str]| {
            extended(host, &[&service[..], &id.segments(), last].concat())
        };
        let bases = (
            base(&model_management, ["modelmanagement", "v1.0"], &[]),
            base(&history, ["artifact", "v2.0"], &["artifacts"]),
            base(&experimentation, ["environment", "v1.0"], &["environments"]),
        );
        let origins = TrustedOrigins::of([model_management, history, experimentation]);
        Ok(Self {
            client: Arc::new(ServiceClient::new(
                &hosts.settings,
                origins,
                hosts.cloud.workspace_scope(),
            )),
            model_management: bases.0,
            artifacts: bases.1,
            environments: bases.2,
            local_stores: hosts.own_transport || hosts.cloud.is_custom(),
        })
    }
}

impl Workspace {
    /// The services of the workspace, found once.
    ///
    /// Nothing is remembered unless the answers were whole.
    pub(crate) async fn data_plane(&self) -> Result<&DataPlane, Error> {
        let hosts = &self.inner.hosts;
        let found = hosts.found.get_or_try_init(|| async {
            let found = self.found().await?;
            let Some(url) = &found.discovery_url else {
                return Err(Error::new(
                    ErrorKind::Protocol,
                    "the service gave the workspace no discoveryUrl, so its services cannot be found",
                ));
            };
            let url = trusted(url.secret()).ok_or_else(|| {
                Error::new(
                    ErrorKind::UntrustedUrl,
                    "the discoveryUrl of the workspace is not an https URL, and nothing was sent there",
                )
            })?;
            // Microsoft's client sends no token either: whoever knows the URL may read the hosts.
            let origins = TrustedOrigins::new(url.clone());
            let client = ServiceClient::anonymous(&hosts.settings, origins);
            let request = HttpRequest::get(url);
            let id = request.client_request_id.clone();
            let document: Map<String, Value> = client
                .send(&request, Sending::Retried, Limit::RESOURCE, None)
                .await?
                .successful(&id)?
                .json(&id)?;
            DataPlane::of(&document, self.id(), hosts)
        });
        found.await.map_err(|error| {
            error.with_context(|| format!("find the services of workspace {:?}", self.id().name()))
        })
    }

    /// The services of the workspace, if they were found already.
    pub(crate) fn known_data_plane(&self) -> Option<&DataPlane> {
        self.inner.hosts.found.get()
    }

    /// What pipelines of other services can be made of.
    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.hosts.settings
    }

    /// Whether the caller brought a transport, which then serves everything.
    pub(crate) fn has_own_transport(&self) -> bool {
        self.inner.hosts.own_transport
    }
}

/// A URL that a token may follow: https, a host, nobody's name.
fn trusted(text: &str) -> Option<Url> {
    let url = Url::parse(text.trim()).ok()?;
    let bare = url.username().is_empty() && url.password().is_none();
    (url.scheme() == "https" && url.host_str().is_some() && bare).then_some(url)
}

/// A host of the discovery document.
fn host(document: &Map<String, Value>, key: &str) -> Result<Url, Error> {
    let Some(text) = document.get(key).and_then(Value::as_str) else {
        return Err(Error::new(
            ErrorKind::Protocol,
            format!("the discovery document of the workspace names no host for {key:?}"),
        ));
    };
    let mut url = trusted(text).ok_or_else(|| {
        let shown = Url::parse(text).map_or_else(
            |_| "a text that is not a URL".to_owned(),
            |url| redact_url(&url),
        );
        Error::new(
            ErrorKind::UntrustedUrl,
            format!("the discovery document names no https host for {key:?}: {shown}"),
        )
    })?;
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

fn extended(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    // An https URL has path segments.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn hosts_are_taken_as_they_are_named_and_paths_are_put_below_them() {
        let url = host(
            json!({"history": "https://a.example/x/?q=1"})
                .as_object()
                .unwrap(),
            "history",
        )
        .unwrap();
        assert_eq!(
            extended(&url, &["b c", "d:1"]).as_str(),
            "https://a.example/x/b%20c/d:1"
        );
    }

    #[test]
    fn hosts_that_a_token_must_not_follow_are_refused() {
        for (value, kind) in [
            (json!("http://a.example"), ErrorKind::UntrustedUrl),
            (json!("https://user@a.example"), ErrorKind::UntrustedUrl),
            (json!("https://u:s3cr3t@a.example"), ErrorKind::UntrustedUrl),
            (json!("a.example"), ErrorKind::UntrustedUrl),
            (json!(""), ErrorKind::UntrustedUrl),
            (json!(null), ErrorKind::Protocol),
            (json!(7), ErrorKind::Protocol),
        ] {
            let document = json!({"api": value});
            let error = host(document.as_object().unwrap(), "api").unwrap_err();
            assert_eq!(error.kind(), kind, "{value}");
            assert!(!error.to_string().contains("s3cr3t"), "{error}");
        }
        let error = host(&Map::new(), "api").unwrap_err();
        assert!(error.to_string().contains("\"api\""), "{error}");
    }
}
