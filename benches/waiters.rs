//! Ten thousand creates in ten workspaces, waited for in one process over HTTPS: each by itself, and
//! by `wait_all`. What a waiter costs in requests, connections, memory and processor time, and how
//! late polls are sent.
//!
//! `cargo bench --bench waiters`. How to read it: `docs/internals/performance.md`.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[allow(dead_code, reason = "each bench uses its part")]
mod support;

use azureml_aks::{AksCompute, ClusterPurpose, ComputeTarget, Error, Workspace};
use serde::{Deserialize, Serialize};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use support::BoxError;
use support::contestants::{self, Library};
use support::fleet::{self, Fleet, Plan, Report};
use support::lag::Lags;
use support::measure::{self, quantile};
use support::process::{self, Endpoint, Options, Part, Server};
use support::server;
use support::waiting::{self, Way};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const WORKSPACES: usize = 10;
const COMPUTES: usize = 1_000;
const TAKES: Duration = Duration::from_secs(30);
const HINT: u64 = 10;

fn main() -> Result<(), BoxError> {
    match process::part()? {
        Part::Parent(options) => parent(&options),
        Part::Client(endpoint, task) => client(&endpoint, &task),
        Part::Server(arguments) => {
            let plan = serde_json::from_str(arguments.first().ok_or("no plan")?)?;
            server::serve(|origin| Fleet::new(plan, origin))
        }
    }
}

fn parent(options: &Options) -> Result<(), BoxError> {
    let measured = |hint, together, signed| Plan {
        workspaces: WORKSPACES,
        computes: COMPUTES,
        takes: TAKES,
        hint,
        together,
        signed,
    };
    let short = |takes, hint, together, signed| Plan {
        workspaces: 2,
        computes: 20,
        takes: Duration::from_millis(takes),
        hint,
        together,
        signed,
    };
    // Those with a hint that start together differ in the polling URLs alone.
    let plans = if options.measure {
        [
            measured(None, true, false),
            measured(Some(HINT), true, false),
            measured(Some(HINT), true, true),
            measured(Some(HINT), false, false),
        ]
    } else {
        // Without a hint the second poll would come after five seconds.
        [
            short(0, None, true, false),
            short(500, Some(1), true, false),
            short(500, Some(1), true, true),
            short(500, Some(1), false, false),
        ]
    };
    let mut by_url = Vec::new();
    for plan in plans {
        let waiters = plan.workspaces * plan.computes;
        let starts = if plan.together {
            "all start together".to_owned()
        } else {
            format!("starts spread over {:?}", spread(&plan))
        };
        let hint = plan.hint.map_or("no Retry-After".to_owned(), |hint| {
            format!("Retry-After: {hint}")
        });
        println!(
            "\n{waiters} creates of {:?} in {} workspaces, {starts}, {hint}, {}",
            plan.takes,
            plan.workspaces,
            urls(plan.signed)
        );
        let compared = (plan.together && plan.hint.is_some()).then_some(plan.signed);
        let plan = serde_json::to_string(&plan)?;
        let mut seen = Vec::new();
        for way in Way::THERE {
            // A server of its own, so that nobody waits for what the last client left behind.
            let server = Server::start(&[&plan])?;
            let task = [Way::NAMES[*way as usize], &plan];
            let said = process::said(server.client(&[], false, &task)?)?;
            seen.push(serde_json::from_str(&said)?);
        }
        print(&seen);
        by_url.extend(compared.map(|signed| (signed, seen)));
    }
    println!("\nHeap, KiB, by the polling URLs of the service");
    line("", "limit", Way::NAMES.map(str::to_owned).to_vec());
    for (signed, seen) in &by_url {
        println!("{}", urls(*signed));
        for (what, limit, figure) in HEAP {
            line(
                &format!("  {what}"),
                limit,
                seen.iter().map(figure).collect(),
            );
        }
    }
    Ok(())
}

/// The polling URLs of a plan, for people.
fn urls(signed: bool) -> String {
    let length = fleet::monitor("https://management.azure.com", 0, 0, signed).len();
    let kind = if signed { "signed" } else { "plain" };
    format!("{kind} polling URLs of {length} characters")
}

/// The observations of a client.
#[derive(Serialize, Deserialize)]
struct Seen {
    waiters: usize,
    report: Report,
    /// Open when the wait began, left by the creates.
    connections_before: usize,
    /// Live on the heap: before the first handle, with all handles, and at most during the wait.
    heap: [usize; 3],
    /// Resident at the first of these moments, and at most, in kB.
    resident: Option<[u64; 2]>,
    failures: usize,
    first_failure: Option<String>,
    /// In ms.
    lags: Vec<f64>,
    processor: Duration,
    /// From the last end of an operation to the end of the wait.
    late: f64,
}

/// A figure of a table: its name, its limit, and what it is.
type Row = (&'static str, &'static str, fn(&Seen) -> String);

