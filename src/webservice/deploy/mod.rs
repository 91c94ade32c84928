//! Deploying models as a service.

mod conditions;

pub(super) use conditions::needs_no_code;

use super::AksWebservice;
use super::checks::{self, Check};
use super::image::{self, Image};
use super::{DeployConfiguration, DeployConfigurationBuilder, InferenceConfiguration};
use crate::compute::AksCompute;
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::error::{Error, Hidden};
use crate::model::Model;
use crate::names::ServiceName;
use crate::operation::request::{CallOptions, CheckBefore, awaitable, call_options};
use crate::operation::{self, Machine, Prepared, Step, Ticket};
use crate::token::{HttpVerb, ResumeToken, Verb};
use crate::transport::HttpRequest;
use crate::workspace::{DataPlane, Workspace};
use azure_core::http::Method;
use futures::FutureExt;
use serde_json::Value;
use std::fmt;

impl Model {
    /// Deploys models as a web service on an AKS cluster.
    ///
    /// Returns a request; `.await` sends it and returns a handle on which the deployment is pending. See
    /// [`DeployService`] for what it sends.
    ///
    /// # Arguments
    ///
    /// * `name` - the name of the service: a text or a [`ServiceName`].
    /// * `models` - the models that the entry script loads; may be empty.
    /// * `inference` - entry script, sources and environment.
    /// * `deploy` - resources, replicas, authentication, probes.
    /// * `target` - the cluster.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use azureml_aks::{Workspace, emulator::Emulator};
    /// # let emulator = Emulator::new();
    /// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
    /// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
    /// # let folder = std::env::temp_dir().join(format!("azureml-aks-deploy-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # std::fs::write(folder.join("model.pkl"), "weights")?;
    /// # std::fs::write(folder.join("score.py"), "def init(): pass\ndef run(data): return data\n")?;
    /// # let mut aks = azureml_aks::ComputeTarget::create(
    /// #     &workspace, "myaks", azureml_aks::AksCompute::provisioning_configuration().build()?).await?;
    /// # aks.wait_for_completion(Default::default()).await?;
    /// use azureml_aks::{
    ///     AksWebservice, Auth, EnvironmentRef, InferenceConfiguration, Model, WaitOptions,
    /// };
    ///
    /// let model = Model::register(&workspace, "mymodel", folder.join("model.pkl")).await?;
    /// let inference = InferenceConfiguration::builder()
    ///     .entry_script(folder.join("score.py"))
    ///     .environment(EnvironmentRef::latest("AzureML-Minimal"))
    ///     .build()?;
    /// let deploy = AksWebservice::deploy_configuration()
    ///     .cpu_cores(1.0)
    ///     .memory_gb(1.0)
    ///     .auth(Auth::Key)
    ///     .build()?;
    /// let mut service = Model::deploy(&workspace, "myservice", [&model], inference, deploy, &aks).await?;
    /// service.wait_for_deployment(WaitOptions::new()).await?;
    ///
    /// let answer: serde_json::Value = service
    ///     .scoring_client()
    ///     .await?
    ///     .run(&serde_json::json!({ "data": [1, 2] }))
    ///     .await?;
    /// assert_eq!(answer["data"][1], 2, "the emulator echoes");
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub fn deploy<'m>(
        workspace: &Workspace,
        name: impl AsRef<str>,
        models: impl IntoIterator<Item = &'m Self>,
        inference: InferenceConfiguration,
        deploy: DeployConfiguration,
        target: &AksCompute,
    ) -> DeployService {
        DeployService {
            workspace: workspace.clone(),
            name: name.as_ref().to_owned(),
            models: models.into_iter().cloned().collect(),
            inference: Some(inference),
            deploy,
            target: target.clone(),
            overwrite: false,
            despite_findings: false,
            check: None,
            options: CallOptions::default(),
        }
    }

    /// Deploys one model without code: the service has an image for its framework, which is
    /// `Onnx`, `ScikitLearn`, `TensorFlow` or `Multi`.
    ///
    /// Returns a request; `.await` sends it. See [`DeployService`] for what it sends.
    pub fn deploy_without_code(
        &self,
        name: impl AsRef<str>,
        deploy: DeployConfiguration,
        target: &AksCompute,
    ) -> DeployService {
        DeployService {
            workspace: self.workspace().clone(),
            name: name.as_ref().to_owned(),
            models: vec![self.clone()],
            inference: None,
            deploy,
            target: target.clone(),
            overwrite: false,
            despite_findings: false,
            check: None,
            options: CallOptions::default(),
        }
    }
}

/// A request to deploy models as a web service, returned by [`Model::deploy`] and
/// [`Model::deploy_without_code`]. `.await` sends it.
///
/// Sends, in this order: GET of the compute target; POST of the check of the name, unless a service
/// may be overwritten; GET of the environment, if it is a registered one; the uploads;
/// POSTs of the checks of request and resources, at the same time and for 15 seconds at most; POST
/// of the service; GET of it.
///
/// # Errors
///
/// - [`ErrorKind::Validation`] for a name that breaks the rules, models that do not fit, and for
///   the problems that the service's checks find; all at once;
/// - [`ErrorKind::Refused`] before anything is uploaded, if the target is detached, failed or still
///   being created;
/// - [`ErrorKind::File`] and [`ErrorKind::Validation`] for sources that cannot be packed;
/// - [`ErrorKind::Service`] with the service's reason, for example 409 while another operation
///   runs on the service. Where it is not known whether the request arrived, or it was
///   accepted without an operation that can be followed ([`ErrorKind::Protocol`]), the error carries a
///   [`resume_token`](Error::resume_token).
///
/// # Cancel safety
///
/// Not safe: if it is dropped after the POST of the service was sent, the service is created without a
/// handle. Use [`prepare`](Self::prepare) and store its token first.
#[must_use = "a request sends nothing before it is awaited"]
#[derive(Clone)]
pub struct DeployService {
    workspace: Workspace,
    name: String,
    models: Vec<Model>,
    inference: Option<InferenceConfiguration>,
    deploy: DeployConfiguration,
    target: AksCompute,
    overwrite: bool,
    despite_findings: bool,
    check: Option<CheckBefore>,
    options: CallOptions,
}

