//! Waiting for a service to become healthy.

use super::{AksWebservice, ServiceState, check_kind, decode};
use crate::error::{Error, ErrorKind, ResponseFacts};
use crate::operation::{Driver, Event, Family, Machine, StatusClass, Turn, Wait, WaitOptions};
use crate::token::ResumeToken;
use azure_core::Uuid;
use futures::{Stream, stream};
use serde_json::Value;
use std::sync::Arc;

impl AksWebservice {
    /// Waits until the service is healthy.
    ///
    /// After a deployment or an update it follows that operation, then the service's own state. On a
    /// handle that was only read it follows the state, and returns at once if that is final. The
    /// service itself gives up after about 20 minutes; the default deadline is
    /// [`WaitOptions::DEFAULT_DEADLINE`]. What the service logs meanwhile is in
    /// [`Progress::log`](crate::Progress::log), and shown by `show_output`.
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
    ///
    /// # Cancel safety
    ///
    /// Safe: dropped at any point, the next call goes on where this one stopped. The service's work
    /// goes on in any case.
    pub async fn wait_for_deployment(&mut self, options: WaitOptions) -> Result<(), Error> {
        let result = match self.begin_wait() {
            Ok(None) => return Ok(()),
            Ok(Some(driver)) => driver.run(&options).await,
            Err(error) => Err(error),
        };
        Box::pin(self.end_wait(result)).await
    }

    /// What [`wait_for_deployment`](Self::wait_for_deployment) does, as a stream: the progress before
    /// each pause, and [`Event::Done`] as the last item.
    ///
    /// The stream ends after that or after the first error, which is one of `wait_for_deployment`'s.
    /// Dropping it stops nothing: another stream, or a wait, goes on where it stopped.
    pub fn events(
        &mut self,
        options: WaitOptions,
    ) -> impl Stream<Item = Result<Event<()>, Error>> + Send + '_ {
        enum State<'a> {
            Begins(&'a mut AksWebservice, WaitOptions),
            Goes(&'a mut AksWebservice, Wait),
            Over,
        }
        stream::unfold(State::Begins(self, options), |state| async move {
            let (service, mut wait) = match state {
                State::Begins(service, options) => match service.begin_wait() {
                    Ok(Some(driver)) => {
                        let wait = driver.wait(&options);
                        (service, wait)
                    }
                    Ok(None) => return Some((Ok(Event::Done(())), State::Over)),
                    Err(error) => {
                        let ended = Box::pin(service.end_wait(Err(error))).await;
                        return Some((ended.map(Event::Done), State::Over));
                    }
                },
                State::Goes(service, wait) => (service, wait),
                State::Over => return None,
            };
            // A wait that goes on has something to wait for.
            let driver = service.pending.as_mut()?;
            let result = match driver.next(&mut wait).await {
                Ok(Turn::Progress(progress)) => {
                    return Some((Ok(Event::Progress(progress)), State::Goes(service, wait)));
                }
                Ok(Turn::Done) => driver.end(&mut wait),
                Err(error) => Err(error),
            };
            let ended = Box::pin(service.end_wait(result)).await;
            Some((ended.map(Event::Done), State::Over))
        })
    }

    /// What is to be waited for; `None` if the service is healthy.
    fn begin_wait(&mut self) -> Result<Option<&mut Driver>, Error> {
        if self.pending.is_none() {
            let state = self.resource.state.as_deref().unwrap_or_default();
            match Family::Service.class(state) {
                StatusClass::Succeeded => return Ok(None),
                StatusClass::InProgress => self.follow(None)?,
                _ => return Err(self.failure()),
            }
        }
        Ok(self.pending.as_deref_mut())
    }

    async fn end_wait(&mut self, result: Result<Option<Value>, Error>) -> Result<(), Error> {
        match result {
            Ok(result) => {
                self.pending = None;
                if let Some(result) = result {
                    let resource = decode(result)?;
                    check_kind(&self.name, &resource)?;
                    self.resource = Arc::new(resource);
                }
                Ok(())
            }
            Err(error) if error.is_operation_failure() => {
                // What is told is the failure, whatever comes of these.
                let mut read = self.clone();
                let (refreshed, logs) = futures::join!(read.read_again(), self.last_logs());
                // Not before: dropped meanwhile, the next wait must tell the failure all the same. The
                // service itself may be healthy, with what it had before an update.
                self.pending = None;
                match refreshed {
                    Ok(()) => self.resource = read.resource,
                    Err(_) => self.learn(&error),
                }
                Err(error.with_logs(logs))
            }
            Err(error) => Err(error),
        }
    }

    /// What the end of an operation says about the service, where it cannot be read.
    fn learn(&mut self, error: &Error) {
        let resource = Arc::make_mut(&mut self.resource);
        resource.state = Some(ServiceState::Failed.as_str().to_owned());
        resource.error = error.service_error().cloned();
    }

    /// Follows the service itself; with the token of what was asked for, where that is known.
    pub(super) fn follow(&mut self, token: Option<ResumeToken>) -> Result<(), Error> {
        let Some(plane) = self.workspace.known_data_plane() else {
            return Err(Error::new(
                ErrorKind::Configuration,
                "the services of the workspace were not found yet",
            ));
        };
        let id = match &token {
            Some(token) => token.parts().client_request_id.clone(),
            None => Uuid::new_v4().into(),
        };
        let state = self.resource.state.as_deref();
        let begun = Machine::watch_service(&self.url(plane), &id, plane.client().origins(), state);
        let driver = Driver::new(plane.client().clone(), self.name.to_string(), token, begun);
        self.pending = Some(Box::new(driver));
        Ok(())
    }

    /// A handle that was read and is not what it should be.
    fn failure(&self) -> Error {
        let facts = ResponseFacts {
            error: self.resource.error.clone(),
            ..ResponseFacts::default()
        };
        Error::of_response(ErrorKind::OperationFailed, facts)
            .with_context(|| format!("service {:?}", self.name.as_str()))
    }
}
