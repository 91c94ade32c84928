//! Waiting for the operation that was begun through a handle, or for a compute that was read to reach a final state.

use super::{ComputeResource, ComputeState, ComputeTarget, Failure, Kind, SUBJECT, check_kind};
use crate::error::{Error, ErrorKind};
use crate::operation::waitable::sealed::{How, Sealed};
use crate::operation::{
    self, Driver, Event, Operation, Protocol, Settled, Ticket, WaitOptions, Waitable,
};
use crate::token::Verb;
use futures::future::BoxFuture;
use futures::{FutureExt, Stream};
use std::sync::Arc;

/// Waits for the pending operation.
impl<K: Kind> ComputeTarget<K> {
    /// Waits until the operation that was begun through this handle has ended, and the compute is ready.
    ///
    /// After `create`, `attach` and `update` it follows that operation. After `detach` and `delete` it
    /// returns `Ok` once the compute is gone. With nothing pending it reads the compute once: one that is
    /// ready is `Ok`, one that is still changing is waited for, one that failed is an error. The service's
    /// documentation says 10 to 20 minutes for a create and 5 for an attach; the default deadline is
    /// [`WaitOptions::DEFAULT_DEADLINE`].
    ///
    /// Sends: GETs of the operation's status or of the compute, and finally one GET of the compute.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OperationFailed`] and [`ErrorKind::OperationCanceled`] with the service's
    /// reason; [`ErrorKind::OperationStatusLost`] and [`ErrorKind::DeadlineExceeded`] with a resume
    /// token: then the operation may still run, and this can be called again. [`Error::is_not_found`] if
    /// nothing is pending and the compute does not exist. A single read of the status that fails is not an
    /// error.
    ///
    /// # Cancel safety
    ///
    /// Safe: if it is dropped at any point, the next call continues where this one stopped. The service's work
    /// continues in any case.
    pub async fn wait_for_completion(&mut self, options: WaitOptions) -> Result<(), Error> {
        operation::wait(self, &options).await
    }

    /// Returns the wait of [`wait_for_completion`](Self::wait_for_completion) as a stream: the progress
    /// before each pause, and [`Event::Done`] as the last item.
    ///
    /// The stream ends after that or after the first error; the errors are those of `wait_for_completion`.
    /// Dropping it stops nothing: another stream, or a wait, continues where it stopped.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), azureml_aks::Error> {
    /// # use azureml_aks::{Workspace, emulator::Emulator};
    /// # let emulator = Emulator::new();
    /// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
    /// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
    /// # let config = azureml_aks::AksCompute::provisioning_configuration().build()?;
    /// use azureml_aks::{ComputeTarget, WaitOptions, models::Event};
    /// use futures::TryStreamExt;
    ///
    /// let mut aks = ComputeTarget::create(&workspace, "myaks", config).await?;
    /// let mut events = std::pin::pin!(aks.events(WaitOptions::new()));
    /// while let Some(event) = events.try_next().await? {
    ///     match event {
    ///         Event::Progress(progress) => println!("{:?}, again in {:?}", progress.status, progress.next_delay),
    ///         Event::Done(()) => println!("done"),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub fn events(
        &mut self,
        options: WaitOptions,
    ) -> impl Stream<Item = Result<Event<()>, Error>> + Send + '_ {
        operation::events(self, &options)
    }

    fn end_wait(&mut self, result: Result<Settled, Error>) -> Result<(), Error> {
        let result = result.inspect_err(|error| {
            self.learn(error);
            // Nothing was begun: this is the state of the compute as read. The next wait reads it again.
            self.pending
                .take_if(|pending| pending.verb().is_none() && pending.is_over());
        })?;
        if self.removes() {
            // It stays pending: every further wait ends like this one.
            return Ok(());
        }
        // The next wait reads the compute again.
        let decoded = operation::decode::<ComputeResource>(result, SUBJECT.noun)
            .inspect_err(|_| self.pending = None)?;
        if let Some(resource) = decoded {
            // An answer that does not name the kind contradicts nothing.
            if !resource.properties.compute_type.is_empty() {
                check_kind::<K>(&self.name, &resource.properties.compute_type)?;
            }
            self.show(resource);
        }
        self.pending = None;
        self.find_deviations();
        Ok(())
    }

    /// Returns whether the compute is being removed through this handle.
    fn removes(&self) -> bool {
        let verb = self.pending.as_ref().and_then(|pending| pending.verb());
        matches!(verb, Some(Verb::Delete | Verb::Detach))
    }

    /// Keeps the failure that the end of an operation reports, without another read of the compute.
    fn learn(&mut self, error: &Error) {
        let state = match error.kind() {
            ErrorKind::OperationFailed => ComputeState::Failed,
            ErrorKind::OperationCanceled => ComputeState::Canceled,
            _ => return,
        };
        self.failure = Some(Arc::new(Failure {
            state,
            errors: error.service_error().cloned().into_iter().collect(),
        }));
    }

    /// Returns the wait for the operation that is pending on the handle, which gives the handle.
    pub(crate) fn into_operation(mut self) -> Operation<Self> {
        let driver = match &self.pending {
            Some(pending) => Driver::clone(pending),
            None => self.follow(None).clone(),
        };
        Operation::new(driver, move |settled| {
            let mut compute = self.clone();
            compute.end_wait(Ok(settled))?;
            Ok(compute)
        })
    }

    /// Follows the resource itself; with the ticket of the request, where that is known.
    pub(crate) fn follow(&mut self, ticket: Option<Ticket>) -> &mut Driver {
        let begun = operation::watch(
            self.workspace.client(),
            Protocol::Arm,
            &self.workspace.compute_url(&self.name),
            self.workspace.api_version(),
            ticket.as_ref(),
            self.resource.properties.provisioning_state.as_deref(),
        );
        self.pend(ticket, begun)
    }
}

#[allow(private_interfaces, reason = "nobody outside can name the trait")]
impl<K: Kind> Sealed for ComputeTarget<K> {
    /// Returns the pending operation, or else a read of the compute.
    fn driver(&mut self) -> Option<&mut Driver> {
        Some(match self.pending {
            Some(ref mut pending) => pending,
            None => self.follow(None),
        })
    }
}

impl<K: Kind> Waitable for ComputeTarget<K> {
    type Output = ();

    fn end(&mut self, how: How) -> BoxFuture<'_, Option<Result<(), Error>>> {
        // A handle always has something to wait for.
        let result = self.end_wait(how.0.unwrap_or(Ok(None)));
        async move { Some(result) }.boxed()
    }
}
