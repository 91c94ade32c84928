//! Deleting a service.

use super::AksWebservice;
use crate::error::Error;
use crate::operation::{self, Driver, Machine, Operation, Prepared, Step};
use crate::token::{HttpVerb, ResumeToken, Verb};
use crate::transport::HttpRequest;
use crate::workspace::DataPlane;
use azure_core::http::Method;
use futures::FutureExt;
use std::sync::Arc;

impl AksWebservice {
    /// Deletes the service. The models stay, and so does the cluster. A service that is gone already is
    /// a success.
    ///
    /// Sends: DELETE of the service.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Service`](crate::ErrorKind::Service) with the service's reason, for example while
    /// another operation runs ([`Error::is_conflict`]). Where it is not known whether the request
    /// arrived, the error carries a [`resume_token`](Error::resume_token).
    ///
    /// # Cancel safety
    ///
    /// Dropped after the request was sent, the service may go all the same; calling it again is harmless.
    pub async fn delete(&self) -> Result<Operation<()>, Error> {
        self.prepare_delete().await?.send().await
    }

    /// [`delete`](Self::delete), with the resume token in hand before it is sent.
    ///
    /// Sends: GET of the workspace and of its hosts (once per workspace).
    ///
    /// # Errors
    ///
    /// Those of reading the workspace.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn prepare_delete(&self) -> Result<Prepared<Operation<()>>, Error> {
        let plane = self.workspace.data_plane().await?;
        let token = self.token_of(plane, Verb::Delete, HttpVerb::Delete, false);
        let service = self.clone();
        let target = format!("service {:?}", self.name.as_str());
        Ok(Prepared::new(target, token, move |token| {
            async move { service.remove(token).await }.boxed()
        }))
    }

    async fn remove(&self, token: ResumeToken) -> Result<Operation<()>, Error> {
        let plane = self.workspace.data_plane().await?;
        let url = plane.model_management(&["services", self.name.as_str()]);
        let request = HttpRequest::new(Method::Delete, url);
        let answer = operation::write(plane.client(), request, &token).await?;
        let id = token.parts().client_request_id.clone();
        let service = self.url(plane);
        let origins = plane.client().origins();
        let begun = match answer.status {
            404 => Machine::done_service(HttpVerb::Delete, &service, &id, origins, None),
            _ => Machine::start_service(
                HttpVerb::Delete,
                &service,
                &id,
                origins,
                &plane.model_management(&["operations"]),
                false,
                &answer,
            )?,
        };
        Ok(removal(plane, self.name.as_str(), token, begun))
    }
}

pub(super) fn removal(
    plane: &DataPlane,
    name: &str,
    token: ResumeToken,
    begun: (Machine, Step),
) -> Operation<()> {
    let driver = Driver::new(plane.client().clone(), name.to_owned(), Some(token), begun);
    Operation::new(driver, Arc::new(|_| Ok(())))
}
