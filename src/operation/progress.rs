//! The progress of a wait.

use super::StatusClass;
use crate::token::Verb;
use serde::{Serialize, Serializer};
use std::time::Duration;

/// The progress of an operation, before the next pause.
///
/// `Serialize` gives the fields under their names; `elapsed` and `next_delay` are seconds, as numbers
/// with a fraction.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Progress {
    /// The verb that was requested; `None` for a wait on a compute that was only read.
    pub verb: Option<Verb>,
    /// The name of the workspace.
    pub workspace: Option<String>,
    /// The name of the compute, the web service or the cluster; `{cluster}/{pool}` of a node pool.
    pub target: String,
    /// The status as the service spelled it, once it gave one.
    pub status: Option<String>,
    /// The meaning of the status.
    pub class: StatusClass,
    /// The percentage that is complete, if the service gives it: 0 to 100.
    pub percent: Option<f64>,
    /// The number of reads of the status so far, by itself or in a list.
    pub polls: u32,
    /// The time since the wait or the operation began in this process.
    #[serde(serialize_with = "seconds")]
    pub elapsed: Duration,
    /// The length of the pause that follows.
    #[serde(serialize_with = "seconds")]
    pub next_delay: Duration,
    /// The error of the last read of the status, if it failed. The wait continues.
    pub last_error: Option<String>,
    /// The lines that the service has logged since the last progress. Deployments and updates of web
    /// services log; computes do not.
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
    /// The operation still runs.
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
