//! The content of a service's container: the files that the deployment uploaded, and its models.

use super::Error;
use azureml_aks::emulator::Emulator;
use azureml_aks::{Model, Workspace};
use flate2::read::GzDecoder;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Paths and variables of a container.
pub(crate) struct Container {
    /// The name of the service.
    pub(crate) service: String,
    /// Everything is below it.
    pub(crate) root: PathBuf,
    /// The folder of the uploaded files.
    pub(crate) app: PathBuf,
    /// The program that loads the entry script.
    pub(crate) driver: PathBuf,
    /// The folder of the model, or of all if there are several: `AZUREML_MODEL_DIR`.
    pub(crate) models: PathBuf,
    /// The variables of the environment.
    pub(crate) variables: Vec<(String, String)>,
}

impl Container {
    /// Does what the service does before a container starts.
    pub(crate) async fn unpack(
        emulator: &Emulator,
        workspace: &Workspace,
        service: &str,
        root: &Path,
    ) -> Result<Self, Error> {
        let document = emulator
            .service(service)
            .ok_or("there is no such service")?;
        let image = &document["environmentImageRequest"];
        let app = root.join("azureml-app");
        fs::create_dir(&app)?;
        for asset in list(&image["assets"]) {
            let url = text(&asset["url"])?;
            let content = emulator
                .artifact(url)
                .ok_or_else(|| format!("nothing was uploaded to {url}"))?;
            if asset["unpack"] == true {
                tar::Archive::new(GzDecoder::new(&content[..])).unpack(&app)?;
            } else {
                fs::write(app.join(text(&asset["id"])?), content)?;
            }
        }

        let all = root.join("azureml-models");
        let mut models = Vec::new();
        for id in list(&image["modelIds"]) {
            let model = Model::get(workspace, text(id)?).await?;
            let version = model.version().unwrap_or_default().to_string();
            let folder = all.join(model.name()).join(version);
            model.download(&folder).await?;
            models.push(folder);
        }
        let variables = image["environment"]["environmentVariables"].as_object();
        Ok(Self {
            service: service.to_owned(),
            root: root.to_owned(),
            driver: app.join(text(&image["driverProgram"])?),
            app,
            models: match &models[..] {
                [one] => one.clone(),
                _ => all,
            },
            variables: variables
                .into_iter()
                .flatten()
                .map(|(name, value)| Ok((name.clone(), text(value)?.to_owned())))
                .collect::<Result<_, Error>>()?,
        })
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> Result<&str, Error> {
    let text = value.as_str();
    text.ok_or_else(|| format!("{value} in the service's document is not text").into())
}
