//! `update`: read, change only what was said, write.

use super::kind::Aks;
use super::prepare;
use super::{AksCompute, ComputeTarget, check_kind, decode, read};
use crate::config::UpdateConfiguration;
use crate::error::Error;
use crate::names::ComputeName;
use crate::operation::{Driver, Machine, Operation, Prepared, Step};
use crate::token::{HttpVerb, ResumeToken, Verb};
use crate::workspace::Workspace;
use azure_core::http::Method;
use futures::FutureExt;
use serde_json::Value;
use std::sync::Arc;

impl ComputeTarget<Aks> {
    /// Changes TLS or the load balancer of the cluster.
    ///
    /// The compute is read, what is read-only is taken off, what was said is changed, and the rest
    /// is sent back as it was; TLS that is not to change is left out, and the service keeps it. The
    /// service offers no precondition: of two updates at the same moment, one may undo the other.
    ///
    /// The service gives no estimate; the default deadline of two hours is also the suggested one.
    ///
    /// Sends: GET of the compute, PUT of the compute.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`](crate::ErrorKind::Validation) where the change does not fit the cluster as it is, for example
    /// `Renew` without a leaf domain label; [`ErrorKind::Service`](crate::ErrorKind::Service) with the service's reason, for
    /// example while another operation runs ([`Error::is_conflict`]). Where it is not known whether
    /// the PUT arrived, the error carries a [`resume_token`](Error::resume_token).
    ///
    /// # Cancel safety
    ///
    /// Dropped after the PUT was sent, the change may be made all the same; calling it again is
    /// harmless.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), azureml_aks::Error> {
    /// # use azureml_aks::{AksCompute, ComputeTarget, WaitOptions, Workspace, emulator::Emulator};
    /// # let emulator = Emulator::new();
    /// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
    /// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
    /// # let config = AksCompute::provisioning_configuration().build()?;
    /// # let mut aks = ComputeTarget::create(&workspace, "myaks", config).await?;
    /// # aks.wait_for_completion(WaitOptions::new()).await?;
    /// use azureml_aks::{Tls, TlsUpdate, UpdateConfiguration};
    ///
    /// let renew = UpdateConfiguration::builder().tls(TlsUpdate::Renew).build()?;
    /// assert!(aks.update(renew).await.is_err(), "there is nothing to renew yet");
    ///
    /// let tls = TlsUpdate::Enable(Tls::leaf_domain("myaks"));
    /// let aks = aks.update(UpdateConfiguration::builder().tls(tls).build()?).await?.await?;
    /// assert_eq!(aks.properties().ssl_configuration.unwrap().status.as_deref(), Some("Auto"));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub async fn update(&self, change: UpdateConfiguration) -> Result<Operation<Self>, Error> {
        self.prepare_update(change).send().await
    }

    /// [`update`](Self::update), with the resume token in hand before anything is sent.
    pub fn prepare_update(&self, change: UpdateConfiguration) -> Prepared<Operation<Self>> {
        let url = self.workspace.compute_url(&self.name);
        let token = prepare::token(&self.workspace, Verb::Update, HttpVerb::Put, &url);
        let workspace = self.workspace.clone();
        let name = self.name.clone();
        Prepared::new(prepare::named(&name), token, move |token| {
            async move {
                // As it came, so that what this library does not know survives.
                let current: Value = read(&workspace, &name).await?.or_refusal()?;
                let kind = current.pointer("/properties/computeType");
                check_kind::<Aks>(&name, kind.and_then(Value::as_str).unwrap_or_default())?;
                let body = change.apply(current)?;
                let answer =
                    prepare::write(&workspace, Method::Put, url.clone(), Some(&body), &token)
                        .await?;
                let begun = Machine::start(
                    HttpVerb::Put,
                    &url,
                    &token.parts().client_request_id,
                    workspace.api_version(),
                    workspace.client().origins(),
                    None,
                    &answer,
                )?;
                Ok(operation(&workspace, &name, token, begun))
            }
            .boxed()
        })
    }
}

pub(super) fn operation(
    workspace: &Workspace,
    name: &ComputeName,
    token: ResumeToken,
    begun: (Machine, Step),
) -> Operation<AksCompute> {
    let driver = Driver::new(
        workspace.client().clone(),
        name.to_string(),
        Some(token),
        begun,
    );
    let (workspace, name) = (workspace.clone(), name.clone());
    Operation::new(
        driver,
        Arc::new(move |result: Option<Value>| {
            let resource = decode(result.unwrap_or_default())?;
            ComputeTarget::found(workspace.clone(), name.clone(), resource)
        }),
    )
}
