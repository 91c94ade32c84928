//! The steps of a registration.

use super::body::asset_body;
use super::{Origin, RegisterModel, RunOutput};
use crate::blob::TransferProgress;
use crate::error::{Error, ErrorKind};
use crate::files::blocking;
use crate::model::download::asset_of;
use crate::model::files::LocalFiles;
use crate::model::resource::{
    AssetArtifact, AssetResource, INPUT_SAMPLE, ModelResource, OUTPUT_SAMPLE,
};
use crate::model::{Model, Uploads, artifacts, query};
use crate::names::ModelName;
use crate::transport::{HttpRequest, Sending};
use crate::workspace::DataPlane;
use azure_core::http::Method;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The content that is registered, as far as it is known without the service.
enum Content {
    Files(Arc<LocalFiles>),
    Output(RunOutput),
}

impl Content {
    /// Returns the prefix of the artifacts: `{origin}/{container}/{path}`.
    fn prefix(&self) -> String {
        match self {
            Self::Files(files) => files.prefix(),
            Self::Output(output) => output.prefix(),
        }
    }
}

impl RegisterModel {
    pub(super) async fn run(self) -> Result<Model, Error> {
        let name = self.check()?;
        // Before anything is uploaded.
        self.options.request_id()?;
        // First what needs no service.
        let content = self.content().await?;
        let mut model = self.registered(&name, &content).await?;
        if let Content::Files(files) = &content {
            model.warnings.clone_from(&files.warnings);
        }
        Ok(model)
    }

    async fn registered(&self, name: &ModelName, content: &Content) -> Result<Model, Error> {
        let plane = self.workspace.data_plane().await?;
        let prefix = content.prefix();
        // Before the upload: what is registered is whole, and stays as it is while others read it.
        if let Some(model) = self.found(plane, name, &prefix).await? {
            return Ok(model);
        }
        match content {
            Content::Files(files) => {
                self.upload(plane, files.clone()).await?;
                // And after it, for it may have taken hours.
                if let Some(model) = self.found(plane, name, &prefix).await? {
                    return Ok(model);
                }
            }
            Content::Output(output) => {
                if !artifacts::any_below(plane, &prefix).await? {
                    return Err(Error::new(
                        ErrorKind::File,
                        format!("run {:?} has no output {:?}", output.run_id, output.path),
                    )
                    .with_remedy(
                        "give a path among the run's outputs, such as outputs/model.pkl",
                    ));
                }
            }
        }
        let asset = self
            .make_asset(plane, &prefix)
            .await
            .map_err(nothing_is_registered)?;
        match self.make_model(plane, &asset).await {
            // Whether it arrived is seen in the list.
            Err(error) if error.may_have_worked() && !self.always_new => {
                match self.same(plane, name, &prefix).await {
                    Ok(Some(model)) => Ok(model),
                    _ => Err(error.with_remedy(
                        "the version may have been made; run the registration again, which finds it",
                    )),
                }
            }
            Err(error) if error.may_have_worked() => Err(error.with_remedy(
                "the version may have been made: check the latest one before you run it again, which \
                 always makes a new one",
            )),
            result => result.map_err(nothing_is_registered),
        }
    }

    async fn content(&self) -> Result<Content, Error> {
        match &self.origin {
            Origin::Run(output) => Ok(Content::Output(output.clone())),
            Origin::Path(path) => {
                let path = path.clone();
                let files = blocking(move |wanted| LocalFiles::read(&path, wanted)).await?;
                Ok(Content::Files(Arc::new(files)))
            }
        }
    }

    /// Returns an existing version that need not be made again.
    async fn found(
        &self,
        plane: &DataPlane,
        name: &ModelName,
        prefix: &str,
    ) -> Result<Option<Model>, Error> {
        if self.always_new {
            return Ok(None);
        }
        let found = self.same(plane, name, prefix).await?;
        if let Some(model) = &found {
            tracing::debug!(model = model.id, "the latest version is the same");
        }
        Ok(found)
    }

