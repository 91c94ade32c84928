//! What a wait can be seen doing.

use super::StatusClass;
use crate::token::Verb;
use serde::{Serialize, Serializer};
use std::time::Duration;

/// How an operation stands, before the next pause.
///
/// `Serialize` gives the fields under their names; `elapsed` and `next_delay` are seconds, as numbers
/// with a fraction.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
    #[serde(serialize_with = "seconds")]
    pub elapsed: Duration,
    /// How long the pause is that follows.
    #[serde(serialize_with = "seconds")]
    pub next_delay: Duration,
    /// Why the last read of the status failed, where it did. The wait goes on.
    pub last_error: Option<String>,
    /// What the service has logged since the last progress, a line each. Deployments and updates of web
    /// services do so; computes do not.
    pub log: Vec<String>,
}

fn seconds<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(span.as_secs_f64())
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn progress_is_serialised_with_its_durations_in_seconds() {
        let progress = Progress {
            verb: Some(Verb::Create),
            workspace: Some("ws".into()),
            target: "myaks".into(),
            status: Some("Creating".into()),
            class: StatusClass::InProgress,
            percent: Some(12.5),
            polls: 3,
            elapsed: Duration::from_millis(61_500),
            next_delay: Duration::from_secs(10),
            last_error: None,
            log: vec!["one".into()],
        };
        assert_eq!(
            serde_json::to_value(progress).unwrap(),
            json!({
                "verb": "create", "workspace": "ws", "target": "myaks", "status": "Creating",
                "class": "in_progress", "percent": 12.5, "polls": 3, "elapsed": 61.5,
                "next_delay": 10.0, "last_error": null, "log": ["one"],
            })
        );
    }
}
