//! The walks of the fuzz targets, for as long as a test may take.

use crate::operations::support::{Stage, configuration};
use crate::support::fuzz::{Choices, fuzz_step, fuzz_token, step};
use azureml_aks::ComputeTarget;
use azureml_aks::internals::{Input, Stepper};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn token() -> String {
    let create = ComputeTarget::create(&Stage::new().workspace, "myaks", configuration());
    create.prepare().unwrap().token().expose()
}

/// As many cases as a test may take, or as `PROPTEST_CASES` says.
fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").map_or(2000, |cases| cases.parse().unwrap());
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn step_keeps_its_guarantees_for_every_input(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        fuzz_step(&bytes);
    }

    #[test]
    fn token_with_changed_bytes_is_refused_or_good(
        changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..4),
    ) {
        let mut bytes = token().into_bytes();
        for (place, byte) in changes {
            let place = place % bytes.len();
            bytes[place] = byte;
        }
        fuzz_token(&bytes);
    }
}

#[test]
fn walk_reaches_every_sort_of_end() {
    let mut ends = BTreeSet::new();
    let mut state = 1u64;
    for _ in 0..3000 {
        let bytes: Vec<u8> = (0..200)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 40) as u8
            })
            .collect();
        let mut choices = Choices(&bytes[2..]);
        let first = choices.answer().unwrap();
        let Some(mut stepper) = Stepper::start(&first) else {
            continue;
        };
        while let Some(answer) = choices.answer() {
            step(&mut stepper, &Input::Answer(&answer));
        }
        if let Some(end) = stepper.end() {
            ends.insert(end.split(['(', ' ']).next().unwrap().to_owned());
        }
    }
    let ends: Vec<_> = ends.into_iter().collect();
    assert_eq!(ends, ["Failed", "Lost", "Succeeded", "Unfetched"]);
}
