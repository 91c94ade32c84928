//! The error of a call outside of a runtime.

use super::{Error, ErrorKind};
use std::time::Duration;
use tokio::runtime::Handle;

/// Checks that a runtime of tokio with a clock drives the caller: without it tokio panics, with words that do not
/// tell what to do.
///
/// # Errors
///
/// [`ErrorKind::Configuration`] if not.
pub(crate) fn in_runtime() -> Result<(), Error> {
    let refuse = |what: &str, remedy| {
        let error = Error::new(ErrorKind::Configuration, what);
        Err(error.with_remedy(remedy))
    };
    if Handle::try_current().is_err() {
        return refuse(
            "the call was made outside of a tokio runtime, and nothing was sent",
            "await it in a tokio runtime, for example that of `#[tokio::main]`",
        );
    }
    // Nothing else tells whether the runtime has a clock.
    match std::panic::catch_unwind(|| drop(tokio::time::sleep(Duration::ZERO))) {
        Ok(()) => Ok(()),
        Err(_) => refuse(
            "the tokio runtime has no clock, and nothing was sent",
            "build the runtime with `enable_all` or `enable_time`",
        ),
    }
}
