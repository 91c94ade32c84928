//! Deleting a service.

use super::AksWebservice;
use crate::error::Error;
use crate::operation::request::{CallOptions, awaitable, call_options};
use crate::operation::{self, Operation, Prepared, Ticket};
use crate::token::{HttpVerb, Verb};
use crate::transport::HttpRequest;
use azure_core::http::Method;
use futures::FutureExt;
use std::fmt;

impl AksWebservice {
    /// Deletes the service. The models stay, and so does the cluster. Deleting a service that no longer exists is
    /// a success.
    ///
    /// Returns a request; the first `.await` sends it and returns an [`Operation`], the second one waits for
    /// that. The deletion is pending on this handle, too:
    /// [`wait_for_deployment`](Self::wait_for_deployment) returns `Ok` once the service is gone.
    ///
    /// Sends: DELETE of the service.
    ///
    /// # Errors
    ///
    /// When it is awaited: [`ErrorKind::Service`](crate::ErrorKind::Service) with the service's reason, for
    /// example while another operation runs ([`Error::is_conflict`]). Where it is not known whether the
    /// request arrived, the error carries a [`resume_token`](Error::resume_token).
    ///
    /// # Cancel safety
    ///
    /// If it is dropped after the request was sent, the service may be deleted all the same; sending it again is
    /// harmless.
    pub fn delete(&mut self) -> DeleteService<'_> {
        DeleteService {
            service: self,
            options: CallOptions::default(),
        }
    }

    async fn remove(&mut self, ticket: Ticket) -> Result<Operation<()>, Error> {
        let workspace = self.workspace.clone();
        let plane = workspace.data_plane().await?;
        let url = plane.model_management(&["services", self.name.as_str()]);
        let request = HttpRequest::new(Method::Delete, url).hiding(&self.hidden.get());
        let token = &ticket.token;
        let answer = operation::write(plane.client(), request, token).await?;
        let operations = plane.model_management(&["operations"]);
        let begun = match answer.status {
            404 => operation::done(plane.client(), token)?,
            _ => operation::begin_service(plane.client(), token, &operations, &answer)?,
        };
        Ok(Operation::removal(self.begin(plane, ticket, begun).clone()))
    }
}

/// A request to delete a web service, returned by [`AksWebservice::delete`]. `.await` sends it.
#[must_use = "a request sends nothing before it is awaited"]
pub struct DeleteService<'a> {
    service: &'a mut AksWebservice,
    options: CallOptions,
}

impl<'a> DeleteService<'a> {
    call_options!();

    /// Returns the resume token before the request is sent.
    ///
    /// Sends: GET of the workspace and of its hosts (once per workspace).
    ///
    /// # Errors
    ///
    /// Those of reading the workspace; [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for a
    /// client request id that cannot be sent.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn prepare(self) -> Result<Prepared<'a, Operation<()>>, Error> {
        let Self { service, options } = self;
        let workspace = service.workspace.clone();
        let plane = workspace.data_plane().await?;
        let token = service.token_of(plane, (Verb::Delete, HttpVerb::Delete), false, &options)?;
        let target = service.doing("").trim_start().to_owned();
        Ok(Prepared::new(
            target,
            token,
            options.timeout,
            move |ticket| service.remove(ticket).boxed(),
        ))
    }
}

awaitable!(['a] DeleteService<'a> => Operation<()>, 'a, |request| {
    async move { operation::prepare_and_send(request.options.clone(), request.prepare()).await }.boxed()
});

impl fmt::Debug for DeleteService<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeleteService")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}
