//! Programs that others wrote: Microsoft's Python clients against the emulator, Azurite under the library's
//! transfers, Microsoft's model server under a deployed entry script.
//!
//! Needs what `tests/python/setup.sh`, `tests/azurite/setup.sh` and `examples/model_server/setup.sh` install. Where
//! that is absent, the tests say so and pass, unless `REQUIRE_PYTHON`, `REQUIRE_AZURITE` or `REQUIRE_MODEL_SERVER` is set.

// The allowance for tests in clippy.toml does not reach their helpers.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

#[cfg(all(feature = "services", feature = "internals", feature = "rustls"))]
mod azurite;
#[cfg(all(feature = "emulator", feature = "services", unix))]
mod model_server;
#[cfg(feature = "emulator")]
mod python;
