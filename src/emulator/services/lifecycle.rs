//! Operations on services: how they begin, what they tell on the way, and what their end does.

use std::time::Duration;

use serde_json::{Value, json};

use super::Service;
use super::document::replicas;
use super::resources;
use super::trouble::{Scheduler, Trouble};
use crate::emulator::clusters::Cluster;
use crate::emulator::faults::Kind;
use crate::emulator::http::Incoming;
use crate::emulator::state::{Config, State};

/// How long an operation waits before it runs, at most.
const QUEUED: Duration = Duration::from_secs(2);

/// The effect of an operation at its end.
#[derive(Clone, Debug)]
pub(crate) enum Task {
    Deploy,
    Update {
        /// The settings that it leads to.
        settings: Value,
        /// Whether the image is built anew.
        rebuilds: bool,
    },
    Delete,
    Regenerate {
        secondary: bool,
        key: String,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct ServiceOperation {
    pub(crate) service: String,
    pub(crate) task: Task,
    pub(crate) started: Duration,
    /// `None`: never.
    due: Option<Duration>,
    pub(crate) ended: Option<Duration>,
    pub(crate) trouble: Option<Trouble>,
    /// When each line of its log is written.
    log: Vec<(Duration, String)>,
    /// When the image is built, and containers begin.
    built: Duration,
    pub(crate) request: String,
}

impl ServiceOperation {
    /// `NotStarted`, `Running`, or the state of its end.
    pub(crate) fn state(&self, now: Duration) -> &'static str {
        match (&self.ended, &self.trouble) {
            (None, _) if now < self.runs_from() => "NotStarted",
            (None, _) => "Running",
            (Some(_), None) => "Succeeded",
            (Some(_), Some(trouble)) => trouble.operation(),
        }
    }

    fn runs_from(&self) -> Duration {
        let waits = self
            .due
            .map_or(QUEUED, |due| due.saturating_sub(self.started) / 10);
        self.started.saturating_add(waits.min(QUEUED))
    }

    /// Whether containers are started, and are the part that runs now or ran last.
    pub(crate) fn deploys(&self, now: Duration) -> bool {
        self.ended.unwrap_or(now) >= self.built
    }

    /// The lines written so far, as records of their time and text.
    pub(crate) fn log(&self, now: Duration) -> impl Iterator<Item = (Duration, &str)> {
        let end = self.ended.unwrap_or(now);
        self.log
            .iter()
            .filter(move |(at, _)| *at <= end)
            .map(|(at, text)| (*at, text.as_str()))
    }
}

impl State {
    /// Starts an operation on a service that exists, unless a fault decides otherwise, and returns
    /// its id.
    pub(crate) fn start_on_service(
        &mut self,
        config: &Config,
        request: &Incoming,
        name: &str,
        task: Task,
    ) -> String {
        let settings = &config.services;
        let takes = match task {
            Task::Deploy => settings.deploy,
            Task::Update { .. } => settings.update,
            Task::Delete => settings.delete,
            Task::Regenerate { .. } => settings.regenerate,
        };
        let now = self.time.now();
        let id = self.uuid();
        let request_id = self.uuid();
        let mut operation = ServiceOperation {
            service: name.to_owned(),
            trouble: self.trouble(config, request, name, &task),
            task,
            started: now,
            due: Some(now.saturating_add(takes)),
            ended: None,
            log: Vec::new(),
            built: now,
            request: request_id,
        };
        let never = |kind: &Kind| matches!(kind, Kind::NeverEndingOperation { .. });
        if self.service_fault(request, name, never).is_some() {
            operation.due = None;
        }
        plan(&mut operation, takes);
        self.services.operations.insert(id.clone(), operation);
        if let Some(service) = self.services.get_mut(name) {
            service.operation = Some(id.clone());
            service.latest = Some(id.clone());
            service.recovers = None;
        }
        id
    }

