//! Where the services of a workspace are: never built by hand, for a workspace behind a private link
//! has hosts of its own.

use super::Workspace;
use crate::error::{Error, ErrorKind, place_of};
use crate::facts::domains;
use crate::names::WorkspaceId;
use crate::transport::{
    Cloud, HttpRequest, Limit, Sending, ServiceClient, Settings, TrustedOrigins,
};
use serde_json::{Map, Value};
use std::sync::Arc;
use tokio::sync::OnceCell;
use url::{Host, Url};

/// The clients for the hosts of a workspace, and the hosts that are known.
#[derive(Debug)]
pub(super) struct Hosts {
    settings: Settings,
    cloud: Cloud,
    /// Those of the cloud and of the caller; with none, any host is taken.
    domains: Vec<String>,
    own_transport: bool,
    /// Filled by the first use. One handle has one workspace, and one discovery URL.
    found: OnceCell<DataPlane>,
}

impl Hosts {
    pub(super) fn new(
        settings: Settings,
        cloud: Cloud,
        domains: Vec<String>,
        own_transport: bool,
    ) -> Self {
        Self {
            settings,
            cloud,
            domains,
            own_transport,
            found: OnceCell::new(),
        }
    }

    /// Whether a token may go to a host that the workspace names, so that who changes the workspace's answers
    /// has to own one of Azure's hosts, too.
    fn check(&self, url: &Url, who: &str) -> Result<(), Error> {
        let host = url.host_str().unwrap_or_default();
        let below = |domain: &String| {
            let rest = host.strip_suffix(domain.as_str())?;
            (rest.is_empty() || rest.ends_with('.')).then_some(rest)
        };
        // What a caller names is the caller's own decision.
        let known = self.cloud.domains().len();
        let is_trusted = |(at, domain): (usize, &String)| {
            let rest = below(domain);
            rest.is_some_and(|rest| at >= known || !is_of_customers(rest))
        };
        if self.domains.is_empty()
            || self.cloud.endpoint().host_str() == Some(host)
            || self.domains.iter().enumerate().any(is_trusted)
        {
            return Ok(());
        }
        let domains = self.domains.join(", ");
        Err(Error::new(
            ErrorKind::UntrustedUrl,
            format!("{who} names a host outside {domains}, and nothing was sent there: {host}"),
        )
        .with_remedy("if the host is right, call `trusted_domain` of the builder of the workspace"))
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

    /// The members of the discovery document.
    fn of(document: &Map<String, Value>, id: &WorkspaceId, hosts: &Hosts) -> Result<Self, Error> {
        let [model_management, history, experimentation] = [
            host(document, "modelmanagement")?,
            host(document, "history")?,
            host(document, "experimentation")?,
        ];
        for host in [&model_management, &history, &experimentation] {
            hosts.check(host, "the discovery document")?;
        }
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
            hosts.check(&url, "the discoveryUrl of the workspace")?;
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

    /// The parts for pipelines of other services.
    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.hosts.settings
    }

    /// Whether the caller brought a transport, which then serves everything.
    pub(crate) fn has_own_transport(&self) -> bool {
        self.inner.hosts.own_transport
    }
}

/// The domains of a cloud, and the caller's own.
pub(super) fn domains(cloud: &Cloud, own: &[String]) -> Result<Vec<String>, Error> {
    let known = cloud
        .domains()
        .iter()
        .map(|domain| Ok((*domain).to_owned()));
    let own = own.iter().map(|domain| match Host::parse(domain.trim()) {
        Ok(Host::Domain(domain)) => Ok(domain),
        _ => Err(Error::new(
            ErrorKind::Configuration,
            format!("the trusted domain {domain:?} is not a valid domain"),
        )),
    });
    known.chain(own).collect()
}

/// Returns whether a host is one on which customers run code, by what stands in it before the domain.
fn is_of_customers(before: &str) -> bool {
    before
        .split('.')
        .any(|part| domains::OF_CUSTOMERS.contains(&part))
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
            |url| place_of(&url),
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
    use crate::transport::{DefaultClient, default_transport};
    use crate::workspace::WorkspaceBuilder;
    use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
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

    #[derive(Debug)]
    struct Never;

    #[async_trait::async_trait]
    impl TokenCredential for Never {
        async fn get_token(
            &self,
            _scopes: &[&str],
            _options: Option<TokenRequestOptions<'_>>,
        ) -> azure_core::Result<AccessToken> {
            unreachable!("nothing is sent")
        }
    }

    fn workspace(change: impl FnOnce(WorkspaceBuilder) -> WorkspaceBuilder) -> Workspace {
        let builder = Workspace::builder("s", "g", "w").credential(Arc::new(Never));
        change(builder).build().unwrap()
    }

    #[test]
    fn hosts_have_to_be_in_the_domains_of_their_cloud_or_of_the_caller() {
        let custom = || Cloud::custom("https://arm.example", "https://a").unwrap();
        let public = workspace(|builder| builder);
        let own = workspace(|builder| builder.trusted_domain(" Own.Example "));
        let instances =
            workspace(|builder| builder.trusted_domain("westeurope.instances.azureml.ms"));
        let china = workspace(|builder| builder.cloud(Cloud::china()));
        let us = workspace(|builder| builder.cloud(Cloud::us_government()));
        let any = workspace(|builder| builder.cloud(custom()));
        let held = workspace(|builder| builder.cloud(custom()).trusted_domain("own.example"));
        for (workspace, host, good) in [
            (&public, "westeurope.api.azureml.ms", true),
            (&public, "westeurope.experiments.azureml.net", true),
            (&public, "westeurope.aether.ms", true),
            (&public, "mine.westeurope.instances.azureml.ms", false),
            (&public, "mine-8080.westeurope.instances.azureml.ms", false),
            (&public, "instances.azureml.ms", false),
            (&public, "MINE.westeurope.INSTANCES.azureml.ms", false),
            (&public, "myinstances.azureml.ms", true),
            (&us, "mine.usgovvirginia.inference.ml.azure.us", false),
            (&china, "mine.chinaeast2.inference.ml.azure.cn", false),
            (&instances, "mine.westeurope.instances.azureml.ms", true),
            (&instances, "mine.northeurope.instances.azureml.ms", false),
            (&public, "management.azure.com", true),
            (&public, "x.management.azure.com", false),
            (&public, "evilazureml.ms", false),
            (&public, "azureml.ms.evil.example", false),
            (&public, "x.api.ml.azure.us", false),
            (&us, "usgovvirginia.api.ml.azure.us", true),
            (&us, "westeurope.api.azureml.ms", false),
            (&china, "chinaeast2.api.ml.azure.cn", true),
            (&own, "own.example", true),
            (&own, "a.own.example", true),
            (&own, "westeurope.api.azureml.ms", true),
            (&own, "other.example", false),
            (&any, "other.example", true),
            (&held, "a.own.example", true),
            (&held, "arm.example", true),
            (&held, "other.example", false),
        ] {
            let url = Url::parse(&format!("https://{host}/x")).unwrap();
            let checked = workspace.inner.hosts.check(&url, "it");
            assert_eq!(checked.is_ok(), good, "{host}");
        }
        for domain in ["", "127.0.0.1", "a b", "https://a.example"] {
            let builder = Workspace::builder("s", "g", "w").credential(Arc::new(Never));
            let error = builder.trusted_domain(domain).build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{domain}");
        }
    }

    #[test]
    fn local_blob_stores_are_for_custom_clouds_and_transports_of_the_caller() {
        let custom = Cloud::custom("https://arm.example", "https://a").unwrap();
        let china = workspace(|builder| builder.cloud(Cloud::china()).trusted_domain("azureml.ms"));
        let transport = default_transport(&DefaultClient::default()).unwrap();
        for (workspace, local) in [
            (workspace(|builder| builder), false),
            (china, false),
            (workspace(|builder| builder.cloud(custom)), true),
            (workspace(|builder| builder.transport(transport)), true),
        ] {
            let host = "https://a.azureml.ms";
            let document =
                json!({ "modelmanagement": host, "history": host, "experimentation": host });
            let document = document.as_object().unwrap();
            let plane = DataPlane::of(document, workspace.id(), &workspace.inner.hosts).unwrap();
            assert_eq!(plane.local_stores(), local);
        }
    }
}
