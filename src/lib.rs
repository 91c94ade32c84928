//! Skeleton: replaced by the README.

pub mod config;
#[cfg(feature = "emulator")]
pub mod emulator;
mod error;
mod facts;
mod names;
mod rules;

pub use error::{Error, Violation, Warning};
pub use names::{ComputeName, WorkspaceId};

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
