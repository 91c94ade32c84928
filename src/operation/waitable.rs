//! Waiting for many operations at once: the trait of the targets, and the wait itself.

use super::driver::Driver;
use super::handle::{Operation, Stage};
use super::wait::WaitOptions;
use crate::error::Error;
use futures::FutureExt;
use futures::future::{BoxFuture, join_all, ready};
use tokio::time::Instant;

/// A target of [`wait_all`]: a handle of a compute or web service, an operation, or the result of a resume
/// from a token. Sealed.
pub trait Waitable: sealed::Sealed + Send {
    /// The result of a wait that succeeds.
    type Output: Send;

    /// Takes the end of the operation that was waited for; `None` if another one follows, which is to be waited for.
    #[doc(hidden)]
    fn end(&mut self, how: sealed::How) -> BoxFuture<'_, Option<Result<Self::Output, Error>>>;
}

/// Waits for many operations at once, in any number of workspaces.
///
/// It does not poll each operation: the list of a workspace's computes is read once per interval, and
/// shows the state of all of them. An operation that the list shows in a final state, or does not show any more, is
/// settled by one read of its own status; the row then serves as the result. Handles on which nothing is
/// pending are decided by the first list. The interval is the one that the
/// service asked for with the operations, but at least 5 seconds; otherwise it grows from 1 to 30 seconds.
/// If the list may not or cannot be read, if a workspace has only one operation, and if fewer operations
/// are left than the list has pages, operations are read one by one. At most 60 requests are in flight,
/// and at most 6 to one workspace; workspaces that share a transport share its connections.
///
/// The results are in the order of the targets. An error of one does not end the others. The deadline of the
/// options is that of the whole wait: an operation that has not ended by then has an error with a resume token, and
/// its handle can be waited for again.
///
/// Computes of any kind, removals and web services can be waited for together as
/// [`Resumed`](crate::Resumed), which each of them converts into. No list shows the state of a web service:
/// services are read one by one.
///
/// Progress is reported for each operation after each read of the list, and once more at its end, with the
/// [class](crate::models::Progress::class) that it ended with. `show_output` shows one line for all of them, and
/// one for each that did not succeed.
///
/// Sends: GETs of the list of computes; for an operation that may have ended one of its status, and one
/// of the compute if the list did not show it.
///
/// # Errors
///
/// None of its own; each result is that of
/// [`ComputeTarget::wait_for_completion`](crate::ComputeTarget::wait_for_completion),
/// [`Operation::wait`] or `AksWebservice::wait_for_deployment`. A target that was resumed as
/// [`Resumed::NotStarted`](crate::Resumed::NotStarted) gives
/// [`ErrorKind::NotStarted`](crate::ErrorKind::NotStarted).
///
/// # Cancel safety
///
/// Safe: the handles stay with the caller. If it is dropped at any point, the next wait continues where this one
/// stopped, for all of them or for any.
///
/// ```
/// # #[cfg(feature = "emulator")]
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), azureml_aks::Error> {
/// # use azureml_aks::{Workspace, emulator::Emulator};
/// # let emulator = Emulator::new();
/// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
/// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
/// use azureml_aks::{AksCompute, ClusterPurpose, ComputeTarget, WaitOptions, wait_all};
///
/// let config = AksCompute::provisioning_configuration()
///     .cluster_purpose(ClusterPurpose::DevTest)
///     .build()?;
/// let mut computes = Vec::new();
/// for name in ["first", "second", "failing"] {
///     computes.push(ComputeTarget::create(&workspace, name, config.clone()).await?);
/// }
/// let results = wait_all(&mut computes, WaitOptions::new()).await;
/// assert!(results[0].is_ok() && results[1].is_ok());
/// assert_eq!(computes[1].status(), Some("Succeeded"));
/// // Names that begin with `fail` do so on the emulator.
/// assert!(results[2].as_ref().unwrap_err().is_operation_failure());
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "emulator"))]
/// # fn main() {}
/// ```
#[must_use]
pub async fn wait_all<'a, W: Waitable + 'a>(
    targets: impl IntoIterator<Item = &'a mut W>,
    options: WaitOptions,
) -> Vec<Result<W::Output, Error>> {
    let mut targets: Vec<&mut W> = targets.into_iter().collect();
    let mut results: Vec<Option<_>> = targets.iter().map(|_| None).collect();
    let begun = Instant::now();
    while results.iter().any(Option::is_none) {
        let drivers = left(&mut targets, &results).collect();
        super::fleet::wait_all(drivers, &options.after(begun.elapsed())).await;
        join_all(left(&mut targets, &results).map(Driver::close_record)).await;
        for (target, result) in targets.iter_mut().zip(&mut results) {
            if result.is_none() {
                let ended = target.driver().map(Driver::report);
                *result = target.end(sealed::How(ended)).await;
            }
        }
    }
    results.into_iter().flatten().collect()
}

/// Returns what is still to be waited for.
fn left<'t, W: Waitable, R>(
    targets: &'t mut [&mut W],
    results: &'t [Option<R>],
) -> impl Iterator<Item = &'t mut Driver> {
    let targets = targets.iter_mut().zip(results);
    targets.filter_map(|(target, result)| match result {
        Some(_) => None,
        None => target.driver(),
    })
}

impl<T: Send> Waitable for Operation<T> {
    type Output = T;

    fn end(&mut self, how: sealed::How) -> BoxFuture<'_, Option<Result<T, Error>>> {
        // An operation always has something to wait for.
        let result = how.0.unwrap_or(Ok(None));
        let next = match result.and_then(|result| self.settle(result)) {
            Ok(Stage::Next(next)) => next,
            Ok(Stage::Done(value)) => return ready(Some(Ok(value))).boxed(),
            Err(error) => return ready(Some(Err(error))).boxed(),
        };
        async move {
            match next.await {
                Ok(next) => *self = next,
                Err(error) => return Some(Err(error)),
            }
            None
        }
        .boxed()
    }
}

pub(crate) mod sealed {
    #![allow(
        private_interfaces,
        unreachable_pub,
        reason = "public in a trait, and nobody outside can name it"
    )]

    use super::{Driver, Error, Operation};
    use crate::operation::driver::Settled;

    /// Returns how an operation ended; `None` if there was nothing to wait for.
    #[derive(Debug)]
    pub struct How(pub(crate) Option<Result<Settled, Error>>);

    pub trait Sealed {
        fn driver(&mut self) -> Option<&mut Driver>;
    }

    impl<T> Sealed for Operation<T> {
        fn driver(&mut self) -> Option<&mut Driver> {
            Some(self.driver_mut())
        }
    }
}
