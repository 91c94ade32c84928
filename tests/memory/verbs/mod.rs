//! Every verb on the emulator, in process and under a paused clock.

mod attaching;
mod creating;
mod kinds;
mod kubernetes;
mod options;
mod reading;
mod recording;
mod refusals;
mod removing;
mod resuming;
mod secrets;
mod updating;
mod waiting;

use azureml_aks::emulator::Emulator;

/// `METHOD last-segment` of each request that the emulator saw.
fn requests(emulator: &Emulator) -> Vec<String> {
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    emulator
        .journal()
        .iter()
        .map(|entry| format!("{} {}", entry.method, last(&entry.path)))
        .collect()
}

/// How often a request of this method was sent.
fn count(emulator: &Emulator, method: &str) -> usize {
    emulator
        .journal()
        .iter()
        .filter(|entry| entry.method == method)
        .count()
}
