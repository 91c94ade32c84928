//! The emulator, driven with raw requests: every behaviour and every fault.

mod admin;
mod anything;
mod artifacts;
mod attaching;
mod clusters;
mod creating;
mod environments;
mod extensions;
mod faults;
mod kubernetes;
mod models;
mod numbers;
mod own_clusters;
mod reading;
mod recordings;
mod removing;
mod scoring;
mod service_operations;
mod services;
#[cfg(feature = "services")]
mod storage_client;
mod tls;
mod updating;
