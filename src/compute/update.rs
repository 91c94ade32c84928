//! `update`: reads the compute, changes only the given settings, writes it.

use super::kind::UpdateWith;
use super::prepare::{self, named};
use super::{ComputeTarget, Kind, check_kind, read};
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::error::{Error, Hidden};
use crate::operation::request::{CallOptions, awaitable, call_options};
use crate::operation::{self, Prepared, Ticket};
use crate::rules::{self, Findings};
use crate::token::{HttpVerb, Verb};
use azure_core::http::Method;
use futures::FutureExt;
use serde_json::{Map, Value};
use std::fmt;

/// The verb that changes a compute.
impl<K: Kind> ComputeTarget<K> {
    /// Changes a compute: the TLS or the load balancer of an AKS cluster; instance types, identity, description or tags
    /// of a Kubernetes compute.
    ///
    /// Returns a request; `.await` sends it. The update is then pending on this handle:
    /// [`wait_for_completion`](Self::wait_for_completion) waits for it.
    ///
    /// The compute is read, read-only members are removed, the given settings are changed, and the rest is sent
    /// back as it was; TLS that does not change is left out, and the service keeps it. The service offers
    /// no precondition: of two updates at the same moment, one may undo the other.
    ///
    /// The service gives no estimate; the default deadline of two hours is also the suggested one.
    ///
    /// Sends: GET of the compute, PUT of the compute.
    ///
    /// # Errors
    ///
    /// When it is awaited: [`ErrorKind::Validation`] where the change does not fit the cluster as it is,
    /// for example `Renew` without a leaf domain label; [`ErrorKind::Service`] with the service's reason,
    /// for example while another operation runs ([`Error::is_conflict`]). Where it is not known whether
    /// the PUT arrived, the error carries a [`resume_token`](Error::resume_token).
    ///
    /// # Cancel safety
    ///
    /// If it is dropped after the PUT was sent, the change may still be made; sending it again is harmless.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), azureml_aks::Error> {
    /// # use azureml_aks::{AksCompute, ComputeTarget, Workspace, emulator::Emulator};
    /// # let emulator = Emulator::new();
    /// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
    /// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
    /// # let config = AksCompute::provisioning_configuration().build()?;
    /// # let mut aks = ComputeTarget::create(&workspace, "myaks", config).await?;
    /// # aks.wait_for_completion(Default::default()).await?;
    /// use azureml_aks::{Tls, TlsUpdate, UpdateConfiguration, WaitOptions};
    ///
    /// let renew = UpdateConfiguration::builder().tls(TlsUpdate::Renew).build()?;
    /// assert!(aks.update(renew).await.is_err(), "there is nothing to renew yet");
    ///
    /// let tls = Tls::leaf_domain("myaks");
    /// aks.update(UpdateConfiguration::builder().tls(tls).build()?).await?;
    /// aks.wait_for_completion(WaitOptions::new()).await?;
    /// let ssl = aks.properties().ssl_configuration.as_ref().unwrap();
    /// assert_eq!(ssl.status.as_deref(), Some("Auto"));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub fn update<C>(&mut self, change: C) -> UpdateCompute<'_, K>
    where
        C: UpdateWith<Kind = K>,
    {
        UpdateCompute {
            compute: self,
            apply: Box::new(move |current| change.apply(current)),
            options: CallOptions::default(),
        }
    }
}

/// A compute as it was read, in its three parts and without the members that are read-only.
pub(super) struct Current {
    pub(super) document: Map<String, Value>,
    pub(super) properties: Map<String, Value>,
    /// The properties of the kind. They may be missing or null, as they are in published examples.
    pub(super) inner: Map<String, Value>,
}

impl Current {
    /// Takes a document apart. `read_only` are the read-only members of the kind.
    pub(super) fn of(current: Value, read_only: &[&str]) -> Result<Self, Error> {
        let Some(mut current) = Self::take_apart(current) else {
            let mut findings = Findings::default();
            findings.refuse(
                rules::UPDATE_CURRENT,
                "compute",
                None,
                "the answer does not describe a compute",
                "read the compute again",
            );
            let found = findings.into_refusals();
            return Err(Error::validation("update configuration", found));
        };
        current
            .document
            .retain(|key, _| !READ_ONLY.contains(&&**key));
        current
            .properties
            .retain(|key, _| !READ_ONLY_PROPERTIES.contains(&&**key));
        current.inner.retain(|key, _| !read_only.contains(&&**key));
        Ok(current)
    }

