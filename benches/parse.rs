//! Reading one page of 1,000 computes from memory: the library's types beside plain derived ones,
//! and beside an enum that serde tags internally. The library keeps the text of each compute, and reads
//! what the kind adds when it is asked for.
//!
//! `cargo bench --bench parse --features internals`. How to read it: `docs/internals/performance.md`.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[path = "support/body.rs"]
#[allow(dead_code, reason = "each bench uses its part")]
mod body;
#[path = "support/measure.rs"]
#[allow(dead_code, reason = "each bench uses its part")]
mod measure;

#[path = "support/plain.rs"]
mod plain;

use azureml_aks::{
    error::ServiceError,
    internals,
    models::{AksProperties, ComputeResource},
};
use measure::{Rounds, Sample, Stopwatch};
use plain::Plain;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;

const NAMES: [&str; 8] = [
    "plain",
    "plain with text",
    "azureml-aks",
    "plain, kind read",
    "plain with text, kind read",
    "azureml-aks, kind read",
    "azureml-aks by serde alone",
    "internally tagged enum",
];
/// The floors of the ratios. The first two do the work that the library does, without and with what the
/// kind adds; the last keeps no text.
const FLOORS: [usize; 3] = [1, 4, 3];

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let rounds = if std::env::args().any(|argument| argument == "--bench") {
        101
    } else {
        1
    };
    measure::pin(0);
    let page = format!("{{\"value\":[{}]}}", body::items(body::PAGE));
    let mut samples = Rounds::<8>::new();
    for round in 0..rounds {
        let mut own = [None; 8];
        for contestant in measure::order::<8>(round) {
            own[contestant] = Some(match contestant {
                0 => measured(|| derived::<Plain<IgnoredAny>>(&page))?,
                1 => measured(|| with_text::<IgnoredAny>(&page))?,
                2 => measured(|| library(&page))?,
                3 => measured(|| derived::<Plain>(&page))?,
                4 => measured(|| with_text::<Box<AksProperties>>(&page))?,
                5 => measured(|| Ok(library(&page)?.into_iter().inspect(read_kind).collect()))?,
                6 => measured(|| derived::<ComputeResource>(&page))?,
                _ => measured(|| derived::<Tagged>(&page))?,
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
    println!(
        "{:<28} {:>11} {:>18} {:>18} {:>18}",
        "", "cpu us/item", "/ with text", "/ with text, kind", "/ kind, no text"
    );
    for (contestant, name) in NAMES.into_iter().enumerate() {
        let [text, both, kind] =
            FLOORS.map(|floor| samples.ratio(contestant, floor, |sample| sample.processor));
        println!(
            "{name:<28} {:>11.2} {text:>18} {both:>18} {kind:>18}",
            samples.median(contestant, |sample| sample.processor),
        );
    }
    Ok(())
}

fn measured<T>(read: impl FnOnce() -> Outcome<Vec<T>>) -> Outcome<Sample> {
    let stopwatch = Stopwatch::start();
    let items = read()?;
    let sample = stopwatch.stop(body::PAGE);
    assert_eq!(items.len(), body::PAGE);
    black_box(items);
    Ok(sample)
}

#[derive(Deserialize)]
struct Page<T> {
    value: Vec<T>,
}

fn derived<'p, T: Deserialize<'p>>(page: &'p str) -> Outcome<Vec<T>> {
    Ok(serde_json::from_str::<Page<T>>(page)?.value)
}

/// serde gives either the text of a value or what it means: two passes.
fn with_text<K: DeserializeOwned>(page: &str) -> Outcome<Vec<(Plain<K>, Box<str>)>> {
    let item = |raw: &RawValue| Ok((serde_json::from_str(raw.get())?, raw.get().into()));
    derived::<&RawValue>(page)?.into_iter().map(item).collect()
}

fn library(page: &str) -> Outcome<Vec<ComputeResource>> {
    internals::computes_of(page.as_bytes()).ok_or_else(|| "the page is odd".into())
}

fn read_kind(compute: &ComputeResource) {
    black_box(compute.kind_properties::<AksProperties>());
}

/// Can be of any kind, by serde's own means.
#[derive(Deserialize)]
#[allow(dead_code, reason = "read to be measured")]
struct Tagged {
    id: Option<String>,
    name: String,
    #[serde(rename = "type")]
    resource_type: Option<String>,
    location: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    properties: TaggedProperties,
}

#[derive(Deserialize)]
#[serde(tag = "computeType")]
#[allow(dead_code, clippy::large_enum_variant, reason = "read to be measured")]
enum TaggedProperties {
    #[serde(rename = "AKS", rename_all = "camelCase")]
    Aks {
        compute_location: Option<String>,
        provisioning_state: Option<String>,
        provisioning_errors: Option<Vec<ServiceError>>,
        provisioning_warnings: Option<Vec<ServiceError>>,
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
