//! An operation in the hands of the caller.

use super::driver::{Driver, Settled};
use super::follow;
use super::progress::Event;
use super::wait::WaitOptions;
use crate::error::{Error, Hidden};
use crate::token::{ResumeToken, Verb};
use azure_core::credentials::Secret;
use futures::Stream;
use futures::future::BoxFuture;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

/// Turns the result of the service into what the verb gives, or into the operation that follows.
type Settle<T> = Arc<dyn Fn(Settled) -> Result<Stage<T>, Error> + Send + Sync>;

/// The step after the success of an operation.
pub(crate) enum Stage<T> {
    /// Nothing: the verb has its result.
    Done(T),
    /// A further operation, which has yet to be begun. To begin it again is harmless.
    Next(BoxFuture<'static, Result<Operation<T>, Error>>),
}

/// A long-running operation that the service has accepted.
///
/// `.await` it to wait with the defaults, call [`wait`](Self::wait) to choose them, or follow
/// [`events`](Self::events). Dropping it stops nothing: the service continues, and
/// [`resume_token`](Self::resume_token) takes the wait up again. A clone waits by itself, from where the
/// operation was when it was made.
#[must_use = "the service goes on with the operation; await it or keep its resume token"]
pub struct Operation<T> {
    driver: Driver,
    settle: Settle<T>,
}

impl<T> Operation<T> {
    pub(crate) fn new(
        driver: Driver,
        settle: impl Fn(Settled) -> Result<T, Error> + Send + Sync + 'static,
    ) -> Self {
        Self {
            driver,
            settle: Arc::new(move |result| settle(result).map(Stage::Done)),
        }
    }

    /// Returns an operation whose success is followed by another one: the token and its record stay until that has
    /// ended.
    pub(crate) fn followed<F>(
        driver: Driver,
        next: impl Fn(Settled) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Self, Error>> + Send + 'static,
    {
        Self {
            driver: driver.followed(),
            settle: Arc::new(move |result| Ok(Stage::Next(Box::pin(next(result))))),
        }
    }

    pub(crate) fn driver_mut(&mut self) -> &mut Driver {
        &mut self.driver
    }

    pub(crate) fn settle(&self, result: Settled) -> Result<Stage<T>, Error> {
        (self.settle)(result)
    }

    /// Hides these secrets in every text of the service that this operation shows from now on. An operation
    /// knows by itself what was secret in the requests of its handle; one that was resumed knows none of
    /// that.
    pub fn hide<'s>(&mut self, secrets: impl IntoIterator<Item = &'s Secret>) {
        let secrets = secrets.into_iter().map(Secret::secret);
        self.driver.hide(&Hidden::of(secrets));
    }

    /// Returns the name of what it changes: of the compute, the web service, or the cluster; `{cluster}/{pool}` for a
    /// node pool, `{cluster}/{extension}` for an extension.
    #[must_use]
    pub fn target(&self) -> &str {
        self.driver.target()
    }

    /// Returns the verb that was requested.
    #[must_use]
    pub fn verb(&self) -> Option<Verb> {
        self.driver.verb()
    }

    /// Returns the last status that was read, as the service spelled it.
    #[must_use]
    pub fn status(&self) -> Option<&str> {
        self.driver.status()
    }

    /// Returns the token that resumes the wait in another process; `None` once the operation has ended.
    #[must_use]
    pub fn resume_token(&self) -> Option<&ResumeToken> {
        self.driver.token()
    }

    /// Waits to the end and returns the result.
    ///
    /// Called again after success or failure, it returns the same end without I/O. After any other end
    /// it continues: a lost status and a result that could not be read are tried again.
    ///
    /// Sends: GETs of the operation's status, and at last one of the resource. Where a further operation follows, as
    /// after [`then_attach`](crate::models::CreateCluster::then_attach), what that one sends, too.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OperationFailed`](crate::ErrorKind::OperationFailed) and
    /// [`OperationCanceled`](crate::ErrorKind::OperationCanceled) with the service's reason;
    /// [`OperationStatusLost`](crate::ErrorKind::OperationStatusLost) and
    /// [`DeadlineExceeded`](crate::ErrorKind::DeadlineExceeded) with a resume token, for the
    /// operation may still run. A single read of the status that fails is not an error: the wait goes
    /// on.
    ///
    /// # Cancel safety
    ///
    /// Safe: if it is dropped at any point, the next call continues where this one stopped.
    pub async fn wait(&mut self, options: WaitOptions) -> Result<T, Error>
    where
        T: Send,
    {
        follow::wait(self, &options).await
    }

    /// Returns the wait as a stream: the progress before each pause, and the result as the last item.
    ///
    /// The stream ends after the result or the first error, which is one of those of
    /// [`wait`](Self::wait), such as a deadline that has passed. Dropping it stops nothing; [`resume_token`](Self::resume_token) or
    /// another stream continues where it stopped.
    pub fn events(
        &mut self,
        options: WaitOptions,
    ) -> impl Stream<Item = Result<Event<T>, Error>> + Send + '_
    where
        T: Send,
    {
        follow::events(self, &options)
    }
}

impl Operation<()> {
    /// Returns a removal: its end gives no value.
    pub(crate) fn removal(driver: Driver) -> Self {
        Self::new(driver, |_| Ok(()))
    }
}

impl<T: Send + 'static> IntoFuture for Operation<T> {
    type Output = Result<T, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    /// Waits with the default [`WaitOptions`].
    fn into_future(mut self) -> Self::IntoFuture {
        Box::pin(async move { self.wait(WaitOptions::new()).await })
    }
}

/// By hand: a derived one would ask for `T: Clone`.
impl<T> Clone for Operation<T> {
    fn clone(&self) -> Self {
        Self {
            driver: self.driver.clone(),
            settle: self.settle.clone(),
        }
    }
}

impl<T> fmt::Debug for Operation<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation")
            .field("verb", &self.verb())
            .field("target", &self.target())
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
