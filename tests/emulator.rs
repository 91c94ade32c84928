//! The emulator, driven with raw requests: every behaviour and every fault.
#![cfg(feature = "emulator")]
// The allowance for tests in clippy.toml does not reach their helpers.
#![allow(clippy::unwrap_used)]

#[path = "emulator/support.rs"]
mod support;

#[path = "emulator/admin.rs"]
mod admin;
#[path = "emulator/artifacts.rs"]
mod artifacts;
#[path = "emulator/attaching.rs"]
mod attaching;
#[path = "emulator/creating.rs"]
mod creating;
#[path = "emulator/environments.rs"]
mod environments;
#[path = "emulator/faults.rs"]
mod faults;
#[cfg(feature = "rustls")]
#[path = "emulator/loopback.rs"]
mod loopback;
#[path = "emulator/models.rs"]
mod models;
#[path = "emulator/reading.rs"]
mod reading;
#[path = "emulator/removing.rs"]
mod removing;
#[path = "emulator/scoring.rs"]
mod scoring;
#[path = "emulator/service_operations.rs"]
mod service_operations;
#[path = "emulator/service_support.rs"]
mod service_support;
#[path = "emulator/services.rs"]
mod services;
#[cfg(feature = "services")]
#[path = "emulator/storage_client.rs"]
mod storage_client;
#[path = "emulator/tls.rs"]
mod tls;
#[path = "emulator/updating.rs"]
mod updating;
