//! Reading one page of 1,000 computes from memory: the library's types beside plain derived ones,
//! and beside an enum that serde tags internally.
//!
//! `cargo bench --bench parse`. How to read it: `docs/performance.md`.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[path = "support/body.rs"]
#[allow(dead_code, reason = "each bench uses its part")]
mod body;
#[path = "support/measure.rs"]
#[allow(dead_code, reason = "each bench uses its part")]
mod measure;

use azureml_aks::{
    error::ServiceError,
    models::{AksProperties, ComputeResource},
};
use measure::{Rounds, Sample, Stopwatch};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::hint::black_box;

const NAMES: [&str; 3] = [
    "plain derived structs",
    "azureml-aks",
    "internally tagged enum",
];
const PLAIN: usize = 0;

fn main() -> Result<(), serde_json::Error> {
    let rounds = if std::env::args().any(|argument| argument == "--bench") {
        101
    } else {
        1
    };
    measure::pin(0);
    let page = format!("[{}]", body::items(body::PAGE));
    let mut samples = Rounds::<3>::new();
    for round in 0..rounds {
        let mut own = [None; 3];
        for contestant in measure::order::<3>(round) {
            own[contestant] = Some(match contestant {
                PLAIN => read::<Plain>(&page)?,
                1 => read::<ComputeResource>(&page)?,
                _ => read::<Tagged>(&page)?,
            });
        }
        samples.push(own);
    }
    println!(
        "\nParsing {} computes of {} bytes; medians of {rounds} rounds, ratios of processor time \
         within a round, (quartiles)",
        body::PAGE,
        page.len() / body::PAGE
    );
    println!("{:<24} {:>12} {:>18}", "", "cpu us/item", "/ plain");
    for (contestant, name) in NAMES.into_iter().enumerate() {
        println!(
            "{name:<24} {:>12.2} {:>18}",
            samples.median(contestant, |sample| sample.processor),
            samples.ratio(contestant, PLAIN, |sample| sample.processor),
        );
    }
    Ok(())
}

fn read<T: DeserializeOwned>(page: &str) -> Result<Sample, serde_json::Error> {
    let stopwatch = Stopwatch::start();
    let items: Vec<T> = serde_json::from_str(page)?;
    let sample = stopwatch.stop(body::PAGE);
    black_box(items);
    Ok(sample)
}

/// Can be of one kind only.
#[derive(Deserialize)]
#[allow(dead_code, reason = "read to be measured")]
struct Plain {
    id: Option<String>,
    name: String,
    location: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    properties: PlainProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "read to be measured")]
struct PlainProperties {
    compute_type: String,
    compute_location: Option<String>,
    provisioning_state: Option<String>,
    provisioning_errors: Option<Vec<ServiceError>>,
    description: Option<String>,
    resource_id: Option<String>,
    is_attached_compute: Option<bool>,
    created_on: Option<String>,
    modified_on: Option<String>,
    disable_local_auth: Option<bool>,
    properties: Option<Box<AksProperties>>,
}

/// Can be of any kind, by serde's own means.
#[derive(Deserialize)]
#[allow(dead_code, reason = "read to be measured")]
struct Tagged {
    id: Option<String>,
    name: String,
    location: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    properties: TaggedProperties,
}

#[derive(Deserialize)]
#[serde(tag = "computeType")]
#[allow(dead_code, reason = "read to be measured")]
enum TaggedProperties {
    #[serde(rename = "AKS", rename_all = "camelCase")]
    Aks {
        compute_location: Option<String>,
        provisioning_state: Option<String>,
        provisioning_errors: Option<Vec<ServiceError>>,
        description: Option<String>,
        resource_id: Option<String>,
        is_attached_compute: Option<bool>,
        created_on: Option<String>,
        modified_on: Option<String>,
        disable_local_auth: Option<bool>,
        properties: Option<Box<AksProperties>>,
    },
    #[serde(other)]
    Other,
}
