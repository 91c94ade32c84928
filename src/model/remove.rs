//! Deleting a version of a model.

use super::{Model, model_url};
use crate::error::Error;
use crate::operation::request::{CallOptions, awaitable, call_options};
use crate::transport::{HttpRequest, Limit, Sending};
use azure_core::http::Method;
use futures::FutureExt;

/// A request to delete a version of a model: what [`Model::delete`] returns. `.await` sends it. It has no
/// resume token: to send it again is harmless.
#[must_use = "a request sends nothing before it is awaited"]
#[derive(Debug, Clone)]
pub struct DeleteModel<'m> {
    model: &'m Model,
    options: CallOptions,
}

impl<'m> DeleteModel<'m> {
    pub(super) fn new(model: &'m Model) -> Self {
        Self {
            model,
            options: CallOptions::default(),
        }
    }

    call_options!();

    async fn send(&self) -> Result<(), Error> {
        let plane = self.model.workspace.data_plane().await?;
        let request = HttpRequest::new(Method::Delete, model_url(plane, &self.model.id))
            .request_id(Some(self.options.request_id()?));
        let answer = plane
            .client()
            .send(&request, Sending::Once, Limit::RESOURCE, None)
            .await?;
        match answer.status {
            404 => Ok(()),
            _ => answer.successful(&request.client_request_id).map(|_| ()),
        }
    }
}

awaitable!(['m] DeleteModel<'m> => (), 'm, |request| {
    async move {
        let done = request.options.run(request.send()).await;
        done.map_err(|error| error.with_context(|| format!("delete model {:?}", request.model.id)))
    }
    .boxed()
});
