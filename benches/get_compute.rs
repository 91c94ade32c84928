//! A GET of one compute over HTTPS with a bearer token, decoded into typed structs: what the library
//! costs beside a bare pipeline of `azure_core`, and beside bare `reqwest`.
//!
//! `cargo bench --bench get_compute` prints processor time and throughput at 64 requests in flight
//! and at one, as ratios within the run; `-- --callgrind` counts instructions instead, with valgrind.
//! How to read it: `docs/internals/performance.md`.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[allow(dead_code, reason = "each bench uses its part")]
mod support;

use std::hint::black_box;
use std::process::Stdio;
use support::BoxError;
use support::contestants::{Bare, Get, Library, Reqwest};
use support::fixed::Fixed;
use support::measure::{self, Rounds, Sample, Stopwatch};
use support::process::{self, Endpoint, Options, Part, Server};
use support::server;

const NAMES: [&str; 3] = [
    "reqwest + serde_json",
    "azure_core pipeline (P)",
    "azureml-aks",
];
const REQWEST: usize = 0;
const PIPELINE: usize = 1;

/// How many requests are in flight, and how many make a block.
const MANY: (usize, usize) = (64, 1_920);
const SINGLE: (usize, usize) = (1, 400);

fn main() -> Result<(), BoxError> {
    match process::part()? {
        Part::Parent(options) => parent(&options),
        Part::Client(endpoint, task) => client(&endpoint, &task),
        Part::Server(_) => server::serve(Fixed::new),
    }
}

fn parent(options: &Options) -> Result<(), BoxError> {
    let server = Server::start(&[])?;
    for backtrace in [false, true] {
        let set = if backtrace { "=1" } else { " unset" };
        println!("\nGET of one compute, HTTPS, bearer token, RUST_BACKTRACE{set}");
        if options.callgrind {
            instructions(&server, backtrace)?;
        } else {
            let rounds = if options.measure { "25" } else { "1" };
            process::run(server.client(&[], backtrace, &["rounds", rounds])?)?;
        }
    }
    Ok(())
}

/// The difference between 350 and 50 requests: the start, the handshake and the end fall out.
fn instructions(server: &Server, backtrace: bool) -> Result<(), BoxError> {
    const FEW: usize = 50;
    const MORE: usize = 350;
    let count = |name: &str, requests: usize| -> Result<f64, BoxError> {
        let wrapper = [
            "valgrind",
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
        ];
        let task = ["requests", name, &requests.to_string()];
        let mut command = server.client(&wrapper, backtrace, &task)?;
        let output = command.stdout(Stdio::null()).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            return Err(format!("valgrind failed: {said}").into());
        }
        let collected = said
            .split_once("Collected :")
            .ok_or_else(|| said.to_string())?;
        let number = collected.1.split_whitespace().next().ok_or("no number")?;
        Ok(number.parse()?)
    };
    println!(
        "{:<24} {:>13} {:>11} {:>7}",
        "", "instructions", "/ reqwest", "/ P"
    );
    let mut all = Vec::new();
    for name in NAMES {
        all.push((count(name, MORE)? - count(name, FEW)?) / (MORE - FEW) as f64);
        let own = all[all.len() - 1];
        let over = |floor: usize| {
            all.get(floor)
                .map_or(String::new(), |floor| format!("{:.3}", own / floor))
        };
        println!(
            "{name:<24} {own:>13.0} {:>11} {:>7}",
            over(REQWEST),
            over(PIPELINE)
        );
    }
    Ok(())
}

fn client(endpoint: &Endpoint, task: &[String]) -> Result<(), BoxError> {
    measure::pin(0);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let reqwest = Reqwest::new(endpoint, 0)?;
    let bare = Bare::new(endpoint)?;
    let library = Library::new(endpoint, 0)?;
    let drive = |contestant: usize, load| match contestant {
        REQWEST => runtime.block_on(drive(&reqwest, load)),
        PIPELINE => runtime.block_on(drive(&bare, load)),
        _ => runtime.block_on(drive(&library, load)),
    };
    if let [what, name, requests] = task
        && what == "requests"
    {
        let contestant = NAMES
            .iter()
            .position(|own| own == name)
            .ok_or("no such contestant")?;
        // Without the clock, which valgrind does not have.
        return drive(contestant, (1, requests.parse()?));
    }
    let block = |contestant, load: (usize, usize)| -> Result<Sample, BoxError> {
        let stopwatch = Stopwatch::start();
        drive(contestant, load)?;
        Ok(stopwatch.stop(load.1))
    };
    let rounds: usize = task.last().ok_or("how many rounds?")?.parse()?;
    let (mut many, mut single) = (Rounds::<3>::new(), Rounds::<3>::new());
    for contestant in 0..NAMES.len() {
        block(contestant, MANY)?;
    }
    for round in 0..rounds {
        for (load, samples) in [(MANY, &mut many), (SINGLE, &mut single)] {
            let mut own = [None; 3];
            for contestant in measure::order::<3>(round) {
                own[contestant] = Some(block(contestant, load)?);
            }
            samples.push(own);
        }
    }
    print(rounds, &many, &single);
    Ok(())
}

/// So many requests in flight, each of which begins when the one before it is decoded.
#[allow(clippy::future_not_send, reason = "driven by one thread")]
async fn drive<C: Get>(
    contestant: &C,
    (in_flight, requests): (usize, usize),
) -> Result<(), BoxError> {
    let tasks: Vec<_> = (0..in_flight)
        .map(|_| {
            let contestant = contestant.clone();
            tokio::spawn(async move {
                for _ in 0..requests / in_flight {
                    black_box(contestant.get().await?);
                }
                Ok::<(), BoxError>(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}

fn print(rounds: usize, many: &Rounds<3>, single: &Rounds<3>) {
    println!("medians of {rounds} rounds; ratios of processor time within a round, (quartiles)");
    for (what, samples) in [("64 in flight", many), ("one in flight", single)] {
        println!(
            "{what:<24} {:>9} {:>10} {:>18} {:>18}",
            "cpu us", "GET/s", "/ reqwest", "/ P"
        );
        for (contestant, name) in NAMES.into_iter().enumerate() {
            let ratio = |floor| samples.ratio(contestant, floor, |sample| sample.processor);
            println!(
                "{name:<24} {:>9.1} {:>10.0} {:>18} {:>18}",
                samples.median(contestant, |sample| sample.processor),
                1e6 / samples.median(contestant, |sample| sample.wall),
                ratio(REQWEST),
                ratio(PIPELINE),
            );
        }
    }
}
