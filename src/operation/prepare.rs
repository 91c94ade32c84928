//! A verb between "prepared" and "sent".

use super::record::{Record, TokenStore};
use super::request::{CallOptions, timed_out};
use crate::error::{Error, ErrorKind, OperationFacts, in_runtime, may_have_worked};
use crate::token::ResumeToken;
use crate::transport::{Answer, HttpRequest, Limit, Sending, ServiceClient};
use futures::future::BoxFuture;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A verb that is ready to be sent, with its resume token.
///
/// The `prepare` method of a request makes one. The token exists before the first byte is sent: store
/// it, and nothing is lost whatever happens afterwards. [`Workspace::resume`](crate::Workspace::resume)
/// then finds out whether the request arrived. [`send_recording`](Self::send_recording) stores and
/// removes the token for you.
///
/// Dropping this value sends nothing.
///
/// `'a` is the handle that the verb changes; a verb that makes a new resource has `'static`.
#[must_use = "nothing is sent before `send` is called"]
pub struct Prepared<'a, T> {
    /// The name of the target, for people: `compute "myaks"`.
    target: String,
    token: ResumeToken,
    timeout: Option<Duration>,
    work: Work<'a, T>,
}

type Work<'a, T> = Box<dyn FnOnce(Ticket) -> BoxFuture<'a, Result<T, Error>> + Send + Sync + 'a>;

/// The token of an operation, and its record in a store.
#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    pub(crate) token: ResumeToken,
    pub(super) record: Option<Arc<Record>>,
}

impl Ticket {
    /// Returns the ticket of an operation that is recorded nowhere.
    pub(crate) fn of(token: ResumeToken) -> Self {
        Self {
            token,
            record: None,
        }
    }

    /// Returns the error of what was to follow this operation, with the token that takes the whole up again, unless
    /// the service refused it for good.
    fn keeping(&self, error: Error) -> Error {
        let refused = match error.kind() {
            ErrorKind::AlreadyExists | ErrorKind::Refused | ErrorKind::Validation => true,
            ErrorKind::Service => !error.is_transient(),
            _ => false,
        };
        match refused || error.resume_token().is_some() {
            true => error,
            false => uncertain(error, &self.token),
        }
    }
}

impl<'a, T> Prepared<'a, T> {
    pub(crate) fn new(
        target: String,
        token: ResumeToken,
        timeout: Option<Duration>,
        work: impl FnOnce(Ticket) -> BoxFuture<'a, Result<T, Error>> + Send + Sync + 'a,
    ) -> Self {
        Self {
            target,
            token,
            timeout,
            work: Box::new(work),
        }
    }

    /// Returns the same request with this time taken off its timeout.
    fn after(mut self, spent: Duration) -> Self {
        self.timeout = self.timeout.map(|timeout| timeout.saturating_sub(spent));
        self
    }

    /// Returns the token with which another process finds out whether the verb was sent and how it ended.
    #[must_use]
    pub fn token(&self) -> &ResumeToken {
        &self.token
    }

    /// Sends the verb; the verb itself says which requests these are.
    ///
    /// # Errors
    ///
    /// Those of the verb. Where it is not known whether the request arrived, the error carries a
    /// [`resume_token`](Error::resume_token). So does [`ErrorKind::Timeout`], if the call has a timeout.
    ///
    /// # Cancel safety
    ///
    /// If it is dropped before it is done, the request may or may not have arrived: resume
    /// [`token`](Self::token) to find out.
    pub async fn send(self) -> Result<T, Error> {
        let ticket = Ticket::of(self.token.clone());
        self.send_with(ticket).await
    }

    /// Sends the verb, and keeps its resume token in `store` for as long as the operation may run.
    ///
    /// The token is stored before the first byte is sent, and replaced once the service has accepted the
    /// request. The record is removed when nothing runs any more: after an error without a
    /// [`resume_token`](Error::resume_token), and after the final end of the operation, which the wait on
    /// the handle or on the [`Operation`](crate::Operation) sees. After a deadline, a lost status or a
    /// dropped wait the record stays. So after a crash the records in the store are exactly what
    /// [`Workspace::resume_all`](crate::Workspace::resume_all) takes.
    ///
    /// An error of the store *after* the request was accepted is logged as a warning through `tracing`
    /// and does not end the call: the first record is still there, and resumes the operation as well.
    ///
    /// Sends: the requests of the verb.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TokenStore`] if the store does not take the token: then nothing is sent. Otherwise as
    /// for [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// If it is dropped before it is done, the request may or may not have arrived, and the record is in
    /// the store: resume it to find out.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), azureml_aks::Error> {
    /// # use azureml_aks::{AksCompute, Workspace, emulator::Emulator};
    /// # let emulator = Emulator::new();
    /// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
    /// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
    /// # let config = AksCompute::provisioning_configuration().build()?;
    /// use azureml_aks::{ComputeTarget, ResumeToken, TokenStore, WaitOptions, async_trait, error::BoxError};
    /// use std::collections::HashMap;
    /// use std::sync::{Arc, Mutex};
    ///
    /// /// Stands for a table of a database.
    /// #[derive(Debug, Default)]
    /// struct Table(Mutex<HashMap<String, String>>);
    ///
    /// #[async_trait]
    /// impl TokenStore for Table {
    ///     async fn put(&self, token: &ResumeToken) -> Result<(), BoxError> {
    ///         self.0.lock().unwrap().insert(token.id().to_owned(), token.expose());
    ///         Ok(())
    ///     }
    ///
    ///     async fn remove(&self, id: &str) -> Result<(), BoxError> {
    ///         self.0.lock().unwrap().remove(id);
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let table = Arc::new(Table::default());
    /// let prepared = ComputeTarget::create(&workspace, "myaks", config).prepare()?;
    /// let mut aks = prepared.send_recording(table.clone()).await?;
    /// assert_eq!(table.0.lock().unwrap().len(), 1, "the cluster is being created");
    /// aks.wait_for_completion(WaitOptions::new()).await?;
    /// assert!(table.0.lock().unwrap().is_empty(), "the create has ended");
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub async fn send_recording(self, store: Arc<dyn TokenStore>) -> Result<T, Error> {
        let record = Record::new(store, &self.token).await.map_err(|error| {
            error.with_context(|| format!("{} {}", self.token.verb(), self.target))
        })?;
        let ticket = Ticket {
            token: self.token.clone(),
            record: Some(Arc::new(record)),
        };
        self.send_recorded(ticket).await
    }

