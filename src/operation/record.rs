//! The store of resume tokens while operations run.

use crate::error::{BoxError, Error, ErrorKind};
use crate::token::ResumeToken;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// A place that keeps resume tokens, for [`Prepared::send_recording`](crate::Prepared::send_recording).
///
/// Implement the trait for the storage of the program: a table, a folder, a secret of Kubernetes. A
/// token is secret and up to 4 KiB long; its [`id`](ResumeToken::id) is neither, and is the key of the
/// record.
#[async_trait::async_trait]
pub trait TokenStore: Send + Sync {
    /// Stores a token, in place of an earlier one with the same [`id`](ResumeToken::id). The token must
    /// be durable when this returns.
    async fn put(&self, token: &ResumeToken) -> Result<(), BoxError>;

    /// Removes the token with this [`id`](ResumeToken::id). One that is not there is not an error: the
    /// call may be made twice.
    async fn remove(&self, id: &str) -> Result<(), BoxError>;
}

/// The record of one operation.
pub(crate) struct Record {
    store: Arc<dyn TokenStore>,
    id: String,
    /// The token of the operation that began, once it has.
    begun: Mutex<Option<ResumeToken>>,
}

impl Record {
    /// Stores the token of a verb that was not sent yet.
    pub(super) async fn new(
        store: Arc<dyn TokenStore>,
        token: &ResumeToken,
    ) -> Result<Self, Error> {
        store.put(token).await.map_err(|source| {
            Error::new(
                ErrorKind::TokenStore,
                "the store did not take the resume token; the request was not sent",
            )
            .with_source(source)
        })?;
        Ok(Self {
            store,
            id: token.id().to_owned(),
            begun: Mutex::new(None),
        })
    }

    /// Notes the token with which an operation begins; [`begun`](Self::begun) stores it.
    pub(super) fn note(&self, token: Option<&ResumeToken>) {
        *self.begun.lock().unwrap_or_else(PoisonError::into_inner) = token.cloned();
    }

    /// Stores the token of a verb that was sent and accepted.
    pub(super) async fn begun(&self) {
        let token = self
            .begun
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match token {
            Some(token) => self.put(&token).await,
            None => self.remove().await,
        }
    }

    /// Handles the failure of the verb; with a token if something may still run.
    pub(super) async fn refused(&self, token: Option<&ResumeToken>) {
        match token {
            Some(token) => self.put(token).await,
            None => self.remove().await,
        }
    }

    async fn put(&self, token: &ResumeToken) {
        if let Err(error) = self.store.put(token).await {
            tracing::warn!(id = self.id, %error, "the store did not take the newer resume token");
        }
    }

    /// Removes the record, because nothing runs any more.
    pub(super) async fn remove(&self) {
        self.note(None);
        if let Err(error) = self.store.remove(&self.id).await {
            tracing::warn!(id = self.id, %error, "the store did not remove a resume token");
        }
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