/// A waiter is its handle and what waiting adds.
const HEAP: [Row; 3] = [
    ("a waiter", "", |seen| {
        per_waiter(seen, seen.heap[2], seen.heap[0])
    }),
    ("its handle alone", "", |seen| {
        per_waiter(seen, seen.heap[1], seen.heap[0])
    }),
    ("what waiting adds", "4", |seen| {
        per_waiter(seen, seen.heap[2], seen.heap[1])
    }),
];

fn print(seen: &[Seen]) {
    let rows: [Row; 12] = [
        ("requests: lists", "", |seen| seen.report.lists.to_string()),
        ("requests: monitors", "", |seen| {
            seen.report.monitors.to_string()
        }),
        ("requests: computes", "", |seen| {
            seen.report.computes.to_string()
        }),
        ("connections before the wait", "", |seen| {
            seen.connections_before.to_string()
        }),
        ("connections at the peak", "64", |seen| {
            seen.report.most_connections.saturating_sub(1).to_string()
        }),
        ("connections opened", "", |seen| {
            seen.report.new_connections.to_string()
        }),
        ("resident memory of a waiter, KiB", "", |seen| {
            match seen.resident {
                Some([before, peak]) => {
                    format!("{:.1}", (peak - before) as f64 / seen.waiters as f64)
                }
                None => "not known here".to_owned(),
            }
        }),
        ("failures", "0", |seen| seen.failures.to_string()),
        ("lag of a poll, ms: median", "", |seen| lag(seen, 0.5)),
        ("lag of a poll, ms: p99, most", "250", |seen| {
            format!("{}, {}", lag(seen, 0.99), lag(seen, 1.0))
        }),
        ("processor time of a waiter, us", "", |seen| {
            format!(
                "{:.0}",
                seen.processor.as_secs_f64() * 1e6 / seen.waiters as f64
            )
        }),
        ("from the last end to the end, s", "", |seen| {
            format!("{:.2}", seen.late)
        }),
    ];
    line("", "limit", Way::NAMES.map(str::to_owned).to_vec());
    for (what, limit, figure) in rows {
        line(what, limit, seen.iter().map(figure).collect());
    }
    for (what, limit, figure) in HEAP {
        let what = format!("heap, KiB: {what}");
        line(&what, limit, seen.iter().map(figure).collect());
    }
    for (name, seen) in Way::NAMES.iter().zip(seen) {
        if let Some(failure) = &seen.first_failure {
            println!("first failure of {name}: {failure}");
        }
    }
}

fn line(what: &str, limit: &str, figures: Vec<String>) {
    let figures: String = figures
        .iter()
        .map(|figure| format!(" {figure:>18}"))
        .collect();
    println!("{what:<34} {limit:>6}{figures}");
}

fn per_waiter(seen: &Seen, more: usize, less: usize) -> String {
    let bytes = more as f64 - less as f64;
    format!("{:.2}", bytes / 1024.0 / seen.waiters as f64)
}

fn lag(seen: &Seen, part: f64) -> String {
    if seen.lags.is_empty() {
        return "none told".to_owned();
    }
    format!("{:.1}", quantile(seen.lags.iter().copied(), part))
}

fn client(endpoint: &Endpoint, task: &[String]) -> Result<(), BoxError> {
    measure::pin(0);
    process::allow_many_files();
    let [way, plan] = task else {
        return Err("no task".into());
    };
    let way = *Way::THERE
        .iter()
        .find(|there| Way::NAMES[**there as usize] == way)
        .ok_or("no such way")?;
    let plan: Plan = serde_json::from_str(plan)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let seen = runtime.block_on(run(endpoint, way, plan))?;
    println!("{}", serde_json::to_string(&seen)?);
    Ok(())
}

