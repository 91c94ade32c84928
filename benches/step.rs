//! The pure decision step: what an answer costs before anything is sent again, beside a bare parse of
//! the same body into borrowed fields.
//!
//! `cargo bench --bench step --features internals`. How to read it: `docs/internals/performance.md`.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[allow(dead_code, reason = "each bench uses its part")]
mod support;

use azureml_aks::internals::{Seen, Stepper};
use serde::Deserialize;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::hint::black_box;
use support::body;
use support::measure::{self, Rounds, Stopwatch};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const MONITOR: &str = "https://management.azure.com/subscriptions/6f3a7f2c-51b0-4c0e-9f8e-2d1c6a5b4e30/providers/Microsoft.MachineLearningServices/locations/westeurope/computeOperationsStatus/0c1d5cf6-3d0e-4b3c-b3f8-9c8e4d7d4b0a?api-version=2018-11-19&service=new";

/// As many headers as ARM sends.
const HEADERS: [(&str, &str); 15] = [
    ("cache-control", "no-cache"),
    ("pragma", "no-cache"),
    ("content-length", "203"),
    ("content-type", "application/json; charset=utf-8"),
    ("expires", "-1"),
    ("vary", "Accept-Encoding"),
    ("x-ms-ratelimit-remaining-subscription-reads", "11999"),
    ("x-ms-request-id", "0c1d5cf6-3d0e-4b3c-b3f8-9c8e4d7d4b0a"),
    (
        "x-ms-correlation-request-id",
        "7f9c4f37-2f55-4f0d-9b7d-5cb1e59b5d62",
    ),
    (
        "x-ms-routing-request-id",
        "WESTEUROPE:20260302T101500Z:7f9c4f37-2f55-4f0d-9b7d-5cb1e59b5d62",
    ),
    ("x-request-time", "0.043"),
    (
        "strict-transport-security",
        "max-age=31536000; includeSubDomains",
    ),
    ("x-content-type-options", "nosniff"),
    ("date", "Mon, 02 Mar 2026 10:15:00 GMT"),
    ("retry-after", "10"),
];

const STATUS: &str = r#"{"id":"/subscriptions/6f3a7f2c-51b0-4c0e-9f8e-2d1c6a5b4e30/providers/Microsoft.MachineLearningServices/locations/westeurope/computeOperationsStatus/0c1d5cf6-3d0e-4b3c-b3f8-9c8e4d7d4b0a","name":"0c1d5cf6-3d0e-4b3c-b3f8-9c8e4d7d4b0a","status":"InProgress","startTime":"2026-03-02T09:41:17.2468023Z"}"#;

#[derive(Deserialize)]
struct Floor<'a> {
    status: Option<&'a str>,
    #[serde(borrow)]
    properties: Option<FloorProperties<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FloorProperties<'a> {
    provisioning_state: Option<&'a str>,
}

fn main() {
    measure::pin(0);
    let measured = std::env::args().any(|argument| argument == "--bench");
    let (rounds, times) = if measured { (30, 20_000) } else { (1, 10) };
    let resource = body::compute("scoring00000").replace("\"Succeeded\"", "\"Creating\"");
    let created = |headers: &[_]| Seen::new(201, headers, resource.as_bytes());
    let monitored = created(&[("azure-asyncoperation", MONITOR)]);
    let silent = created(&[]);
    let mut status_headers = HEADERS.to_vec();
    status_headers.push(("azure-asyncoperation", MONITOR));
    println!(
        "the decision step, medians of {rounds} rounds of {times}; ratios within a round, (quartiles)"
    );
    println!(
        "{:<44} {:>9} {:>18} {:>12} {:>10}",
        "", "ns", "/ bare parse", "allocations", "its parse"
    );
    for (name, first, headers, body) in [
        ("a monitor in progress", &monitored, &HEADERS[..], STATUS),
        (
            "the same, and it names itself again",
            &monitored,
            &status_headers[..],
            STATUS,
        ),
        (
            "a compute in progress (1.6 kB)",
            &silent,
            &HEADERS[..],
            &*resource,
        ),
    ] {
        run(
            name,
            first,
            &Seen::new(200, headers, body.as_bytes()),
            body,
            rounds,
            times,
        );
    }
    let succeeded = STATUS.replace("InProgress", "Succeeded");
    let succeeded = Seen::new(200, &HEADERS, succeeded.as_bytes());
    end(&monitored, &succeeded, rounds, times);
}

/// An end can be seen once only: each time by a clone, whose own cost is taken off.
fn end(first: &Seen, seen: &Seen, rounds: usize, times: usize) {
    let fresh = Stepper::start(first).unwrap();
    let mut samples = Rounds::<2>::new();
    for round in 0..rounds {
        let mut sample = [None; 2];
        for contestant in measure::order::<2>(round) {
            let stopwatch = Stopwatch::start();
            for _ in 0..times {
                let mut stepper = black_box(fresh.clone());
                if contestant == 1 {
                    black_box(stepper.observe(black_box(seen)));
                }
            }
            sample[contestant] = Some(stopwatch.stop(times));
        }
        samples.push(sample);
    }
    let median = |contestant| samples.median(contestant, |sample| sample.processor) * 1000.0;
    let (clone, both) = (median(0), median(1));
    let name = "a monitor that says Succeeded";
    println!(
        "{name:<44} {:>9.0}  (less {clone:.0} for a clone of the state)",
        both - clone
    );
}

fn run(name: &str, first: &Seen, seen: &Seen, body: &str, rounds: usize, times: usize) {
    let mut stepper = Stepper::start(first).unwrap();
    assert!(stepper.observe(seen), "it reads on");
    let parse = || {
        let floor: Floor<'_> = serde_json::from_str(black_box(body)).unwrap();
        let state = floor.properties.and_then(|inner| inner.provisioning_state);
        black_box(floor.status.or(state).unwrap());
    };
    let region = Region::new(ALLOCATOR);
    parse();
    let floor = region.change().allocations;
    let region = Region::new(ALLOCATOR);
    black_box(stepper.observe(black_box(seen)));
    let own = region.change().allocations;
    let mut samples = Rounds::<2>::new();
    for round in 0..rounds {
        let mut sample = [None; 2];
        for contestant in measure::order::<2>(round) {
            let stopwatch = Stopwatch::start();
            for _ in 0..times {
                match contestant {
                    0 => parse(),
                    _ => {
                        black_box(stepper.observe(black_box(seen)));
                    }
                }
            }
            sample[contestant] = Some(stopwatch.stop(times));
        }
        samples.push(sample);
    }
    println!(
        "{name:<44} {:>9.0} {:>18} {own:>12} {floor:>10}",
        samples.median(1, |sample| sample.processor) * 1000.0,
        samples.ratio(1, 0, |sample| sample.processor),
    );
}
