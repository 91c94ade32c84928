//! A workspace on the scripted transport, and the verbs on it.

pub(crate) use super::script::*;
use azure_core::http::Transport;
use azureml_aks::{
    AksCompute, ClusterPurpose, ComputeTarget, Error, Operation, ProvisioningConfiguration,
    WaitOptions, Workspace, models::Progress,
};
pub(crate) use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
pub(crate) use std::time::Duration;

pub(crate) const COMPUTE: &str = "https://management.azure.com/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/computes/myaks?api-version=2026-05-01";
pub(crate) const MONITOR: &str = "https://management.azure.com/subscriptions/s/providers/Microsoft.MachineLearningServices/locations/eastus/mlOperations/1?api-version=2018-11-19&service=new";
pub(crate) const LOCATION: &str = "https://management.azure.com/subscriptions/s/providers/Microsoft.MachineLearningServices/locations/eastus/results/1?api-version=2018-11-19";

pub(crate) fn secs(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// The compute, as an answer.
pub(crate) fn resource(state: &str) -> Value {
    json!({
        "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/computes/myaks",
        "name": "myaks",
        "properties": {
            "computeType": "AKS",
            "isAttachedCompute": false,
            "provisioningState": state,
        },
    })
}

pub(crate) fn ready() -> Reply {
    reply(200).json(&resource("Succeeded"))
}

/// The document of a status monitor.
pub(crate) fn status(status: &str) -> Reply {
    reply(200).json(&json!({ "status": status }))
}

pub(crate) fn not_found() -> Reply {
    reply(404).json(&json!({ "error": { "code": "NotFound", "message": "there is none" } }))
}

/// The answer to a create: 201 with a monitor.
pub(crate) fn created() -> Reply {
    reply(201)
        .header("Azure-AsyncOperation", MONITOR)
        .json(&resource("Creating"))
}

/// The answer to a detach: 202 with a monitor and a `Location`.
pub(crate) fn accepted() -> Reply {
    reply(202)
        .header("Azure-AsyncOperation", MONITOR)
        .header("Location", LOCATION)
}

pub(crate) struct Stage {
    pub(crate) script: Arc<Script>,
    pub(crate) credential: Arc<Credential>,
    pub(crate) workspace: Workspace,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(Lifetime::Moment)
    }

    pub(crate) fn with(lifetime: Lifetime) -> Self {
        let script = Script::new();
        let credential = Credential::new(lifetime);
        let workspace = workspace(&script, &credential);
        Self {
            script,
            credential,
            workspace,
        }
    }

    /// Another process on the same service.
    pub(crate) fn elsewhere(&self) -> Workspace {
        workspace(&self.script, &self.credential)
    }

    /// Creates; the PUT is answered with `first`.
    pub(crate) async fn create(&self, first: Reply) -> Result<AksCompute, Error> {
        self.script.expect([not_found(), first]);
        ComputeTarget::create(&self.workspace, "myaks", configuration()).await
    }

    /// Detaches; the DELETE is answered with `first`.
    pub(crate) async fn detach(&self, first: Reply) -> Result<Operation<()>, Error> {
        self.script.expect([ready(), first]);
        let mut compute = AksCompute::get(&self.workspace, "myaks").await?;
        compute.detach().await
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        lines(&self.script.sent_from_write())
    }
}

fn workspace(script: &Arc<Script>, credential: &Arc<Credential>) -> Workspace {
    builder(script, credential).build().unwrap()
}

pub(crate) fn builder(
    script: &Arc<Script>,
    credential: &Arc<Credential>,
) -> azureml_aks::WorkspaceBuilder {
    Workspace::builder("s", "g", "w")
        .credential(credential.clone())
        .transport(Transport::new(script.clone()))
        .location("eastus")
}

pub(crate) fn configuration() -> ProvisioningConfiguration {
    AksCompute::provisioning_configuration()
        .cluster_purpose(ClusterPurpose::DevTest)
        .build()
        .unwrap()
}

