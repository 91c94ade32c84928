//! A list of 100,000 computes in pages of 1,000: what an item costs through the library beside bare
//! `reqwest` and plain structs, and how much memory lists of different lengths take. Both read what the
//! kind adds once per item.
//!
//! `cargo bench --bench list_computes`. How to read it: `docs/internals/performance.md`.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[allow(dead_code, reason = "each bench uses its part")]
mod support;

use futures::TryStreamExt;
use std::hint::black_box;
use support::BoxError;
use support::contestants::{Library, Reqwest, nodes};
use support::fixed::Fixed;
use support::measure::{self, Rounds, Sample, Stopwatch};
use support::plain::Plain;
use support::process::{self, Endpoint, Options, Part, Server};
use support::server;

const NAMES: [&str; 2] = ["reqwest + serde_json", "azureml-aks"];
const REQWEST: usize = 0;

const ITEMS: usize = 100_000;
const FEWER: usize = 10_000;

fn main() -> Result<(), BoxError> {
    match process::part()? {
        Part::Parent(options) => parent(&options),
        Part::Client(endpoint, task) => client(&endpoint, &task),
        Part::Server(_) => server::serve(Fixed::new),
    }
}

fn parent(options: &Options) -> Result<(), BoxError> {
    let server = Server::start(&[])?;
    let (rounds, items) = if options.measure {
        (9, ITEMS)
    } else {
        (1, FEWER)
    };
    println!("\nLists over HTTPS in pages of {}", support::body::PAGE);
    let task = ["rounds", &rounds.to_string(), &items.to_string()];
    process::run(server.client(&[], false, &task)?)?;
    println!(
        "{:<24} {:>9} {:>16} {:>15}",
        "memory", "items", "at the start kB", "more at peak kB"
    );
    for name in NAMES {
        for items in [FEWER, items] {
            let task = ["memory", name, &items.to_string()];
            process::run(server.client(&[], false, &task)?)?;
        }
    }
    Ok(())
}

fn client(endpoint: &Endpoint, task: &[String]) -> Result<(), BoxError> {
    measure::pin(0);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let [what, argument, items] = task else {
        return Err("no task".into());
    };
    let items: usize = items.parse()?;
    let reqwest = Reqwest::new(endpoint, items)?;
    let library = Library::new(endpoint, items)?;
    let list = |contestant| {
        runtime.block_on(async {
            match contestant {
                REQWEST => with_reqwest(&reqwest, items).await,
                _ => with_library(&library, items).await,
            }
        })
    };
    if what == "memory" {
        let before = measure::peak();
        list(
            NAMES
                .iter()
                .position(|own| own == argument)
                .ok_or("no such contestant")?,
        )?;
        match (before, measure::peak()) {
            (Some(before), Some(after)) => {
                println!(
                    "{argument:<24} {items:>9} {before:>16} {:>15}",
                    after - before
                );
            }
            _ => println!("{argument:<24} {items:>9}: not known on this system"),
        }
        return Ok(());
    }
    let rounds: usize = argument.parse()?;
    let mut samples = Rounds::<2>::new();
    for contestant in 0..NAMES.len() {
        list(contestant)?;
    }
    for round in 0..rounds {
        let mut own = [None; 2];
        for contestant in measure::order::<2>(round) {
            own[contestant] = Some(list(contestant)?);
        }
        samples.push(own);
    }
    println!(
        "medians of {rounds} rounds of {items} items; ratios of processor time within a round, (quartiles)"
    );
    println!(
        "{:<24} {:>12} {:>10} {:>18}",
        "", "cpu us/item", "items/s", "/ reqwest"
    );
    for (contestant, name) in NAMES.into_iter().enumerate() {
        println!(
            "{name:<24} {:>12.2} {:>10.0} {:>18}",
            samples.median(contestant, |sample| sample.processor),
            1e6 / samples.median(contestant, |sample| sample.wall),
            samples.ratio(contestant, REQWEST, |sample| sample.processor),
        );
    }
    Ok(())
}

async fn with_reqwest(reqwest: &Reqwest, items: usize) -> Result<Sample, BoxError> {
    let mut seen = 0;
    let stopwatch = Stopwatch::start();
    let look = |compute: &Plain| {
        black_box(compute.nodes().ok_or("the answer is not the compute")?);
        seen += 1;
        Ok(())
    };
    reqwest.list(look).await?;
    all(seen, items, stopwatch)
}

async fn with_library(library: &Library, items: usize) -> Result<Sample, BoxError> {
    let mut seen = 0;
    let stopwatch = Stopwatch::start();
    let mut computes = library.workspace().computes();
    while let Some(compute) = computes.try_next().await? {
        black_box(nodes(compute.resource())?);
        seen += 1;
    }
    all(seen, items, stopwatch)
}

fn all(seen: usize, items: usize, stopwatch: Stopwatch) -> Result<Sample, BoxError> {
    if seen == items {
        Ok(stopwatch.stop(items))
    } else {
        Err(format!("{seen} items came, not {items}").into())
    }
}