    fn take_apart(current: Value) -> Option<Self> {
        let Value::Object(mut document) = current else {
            return None;
        };
        let Some(Value::Object(mut properties)) = document.remove("properties") else {
            return None;
        };
        let inner = match properties.remove("properties") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(inner)) => inner,
            Some(_) => return None,
        };
        Some(Self {
            document,
            properties,
            inner,
        })
    }

    /// Returns the parts as one document.
    pub(super) fn into_body(mut self) -> Value {
        self.properties
            .insert("properties".into(), self.inner.into());
        self.document
            .insert("properties".into(), self.properties.into());
        self.document.into()
    }
}

/// Read-only by the type index (`workspaces/computes`, 2026-05-01).
const READ_ONLY: &[&str] = &["id", "name", "type", "systemData"];
/// Read-only by the type index (`Compute`, 2026-05-01), and the warnings that recordings show beside the errors.
const READ_ONLY_PROPERTIES: &[&str] = &[
    "provisioningState",
    "provisioningErrors",
    "provisioningWarnings",
    "createdOn",
    "modifiedOn",
    "isAttachedCompute",
];

type Apply = Box<dyn FnOnce(Value) -> Result<Value, Error> + Send + Sync>;

/// A request to change a compute, which [`ComputeTarget::update`] returns. `.await` sends it.
#[must_use = "a request sends nothing before it is awaited"]
pub struct UpdateCompute<'a, K: Kind> {
    compute: &'a mut ComputeTarget<K>,
    apply: Apply,
    options: CallOptions,
}

impl<'a, K: Kind> UpdateCompute<'a, K> {
    call_options!();

    /// Returns the verb with its resume token, before anything is sent. No I/O.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] for a client request id that cannot be sent.
    pub fn prepare(self) -> Result<Prepared<'a, ()>, Error> {
        let compute = self.compute;
        let url = compute.workspace.compute_url(&compute.name);
        let token = prepare::token(
            &compute.workspace,
            (&compute.name, compute.compute_type()),
            (Verb::Update, HttpVerb::Put),
            &url,
            &self.options,
        )?;
        let timeout = self.options.timeout;
        let target = named(&compute.name);
        let apply = self.apply;
        Ok(Prepared::new(target, token, timeout, move |ticket| {
            update(compute, apply, ticket).boxed()
        }))
    }
}

async fn update<K: Kind>(
    compute: &mut ComputeTarget<K>,
    apply: Apply,
    ticket: Ticket,
) -> Result<(), Error> {
    let (workspace, name) = (&compute.workspace, &compute.name);
    // As it came, so that what this library does not know survives.
    let current: Value = read(workspace, name, &compute.hidden).await?.or_refusal()?;
    let kind = current.pointer("/properties/computeType");
    check_kind::<K>(name, kind.and_then(Value::as_str).unwrap_or_default())?;
    let body = apply(current)?;
    // Also where the request fails: the service may repeat what was secret in it later.
    compute.hidden = compute.hidden.and(&Hidden::in_body(&body));
    let (workspace, name) = (&compute.workspace, &compute.name);
    let url = workspace.compute_url(name);
    let token = &ticket.token;
    let answer = prepare::write(
        workspace,
        Method::Put,
        url,
        Some(&body),
        token,
        &compute.hidden,
    )
    .await?;
    let begun = operation::begin(workspace.client(), token, &answer)?;
    compute.begin(ticket, begun);
    Ok(())
}

awaitable!(['a, K: Kind] UpdateCompute<'a, K> => (), 'a, |request| {
    async move { request.prepare()?.send().await }.boxed()
});

impl<K: Kind> fmt::Debug for UpdateCompute<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpdateCompute")
            .field("compute", &self.compute)
            .finish_non_exhaustive()
    }
}