/// The run of a wait.
pub(crate) struct Run {
    pub(crate) stage: Stage,
    pub(crate) result: Result<(), Error>,
    pub(crate) sent: Vec<Sent>,
    pub(crate) progress: Vec<Progress>,
    /// The handle after the wait.
    pub(crate) token: Option<String>,
    /// From the write to the end.
    pub(crate) took: Duration,
}

impl Run {
    /// The requests as `METHOD what`, where the known URLs have names.
    pub(crate) fn lines(&self) -> Vec<String> {
        lines(&self.sent)
    }

    pub(crate) fn error(&self) -> &Error {
        self.result.as_ref().unwrap_err()
    }

    /// The pauses between the requests, in seconds.
    pub(crate) fn pauses(&self) -> Vec<f64> {
        self.sent
            .windows(2)
            .map(|pair| (pair[1].at - pair[0].at).as_secs_f64())
            .collect()
    }

    pub(crate) fn statuses(&self) -> Vec<&str> {
        let seen = self
            .progress
            .iter()
            .filter_map(|seen| seen.status.as_deref());
        seen.collect()
    }
}

pub(crate) fn lines(sent: &[Sent]) -> Vec<String> {
    sent.iter()
        .map(|sent| {
            let what = match sent.url.as_str() {
                COMPUTE => "compute",
                MONITOR => "monitor",
                LOCATION => "location",
                other => other,
            };
            format!("{} {what}", sent.method)
        })
        .collect()
}

/// Creates with `first`, waits with `replies`; all of them must be used.
pub(crate) async fn create(first: Reply, replies: impl IntoIterator<Item = Reply>) -> Run {
    create_on(Stage::new(), first, replies, WaitOptions::new()).await
}

pub(crate) async fn create_on(
    stage: Stage,
    first: Reply,
    replies: impl IntoIterator<Item = Reply>,
    options: WaitOptions,
) -> Run {
    let mut compute = stage.create(first).await.unwrap();
    stage.script.expect(replies);
    let (options, progress) = observed(options);
    let zero = tokio::time::Instant::now();
    let result = compute.wait_for_completion(options).await;
    let token = compute.resume_token().map(|token| token.expose());
    finish(stage, result, token, progress, zero.elapsed())
}

/// Detaches with `first`, waits with `replies`; all of them must be used.
pub(crate) async fn detach(first: Reply, replies: impl IntoIterator<Item = Reply>) -> Run {
    let stage = Stage::new();
    let mut operation = stage.detach(first).await.unwrap();
    stage.script.expect(replies);
    let (options, progress) = observed(WaitOptions::new());
    let zero = tokio::time::Instant::now();
    let result = operation.wait(options).await;
    let token = operation.resume_token().map(|token| token.expose());
    finish(stage, result, token, progress, zero.elapsed())
}

fn observed(options: WaitOptions) -> (WaitOptions, Arc<Mutex<Vec<Progress>>>) {
    let progress = Arc::new(Mutex::new(Vec::new()));
    let seen = progress.clone();
    let options = options.on_progress(move |now| seen.lock().unwrap().push(now.clone()));
    (options, progress)
}

fn finish(
    stage: Stage,
    result: Result<(), Error>,
    token: Option<String>,
    progress: Arc<Mutex<Vec<Progress>>>,
    took: Duration,
) -> Run {
    let sent = stage.script.sent_from_write();
    let unused = stage.script.unused();
    assert_eq!(
        unused,
        0,
        "answers left over after {result:?}: {:?}",
        lines(&sent)
    );
    let progress = progress.lock().unwrap().clone();
    Run {
        stage,
        result,
        sent,
        progress,
        token,
        took,
    }
}

/// Holds pauses to what they should be: never shorter, and at most a tenth longer.
#[track_caller]
pub(crate) fn assert_paced(pauses: &[f64], expected: &[f64]) {
    let close = |(pause, expected): (&f64, &f64)| {
        // tokio's clock counts milliseconds, and rounds up.
        *pause >= *expected - 0.001 && *pause <= expected * 1.1 + 0.003
    };
    assert!(
        pauses.len() == expected.len() && pauses.iter().zip(expected).all(close),
        "expected {expected:?}, and at most a tenth more: {pauses:?}"
    );
}