impl DeployService {
    call_options!();

    /// Sets whether a service of that name is replaced. By default an existing one is an error.
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// Deploys even if the service's own checks report problems, which are then among the
    /// [`warnings`](AksWebservice::warnings) of the handle. By default the deployment ends there.
    pub fn despite_findings(mut self) -> Self {
        self.despite_findings = true;
        self
    }

    pub(crate) fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    pub(crate) fn configuration(&self) -> &DeployConfiguration {
        &self.deploy
    }

    pub(crate) fn target(&self) -> &AksCompute {
        &self.target
    }

    /// Has a check made before anything is uploaded.
    pub(crate) fn checked_by(mut self, check: CheckBefore) -> Self {
        self.check = Some(check);
        self
    }

    /// Returns the resume token before anything is sent that makes a service.
    ///
    /// Sends: GET of the workspace and of its hosts (once per workspace), to know the address of the
    /// service.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`], and those of reading the workspace; [`ErrorKind::Configuration`] for a
    /// client request id that cannot be sent.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn prepare(self) -> Result<Prepared<'static, AksWebservice>, Error> {
        let name = self.check()?;
        let workspace = self.workspace.clone();
        let plane = workspace.data_plane().await?;
        let of = (Verb::Deploy, HttpVerb::Post);
        let token = super::token(&workspace, plane, &name, of, true, &self.options)?;
        let target = format!("service {:?}", name.as_str());
        let timeout = self.options.timeout;
        Ok(Prepared::new(target, token, timeout, move |ticket| {
            self.run(name, ticket).boxed()
        }))
    }

    async fn run(self, name: ServiceName, ticket: Ticket) -> Result<AksWebservice, Error> {
        self.check_target().await?;
        if let Some(check) = &self.check {
            check().await?;
        }
        let workspace = &self.workspace;
        let plane = workspace.data_plane().await?;
        let mut warnings = Vec::new();
        if !self.overwrite {
            let found = checks::ask(plane, &[Check::name(name.as_str())], &Hidden::default()).await;
            warnings.extend(checks::judge(found, self.despite_findings)?);
        }
        let image = self.image(plane, &name).await?;
        warnings.extend(image.warnings);
        let location = workspace.location().await?;
        let body = self.deploy.create_body(
            &name,
            location,
            Some(self.target.name().as_str()),
            image.request,
            self.overwrite,
        );
        let mut wanted = vec![Check::create(name.as_str(), &body)];
        if !self.overwrite {
            wanted.push(Check::resources(&body));
        }
        let found = checks::ask(plane, &wanted, &Hidden::default()).await;
        warnings.extend(checks::judge(found, self.despite_findings)?);

        let begun = begin(plane, &ticket.token, &body).await?;
        let mut handle = AksWebservice::unread(workspace.clone(), name);
        handle.warnings = warnings;
        handle.begin(plane, ticket, begun);
        // The service is created; it can be read later as well.
        if let Err(error) = handle.read_again().await {
            tracing::debug!(%error, "the new service cannot be read yet");
        }
        Ok(handle)
    }

    async fn image(&self, plane: &DataPlane, name: &ServiceName) -> Result<Image, Error> {
        let models: Vec<String> = self
            .models
            .iter()
            .map(|model| model.id().to_owned())
            .collect();
        match &self.inference {
            Some(inference) => {
                image::of(&self.workspace, plane, inference, &models, name.as_str()).await
            }
            None => Ok(image::without_code(
                models.first().map_or("", String::as_str),
            )),
        }
    }
}

/// Sends the request that makes the service.
async fn begin(
    plane: &DataPlane,
    token: &ResumeToken,
    body: &Value,
) -> Result<(Machine, Step), Error> {
    let url = plane.model_management(&["services"]);
    let request = HttpRequest::new(Method::Post, url).json(body);
    let answer = operation::write(plane.client(), request, token).await?;
    if answer.status == 409 {
        return Err(answer
            .refusal(&token.parts().client_request_id)
            .with_remedy(
                "a service of that name exists, or an operation runs on it: take another name, \
                 deploy with overwrite, or wait",
            ));
    }
    let begun = operation::begin_service(
        plane.client(),
        token,
        &plane.model_management(&["operations"]),
        &answer,
    );
    operation::accepted(begun, token)
}

awaitable!([] DeployService => AksWebservice, 'static, |request| {
    async move { operation::prepare_and_send(request.options.clone(), request.prepare()).await }.boxed()
});

impl fmt::Debug for DeployService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeployService")
            .field("name", &self.name)
            .field("models", &self.models)
            .field("target", &self.target)
            .field("overwrite", &self.overwrite)
            .finish_non_exhaustive()
    }
}

impl AksWebservice {
    /// Begins the configuration of a deployment; the same as [`DeployConfiguration::builder`].
    pub fn deploy_configuration() -> DeployConfigurationBuilder {
        DeployConfiguration::builder()
    }
}