    async fn upload(&self, plane: &DataPlane, local: Arc<LocalFiles>) -> Result<(), Error> {
        let container = &local.fingerprint;
        let files = local
            .files
            .iter()
            .map(|file| (file.name.clone(), file.source()));
        tracing::debug!(
            files = local.files.len(),
            bytes = local.size(),
            container,
            "upload a model"
        );
        let progress = self.progress.clone();
        let tell = move |transfer: TransferProgress| {
            if let Some(progress) = &progress {
                progress(transfer);
            }
        };
        Uploads::new(&self.workspace, plane, container)
            .send(files.collect(), &tell)
            .await
            .map_err(nothing_is_registered)?;
        blocking(move |_| local.unchanged()).await
    }

    /// Returns the latest version, if it has the same files and was given the same metadata.
    async fn same(
        &self,
        plane: &DataPlane,
        name: &ModelName,
        prefix: &str,
    ) -> Result<Option<Model>, Error> {
        let Some(found) = query::newest(&self.workspace, name).await? else {
            return Ok(None);
        };
        if !self.describes(&found) {
            return Ok(None);
        }
        let asset = match asset_of(
            plane,
            found.url.as_deref(),
            azure_core::Uuid::new_v4().into(),
        )
        .await
        {
            Ok(asset) => asset,
            // Of another origin, or gone: not the same.
            Err(error) if error.is_not_found() || error.kind() == ErrorKind::Protocol => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let same = |artifact: &AssetArtifact| {
            artifact.prefix.as_deref().map(|own| own.trim_matches('/')) == Some(prefix)
        };
        match asset.artifacts.as_slice() {
            [one] if same(one) => Model::found(self.workspace.clone(), found).map(Some),
            _ => Ok(None),
        }
    }

    /// Returns whether a version has the values that this registration would give it. The service may add properties.
    fn describes(&self, found: &ModelResource) -> bool {
        let agrees = |own: &Option<String>, other: &Option<String>| {
            own.is_none() || own.as_deref() == other.as_deref()
        };
        let has = |own: &BTreeMap<String, String>, other: &BTreeMap<String, String>| {
            own.iter()
                .all(|(name, value)| other.get(name) == Some(value))
        };
        let (experiment, run) = self.run_of();
        agrees(&self.description, &found.description)
            && agrees(&self.framework, &found.framework)
            && agrees(&self.framework_version, &found.framework_version)
            && agrees(&experiment, &found.experiment_name)
            && agrees(&run, &found.run_id)
            && has(&self.tags, &found.tags)
            && has(&self.properties, &found.properties)
            && (self.needs.is_none() || self.needs == found.resource_requirements)
            && [
                (INPUT_SAMPLE, &self.samples.input),
                (OUTPUT_SAMPLE, &self.samples.output),
            ]
            .iter()
            .all(|(key, own)| {
                own.is_none() || own.as_deref() == found.other.get(*key).and_then(Value::as_str)
            })
    }

    pub(super) fn run_of(&self) -> (Option<String>, Option<String>) {
        match &self.origin {
            Origin::Path(_) => (None, None),
            Origin::Run(output) => (Some(output.experiment.clone()), Some(output.run_id.clone())),
        }
    }

    async fn make_asset(&self, plane: &DataPlane, prefix: &str) -> Result<String, Error> {
        let url = plane.model_management(&["assets"]);
        let body = asset_body(&self.name, prefix, self.run_of().1.as_deref());
        let request = HttpRequest::new(Method::Post, url).json(&body);
        // Made twice it does no harm: an asset is a note of where files are.
        let asset: AssetResource = plane.client().decoded(&request, Sending::Retried).await?;
        asset.id.filter(|id| !id.is_empty()).ok_or_else(|| {
            Error::new(
                ErrorKind::Protocol,
                "the service gave the asset of the model no id",
            )
        })
    }

    async fn make_model(&self, plane: &DataPlane, asset: &str) -> Result<Model, Error> {
        let url = plane.model_management(&["models"]);
        let request = HttpRequest::new(Method::Post, url)
            .json(&self.model_body(asset))
            .request_id(Some(self.options.request_id()?));
        let resource: ModelResource = plane.client().decoded(&request, Sending::Once).await?;
        Model::found(self.workspace.clone(), resource)
    }
}

/// Says so, unless there is more to say.
fn nothing_is_registered(error: Error) -> Error {
    match error.remedy() {
        Some(_) => error,
        None => error
            .with_remedy("nothing is registered; run it again, and only what is missing is sent"),
    }
}
