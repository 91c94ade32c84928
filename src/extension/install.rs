//! `install`.

use super::Extension;
use super::address::ExtensionId;
use super::configuration::ExtensionConfiguration;
use super::resource::ExtensionResource;
use super::verb::{self, EXTENSION, changing, watch};
use crate::compute::{Found, KubernetesClusterRef};
use crate::error::{Error, ErrorKind, Finding, Hidden};
use crate::operation::request::{CallOptions, CheckBefore, awaitable, call_options};
use crate::operation::{self, Machine, Operation, Prepared, Step, Ticket, is_deleting};
use crate::token::{HttpVerb, Verb};
use crate::transport::HttpRequest;
use crate::workspace::Workspace;
use azure_core::http::Method;
use futures::FutureExt;
use std::fmt;

/// The verb that installs an extension.
impl Extension {
    /// Installs Azure Machine Learning's extension on a cluster.
    ///
    /// Returns a request; the first `.await` sends it and gives an [`Operation`], the second one waits for that and gives
    /// the extension. An install takes minutes; until it ends, the state is `Creating` or `Pending`. The extension runs in
    /// the namespace `azureml`. Install it once for each cluster.
    ///
    /// It does not overwrite: the name is read first, and an existing extension is an error, unless
    /// [`or_get`](InstallExtension::or_get) takes it. Between that read and the PUT somebody else may take the name.
    ///
    /// Sends: GET of the extension, GET of the cluster unless
    /// [`cluster_location`](crate::ExtensionConfigurationBuilder::cluster_location) was given, PUT of the extension.
    ///
    /// # Arguments
    ///
    /// * `workspace` - whose credential is used; the extension does not belong to a workspace
    /// * `cluster` - an AKS cluster or an Arc-connected one
    /// * `name` - the name of the extension on the cluster, for example `azureml`
    /// * `configuration` - its settings
    ///
    /// # Errors
    ///
    /// When it is awaited or prepared: [`ErrorKind::Validation`] for names that are not valid, and for settings that
    /// contradict the cluster (an Arc-connected cluster with an internal load balancer or without a relay, high
    /// availability on fewer than three nodes); [`ErrorKind::AlreadyExists`]; [`ErrorKind::Service`] with the service's
    /// reason. If it is not known whether the PUT arrived, the error carries a [`resume_token`](Error::resume_token).
    ///
    /// When it is waited for: [`ErrorKind::OperationFailed`] with the reason that the agent in the cluster reports. For codes
    /// of the health check, `E40001` to `E45005`, the error has a [`remedy`](Error::remedy).
    ///
    /// # Cancel safety
    ///
    /// Not safe: dropped after the PUT was sent, the extension is installed without a handle. Use
    /// [`prepare`](InstallExtension::prepare) and store its token first.
    pub fn install(
        workspace: &Workspace,
        cluster: impl Into<KubernetesClusterRef>,
        name: impl Into<String>,
        configuration: ExtensionConfiguration,
    ) -> InstallExtension {
        InstallExtension {
            workspace: workspace.clone(),
            cluster: cluster.into(),
            name: name.into(),
            configuration,
            taken: false,
            check: None,
            options: CallOptions::default(),
        }
    }
}

/// A request to install an extension, which [`Extension::install`] returns. `.await` sends it.
#[must_use = "a request sends nothing before it is awaited"]
#[derive(Clone)]
pub struct InstallExtension {
    workspace: Workspace,
    cluster: KubernetesClusterRef,
    name: String,
    configuration: ExtensionConfiguration,
    taken: bool,
    check: Option<CheckBefore>,
    options: CallOptions,
}

impl InstallExtension {
    call_options!();

    /// Takes the extension that already has the name, if there is one, in place of an error. Its settings are not compared
    /// or changed. An extension that is still being installed is waited for, and one that failed makes the wait fail. One
    /// that is being deleted or is of another type is an error ([`ErrorKind::Refused`]).
    pub fn or_get(mut self) -> Self {
        self.taken = true;
        self
    }

