//! Failures of deployments: the message of the service, and the logs of the containers.

use serde_json::{Value, json};

use crate::emulator::faults::{Fault, Kind};

/// The end of a deployment that does not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// No node has room. The text is the scheduler's.
    Unschedulable { scheduler: Scheduler },
    /// The container ends again and again.
    CrashLoop,
    /// The image cannot be had.
    ImagePull,
    /// The service stops waiting before the containers are ready; later they are.
    TimedOut,
    /// Canceled, as the name of the service asks for.
    Canceled,
    /// An error of this code and text.
    Error { code: String, message: String },
}

/// The complaint of the scheduler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scheduler {
    /// This resource, on every node: the text is made when the number of nodes is known.
    Lacks(String),
    /// In these words.
    Says(String),
}

impl Fault {
    /// A deployment of a service, or an update of its containers, for which no node has enough of
    /// a resource (`nvidia.com/gpu`, `cpu`, `memory`). Its state is `Unschedulable` while the
    /// service tries and after that; the operation ends Failed.
    ///
    /// It and the other faults of deployments can be limited by the name of a service, also where a
    /// create has it in its body alone: `.on_path("/services/myservice")`.
    pub fn unschedulable(resource: impl Into<String>) -> Self {
        let resource = resource.into();
        Self::of(Kind::Unschedulable { resource })
    }

    /// A deployment whose container ends as soon as it starts: operation and service end Failed,
    /// and the logs of the container tell of an exception in `init()`.
    pub fn crash_loop() -> Self {
        Self::of(Kind::CrashLoop {})
    }

    /// A deployment whose image cannot be pulled: operation and service end Failed, and there are
    /// no logs of the container.
    pub fn image_pull_failure() -> Self {
        Self::of(Kind::ImagePullFailure {})
    }

    /// A deployment for which the service stops waiting: the operation ends TimedOut with
    /// `DeploymentTimedOut`, and the service is Unhealthy. When the time of a deployment has passed
    /// once more, it is Healthy.
    pub fn deployment_timed_out() -> Self {
        Self::of(Kind::DeploymentTimedOut {})
    }
}

impl Kind {
    /// How a deployment goes wrong by this fault, if it concerns deployments.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Unschedulable { resource } => Some(Trouble::Unschedulable {
                scheduler: Scheduler::Lacks(resource.clone()),
            }),
            Self::CrashLoop {} => Some(Trouble::CrashLoop),
            Self::ImagePullFailure {} => Some(Trouble::ImagePull),
            Self::DeploymentTimedOut {} => Some(Trouble::TimedOut),
            _ => None,
        }
    }
}

impl Trouble {
    /// How a deployment of a service with this name ends, by its prefix.
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        if name.starts_with("fail") {
            Some(Self::Error {
                code: "DeploymentFailed".to_owned(),
                message: format!("The deployment of '{name}' failed, as its name asks for."),
            })
        } else if name.starts_with("cancel") {
            Some(Self::Canceled)
        } else {
            None
        }
    }

    /// The state of the operation at its end.
    pub(crate) fn operation(&self) -> &'static str {
        match self {
            Self::TimedOut => "TimedOut",
            Self::Canceled => "Cancelled",
            _ => "Failed",
        }
    }

    /// The state of the service at the end of the operation.
    pub(crate) fn service(&self) -> &'static str {
        match self {
            Self::Unschedulable { .. } => "Unschedulable",
            Self::TimedOut => "Unhealthy",
            _ => "Failed",
        }
    }

    /// The error of the operation and of the service.
    pub(crate) fn error(&self, service: &str) -> Value {
        let failed = |message: &str, code: &str, detail: &str| {
            json!({
                "code": "KubernetesDeploymentFailed",
                "statusCode": 400,
                "message": message,
                "details": [{ "code": code, "message": detail, "target": service }],
            })
        };
        let plain = |code: &str, status: u16, message: &str| json!({ "code": code, "statusCode": status, "message": message, "details": [] });
        match self {
            Self::Unschedulable { scheduler } => failed(
                "Couldn't Schedule because the kubernetes cluster didn't have available resources \
                 after trying for 00:05:00",
                "Unschedulable",
                match scheduler {
                    Scheduler::Lacks(text) | Scheduler::Says(text) => text,
                },
            ),
            Self::CrashLoop => failed(
                "The Kubernetes deployment failed.",
                "CrashLoopBackOff",
                "The container ended again and again. An exception in init() of the entry script \
                 does this; the logs of the container tell.",
            ),
            Self::ImagePull => failed(
                "The Kubernetes deployment failed.",
                "ImagePullBackOff",
                "The image could not be pulled from its registry.",
            ),
            Self::TimedOut => plain(
                "DeploymentTimedOut",
                504,
                "The deployment takes longer than the service waits for it. It goes on: read the \
                 state of the service.",
            ),
            Self::Canceled => plain("OperationCanceled", 409, "The operation was canceled."),
            Self::Error { code, message } => plain(code, 400, message),
        }
    }

    /// The log of a container: main or init.
    pub(crate) fn log(&self, init: bool) -> &'static str {
        match (self, init) {
            // Nothing ran.
            (Self::Unschedulable { .. } | Self::ImagePull | Self::Canceled, _) => "",
            (_, true) => INIT_LOG,
            (Self::CrashLoop, false) => CRASH_LOG,
            (Self::TimedOut | Self::Error { .. }, false) => START_LOG,
        }
    }
}

pub(crate) const INIT_LOG: &str = "\
fetching the models of the service
the models are there
";

pub(crate) const START_LOG: &str = "\
starting the inference server
loading the entry script
";

pub(crate) const READY_LOG: &str = "\
starting the inference server
loading the entry script
init() of the entry script was called
listening on port 5001
";

const CRASH_LOG: &str = "\
starting the inference server
loading the entry script
init() of the entry script raised an exception
Traceback (most recent call last):
  File \"/var/azureml-app/score.py\", line 7, in init
    model = load(path)
FileNotFoundError: [Errno 2] No such file or directory: 'model.pkl'
the worker ended with status 3
";
