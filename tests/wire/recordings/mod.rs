//! Answers of the live service, as they were recorded, given to the library: every recording is replayed here, or
//! stands in [`NOT_REPLAYED`] with the reason. The URLs that the library asks for must be recorded ones, byte for byte.

mod computes;
mod operations;
mod refusals;
mod replay;
mod workspaces;

use crate::support::recordings::{Cassette, cassettes};

/// Returns the recording whose name begins so.
fn cassette(start: &str) -> Option<Cassette> {
    let mut named = cassettes()?
        .into_iter()
        .filter(|cassette| cassette.name.split('-').next() == Some(start));
    let cassette = named.next();
    assert!(cassette.is_some(), "no recording begins with {start:?}");
    assert!(named.next().is_none(), "{start:?} is ambiguous");
    cassette
}

/// Recordings that the library has nothing to do with: they are the emulator's, or of services it does not call.
const NOT_REPLAYED: &[(&str, &str)] = &[
    (
        "12",
        "sizes and usages of the workspace's region: no verb reads them",
    ),
    ("13", "documents of managed clusters: no verb reads them"),
    ("15", "versions of Kubernetes: no verb reads them"),
    ("16b", "sizes of Microsoft.Compute: no verb reads them"),
    (
        "21b",
        "an asset of version 2, and the read of it is not recorded",
    ),
    ("21c", "assets of version 2, reads only: no verb reads them"),
];

#[test]
fn every_recording_is_replayed_or_listed_with_the_reason() {
    let Some(cassettes) = cassettes() else { return };
    let replayed: Vec<&str> = operations::ROWS
        .iter()
        .map(|row| row.0)
        .chain(operations::ALONE.iter().copied())
        .chain(refusals::ROWS.iter().map(|row| row.0))
        .chain(refusals::ALONE.iter().copied())
        .chain(computes::ALONE.iter().copied())
        .chain(workspaces::ALONE.iter().copied())
        .collect();
    for cassette in &cassettes {
        let start = cassette.name.split('-').next().unwrap();
        let listed = NOT_REPLAYED.iter().any(|(name, _)| *name == start);
        assert!(
            replayed.contains(&start) != listed,
            "{} is neither replayed nor listed, or both",
            cassette.name
        );
    }
    for name in NOT_REPLAYED.iter().map(|(name, _)| name).chain(&replayed) {
        let found = cassettes
            .iter()
            .any(|cassette| cassette.name.split('-').next() == Some(name));
        assert!(found, "{name} is not a recording");
    }
}
