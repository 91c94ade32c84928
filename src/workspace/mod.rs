//! The workspace: what every call goes through.

mod builder;
mod config_file;
#[cfg(feature = "services")]
mod discovery;
#[cfg(feature = "identity")]
mod identity;
mod kept;
mod resource;

pub use builder::WorkspaceBuilder;
#[cfg(feature = "services")]
pub(crate) use discovery::DataPlane;

use self::resource::WorkspaceResource;
use crate::error::{Error, ErrorKind};
use crate::names::{ComputeName, WorkspaceId};
use crate::transport::{HttpRequest, Limit, Sending, ServiceClient};
#[cfg(feature = "services")]
use azure_core::credentials::Secret;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::OnceCell;
use url::Url;

/// An Azure Machine Learning workspace.
///
/// A cheap handle: clones share connections, the token and the throttle. Making one does no I/O.
/// Handles are equal, and hash alike, where the id of the workspace and the endpoint are the same.
///
/// ```
/// # #[cfg(feature = "emulator")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), azureml_aks::Error> {
/// use azureml_aks::{Workspace, emulator::Emulator};
///
/// let emulator = Emulator::new();
/// let workspace = Workspace::builder(
///     emulator.subscription(),
///     emulator.resource_group(),
///     emulator.workspace(),
/// )
/// .credential(emulator.credential())
/// .transport(emulator.transport())
/// .build()?;
/// assert_eq!(workspace.location().await?, emulator.location());
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "emulator"))]
/// # fn main() {}
/// ```
#[derive(Debug, Clone)]
pub struct Workspace {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    id: WorkspaceId,
    client: Arc<ServiceClient>,
    /// The root of ARM.
    endpoint: Url,
    api_version: String,
    /// The region as the caller gave it.
    preset: Option<String>,
    /// The workspace as the service described it; filled by a read of it.
    found: OnceCell<Found>,
    kept: kept::Kept,
    #[cfg(feature = "services")]
    hosts: discovery::Hosts,
}

/// The parts of the workspace that are kept after a read.
#[derive(Debug)]
struct Found {
    location: String,
    /// Whoever knows it may read the hosts, without a token.
    #[cfg(feature = "services")]
    discovery_url: Option<Secret>,
}

impl Workspace {
    /// Begins a workspace with its coordinates.
    ///
    /// # Arguments
    ///
    /// * `subscription` - the id of the subscription.
    /// * `resource_group` - the name of the resource group.
    /// * `name` - the name of the workspace.
    pub fn builder(
        subscription: impl AsRef<str>,
        resource_group: impl AsRef<str>,
        name: impl AsRef<str>,
    ) -> WorkspaceBuilder {
        let text = |part: &str| part.to_owned();
        WorkspaceBuilder::new(
            text(subscription.as_ref()),
            text(resource_group.as_ref()),
            text(name.as_ref()),
        )
    }

    /// Begins a workspace with the coordinates in a `config.json`, as the portal offers it for
    /// download and the Python SDK writes it.
    ///
    /// `path` is the file, or a folder. Then `.azureml/config.json`, `aml_config/config.json` and
    /// `config.json` are looked for in this order, as the Python SDK does: each in the folder, and
    /// in every folder above it. The older `project.json` is read too.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] if there is no such file, or it lacks `subscription_id`,
    /// `resource_group` or `workspace_name`.
    ///
    /// ```
    /// # let folder = std::env::temp_dir().join(format!("azureml-aks-doc-{}", std::process::id()));
    /// # std::fs::create_dir_all(folder.join(".azureml"))?;
    /// std::fs::write(
    ///     folder.join(".azureml/config.json"),
    ///     r#"{"subscription_id": "s", "resource_group": "g", "workspace_name": "w"}"#,
    /// )?;
    /// let builder = azureml_aks::Workspace::builder_from_config(&folder)?;
    /// # let _ = builder;
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder_from_config(path: impl AsRef<Path>) -> Result<WorkspaceBuilder, Error> {
        let found = config_file::find(path.as_ref())?;
        Ok(Self::builder(
            found.subscription_id,
            found.resource_group,
            found.workspace_name,
        ))
    }