    /// Sends what follows an operation that has succeeded, and keeps its token in the record of that one, if there
    /// is one. Where this is not done, the error has the token of the earlier operation.
    pub(crate) async fn send_after(self, earlier: &Ticket) -> Result<T, Error> {
        let ticket = Ticket {
            token: self.token.clone(),
            record: earlier.record.clone(),
        };
        let work = self.work;
        let kept = earlier.clone();
        let keeping = Prepared {
            work: Box::new(move |ticket| {
                let work = work(ticket);
                Box::pin(async move { work.await.map_err(|error| kept.keeping(error)) })
            }),
            ..self
        };
        keeping.send_recorded(ticket).await
    }

    async fn send_recorded(self, ticket: Ticket) -> Result<T, Error> {
        let record = ticket.record.clone();
        let result = self.send_with(ticket).await;
        if let Some(record) = record {
            match &result {
                Ok(_) => record.begun().await,
                Err(error) => record.refused(error.resume_token()).await,
            }
        }
        result
    }

    async fn send_with(self, ticket: Ticket) -> Result<T, Error> {
        in_runtime()?;
        let verb = self.token.verb();
        let work = (self.work)(ticket);
        let result = match self.timeout {
            None => work.await,
            Some(timeout) => match tokio::time::timeout(timeout, work).await {
                Ok(result) => result,
                // Whether the request arrived is not known.
                Err(_) => Err(uncertain(timed_out(timeout), &self.token)),
            },
        };
        result.map_err(|error| error.with_context(|| format!("{verb} {}", self.target)))
    }
}

impl<T> fmt::Debug for Prepared<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("verb", &self.token.verb())
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

/// Prepares and sends a request whose preparation reads, within the timeout of the call as a whole.
pub(crate) async fn prepare_and_send<'a, T>(
    options: CallOptions,
    prepare: impl Future<Output = Result<Prepared<'a, T>, Error>>,
) -> Result<T, Error> {
    let begun = Instant::now();
    let prepared = options.run(prepare).await?;
    prepared.after(begun.elapsed()).send().await
}

/// Sends the one request that changes something, once: see [`uncertain`].
pub(crate) async fn write(
    client: &ServiceClient,
    request: HttpRequest,
    token: &ResumeToken,
) -> Result<Answer, Error> {
    let answer = send(client, request, token).await?;
    if may_have_worked(answer.status) {
        let refusal = answer.refusal(&token.parts().client_request_id);
        return Err(uncertain(refusal, token));
    }
    Ok(answer)
}

/// [`write()`], for a request or an answer that holds secrets: an error shows no text of the service.
#[cfg(feature = "services")]
pub(crate) async fn write_secret(
    client: &ServiceClient,
    request: HttpRequest,
    token: &ResumeToken,
) -> Result<Answer, Error> {
    let answer = send(client, request, token).await?;
    let unclear = may_have_worked(answer.status);
    answer
        .successful_secret(&token.parts().client_request_id)
        .map_err(|refusal| match unclear {
            true => uncertain(refusal, token),
            false => refusal,
        })
}

async fn send(
    client: &ServiceClient,
    request: HttpRequest,
    token: &ResumeToken,
) -> Result<Answer, Error> {
    let id = token.parts().client_request_id.clone();
    let request = request.request_id(Some(id));
    client
        .send(&request, Sending::Once, Limit::RESOURCE, None)
        .await
        .map_err(|error| match error.kind() {
            // No access token, an untrusted URL, or our own throttle: nothing was sent.
            ErrorKind::Credential | ErrorKind::UntrustedUrl | ErrorKind::Service => error,
            _ => uncertain(error, token),
        })
}

/// Returns what follows from the answer to such a request. One that was accepted in a way that this
/// library does not understand may run: the error carries the token.
#[cfg(feature = "services")]
pub(crate) fn accepted<T>(begun: Result<T, Error>, token: &ResumeToken) -> Result<T, Error> {
    begun.map_err(|error| match error.kind() {
        ErrorKind::Protocol => uncertain(error, token),
        _ => error,
    })
}

/// The request may have arrived although no usable answer came: the error carries the token.
fn uncertain(error: Error, token: &ResumeToken) -> Error {
    error.with_operation(OperationFacts {
        last_status: None,
        elapsed: Duration::ZERO,
        polls: 0,
        token: Some(token.clone()),
    })
}
