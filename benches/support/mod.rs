//! Shared by the benches: the server, the contestants, and how they are measured.
//!
//! Each bench binary plays three parts. Started by cargo it is the parent: it starts itself again as
//! the server, and as one client after the other, so that a client's processor time, allocations
//! and memory are its own, and its environment is the same everywhere.

pub(crate) mod body;
pub(crate) mod contestants;
pub(crate) mod fixed;
pub(crate) mod fleet;
pub(crate) mod lag;
pub(crate) mod measure;
pub(crate) mod plain;
pub(crate) mod process;
pub(crate) mod server;
pub(crate) mod waiting;

/// Any error.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;