#[allow(clippy::future_not_send, reason = "driven by one thread")]
async fn run(endpoint: &Endpoint, way: Way, plan: Plan) -> Result<Seen, BoxError> {
    let waiters = plan.workspaces * plan.computes;
    // More polls than that only make the room grow.
    let lags = Lags::listen(waiters * 16);
    let control = Control::new(endpoint)?;
    let mut workspaces = Vec::new();
    for number in 0..plan.workspaces {
        let library = Library::of(endpoint, &fleet::workspace(number))?;
        // Connects, asks for the token and learns the region, which is not a cost of the waiters.
        library.workspace().location().await?;
        workspaces.push(library.workspace().clone());
    }
    let resident = measure::resident();
    let mut heap = [live(), 0, 0];
    let handles = create_all(&workspaces, &plan).await?;
    let last_put = Instant::now();
    heap[1] = live();
    if plan.together {
        // Till every first poll is due, hinted or not, so that all are sent at once.
        let first = plan.hint.unwrap_or(1) as f64;
        tokio::time::sleep(Duration::from_secs_f64(first * 1.1)).await;
    }

    control.get::<serde_json::Value>(fleet::BEGIN).await?;
    let begun = if plan.together {
        Instant::now()
    } else {
        last_put
    };
    let connections_before = control.get::<Report>(fleet::REPORT).await?.connections - 1;
    lags.begin();
    let sampler = Sampler::start();
    let processor = measure::processor();
    let (handles, results) = waiting::wait(way, handles).await;
    let processor = measure::processor() - processor;
    let late = begun.elapsed().as_secs_f64() - plan.takes.as_secs_f64();
    let sampled = sampler.stop();
    heap[2] = sampled.most;
    let peak = measure::peak();
    let report = control.get(fleet::REPORT).await?;

    if handles.len() != waiters || results.len() != waiters {
        return Err(format!("{} of {waiters} ended", results.len()).into());
    }
    let unready = |handle: &&AksCompute| handle.status() != Some("Succeeded");
    let failures = results.iter().filter(|result| result.is_err()).count();
    let silent = handles.iter().filter(unready).count();
    if failures == 0 && silent > 0 {
        return Err(format!("{silent} handles do not know that they are ready").into());
    }
    let mut errors = results.into_iter().filter_map(Result::err);
    Ok(Seen {
        waiters,
        report,
        connections_before,
        heap,
        resident: resident.zip(peak).map(|(before, peak)| [before, peak]),
        failures,
        first_failure: errors.next().map(|error| error.to_string()),
        lags: lags.take(),
        processor: processor.saturating_sub(sampled.processor),
        late,
    })
}

/// Over how long the creates begin, where they do not begin together: from one poll to the next.
fn spread(plan: &Plan) -> Duration {
    Duration::from_secs(plan.hint.unwrap_or(1))
}

/// Creates all, one after the other in each workspace, so that no more connections are left than
/// there are workspaces.
#[allow(clippy::future_not_send, reason = "driven by one thread")]
async fn create_all(workspaces: &[Workspace], plan: &Plan) -> Result<Vec<AksCompute>, BoxError> {
    let pause = if plan.together {
        Duration::ZERO
    } else {
        spread(plan) / u32::try_from(plan.computes)?
    };
    let computes = plan.computes;
    let creators = workspaces.iter().cloned().map(|workspace| {
        tokio::spawn(async move {
            let begun = tokio::time::Instant::now();
            let mut handles = Vec::with_capacity(computes);
            for number in 0..computes {
                if !pause.is_zero() {
                    let passed = pause * u32::try_from(number).unwrap_or(u32::MAX);
                    tokio::time::sleep_until(begun + passed).await;
                }
                handles.push(create(&workspace, &fleet::compute(number)).await?);
            }
            Ok::<_, Error>(handles)
        })
    });
    let creators: Vec<_> = creators.collect();
    let mut all = Vec::with_capacity(workspaces.len() * computes);
    for creator in creators {
        all.append(&mut creator.await??);
    }
    Ok(all)
}

/// The document that the server will show: anything else would be a deviation, and a deviation has its cost.
async fn create(workspace: &Workspace, name: &str) -> Result<AksCompute, Error> {
    let configuration = AksCompute::provisioning_configuration()
        .cluster_purpose(ClusterPurpose::DenseProd)
        .vm_size("Standard_D3_v2")
        .agent_count(3)
        .build()?;
    ComputeTarget::create(workspace, name, configuration).await
}

/// Speaks to the server by one connection that stays open, so that it can be taken off.
struct Control {
    client: reqwest::Client,
    origin: String,
}

impl Control {
    fn new(endpoint: &Endpoint) -> Result<Self, BoxError> {
        Ok(Self {
            client: contestants::client(endpoint)?,
            origin: endpoint.origin.clone(),
        })
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, what: &str) -> Result<T, BoxError> {
        let url = format!("{}/{what}", self.origin);
        let answer = self.client.get(url).send().await?.error_for_status()?;
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }
}

/// The live bytes on the heap.
fn live() -> usize {
    let stats = ALLOCATOR.stats();
    stats
        .bytes_allocated
        .saturating_sub(stats.bytes_deallocated)
}

/// Looks at the heap again and again.
struct Sampler {
    most: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<Duration>,
}

struct Sampled {
    most: usize,
    /// The cost of the measurement itself.
    processor: Duration,
}

impl Sampler {
    fn start() -> Self {
        const PAUSE: Duration = Duration::from_millis(2);
        let most = Arc::new(AtomicUsize::new(live()));
        let over = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let (most, over) = (most.clone(), over.clone());
            move || {
                // The client's core is the client's.
                measure::pin(1);
                while !over.load(Ordering::Relaxed) {
                    most.fetch_max(live(), Ordering::Relaxed);
                    std::thread::sleep(PAUSE);
                }
                measure::own_processor()
            }
        });
        Self { most, over, thread }
    }

    fn stop(self) -> Sampled {
        self.over.store(true, Ordering::Relaxed);
        let processor = self.thread.join().unwrap();
        Sampled {
            most: self.most.load(Ordering::Relaxed),
            processor,
        }
    }
}
