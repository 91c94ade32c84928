//! Artifacts: names for blobs, grouped by origin and container.

use std::collections::BTreeMap;

/// What stands before the id of an artifact where a URL names it.
pub(crate) const URL: &str = "aml://artifact/";

/// Where an artifact is: its id is these three, with slashes between.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) origin: String,
    pub(crate) container: String,
    pub(crate) path: String,
}

impl Place {
    pub(crate) fn new(origin: &str, container: &str, path: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            container: container.to_owned(),
            path: path.to_owned(),
        }
    }

    /// From `{origin}/{container}/{path}`.
    pub(crate) fn of_id(id: &str) -> Option<Self> {
        let mut parts = id.splitn(3, '/');
        let (origin, container, path) = (parts.next()?, parts.next()?, parts.next()?);
        (!origin.is_empty() && !container.is_empty() && !path.is_empty())
            .then(|| Self::new(origin, container, path))
    }

    /// Its id, which is the path of its blob too.
    pub(crate) fn id(&self) -> String {
        format!("{}/{}/{}", self.origin, self.container, self.path)
    }
}

/// Every artifact with the time at which it was made, in the order of their ids.
#[derive(Debug, Default)]
pub(crate) struct Artifacts {
    known: BTreeMap<Place, String>,
    /// The experiment of each run whose outputs were put here.
    runs: BTreeMap<String, String>,
}

impl Artifacts {
    pub(crate) fn created(&self, place: &Place) -> Option<&str> {
        self.known.get(place).map(String::as_str)
    }

    /// Makes an artifact; false when it is there already.
    pub(crate) fn create(&mut self, place: Place, now: String) -> bool {
        if self.known.contains_key(&place) {
            return false;
        }
        self.known.insert(place, now);
        true
    }

    /// Those of a container whose path begins so.
    pub(crate) fn under(
        &self,
        origin: &str,
        container: &str,
        prefix: &str,
    ) -> impl Iterator<Item = &Place> {
        self.known.keys().filter(move |place| {
            place.origin == origin && place.container == container && place.path.starts_with(prefix)
        })
    }

    pub(crate) fn add_run(&mut self, run_id: &str, experiment: &str) {
        self.runs.insert(run_id.to_owned(), experiment.to_owned());
    }

    /// The experiment of a run, if it is known.
    pub(crate) fn experiment(&self, run_id: &str) -> Option<&str> {
        self.runs.get(run_id).map(String::as_str)
    }
}
