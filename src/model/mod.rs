//! Models of the workspace: register, read, delete, download.

mod artifacts;
mod content;
mod download;
mod files;
mod metadata;
mod query;
mod register;
mod remove;
mod resource;
mod update;

pub(crate) use artifacts::{LOCAL_UPLOAD, Uploads};
pub use download::DownloadModel;
pub use query::ModelQuery;
pub(crate) use query::pairs;
pub use register::{RegisterModel, RunOutput};
pub use remove::DeleteModel;
pub use resource::{ModelResource, ResourceNeeds};
pub use update::UpdateModel;

use crate::error::{Error, ErrorKind, Finding};
use crate::names::{ModelName, segment};
use crate::transport::{HttpRequest, List, Sending};
use crate::workspace::{DataPlane, Workspace};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use url::Url;

/// A registered model: a cheap handle with what was last read of it.
///
/// ```
/// # #[cfg(feature = "emulator")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use azureml_aks::{Workspace, emulator::Emulator};
/// # let emulator = Emulator::new();
/// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
/// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
/// # let folder = std::env::temp_dir().join(format!("azureml-aks-model-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("model.pkl");
/// # std::fs::write(&path, "weights")?;
/// use azureml_aks::Model;
///
/// let model = Model::register(&workspace, "mymodel", &path)
///     .tag("area", "digits")
///     .description("Recognises digits")
///     .await?;
/// assert_eq!(model.id(), "mymodel:1");
/// assert_eq!(Model::get(&workspace, "mymodel").await?.id(), "mymodel:1");
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "emulator"))]
/// # fn main() {}
/// ```
#[derive(Clone)]
pub struct Model {
    workspace: Workspace,
    id: String,
    resource: Arc<ModelResource>,
    warnings: Vec<Finding>,
}

impl Model {
    /// Registers a file or a folder of this machine as the next version of a model.
    ///
    /// Returns a request; `.await` sends it. See [`RegisterModel`] for what it sends.
    pub fn register(
        workspace: &Workspace,
        name: impl AsRef<str>,
        path: impl AsRef<Path>,
    ) -> RegisterModel {
        let name = name.as_ref().to_owned();
        RegisterModel::of_path(workspace.clone(), name, path.as_ref().to_owned())
    }

    /// Registers what a run has left among its outputs as the next version of a model: nothing is
    /// uploaded.
    ///
    /// Returns a request; `.await` sends it. See [`RegisterModel`] for what it sends.
    pub fn register_from_run(
        workspace: &Workspace,
        name: impl AsRef<str>,
        output: RunOutput,
    ) -> RegisterModel {
        RegisterModel::of_run(workspace.clone(), name.as_ref().to_owned(), output)
    }

