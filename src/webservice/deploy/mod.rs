//! Deploying models as a service.

mod conditions;

pub(super) use conditions::needs_no_code;

use super::checks::{self, Check};
use super::image::{self, Image};
use super::{AksWebservice, service_url};
use crate::compute::AksCompute;
use crate::config::{DeployConfiguration, DeployConfigurationBuilder, InferenceConfiguration};
use crate::error::Error;
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::model::Model;
use crate::names::ServiceName;
use crate::operation::{self, Driver, Machine, Prepared, Step};
use crate::token::{HttpVerb, ResumeToken, Verb};
use crate::transport::HttpRequest;
use crate::wire::ServiceResource;
use crate::workspace::{DataPlane, Workspace};
use azure_core::http::Method;
use futures::FutureExt;
use serde_json::Value;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

impl Model {
    /// Deploys models as a web service on an AKS cluster.
    ///
    /// Nothing is sent before the deployment is awaited; see [`Deployment`].
    ///
    /// # Arguments
    ///
    /// * `name` - the name of the service.
    /// * `models` - what the entry script loads; may be empty.
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
        name: impl Into<String>,
        models: impl IntoIterator<Item = &'m Self>,
        inference: InferenceConfiguration,
        deploy: DeployConfiguration,
        target: &AksCompute,
    ) -> Deployment {
        Deployment {
            workspace: workspace.clone(),
            name: name.into(),
            models: models.into_iter().cloned().collect(),
            inference: Some(inference),
            deploy,
            target: target.clone(),
            overwrite: false,
            despite_findings: false,
        }
    }

    /// Deploys one model without code: the service knows what to do with its framework, which is
    /// `Onnx`, `ScikitLearn`, `TensorFlow` or `Multi`.
    ///
    /// Nothing is sent before the deployment is awaited; see [`Deployment`].
    pub fn deploy_without_code(
        &self,
        name: impl Into<String>,
        deploy: DeployConfiguration,
        target: &AksCompute,
    ) -> Deployment {
        Deployment {
            workspace: self.workspace().clone(),
            name: name.into(),
            models: vec![self.clone()],
            inference: None,
            deploy,
            target: target.clone(),
            overwrite: false,
            despite_findings: false,
        }
    }
}

/// A deployment that begins when it is awaited: [`Model::deploy`], [`Model::deploy_without_code`].
#[must_use = "nothing is sent before it is awaited"]
#[derive(Clone)]
pub struct Deployment {
    workspace: Workspace,
    name: String,
    models: Vec<Model>,
    inference: Option<InferenceConfiguration>,
    deploy: DeployConfiguration,
    target: AksCompute,
    overwrite: bool,
    despite_findings: bool,
}

impl Deployment {
    /// Replaces a service of that name. By default one is an error.
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// Goes on although the service's own checks speak against it; what they said is among the
    /// [`warnings`](AksWebservice::warnings) of the service. By default the deployment ends there.
    pub fn despite_findings(mut self) -> Self {
        self.despite_findings = true;
        self
    }

    /// Deploys, and returns with the deployment going on.
    ///
    /// Sends, in this order: GET of the compute target; POST of the check of the name, unless a service
    /// may be overwritten; GET of the environment, if it is a registered one; what is to be uploaded;
    /// POSTs of the checks of request and resources, at the same time and for 15 seconds at most; POST
    /// of the service; GET of it.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Validation`] for a name that breaks the rules, models that do not fit, and for
    ///   what the service's checks say; all at once;
    /// - [`ErrorKind::Refused`] before anything is uploaded, if the target is detached, failed or still
    ///   being created;
    /// - [`ErrorKind::File`] and [`ErrorKind::Validation`] for sources that cannot be packed;
    /// - [`ErrorKind::Service`] with the service's reason, for example 409 while another operation
    ///   runs on the service. Where it is not known whether the request arrived, or it was
    ///   accepted without saying as which operation ([`ErrorKind::Protocol`]), the error carries a
    ///   [`resume_token`](Error::resume_token).
    ///
    /// # Cancel safety
    ///
    /// Not safe: dropped after the POST of the service was sent, the service comes into being without a
    /// handle. Use [`prepare`](Self::prepare) and store its token first.
    pub async fn send(self) -> Result<AksWebservice, Error> {
        // Boxed: what follows is large, and is awaited among others.
        Box::pin(async move { self.prepare().await?.send().await }).await
    }

    /// [`send`](Self::send), with the resume token in hand before anything is sent to the service that
    /// makes one: what [`AksWebservice::resume`] finds the deployment by.
    ///
    /// Sends: GET of the workspace and of its hosts (once per workspace), to know the address of the
    /// service.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`], and those of reading the workspace.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn prepare(self) -> Result<Prepared<AksWebservice>, Error> {
        let name = self.check()?;
        let workspace = self.workspace.clone();
        let plane = workspace.data_plane().await?;
        let token = token(plane, &name);
        let target = format!("service {:?}", name.as_str());
        Ok(Prepared::new(target, token, move |token| {
            async move { self.run(name, token).await }.boxed()
        }))
    }

    async fn run(self, name: ServiceName, token: ResumeToken) -> Result<AksWebservice, Error> {
        self.check_target().await?;
        let workspace = &self.workspace;
        let plane = workspace.data_plane().await?;
        let mut warnings = Vec::new();
        if !self.overwrite {
            let found = checks::ask(plane, &[Check::name(name.as_str())]).await;
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
        let found = checks::ask(plane, &wanted).await;
        warnings.extend(checks::judge(found, self.despite_findings)?);

        let begun = begin(plane, &name, &token, &body)
            .await
            .map_err(|error| error.hiding(&super::secrets_in(&body)))?;
        let client = plane.client().clone();
        let driver = Driver::new(client, name.to_string(), Some(token), begun);
        let resource = ServiceResource::named(name.as_str());
        let mut handle = AksWebservice {
            workspace: workspace.clone(),
            name,
            resource: Arc::new(resource),
            pending: Some(Box::new(driver)),
            warnings,
        };
        // The service is made; what it looks like can be read later as well.
        if let Err(error) = handle.read_again().await {
            tracing::debug!(%error, "a new service cannot be read yet");
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
    name: &ServiceName,
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
    let begun = Machine::start_service(
        HttpVerb::Post,
        &service_url(plane, name),
        &token.parts().client_request_id,
        plane.client().origins(),
        &plane.model_management(&["operations"]),
        true,
        &answer,
    );
    operation::accepted(begun, token)
}

fn token(plane: &DataPlane, name: &ServiceName) -> ResumeToken {
    super::token(plane, name, Verb::Deploy, HttpVerb::Post, true)
}

impl IntoFuture for Deployment {
    type Output = Result<AksWebservice, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    /// See [`send`](Self::send).
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl fmt::Debug for Deployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deployment")
            .field("name", &self.name)
            .field("models", &self.models)
            .field("target", &self.target)
            .field("overwrite", &self.overwrite)
            .finish_non_exhaustive()
    }
}

impl AksWebservice {
    /// Begins to say how a service shall be deployed.
    pub fn deploy_configuration() -> DeployConfigurationBuilder {
        DeployConfiguration::builder()
    }
}
