//! The recordings of the live service: files of exchanges in the folder that `AZURE_RECORDINGS` names (default
//! `../shared/recordings/cassettes`). This repository does not contain them: where they are absent, tests that read
//! them say so and pass, unless `REQUIRE_RECORDINGS` is set.

#![allow(clippy::print_stderr, reason = "says that a test is skipped")]

use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A file of exchanges.
#[derive(Debug)]
pub(crate) struct Cassette {
    /// The name of the file, without `.json`.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// One request and its answer.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Exchange {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) request_body: Option<Box<RawValue>>,
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// `None` for an answer without a body.
    body: Option<Box<RawValue>>,
}

impl Cassette {
    /// Returns the exchanges. Some files hold excerpts of errors in their place: of these there are none.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        let entries: Vec<BTreeMap<String, Box<RawValue>>> =
            serde_json::from_str(&self.text).unwrap();
        if entries.iter().any(|entry| !entry.contains_key("method")) {
            return Vec::new();
        }
        serde_json::from_str(&self.text).unwrap()
    }
}

impl Exchange {
    /// Returns the bytes of the answer's body: JSON as it was recorded, or the text that was.
    pub(crate) fn body(&self) -> Vec<u8> {
        let body = self.body.as_deref().map_or("", RawValue::get);
        let text = serde_json::from_str::<String>(body);
        text.unwrap_or_else(|_| body.to_owned()).into_bytes()
    }
}

/// Returns the recordings, by name; `None` where there are none and none are required.
pub(crate) fn cassettes() -> Option<Vec<Cassette>> {
    let folder = std::env::var_os("AZURE_RECORDINGS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/recordings/cassettes"),
        PathBuf::from,
    );
    let Ok(files) = std::fs::read_dir(&folder) else {
        let required =
            std::env::var_os("REQUIRE_RECORDINGS").is_some_and(|value| !value.is_empty());
        assert!(
            !required,
            "REQUIRE_RECORDINGS is set, but {folder:?} is absent"
        );
        eprintln!("skipped: the recordings in {} are absent", folder.display());
        return None;
    };
    let mut cassettes: Vec<Cassette> = files
        .map(|file| file.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| Cassette {
            name: path.file_stem().unwrap().to_string_lossy().into_owned(),
            text: std::fs::read_to_string(&path).unwrap(),
        })
        .collect();
    cassettes.sort_by(|one, other| one.name.cmp(&other.name));
    Some(cassettes)
}
