//! The common parts of all request values: the options of one call, and how they are awaited.

use crate::error::{Error, ErrorKind, in_runtime};
use crate::names::WorkspaceId;
use crate::token::{HttpVerb, Preparation, ResumeToken, TokenResource, Verb};
use crate::transport::limits::texts::REQUEST_ID;
use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// A check that a request value makes before it changes anything.
pub(crate) type CheckBefore = Arc<dyn Fn() -> BoxFuture<'static, Result<(), Error>> + Send + Sync>;

/// The options of one call.
#[derive(Debug, Clone, Default)]
pub(crate) struct CallOptions {
    pub(crate) timeout: Option<Duration>,
    pub(crate) client_request_id: Option<String>,
}

impl CallOptions {
    /// Returns the id of the operation: the caller's, or a new one.
    pub(crate) fn request_id(&self) -> Result<String, Error> {
        let Some(id) = &self.client_request_id else {
            return Ok(azure_core::Uuid::new_v4().into());
        };
        let plain = id.bytes().all(|byte| byte.is_ascii_graphic());
        if id.is_empty() || id.len() > REQUEST_ID || !plain {
            return Err(Error::new(
                ErrorKind::Configuration,
                format!(
                    "a client request id has 1 to {REQUEST_ID} ASCII characters without spaces, and \
                     this one does not"
                ),
            ));
        }
        Ok(id.clone())
    }

    /// Returns the token of a verb on a resource of Resource Manager, before its request is sent to `url`.
    pub(crate) fn token(
        &self,
        workspace: &WorkspaceId,
        (resource, target): (TokenResource, String),
        (op, method): (Verb, HttpVerb),
        url: &Url,
        api_version: &str,
    ) -> Result<ResumeToken, Error> {
        Ok(ResumeToken::prepared(Preparation {
            resource,
            target,
            workspace: workspace.clone(),
            op,
            method,
            endpoint: url.origin().ascii_serialization(),
            initial_uri: url.to_string(),
            final_state_via: None,
            api_version: api_version.to_owned(),
            client_request_id: self.request_id()?,
        }))
    }

    /// Runs a call that begins no operation, within its timeout.
    pub(crate) async fn run<T>(
        &self,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        in_runtime()?;
        match self.timeout {
            None => call.await,
            Some(timeout) => match tokio::time::timeout(timeout, call).await {
                Ok(result) => result,
                Err(_) => Err(timed_out(timeout)),
            },
        }
    }
}

/// Returns the error of a call that took longer than the caller allows.
pub(crate) fn timed_out(timeout: Duration) -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!("the call took longer than its timeout of {timeout:?}"),
    )
}

/// The setters of [`CallOptions`], for a request value with a field `options`, or with one in `.0`.
macro_rules! call_options {
    ($(. $inner:tt)?) => {
        /// Limits the time of this call, until the service has accepted the request. By default each
        /// request has the timeout of the workspace and the call as a whole has none. The wait for the
        /// operation has a limit of its own, [`WaitOptions::deadline`](crate::WaitOptions::deadline).
        pub fn timeout(mut self, timeout: std::time::Duration) -> Self {
            self$(.$inner)?.options.timeout = Some(timeout);
            self
        }

        /// Sets the `x-ms-client-request-id` of the request and of all polls of its operation, which is
        /// also the [`id`](crate::ResumeToken::id) of its resume token: 1 to 128 ASCII characters
        /// without spaces, unique. By default a new UUID.
        pub fn client_request_id(mut self, id: impl Into<String>) -> Self {
            self$(.$inner)?.options.client_request_id = Some(id.into());
            self
        }
    };
}
pub(crate) use call_options;

/// `.await` on a request value: sends it.
macro_rules! awaitable {
    ([$($generics:tt)*] $request:ty => $output:ty, $lifetime:lifetime, $send:expr) => {
        impl<$($generics)*> std::future::IntoFuture for $request {
            type Output = std::result::Result<$output, crate::error::Error>;
            type IntoFuture = futures::future::BoxFuture<$lifetime, Self::Output>;

            /// Sends the request.
            fn into_future(self) -> Self::IntoFuture {
                let send: fn(Self) -> Self::IntoFuture = $send;
                send(self)
            }
        }
    };
}
pub(crate) use awaitable;

/// The compiler warns about a request that is not sent, and about results that are not used.
///
/// ```compile_fail
/// #![deny(unused_must_use)]
/// # use azureml_aks::{AksCompute, ProvisioningConfiguration, Workspace};
/// fn create(workspace: &Workspace, config: ProvisioningConfiguration) {
///     AksCompute::create(workspace, "myaks", config);
/// }
/// ```
///
/// ```compile_fail
/// #![deny(unused_must_use)]
/// # use azureml_aks::{AksCompute, UpdateConfiguration};
/// fn update(aks: &mut AksCompute, change: UpdateConfiguration) {
///     aks.update(change);
/// }
/// ```
///
/// ```compile_fail
/// #![deny(unused_must_use)]
/// # use azureml_aks::{AksCompute, Error};
/// fn prepare(aks: &mut AksCompute) -> Result<(), Error> {
///     aks.detach().prepare()?;
///     Ok(())
/// }
/// ```
///
/// ```compile_fail
/// #![deny(unused_must_use)]
/// # use azureml_aks::{AksCompute, Error};
/// async fn detach(aks: &mut AksCompute) -> Result<(), Error> {
///     aks.detach().await?; // an operation, which runs
///     Ok(())
/// }
/// ```
///
/// ```compile_fail
/// #![deny(unused_must_use)]
/// # use azureml_aks::{AksCompute, WaitOptions, wait_all};
/// async fn wait(all: &mut [AksCompute]) {
///     wait_all(all, WaitOptions::new()).await;
/// }
/// ```
///
/// ```compile_fail
/// #![deny(unused_must_use)]
/// # use azureml_aks::{ResumeToken, Workspace};
/// async fn resume(workspace: &Workspace, tokens: &[ResumeToken]) {
///     workspace.resume_all(tokens).await;
/// }
/// ```
///
/// The unused value is the reason: the same lines compile if the value is used.
///
/// ```
/// #![deny(unused_must_use)]
/// # use azureml_aks::{
/// #     AksCompute, Error, ProvisioningConfiguration, ResumeToken, UpdateConfiguration, WaitOptions,
/// #     Workspace, wait_all,
/// # };
/// fn create(workspace: &Workspace, config: ProvisioningConfiguration) {
///     let _ = AksCompute::create(workspace, "myaks", config);
/// }
/// fn update(aks: &mut AksCompute, change: UpdateConfiguration) {
///     let _ = aks.update(change);
/// }
/// fn prepare(aks: &mut AksCompute) -> Result<(), Error> {
///     let _ = aks.detach().prepare()?;
///     Ok(())
/// }
/// async fn detach(aks: &mut AksCompute) -> Result<(), Error> {
///     let _ = aks.detach().await?;
///     Ok(())
/// }
/// async fn wait(all: &mut [AksCompute]) {
///     let _ = wait_all(all, WaitOptions::new()).await;
/// }
/// async fn resume(workspace: &Workspace, tokens: &[ResumeToken]) {
///     let _ = workspace.resume_all(tokens).await;
/// }
/// ```
#[cfg(doctest)]
struct MustUse;
