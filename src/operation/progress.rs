//! What a wait can be seen doing.

use super::StatusClass;
use crate::token::Verb;
use std::time::Duration;

/// How an operation stands, before the next pause.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// What was asked for; `None` for a wait on a compute that was only read.
    pub verb: Option<Verb>,
    /// The name of the workspace.
    pub workspace: Option<String>,
    /// The name of the compute or the web service.
    pub target: String,
    /// The status as the service spelled it, once it gave one.
    pub status: Option<String>,
    /// What the status means.
    pub class: StatusClass,
    /// How far it is, where the service says so: 0 to 100.
    pub percent: Option<f64>,
    /// How often the status was read so far, by itself or in a list.
    pub polls: u32,
    /// Since the wait or the operation began in this process.
    pub elapsed: Duration,
    /// How long the pause is that follows.
    pub next_delay: Duration,
    /// Why the last read of the status failed, where it did. The wait goes on.
    pub last_error: Option<String>,
    /// What the service has logged since the last progress, a line each. Deployments and updates of web
    /// services do so; computes do not.
    pub log: Vec<String>,
}

/// An item of [`Operation::events`](super::Operation::events) and
/// [`ComputeTarget::events`](crate::ComputeTarget::events).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event<T> {
    /// The operation goes on.
    Progress(Progress),
    /// The operation succeeded; the last item.
    Done(T),
}