    /// A fault that concerns an operation on this service. A create has the name of the service in
    /// its body alone, so the path is looked at as if it ended with it.
    pub(crate) fn service_fault(
        &mut self,
        request: &Incoming,
        name: &str,
        wanted: impl Fn(&Kind) -> bool,
    ) -> Option<Kind> {
        let path = request.path.trim_end_matches('/');
        let path = if path.to_ascii_lowercase().ends_with("/services") {
            format!("{path}/{name}")
        } else {
            path.to_owned()
        };
        self.faults.take(&request.method, &path, wanted)
    }

    /// How the operation will end badly: by a fault, by the name of the service, or because the
    /// cluster has no room.
    fn trouble(
        &mut self,
        config: &Config,
        request: &Incoming,
        name: &str,
        task: &Task,
    ) -> Option<Trouble> {
        let fails = |kind: &Kind| matches!(kind, Kind::OperationFails { .. });
        if let Some(Kind::OperationFails { code, message }) =
            self.service_fault(request, name, fails)
        {
            return Some(Trouble::Error { code, message });
        }
        let settings = match task {
            Task::Deploy => self.services.get(name)?.document.clone(),
            Task::Update { settings, .. } => settings.clone(),
            // A service that failed must be removable.
            Task::Delete | Task::Regenerate { .. } => return None,
        };
        let deployment = |kind: &Kind| kind.trouble().is_some();
        let fault = self.service_fault(request, name, deployment);
        if let Some(mut trouble) = fault.and_then(|kind| kind.trouble()) {
            if let Trouble::Unschedulable { scheduler } = &mut trouble
                && let Scheduler::Lacks(resource) = scheduler
            {
                let cluster = resources::cluster(self, &settings);
                let text = resources::insufficient(cluster.map_or(0, Cluster::nodes), resource);
                *scheduler = Scheduler::Says(text);
            }
            return Some(trouble);
        }
        if matches!(task, Task::Deploy)
            && let Some(trouble) = Trouble::by_name(name)
        {
            return Some(trouble);
        }
        resources::misfit(config, self, &settings).map(|text| Trouble::Unschedulable {
            scheduler: Scheduler::Says(text),
        })
    }

    /// Ends the operations on services whose time has come, in the order of their ends.
    pub(crate) fn settle_services(&mut self, config: &Config) {
        let now = self.time.now();
        loop {
            let next = self
                .services
                .operations
                .iter()
                .filter(|(_, operation)| operation.ended.is_none())
                .filter_map(|(id, operation)| Some((operation.due?, id)))
                .filter(|(due, _)| *due <= now)
                .min()
                .map(|(due, id)| (due, id.clone()));
            let Some((due, id)) = next else { break };
            self.end_on_service(config, &id, due);
        }
        for service in self.services.all_mut() {
            if service.recovers.is_some_and(|at| at <= now) {
                service.recovers = None;
                service.become_healthy();
            }
        }
    }

    /// Makes the end of every operation on a service that has one come now.
    pub(crate) fn finish_services(&mut self, config: &Config) {
        let now = self.time.now();
        for operation in self.services.operations.values_mut() {
            operation.due = operation.due.map(|due| due.min(now));
            if operation.ended.is_none() && operation.due.is_some() {
                operation.built = operation.built.min(now);
                for (at, _) in &mut operation.log {
                    *at = (*at).min(now);
                }
            }
        }
        self.settle_services(config);
    }

