//! Reading the VM sizes of one region from a list of all regions, 60 MB: the library, which decodes the list while
//! it arrives, beside `serde_json::from_slice` into the same structs.
//!
//! `cargo bench --bench skus --features internals`. How to read it: `docs/internals/performance.md`.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[path = "support/measure.rs"]
#[allow(dead_code, reason = "each bench uses its part")]
mod measure;

use azureml_aks::internals;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::error::Error;
use std::fmt::Write;
use std::hint::black_box;
use std::io::{BufReader, Read};
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The memory that the decoder may need beside the list.
const MOST: usize = 20 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let measured = std::env::args().any(|argument| argument == "--bench");
    let (regions, rounds) = if measured { (60, 11) } else { (2, 1) };
    measure::pin(0);
    let list = list(regions);
    println!(
        "\nThe VM sizes of one region in a list of {:.1} MB; medians of {rounds} rounds",
        megabytes(list.len())
    );
    let mut library = Vec::new();
    let mut plain = Vec::new();
    for _ in 0..rounds {
        library.push(run(
            |arriving| {
                let sizes = internals::sizes_of(BufReader::new(arriving), "region1")?;
                assert_eq!(sizes.len(), SIZES);
                assert_eq!(sizes[0].vcpus(), Some(8));
                Ok(sizes)
            },
            &list,
        )?);
        plain.push(run(
            |arriving| {
                let rows = internals::all_sizes_of(arriving.list)?;
                assert_eq!(rows.len(), (SIZES + DISKS) * regions);
                Ok(rows)
            },
            &list,
        )?);
    }
    for (name, runs) in [
        ("azureml-aks", &mut library),
        ("serde_json::from_slice", &mut plain),
    ] {
        runs.sort();
        let (time, _) = runs[rounds / 2];
        let peak = runs.iter().map(|(_, peak)| *peak).max().unwrap();
        println!(
            "{name:<24} {:>8.0} ms   {:>8.1} MB more at the most",
            time.as_secs_f64() * 1e3,
            megabytes(peak)
        );
    }
    let peak = library.iter().map(|(_, peak)| *peak).max().unwrap();
    if peak > MOST {
        return Err(format!("the library needs {:.1} MB", megabytes(peak)).into());
    }
    Ok(())
}

/// The list, as it arrives in pieces of 16 KiB; notes the most memory that is in use while it is read.
struct Arriving<'l> {
    list: &'l [u8],
    before: usize,
    peak: usize,
}

impl Read for &mut Arriving<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        self.peak = self.peak.max(in_use().saturating_sub(self.before));
        let most = to.len().min(16 << 10);
        (&mut self.list).take(most as u64).read(to)
    }
}

/// Measures the processor time of a read, and the memory that it needs beside the list at the most.
fn run<T>(
    read: impl FnOnce(&mut Arriving<'_>) -> Result<T, serde_json::Error>,
    list: &[u8],
) -> Result<(Duration, usize), Box<dyn Error>> {
    let mut arriving = Arriving {
        list,
        before: in_use(),
        peak: 0,
    };
    let begun = measure::processor();
    let sizes = black_box(read(&mut arriving)?);
    let time = measure::processor() - begun;
    let end = in_use().saturating_sub(arriving.before);
    drop(sizes);
    Ok((time, arriving.peak.max(end)))
}

fn in_use() -> usize {
    let stats = ALLOCATOR.stats();
    stats
        .bytes_allocated
        .saturating_sub(stats.bytes_deallocated)
}

fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

/// Sizes of each region.
const SIZES: usize = 800;

/// Disks of each region, which stand among the sizes.
const DISKS: usize = SIZES / 10;

/// A list with a row for each size and region, as the service writes it: by kind, here one of disks after each
/// tenth size.
fn list(regions: usize) -> Vec<u8> {
    let mut text = String::from(r#"{"value":["#);
    for number in 0..SIZES {
        for region in 0..regions {
            if text.len() > 20 {
                text.push(',');
            }
            row(&mut text, "virtualMachines", number, region);
            if number % 10 == 0 {
                text.push(',');
                row(&mut text, "disks", number, region);
            }
        }
    }
    text.push_str("]}");
    text.into_bytes()
}

fn row(text: &mut String, kind: &str, number: usize, region: usize) {
    write!(
        text,
        r#"{{"resourceType":"{kind}","name":"Standard_X{number}_v5","tier":"Standard","size":"X{number}_v5","family":"standardXv5Family","locations":["Region{region}"],"locationInfo":[{{"location":"Region{region}","zones":["1","2","3"],"zoneDetails":[]}}],"capabilities":["#
    )
    .unwrap();
    for (name, value) in [
        ("MaxResourceVolumeMB", "204800"),
        ("OSVhdSizeMB", "1047552"),
        ("vCPUs", "8"),
        ("MemoryPreservingMaintenanceSupported", "True"),
        ("HyperVGenerations", "V1,V2"),
        ("MemoryGB", "32"),
        ("MaxDataDiskCount", "16"),
        ("CpuArchitectureType", "x64"),
        ("LowPriorityCapable", "True"),
        ("PremiumIO", "True"),
        ("VMDeploymentTypes", "IaaS"),
        ("vCPUsAvailable", "8"),
        ("vCPUsPerCore", "2"),
        ("CombinedTempDiskAndCachedIOPS", "16000"),
        ("UncachedDiskIOPS", "12800"),
        ("EphemeralOSDiskSupported", "True"),
        ("EncryptionAtHostSupported", "True"),
        ("AcceleratedNetworkingEnabled", "True"),
        ("RdmaEnabled", "False"),
        ("MaxNetworkInterfaces", "4"),
    ] {
        write!(text, r#"{{"name":"{name}","value":"{value}"}},"#).unwrap();
    }
    text.pop();
    text.push_str(r#"],"restrictions":[]}"#);
}
