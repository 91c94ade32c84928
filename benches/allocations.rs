//! How often memory is asked for: a GET of one compute, and an item of a list.
//!
//! `cargo bench --bench allocations`; the figures hardly vary from run to run. How to read them:
//! `docs/internals/performance.md`.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[allow(dead_code, reason = "each bench uses its part")]
mod support;

use futures::TryStreamExt;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::hint::black_box;
use support::BoxError;
use support::contestants::{Bare, Get, Library, Reqwest, nodes};
use support::fixed::Fixed;
use support::plain::Plain;
use support::process::{self, Endpoint, Part, Server};
use support::server;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const REQUESTS: usize = 200;
const ITEMS: usize = 10_000;

fn main() -> Result<(), BoxError> {
    match process::part()? {
        Part::Parent(_) => {
            let server = Server::start(&[])?;
            for backtrace in [false, true] {
                let set = if backtrace { "=1" } else { " unset" };
                println!("\nRUST_BACKTRACE{set}");
                process::run(server.client(&[], backtrace, &[])?)?;
            }
            Ok(())
        }
        Part::Client(endpoint, _) => tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(client(&endpoint)),
        Part::Server(_) => server::serve(Fixed::new),
    }
}

async fn client(endpoint: &Endpoint) -> Result<(), BoxError> {
    let reqwest = Reqwest::new(endpoint, ITEMS)?;
    let library = Library::new(endpoint, ITEMS)?;
    println!(
        "{:<32} {:>11} {:>13} {:>9}",
        "", "allocations", "reallocations", "bytes"
    );
    get("GET, reqwest + serde_json", &reqwest).await?;
    get("GET, azure_core pipeline (P)", &Bare::new(endpoint)?).await?;
    get("GET, azureml-aks", &library).await?;

    let each = |compute: &Plain| {
        black_box(compute.nodes().ok_or("the answer is not the compute")?);
        Ok(())
    };
    let region = Region::new(ALLOCATOR);
    reqwest.list(each).await?;
    print("list item, reqwest + serde_json", &region, ITEMS);
    let region = Region::new(ALLOCATOR);
    library
        .workspace()
        .computes()
        .map_err(BoxError::from)
        .try_for_each(|compute| {
            std::future::ready(nodes(compute.resource()).map(|nodes| {
                black_box(nodes);
            }))
        })
        .await?;
    print("list item, azureml-aks", &region, ITEMS);
    Ok(())
}

#[allow(
    clippy::future_not_send,
    reason = "one thread, so that every allocation is its own"
)]
async fn get(name: &str, contestant: &impl Get) -> Result<(), BoxError> {
    // The first ones connect and ask for the token.
    for _ in 0..3 {
        contestant.get().await?;
    }
    let region = Region::new(ALLOCATOR);
    for _ in 0..REQUESTS {
        black_box(contestant.get().await?);
    }
    print(name, &region, REQUESTS);
    Ok(())
}

fn print(name: &str, region: &Region<'_, System>, pieces: usize) {
    let stats = region.change();
    let per_piece = |count: usize| count as f64 / pieces as f64;
    println!(
        "{name:<32} {:>11.1} {:>13.1} {:>9.0}",
        per_piece(stats.allocations),
        per_piece(stats.reallocations),
        per_piece(stats.bytes_allocated),
    );
}
