//! Work that may wait for a disk.

use crate::error::{Error, ErrorKind, in_runtime};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Tells work whether someone still waits for it: a process that wants to end must not read on for minutes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    gone: Arc<AtomicBool>,
}

impl Wanted {
    /// # Errors
    ///
    /// The caller no longer waits.
    pub(crate) fn check(&self) -> io::Result<()> {
        match self.gone.load(Ordering::Relaxed) {
            true => Err(io::Error::other("its caller no longer waits for it")),
            false => Ok(()),
        }
    }

    #[cfg(test)]
    pub(crate) fn no_more() -> Self {
        Self {
            gone: Arc::new(true.into()),
        }
    }
}

/// Runs what may wait for a disk on a thread that holds up nothing else. Work that takes long asks
/// [`Wanted`] now and then, which ends when the future is dropped.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce(&Wanted) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    in_runtime()?;
    let waiting = Waiting(Wanted::default());
    let wanted = waiting.0.clone();
    tokio::task::spawn_blocking(move || work(&wanted))
        .await
        .unwrap_or_else(|error| {
            let what = format!("the work on files was broken off: {error}");
            Err(Error::new(ErrorKind::File, what))
        })
}

struct Waiting(Wanted);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.gone.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use std::sync::mpsc;

    #[tokio::test]
    async fn work_learns_that_nobody_waits() {
        let (begin, begun) = mpsc::channel::<()>();
        let (tell, told) = mpsc::channel();
        let mut work = Box::pin(blocking(move |wanted| {
            begun.recv().unwrap();
            tell.send(wanted.check().is_ok()).unwrap();
            Ok(())
        }));
        assert!((&mut work).now_or_never().is_none());
        drop(work);
        begin.send(()).unwrap();
        assert!(!told.recv().unwrap());
    }

    #[tokio::test]
    async fn panic_of_the_work_is_an_error() {
        let error = blocking::<()>(|_| panic!("too bad")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::File);
    }
}
