//! The answer of a service.

use super::failure;
use crate::error::Error;
use crate::transport::Reply;
use azure_core::Bytes;
use serde::de::DeserializeOwned;
use std::fmt;

/// A good answer of a service, as it came.
pub struct ScoringAnswer {
    pub(super) reply: Reply,
    pub(super) client_request_id: String,
}

impl ScoringAnswer {
    /// The HTTP status: 200, or what the entry script chose from 200 to 299.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.reply.status
    }

    /// The content type of the body, for example `application/json`.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.header("content-type")
    }

    /// A header of the answer. `None` also if its value is blank or not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.reply.header(name)
    }

    /// The service's `x-ms-request-id`.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.header("x-ms-request-id")
    }

    /// The `x-ms-client-request-id` that was sent.
    #[must_use]
    pub fn client_request_id(&self) -> &str {
        &self.client_request_id
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.reply.body
    }

    /// The body, without a copy.
    #[must_use]
    pub fn into_body(self) -> Bytes {
        self.reply.body
    }

    /// Reads the body as JSON.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) if it is not JSON of this shape.
    pub fn json<O: DeserializeOwned>(self) -> Result<O, Error> {
        let body = self.reply.body.clone();
        let text = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&body);
        serde_json::from_slice(text)
            .map_err(|error| failure::unreadable(self.reply, &error, &self.client_request_id))
    }
}

impl fmt::Debug for ScoringAnswer {
    /// Without the body, which may be anybody's data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScoringAnswer")
            .field("status", &self.status())
            .field("content_type", &self.content_type())
            .field("bytes", &self.reply.body.len())
            .field("client_request_id", &self.client_request_id)
            .finish_non_exhaustive()
    }
}