    /// Begins a workspace with the coordinates in the environment: `AZUREML_SUBSCRIPTION_ID`,
    /// `AZUREML_RESOURCE_GROUP` and `AZUREML_WORKSPACE_NAME`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] naming every variable that is missing or empty.
    pub fn builder_from_env() -> Result<WorkspaceBuilder, Error> {
        const NAMES: [&str; 3] = [
            "AZUREML_SUBSCRIPTION_ID",
            "AZUREML_RESOURCE_GROUP",
            "AZUREML_WORKSPACE_NAME",
        ];
        let values = NAMES.map(|name| std::env::var(name).unwrap_or_default().trim().to_owned());
        let missing: Vec<&str> = NAMES
            .into_iter()
            .zip(&values)
            .filter(|(_, value)| value.is_empty())
            .map(|(name, _)| name)
            .collect();
        if !missing.is_empty() {
            return Err(Error::new(
                ErrorKind::Configuration,
                format!("the environment does not set {}", missing.join(", ")),
            ));
        }
        let [subscription, resource_group, name] = values;
        Ok(Self::builder(subscription, resource_group, name))
    }

    /// The coordinates.
    #[must_use]
    pub fn id(&self) -> &WorkspaceId {
        &self.inner.id
    }

    /// The API version that is asked for.
    #[must_use]
    pub fn api_version(&self) -> &str {
        &self.inner.api_version
    }

    /// The region of the workspace: read once, then remembered.
    ///
    /// Sends: GET of the workspace, the first time.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Service`] if the workspace cannot be read; see also
    /// [`Error::is_not_found`] and [`Error::is_forbidden`].
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is remembered unless the answer was whole.
    pub async fn location(&self) -> Result<&str, Error> {
        if let Some(location) = &self.inner.preset {
            return Ok(location);
        }
        self.confirm().await
    }

    /// Reads the workspace, once: it is there, and this is its region.
    pub(crate) async fn confirm(&self) -> Result<&str, Error> {
        Ok(&self.found().await?.location)
    }

    async fn found(&self) -> Result<&Found, Error> {
        let found = self.inner.found.get_or_try_init(|| async {
            let request = HttpRequest::get(self.url_of(&[]));
            let id = request.client_request_id.clone();
            let resource: WorkspaceResource = self
                .inner
                .client
                .send(&request, Sending::Retried, Limit::RESOURCE, None)
                .await?
                .successful(&id)?
                .json(&id)?;
            let location = resource
                .location
                .filter(|location| !location.is_empty())
                .ok_or_else(|| {
                    Error::new(
                        ErrorKind::Protocol,
                        "the workspace in the answer has no location",
                    )
                })?;
            Ok(Found {
                location,
                #[cfg(feature = "services")]
                discovery_url: resource.properties.discovery_url.map(Secret::from),
            })
        });
        found.await.map_err(|error: Error| {
            error.with_context(|| format!("read workspace {:?}", self.inner.id.name()))
        })
    }

    /// The id, and host and port of the endpoint: what tells one workspace from another.
    fn identity(&self) -> (&WorkspaceId, Option<&str>, Option<u16>) {
        let Inner { id, endpoint, .. } = &*self.inner;
        (id, endpoint.host_str(), endpoint.port_or_known_default())
    }

    /// Returns what was read of Azure beside the workspace, and is used again for a while.
    pub(crate) fn kept(&self) -> &kept::Kept {
        &self.inner.kept
    }

    pub(crate) fn client(&self) -> &Arc<ServiceClient> {
        &self.inner.client
    }

    pub(crate) fn compute_url(&self, name: &ComputeName) -> Url {
        self.url_of(&["computes", name.as_str()])
    }

