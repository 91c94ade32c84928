//! Waiting for a service to become healthy.

use super::ServiceResource;
use super::{AksWebservice, Known, SUBJECT, ServiceState, check_kind};
use crate::error::{Error, ErrorKind};
use crate::operation::waitable::sealed::{How, Sealed};
use crate::operation::{self, Driver, Event, Protocol, Settled, Ticket, WaitOptions, Waitable};
use crate::token::Verb;
use futures::future::BoxFuture;
use futures::{FutureExt, Stream};
use std::sync::Arc;

impl AksWebservice {
    /// Waits until the operation that was started through this handle has ended, and the service is healthy.
    ///
    /// After a deployment or an update it follows that operation, then the service's own state. After
    /// `delete` it returns `Ok` once the service is gone. With nothing pending it reads the service once:
    /// a healthy one is `Ok`, one in transition is waited for, a failed one is an error.
    /// The service itself gives up after about 20 minutes; the default deadline is
    /// [`WaitOptions::DEFAULT_DEADLINE`]. The log of the service during the wait is in
    /// [`Progress::log`](crate::models::Progress::log), and shown by `show_output`.
    ///
    /// Sends: GETs of the operation's status and of the service; after a failure GETs of the service and
    /// its logs.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::OperationFailed`] and [`ErrorKind::OperationCanceled`] with the service's reason
    ///   and its details, the ends of the containers' logs
    ///   ([`container_logs`](Error::container_logs)), and what the cluster lacks where it has no room
    ///   ([`missing_resources`](Error::missing_resources)). A service that took too long may become
    ///   healthy all the same: read it again, and wait again.
    /// - [`ErrorKind::OperationStatusLost`] and [`ErrorKind::DeadlineExceeded`] with a resume token:
    ///   then the operation may still run, and this can be called again.
    /// - [`Error::is_not_found`] if nothing is pending and the service does not exist.
    ///
    /// # Cancel safety
    ///
    /// Safe: if it is dropped at any point, the next call goes on where this one stopped. The service's work
    /// goes on in any case.
    pub async fn wait_for_deployment(&mut self, options: WaitOptions) -> Result<(), Error> {
        operation::wait(self, &options).await
    }

    /// Returns a stream of the steps of [`wait_for_deployment`](Self::wait_for_deployment): the progress
    /// before each pause, and [`Event::Done`] as the last item.
    ///
    /// The stream ends after that or after the first error, which is one of `wait_for_deployment`'s.
    /// Dropping it stops nothing: another stream, or a wait, goes on where it stopped.
    pub fn events(
        &mut self,
        options: WaitOptions,
    ) -> impl Stream<Item = Result<Event<()>, Error>> + Send + '_ {
        operation::events(self, &options)
    }

    /// Returns the driver to wait for: the pending operation, or a read of the service.
    fn begin_wait(&mut self) -> Result<&mut Driver, Error> {
        match self.pending {
            Some(ref mut pending) => Ok(pending),
            None => self.follow(None),
        }
    }

    async fn end_wait(&mut self, result: Result<Settled, Error>) -> Result<(), Error> {
        let verb = self.pending.as_ref().and_then(|pending| pending.verb());
        match result {
            // It stays pending: every further wait ends like this one.
            Ok(_) if verb == Some(Verb::Delete) => Ok(()),
            Ok(result) => {
                self.pending = None;
                if let Some(resource) = operation::decode::<ServiceResource>(result, SUBJECT.noun)?
                {
                    check_kind(&self.name, &resource)?;
                    self.show(resource);
                }
                Ok(())
            }
            Err(error) if error.is_operation_failure() => {
                // The caller gets the failure, whether these succeed or not.
                let mut read = self.clone();
                let (refreshed, logs) = futures::join!(read.read_again(), self.last_logs());
                // Not before: if this is dropped meanwhile, the next wait must still report the failure. The
                // service itself may be healthy, with what it had before an update.
                self.pending = None;
                match refreshed {
                    Ok(()) => {
                        self.resource = read.resource;
                        self.known = None;
                    }
                    Err(_) => self.learn(&error),
                }
                Err(error.with_logs(logs))
            }
            Err(error) => {
                // It was a read, and it has ended: the next wait reads anew.
                self.pending
                    .take_if(|pending| pending.verb().is_none() && pending.is_over());
                Err(error)
            }
        }
    }

    /// Keeps the facts that the end of an operation tells about the service, where the service cannot be read.
    fn learn(&mut self, error: &Error) {
        self.known = Some(Arc::new(Known {
            state: ServiceState::Failed,
            error: error.service_error().cloned(),
        }));
    }

    /// Follows the service itself; with the ticket of the request, where that is known.
    pub(crate) fn follow(&mut self, ticket: Option<Ticket>) -> Result<&mut Driver, Error> {
        let workspace = self.workspace.clone();
        let Some(plane) = workspace.known_data_plane() else {
            return Err(Error::new(
                ErrorKind::Configuration,
                "the hosts of the workspace's services were not read yet",
            ));
        };
        let begun = operation::watch(
            plane.client(),
            Protocol::ModelManagement,
            &self.url(plane),
            "",
            ticket.as_ref(),
            self.resource.state.as_deref(),
        );
        Ok(self.pend(plane, ticket, begun))
    }
}

#[allow(private_interfaces, reason = "nobody outside can name the trait")]
impl Sealed for AksWebservice {
    fn driver(&mut self) -> Option<&mut Driver> {
        self.begin_wait().ok()
    }
}

impl Waitable for AksWebservice {
    type Output = ();

    fn end(&mut self, how: How) -> BoxFuture<'_, Option<Result<(), Error>>> {
        async move {
            Some(match how.0 {
                Some(result) => self.end_wait(result).await,
                None => self.begin_wait().map(|_| ()),
            })
        }
        .boxed()
    }
}