    pub(crate) fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Returns the cluster, the name and the configuration.
    pub(crate) fn parts(&self) -> (&KubernetesClusterRef, &str, &ExtensionConfiguration) {
        (&self.cluster, &self.name, &self.configuration)
    }

    /// Adds a check that runs after the name was read, and before anything is changed.
    pub(crate) fn checked_by(mut self, check: CheckBefore) -> Self {
        self.check = Some(check);
        self
    }

    /// Returns the warnings of the configuration.
    #[must_use]
    pub fn warnings(&self) -> &[Finding] {
        self.configuration.warnings()
    }

    /// Returns the verb with its resume token, before anything is sent. No I/O.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`] for names that are not valid, and for settings that contradict the kind of the cluster;
    /// [`ErrorKind::Configuration`] for a client request id that cannot be sent.
    pub fn prepare(self) -> Result<Prepared<'static, Operation<Extension>>, Error> {
        let id = ExtensionId::of(&self.workspace, &self.cluster, &self.name)?;
        self.configuration.check(id.cluster.is_managed(), None)?;
        let url = id.url(&self.workspace);
        let verb = (Verb::Install, HttpVerb::Put);
        let token = verb::token(&self.workspace, &id, verb, &url, &self.options)?;
        let (named, timeout) = (id.to_string(), self.options.timeout);
        Ok(Prepared::new(named, token, timeout, move |ticket| {
            async move {
                let hidden = self.configuration.hidden();
                let begun = self.begin(&id, &hidden, &ticket).await?;
                Ok(changing(&self.workspace, id, hidden, ticket, begun))
            }
            .boxed()
        }))
    }

    async fn begin(
        &self,
        id: &ExtensionId,
        hidden: &Hidden,
        ticket: &Ticket,
    ) -> Result<(Machine, Step), Error> {
        let (workspace, token) = (&self.workspace, &ticket.token);
        if let Found::Resource(existing) = id.read(workspace, hidden).await? {
            return self.found(id, &existing, ticket);
        }
        if let Some(check) = &self.check {
            check().await?;
        }
        let location = self.configuration.location();
        let cluster = id.cluster.facts(workspace, location).await?;
        let body = self.configuration.body(&cluster)?;
        let request = HttpRequest::new(Method::Put, id.url(workspace))
            .json(&body)
            .hiding(hidden);
        let answer = operation::write(workspace.client(), request, token).await?;
        // Another request created it in the meantime.
        if answer.status == 409
            && let Ok(Found::Resource(existing)) = id.read(workspace, hidden).await
        {
            return self.found(id, &existing, ticket);
        }
        operation::begin(workspace.client(), token, &answer)
    }

    fn found(
        &self,
        id: &ExtensionId,
        existing: &ExtensionResource,
        ticket: &Ticket,
    ) -> Result<(Machine, Step), Error> {
        let state = existing.properties.provisioning_state.as_deref();
        let shown = state.unwrap_or("unknown");
        let is_ours = existing.is_machine_learning();
        if self.taken && is_ours && !is_deleting(shown) {
            return Ok(watch(&self.workspace, id, ticket, state));
        }
        let kind = match self.taken {
            true => ErrorKind::Refused,
            false => ErrorKind::AlreadyExists,
        };
        let remedy = if !is_ours {
            "it is an extension of another type: use another name"
        } else if self.taken {
            "wait until it is deleted, then try again"
        } else if shown.eq_ignore_ascii_case("Failed") {
            "an earlier install failed and keeps the name: delete that extension first"
        } else {
            "add .or_get() to take the existing extension, or change its settings by an update"
        };
        let why = format!("an {} of this name exists (state {shown})", EXTENSION.noun);
        Err(Error::new(kind, why).with_remedy(remedy))
    }
}

awaitable!([] InstallExtension => Operation<Extension>, 'static, |request| {
    async move { request.prepare()?.send().await }.boxed()
});

impl fmt::Debug for InstallExtension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstallExtension")
            .field("cluster", &self.cluster)
            .field("name", &self.name)
            .field("or_get", &self.taken)
            .finish_non_exhaustive()
    }
}