    /// Reads a model: `name:version`, or the latest version where only a name is given.
    ///
    /// Sends: GET of the model; for a bare name GET of the newest of that name.
    ///
    /// # Errors
    ///
    /// [`Error::is_not_found`] if the model does not exist; [`ErrorKind::Validation`] for an invalid model id.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn get(workspace: &Workspace, id: impl AsRef<str>) -> Result<Self, Error> {
        let (name, version) = split(id.as_ref())?;
        let Some(version) = version else {
            return Self::latest(workspace, name.as_str()).await;
        };
        let id = format!("{name}:{version}");
        let read = async {
            let plane = workspace.data_plane().await?;
            let url = model_url(plane, &id);
            let resource = read(plane, url).await?;
            Self::found(workspace.clone(), resource)
        };
        read.await
            .map_err(|error| error.with_context(|| format!("read model {id:?}")))
    }

    /// Reads a model; `None` if it does not exist.
    ///
    /// Sends: as [`get`](Self::get).
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get), but not for a model that is not there.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn get_opt(
        workspace: &Workspace,
        id: impl AsRef<str>,
    ) -> Result<Option<Self>, Error> {
        match Self::get(workspace, id).await {
            Ok(model) => Ok(Some(model)),
            // A workspace or a host that is missing answers 404, too; only they themselves can tell.
            Err(error) if error.is_not_found() => workspace.data_plane().await.map(|_| None),
            Err(error) => Err(error),
        }
    }

    /// Reads the latest version of a model.
    ///
    /// The service is asked for its newest, and the highest version in its answer counts. Python
    /// leaves it to the service's order.
    ///
    /// Sends: GET of the list of models, for one page.
    ///
    /// # Errors
    ///
    /// [`Error::is_not_found`] if no model has that name; [`ErrorKind::Validation`] for a name that
    /// breaks the rules.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn latest(workspace: &Workspace, name: impl AsRef<str>) -> Result<Self, Error> {
        let name = ModelName::new(name.as_ref())?;
        let read = async {
            let found = query::newest(workspace, &name).await?;
            let found = found.ok_or_else(|| {
                Error::new(ErrorKind::Service, "there is no model of that name").with_response(
                    crate::error::ResponseFacts {
                        status: Some(404),
                        ..Default::default()
                    },
                )
            })?;
            Self::found(workspace.clone(), found)
        };
        read.await
            .map_err(|error| error.with_context(|| format!("read model {:?}", name.as_str())))
    }

    /// Lists the models of the workspace that match the query.
    ///
    /// A model that cannot be read is an error item, and the list goes on; an error of a page ends it. The
    /// service's host is looked up, if it is not known yet, when the first item is asked for.
    ///
    /// Sends: a GET of each page, when the models of the page before are used up.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use azureml_aks::{Workspace, emulator::Emulator};
    /// # let emulator = Emulator::new();
    /// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
    /// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
    /// # let folder = std::env::temp_dir().join(format!("azureml-aks-models-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let path = folder.join("model.pkl");
    /// # std::fs::write(&path, "weights")?;
    /// # for name in ["first", "second", "third"] {
    /// #     Model::register(&workspace, name, &path).await?;
    /// # }
    /// # std::fs::remove_dir_all(&folder)?;
    /// use azureml_aks::{Model, ModelQuery};
    /// use futures::TryStreamExt;
    ///
    /// let query = ModelQuery::new().page_size(2);
    /// let mut models = Model::list(&workspace, query.clone());
    /// while let Some(model) = models.try_next().await? {
    ///     println!("{} {:?}", model.name(), model.version());
    /// }
    ///
    /// let mut pages = Model::list(&workspace, query.clone()).into_pages();
    /// let page = pages.try_next().await?.expect("a list has at least one page");
    /// assert_eq!(page.items.len(), 2);
    /// let next = page.continuation.expect("the workspace has three models");
    /// let rest: Vec<Model> = Model::list(&workspace, query)
    ///     .continue_from(&next)
    ///     .try_collect()
    ///     .await?;
    /// assert_eq!(rest[0].id(), "first:1");
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub fn list(workspace: &Workspace, query: ModelQuery) -> List<Self> {
        query::list(workspace.clone(), query)
    }

    /// Returns the id: `name:version`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the name, which all versions have in common.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.resource.name
    }

    /// Returns the version, where the service gave one.
    #[must_use]
    pub fn version(&self) -> Option<u64> {
        self.resource.version
    }

    /// Returns the workspace.
    #[must_use]
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Returns the model as it was last read.
    #[must_use]
    pub fn resource(&self) -> &ModelResource {
        &self.resource
    }

    /// Returns the findings about the registered files of this machine that did not refuse them: links that lead out
    /// of the model's folder, or in a circle in it. Empty on a handle that was read from the service.
    #[must_use]
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// Downloads the files of the model into a folder.
    ///
    /// Returns a request; `.await` sends it. See [`DownloadModel`] for what it sends.
    pub fn download(&self, folder: impl AsRef<Path>) -> DownloadModel {
        DownloadModel::new(self.clone(), folder.as_ref().to_owned())
    }

    /// Deletes this version. One that is gone already is a success. Its files stay in the artifact store,
    /// because other models may share them.
    ///
    /// Returns a request; `.await` sends it.
    ///
    /// Sends: DELETE of the model.
    ///
    /// # Errors
    ///
    /// When it is awaited: [`ErrorKind::Service`] with the service's reason, for example while a service
    /// uses the model.
    ///
    /// # Cancel safety
    ///
    /// If it is dropped after the request was sent, the model may be deleted all the same; sending it again is harmless.
    pub fn delete(&self) -> DeleteModel<'_> {
        DeleteModel::new(self)
    }

    pub(crate) fn found(workspace: Workspace, resource: ModelResource) -> Result<Self, Error> {
        let given = resource.id.as_deref().filter(|id| !id.is_empty());
        let id = match (given, resource.version) {
            (Some(id), _) => id.to_owned(),
            (None, Some(version)) if !resource.name.is_empty() => {
                format!("{}:{version}", resource.name)
            }
            _ => {
                return Err(Error::new(
                    ErrorKind::Protocol,
                    "the service gave a model without an id",
                ));
            }
        };
        if segment("id", &id).is_some() {
            return Err(Error::new(
                ErrorKind::Protocol,
                "the service gave a model an id that would change the path of a request",
            ));
        }
        Ok(Self {
            workspace,
            id,
            resource: Arc::new(resource),
            warnings: Vec::new(),
        })
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("id", &self.id)
            .field("workspace", &self.workspace.id().name())
            .finish_non_exhaustive()
    }
}

/// Name and version of `name:version`.
fn split(id: &str) -> Result<(ModelName, Option<u64>), Error> {
    let Some((name, version)) = id.rsplit_once(':') else {
        return Ok((ModelName::new(id)?, None));
    };
    let number = version.parse().ok().filter(|_| !version.starts_with('+'));
    let version = number.ok_or_else(|| {
        let finding = crate::rules::MODEL_VERSION.finding(
            "model",
            Some(id),
            "the text after the colon is not a version",
            "write name:version, for example \"mymodel:1\"",
        );
        Error::validation("model id", vec![finding])
    })?;
    Ok((ModelName::new(name)?, Some(version)))
}

/// The colon of an id is sent escaped, as Microsoft's client does.
fn model_url(plane: &DataPlane, id: &str) -> Url {
    let mut url = plane.model_management(&["models", id]);
    let path = url.path();
    if let Some((folder, id)) = path.rsplit_once('/') {
        let path = format!("{folder}/{}", id.replace(':', "%3A"));
        url.set_path(&path);
    }
    url
}

async fn read(plane: &DataPlane, url: Url) -> Result<ModelResource, Error> {
    let request = HttpRequest::get(url);
    plane.client().decoded(&request, Sending::Retried).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_a_name_and_perhaps_a_version() {
        let read = |id: &str| split(id).map(|(name, version)| (name.to_string(), version));
        assert_eq!(read("mymodel").unwrap(), ("mymodel".into(), None));
        assert_eq!(read("my.model:12").unwrap(), ("my.model".into(), Some(12)));
        for id in [
            "", ":1", "m:", "m:x", "m:-1", "m:+1", "a/b:1", "../x", "m:1:2",
        ] {
            let error = read(id).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Validation, "{id:?}");
        }
    }
}
