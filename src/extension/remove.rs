//! `delete`.

use super::Extension;
use super::verb::{self, EXTENSION};
use crate::compute::existence;
use crate::error::Error;
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::facts::arm::EXTENSIONS;
use crate::operation::request::{CallOptions, awaitable, call_options};
use crate::operation::{self, Driver, Operation, Prepared};
use crate::token::{HttpVerb, Verb};
use crate::transport::HttpRequest;
use azure_core::http::Method;
use futures::FutureExt;
use std::fmt;

/// The verb that removes an extension.
impl Extension {
    /// Deletes the extension. Jobs and online endpoints of computes of kind Kubernetes that use it stop.
    ///
    /// Returns a request; the first `.await` sends it and gives an [`Operation`], the second one waits for that. Detach the
    /// cluster from every workspace first. If the extension does not exist any more, the delete succeeds.
    ///
    /// Sends: DELETE of the extension.
    ///
    /// # Errors
    ///
    /// When it is awaited or prepared: [`ErrorKind::Refused`] for an extension of another type than Azure Machine
    /// Learning's; [`ErrorKind::Service`] with the service's reason. Where it is not known whether the request arrived, the
    /// error carries a [`resume_token`](Error::resume_token).
    ///
    /// # Cancel safety
    ///
    /// If it is dropped after the request was sent, the extension may still be deleted; sending it again is harmless.
    pub fn delete(&self) -> DeleteExtension {
        DeleteExtension {
            extension: self.clone(),
            force: false,
            options: CallOptions::default(),
        }
    }
}

/// A request to delete an extension, which [`Extension::delete`] returns. `.await` sends it.
#[must_use = "a request sends nothing before it is awaited"]
#[derive(Clone)]
pub struct DeleteExtension {
    extension: Extension,
    force: bool,
    options: CallOptions,
}

impl DeleteExtension {
    call_options!();

    /// Deletes the resource even if the cluster cannot be reached (`forceDelete`). The software in the cluster may stay
    /// installed.
    pub fn force(mut self) -> Self {
        self.force = true;
        self
    }

    /// Returns the verb with its resume token, before anything is sent. No I/O.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Refused`] for an extension of another type; [`ErrorKind::Configuration`] for a client request id that
    /// cannot be sent.
    pub fn prepare(self) -> Result<Prepared<'static, Operation<()>>, Error> {
        self.extension.check_type()?;
        let Extension {
            workspace,
            id,
            hidden,
            ..
        } = self.extension;
        let mut url = id.url(&workspace);
        if self.force {
            url.query_pairs_mut().append_pair("forceDelete", "true");
        }
        let verb = (Verb::Delete, HttpVerb::Delete);
        let token = verb::token(&workspace, &id, verb, &url, &self.options)?;
        let (named, timeout) = (id.to_string(), self.options.timeout);
        Ok(Prepared::new(named, token, timeout, |ticket| {
            async move {
                let (client, token) = (workspace.client(), &ticket.token);
                let request = HttpRequest::new(Method::Delete, url).hiding(&hidden);
                let answer = operation::write(client, request, token).await?;
                let begun = match answer.status {
                    404 => {
                        existence(&answer, token.id(), EXTENSIONS)?;
                        operation::done(client, token)?
                    }
                    _ => operation::begin(client, token, &answer)?,
                };
                let driver = Driver::of(client.clone(), &EXTENSION, ticket, begun);
                Ok(Operation::removal(driver))
            }
            .boxed()
        }))
    }
}

awaitable!([] DeleteExtension => Operation<()>, 'static, |request| {
    async move { request.prepare()?.send().await }.boxed()
});

impl fmt::Debug for DeleteExtension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeleteExtension")
            .field("extension", &self.extension)
            .field("force", &self.force)
            .finish_non_exhaustive()
    }
}
