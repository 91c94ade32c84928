//! Web services on the emulator, in process and under a paused clock.

mod adversities;
mod deploying;
mod detaching;
mod failing;
mod operating;
mod recording;
mod requests;
mod resuming;
mod scoring;
mod updating;
mod waiting;

use crate::support::fixture;
use azureml_aks::emulator::Emulator;
use azureml_aks::{
    AksCompute, AksWebservice, DeployConfiguration, DeployConfigurationBuilder, EnvironmentRef,
    InferenceConfiguration, Model, WaitOptions, Workspace, models::DeployService,
};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// A workspace with a cluster and a model, and an entry script in a folder.
struct Scene {
    emulator: Emulator,
    workspace: Workspace,
    aks: AksCompute,
    model: Model,
    folder: TempDir,
}

const SCRIPT: &str = "def init():\n    pass\n\n\ndef run(data):\n    return data\n";

impl Scene {
    async fn new() -> Self {
        Self::on(Emulator::new()).await
    }

    async fn on(emulator: Emulator) -> Self {
        let workspace = fixture::workspace(&emulator);
        let aks = fixture::created(&workspace, "myaks").await;
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("score.py"), SCRIPT).unwrap();
        fs::write(folder.path().join("model.pkl"), "weights").unwrap();
        let model = Model::register(&workspace, "mymodel", folder.path().join("model.pkl"))
            .framework("ScikitLearn")
            .await
            .unwrap();
        emulator.clear_journal();
        Self {
            emulator,
            workspace,
            aks,
            model,
            folder,
        }
    }

    fn script(&self) -> PathBuf {
        self.folder.path().join("score.py")
    }

    fn inference(&self) -> InferenceConfiguration {
        InferenceConfiguration::builder()
            .entry_script(self.script())
            .environment(EnvironmentRef::latest("AzureML-Minimal"))
            .build()
            .unwrap()
    }

    fn deployment(&self, name: &str, config: DeployConfigurationBuilder) -> DeployService {
        Model::deploy(
            &self.workspace,
            name,
            [&self.model],
            self.inference(),
            config.build().unwrap(),
            &self.aks,
        )
    }

    /// A healthy service.
    async fn deployed(&self, name: &str, config: DeployConfigurationBuilder) -> AksWebservice {
        let mut service = self.deployment(name, config).await.unwrap();
        service
            .wait_for_deployment(WaitOptions::new())
            .await
            .unwrap();
        service
    }

    /// `METHOD path-below-the-workspace` of each request since the journal was cleared.
    fn requests(&self) -> Vec<String> {
        let name = format!("/workspaces/{}", self.emulator.workspace());
        let journal = self.emulator.journal();
        let below = |path: &str| {
            let at = path.find(&name).map_or(0, |at| at + name.len());
            path[at..].to_owned()
        };
        journal
            .iter()
            .map(|entry| format!("{} {}", entry.method, below(&entry.path)))
            .collect()
    }

    fn count(&self, method: &str, part: &str) -> usize {
        let requests = self.requests();
        let wanted = |request: &&String| request.starts_with(method) && request.contains(part);
        requests.iter().filter(wanted).count()
    }
}

fn plain() -> DeployConfigurationBuilder {
    DeployConfiguration::builder()
}
