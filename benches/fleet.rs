//! A thousand creates in one workspace of the emulator, each of 20 minutes by its clock: how many
//! requests the wait takes, each by itself and by `wait_all`.
//!
//! `cargo bench --bench fleet --features emulator`; the clock is paused, so that the minutes take
//! none. How to read it: `docs/internals/performance.md`.

#![allow(clippy::print_stdout)]

#[path = "support/waiting.rs"]
#[allow(dead_code, reason = "each bench uses its part")]
mod waiting;

use azureml_aks::emulator::Emulator;
use azureml_aks::{AksCompute, ClusterPurpose, ComputeTarget, Error, Workspace};
use std::time::{Duration, Instant};
use waiting::Way;

const TAKES: Duration = Duration::from_secs(20 * 60);
const HINT: Duration = Duration::from_secs(10);

type BoxError = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), BoxError> {
    let computes = if std::env::args().any(|argument| argument == "--bench") {
        1_000
    } else {
        20
    };
    for hint in [Some(HINT), None] {
        let said = hint.map_or("no Retry-After".to_owned(), |hint| {
            format!("Retry-After: {}", hint.as_secs())
        });
        println!("\nWaiting for {computes} creates of {TAKES:?} in one workspace, {said}");
        println!(
            "{:<16} {:>10} {:>8} {:>10} {:>10} {:>9} {:>9} {:>9} {:>9} {:>8}",
            "",
            "page",
            "lists",
            "monitors",
            "computes",
            "all",
            "bound",
            "failures",
            "ends at s",
            "took s"
        );
        for way in Way::THERE {
            // A page is nothing to who reads no list.
            let pages: &[usize] = match way {
                Way::Each => &[1_000],
                Way::All => &[10, 100, 1_000],
            };
            for page in pages {
                run(*way, computes, hint, *page)?;
            }
        }
    }
    Ok(())
}

fn run(way: Way, computes: usize, hint: Option<Duration>, page: usize) -> Result<(), BoxError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()?;
    let took = Instant::now();
    let (counts, ends, failures) = runtime.block_on(wait(way, computes, hint, page))?;
    let took = took.elapsed();
    let name = Way::NAMES[way as usize];
    let (page, bound) = match way {
        Way::Each => ("-".to_owned(), "-".to_owned()),
        Way::All => {
            let bound = computes.div_ceil(page) * intervals(hint) + computes;
            (page.to_string(), bound.to_string())
        }
    };
    println!(
        "{name:<16} {page:>10} {:>8} {:>10} {:>10} {:>9} {bound:>9} {failures:>9} {:>9.1} {:>8.1}",
        counts.lists,
        counts.monitors,
        counts.computes,
        counts.all,
        ends.as_secs_f64(),
        took.as_secs_f64(),
    );
    Ok(())
}

/// How many times one operation is looked at, at the pace of `docs/operations.md`, rule 10, without
/// jitter: a list read may be sent as often.
fn intervals(hint: Option<Duration>) -> usize {
    let mut passed = Duration::ZERO;
    let mut count = 0;
    let mut unhinted = Duration::from_secs(5);
    while passed < TAKES {
        passed += match hint {
            Some(hint) => hint,
            None if count == 0 => Duration::from_secs(1),
            None => {
                let own = unhinted.min(Duration::from_secs(30));
                unhinted = unhinted.mul_f64(1.5);
                own
            }
        };
        count += 1;
    }
    count
}

/// Requests by sort.
#[derive(Default)]
struct Counts {
    lists: usize,
    monitors: usize,
    computes: usize,
    all: usize,
}

impl Counts {
    /// Takes what is in the journal, and empties it: a hundred thousand requests with all their
    /// headers take much memory.
    fn take(&mut self, emulator: &Emulator) {
        for entry in emulator.journal() {
            let path = entry.path.to_ascii_lowercase();
            self.all += 1;
            if path.contains("/computeoperationsstatus/") {
                self.monitors += 1;
            } else if path.ends_with("/computes") {
                self.lists += 1;
            } else if path.contains("/computes/") {
                self.computes += 1;
            }
        }
        emulator.clear_journal();
    }
}

/// The requests, the end by the emulator's clock, and the number of failed waits.
#[allow(clippy::future_not_send, reason = "driven by one thread")]
async fn wait(
    way: Way,
    computes: usize,
    hint: Option<Duration>,
    page: usize,
) -> Result<(Counts, Duration, usize), BoxError> {
    const LOOK: Duration = Duration::from_secs(30);
    let emulator = Emulator::builder()
        .create_duration(TAKES)
        .retry_after(hint)
        .page_size(page)
        .build();
    let workspace = Workspace::builder(
        emulator.subscription(),
        emulator.resource_group(),
        emulator.workspace(),
    )
    .credential(emulator.credential())
    .transport(emulator.transport())
    .build()?;
    let begun = tokio::time::Instant::now();
    let mut handles = Vec::with_capacity(computes);
    for number in 0..computes {
        handles.push(create(&workspace, &format!("scoring{number:05}")).await?);
    }
    emulator.clear_journal();

    let mut counts = Counts::default();
    let (handles, results) = {
        let mut over = std::pin::pin!(waiting::wait(way, handles));
        loop {
            match tokio::time::timeout(LOOK, &mut over).await {
                Ok(over) => break over,
                Err(_) => counts.take(&emulator),
            }
        }
    };
    let ends = begun.elapsed();
    counts.take(&emulator);
    let ready = handles
        .iter()
        .filter(|handle| handle.status() == Some("Succeeded"));
    let (ready, ended) = (ready.count(), results.len());
    let failures = results.iter().filter(|result| result.is_err()).count();
    if ended != computes || ready + failures != computes {
        return Err(format!("{ended} ended and {ready} are ready of {computes}").into());
    }
    Ok((counts, ends, failures))
}

async fn create(workspace: &Workspace, name: &str) -> Result<AksCompute, Error> {
    let configuration = AksCompute::provisioning_configuration()
        .cluster_purpose(ClusterPurpose::DevTest)
        .build()?;
    ComputeTarget::create(workspace, name, configuration).await
}