    fn end_on_service(&mut self, config: &Config, id: &str, at: Duration) {
        let Some(operation) = self.services.operations.get_mut(id) else {
            return;
        };
        operation.ended = Some(at);
        let operation = operation.clone();
        let name = operation.service.as_str();
        if matches!(operation.task, Task::Delete) && operation.trouble.is_none() {
            self.services.remove(name);
            return;
        }
        let Some(service) = self.services.get_mut(name) else {
            return;
        };
        service.operation = None;
        service.updated = Some(at);
        match (operation.task, operation.trouble) {
            (Task::Deploy, None) => service.become_healthy(),
            (Task::Update { settings, .. }, None) => {
                service.document = settings;
                service.become_healthy();
            }
            (Task::Regenerate { secondary, key }, None) => {
                if secondary {
                    service.secondary = key;
                } else {
                    service.primary = key;
                }
            }
            // A removal or a new key that failed leaves the service as it was.
            (Task::Delete | Task::Regenerate { .. }, _) => service.calm(),
            (Task::Deploy | Task::Update { .. }, Some(trouble)) => {
                if trouble == Trouble::TimedOut {
                    service.recovers = Some(at.saturating_add(config.services.deploy));
                }
                service.fall(trouble);
            }
        }
    }
}

impl Service {
    fn become_healthy(&mut self) {
        self.state = "Healthy";
        self.error = None;
        self.trouble = None;
        self.deployed = true;
    }

    fn fall(&mut self, trouble: Trouble) {
        self.state = trouble.service();
        self.error = Some(trouble.error(&self.name));
        self.trouble = Some(trouble);
    }

    /// The state before an operation that came to nothing.
    fn calm(&mut self) {
        self.state = match &self.trouble {
            Some(trouble) => trouble.service(),
            None => "Healthy",
        };
    }

    /// Whether replicas answer: those of before, while an update of a healthy service runs.
    pub(crate) fn serves(&self) -> bool {
        self.deployed && self.trouble.is_none()
    }

    /// The state that a read shows at a moment: a failure to place pods is seen before the operation ends.
    pub(crate) fn state_at(&self, state: &State, now: Duration) -> &'static str {
        let operation = self
            .operation
            .as_ref()
            .and_then(|id| state.services.operations.get(id));
        match operation {
            Some(operation)
                if matches!(operation.trouble, Some(Trouble::Unschedulable { .. }))
                    && operation.deploys(now) =>
            {
                "Unschedulable"
            }
            _ => self.state,
        }
    }

    pub(crate) fn replica_status(&self) -> Value {
        let desired = replicas(&self.document);
        let available = if self.serves() { desired } else { 0 };
        let mut status = json!({
            "desiredReplicas": desired,
            "updatedReplicas": if self.operation.is_some() { 0 } else { desired },
            "availableReplicas": available,
        });
        if let Some(error) = &self.error {
            status["error"] = error.clone();
        }
        status
    }
}

/// Writes down what the log of an operation will say, and when.
fn plan(operation: &mut ServiceOperation, takes: Duration) {
    let started = operation.started;
    let at = |tenths: u32| started.saturating_add(takes / 10 * tenths);
    let (deploys, builds) = match operation.task {
        Task::Deploy => (true, true),
        Task::Update { rebuilds, .. } => (true, rebuilds),
        Task::Delete | Task::Regenerate { .. } => (false, false),
    };
    let mut lines: Vec<(Duration, String)> = Vec::new();
    let mut say = |tenths: u32, text: &str| lines.push((at(tenths), text.to_owned()));
    if builds {
        operation.built = at(4);
        say(1, "Building the image of the environment");
        say(4, "The image is ready");
    }
    if deploys {
        say(if builds { 4 } else { 1 }, "Deploying to the cluster");
        match &operation.trouble {
            Some(Trouble::Unschedulable {
                scheduler: Scheduler::Says(text) | Scheduler::Lacks(text),
            }) => say(5, text),
            Some(Trouble::CrashLoop) => say(6, "The container ended and is started again"),
            Some(Trouble::ImagePull) => say(6, "The image could not be pulled"),
            _ => say(7, "Checking the status of the replicas"),
        }
    } else {
        say(1, "Running");
    }
    if operation.due.is_some() {
        let end = match &operation.trouble {
            None => "Succeeded",
            Some(trouble) => trouble.operation(),
        };
        lines.push((started.saturating_add(takes), end.to_owned()));
    } else {
        // It never ends, so it never reports a step after the first.
        lines.truncate(1);
        if builds {
            operation.built = Duration::MAX;
        }
    }
    operation.log = lines;
}
