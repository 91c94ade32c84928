//! The repository: ranks of modules, pages against the code that they show, the public types, and the table of
//! cases; and the files of the command line against the readers of Microsoft.
//!
//! Needs the checkout, and for the last the cases beside it.

// The allowance for tests in clippy.toml does not reach their helpers.
#![allow(clippy::unwrap_used)]

mod architecture;
mod cases;
#[cfg(feature = "services")]
mod config_files;
mod docs;
#[cfg(feature = "emulator")]
mod surface;