    /// Returns `…/workspaces/{name}/{segments}?api-version=…`.
    pub(crate) fn url_of(&self, segments: &[&str]) -> Url {
        let all = [&self.inner.id.segments()[..], segments].concat();
        self.arm_url(&all, &self.inner.api_version)
    }

    /// Returns the URL of any resource or action of ARM, for a request through [`client`](Self::client): with
    /// the same token, throttle and check of origins as all others.
    ///
    /// # Arguments
    ///
    /// * `segments` - the path from the root of ARM; each is percent-encoded.
    /// * `api_version` - that of the resource provider, from [`facts::arm`](crate::facts::arm).
    pub(crate) fn arm_url(&self, segments: &[&str], api_version: &str) -> Url {
        arm_url(&self.inner.endpoint, segments, api_version)
    }
}

/// Two handles are equal where they lead to the same workspace of the same Azure, whatever their
/// credentials and settings.
impl PartialEq for Workspace {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for Workspace {}

impl Hash for Workspace {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

fn arm_url(endpoint: &Url, segments: &[&str], api_version: &str) -> Url {
    let mut url = endpoint.clone();
    // An https URL has path segments.
    if let Ok(mut path) = url.path_segments_mut() {
        path.clear().extend(segments);
    }
    url.query_pairs_mut()
        .clear()
        .append_pair("api-version", api_version);
    url
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::tests::{script::Script, workspace};

    #[test]
    fn arm_urls_encode_each_segment_and_have_one_version() {
        let workspace = workspace(&Script::new());
        for (segments, version, expected) in [
            (
                &[
                    "subscriptions",
                    "s",
                    "providers",
                    "P.Q",
                    "locations",
                    "a b",
                    "usages",
                ][..],
                "1",
                "/subscriptions/s/providers/P.Q/locations/a%20b/usages?api-version=1",
            ),
            (
                &["a/b", "c?d", "e#f", "g%2fh", "ü"],
                "2-preview",
                "/a%2Fb/c%3Fd/e%23f/g%252fh/%C3%BC?api-version=2-preview",
            ),
            (&["a"], "1&x=2", "/a?api-version=1%26x%3D2"),
            (&[], "1", "/?api-version=1"),
        ] {
            let url = workspace.arm_url(segments, version);
            assert_eq!(
                url.as_str(),
                format!("https://management.azure.com{expected}")
            );
            // Its client sends there.
            workspace.client().origins().check(&url).unwrap();
        }
    }

    #[test]
    fn urls_below_the_workspace_are_arm_urls_of_its_own_version() {
        let workspace = workspace(&Script::new());
        let version = workspace.api_version().to_owned();
        let id = workspace.id().segments();
        let below = [&id[..], &["computes", "a"]].concat();
        assert_eq!(
            workspace.url_of(&["computes", "a"]),
            workspace.arm_url(&below, &version)
        );
        assert_eq!(workspace.url_of(&[]), workspace.arm_url(&id, &version));
        let expected = "https://management.azure.com/subscriptions/s/resourceGroups/g/providers/\
                        Microsoft.MachineLearningServices/workspaces/w/computes/a?api-version=";
        assert_eq!(
            workspace.url_of(&["computes", "a"]).as_str(),
            format!("{expected}{version}")
        );
    }

    #[test]
    fn arm_urls_stand_at_the_root_of_the_endpoint_and_keep_its_port() {
        for endpoint in [
            "https://localhost:8443",
            "https://localhost:8443/",
            // `Cloud::custom` refuses these; should one come all the same, nothing of it is kept.
            "https://localhost:8443/tenant/",
            "https://localhost:8443/?api-version=0",
        ] {
            let url = arm_url(&Url::parse(endpoint).unwrap(), &["a"], "1");
            assert_eq!(url.as_str(), "https://localhost:8443/a?api-version=1");
        }
    }
}
