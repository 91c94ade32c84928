//! Changing a service.

use super::ServiceResource;
use super::checks::{self, Check};
use super::deploy::needs_no_code;
use super::image::{self, Image};
use super::settings::{CodeChange, CurrentService};
use super::{AksWebservice, Known, ServiceState};
use super::{InferenceConfiguration, ServiceUpdate};
use crate::error::{Error, ErrorKind, Finding};
use crate::model::Model;
use crate::operation::request::{CallOptions, awaitable, call_options};
use crate::operation::{self, Prepared, Ticket};
use crate::rules;
use crate::token::{HttpVerb, Verb};
use crate::transport::{Answer, HttpRequest};
use crate::workspace::DataPlane;
use azure_core::http::Method;
use futures::FutureExt;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

impl AksWebservice {
    /// Changes settings, tags, properties or the description of the service; nothing else.
    ///
    /// Returns a request; `.await` sends it. See [`UpdateService`] for what it sends.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # async fn update(service: &mut azureml_aks::AksWebservice) -> Result<(), azureml_aks::Error> {
    /// use azureml_aks::{Auth, AutoScale, ServiceUpdate, WaitOptions};
    ///
    /// let update = ServiceUpdate::builder()
    ///     .auth(Auth::Token)
    ///     .replicas(AutoScale::new().max_replicas(20))
    ///     .build()?;
    /// service.update(update).await?;
    /// service.wait_for_deployment(WaitOptions::new()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(&mut self, update: ServiceUpdate) -> UpdateService<'_> {
        UpdateService {
            update: Some(update),
            ..UpdateService::of(self)
        }
    }

    /// Changes entry script, sources and environment; the models stay, unless
    /// [`models`](UpdateService::models) names others.
    ///
    /// Services do not take a new version of a model by themselves: each has to be updated.
    ///
    /// Returns a request; `.await` sends it. See [`UpdateService`] for what it sends.
    pub fn update_inference(&mut self, inference: InferenceConfiguration) -> UpdateService<'_> {
        UpdateService {
            inference: Some(inference),
            ..UpdateService::of(self)
        }
    }

    /// Changes the models. Without a new inference configuration that is only possible for one model
    /// that needs no code.
    ///
    /// Returns a request; `.await` sends it. See [`UpdateService`] for what it sends.
    pub fn update_models<'m>(
        &mut self,
        models: impl IntoIterator<Item = &'m Model>,
    ) -> UpdateService<'_> {
        UpdateService::of(self).models(models)
    }
}

/// A request to change a service, returned by [`AksWebservice::update`],
/// [`update_inference`](AksWebservice::update_inference) and
/// [`update_models`](AksWebservice::update_models). `.await` sends it. All of it goes into one
/// PATCH.
///
/// A change of more than tags, properties and description goes on afterwards: it is pending on the handle,
/// and [`wait_for_deployment`](AksWebservice::wait_for_deployment) waits for it.
///
/// Sends: GET of the service, to know what stays; GET of the environment, and the uploads,
/// where the inference configuration changes; POST of the check; PATCH of the service; GET of it
/// where the change is made at once.
///
/// # Errors
///
/// - [`ErrorKind::Validation`] for changes that do not fit the service as it is, for models alone, and for
///   the problems that the service's check finds;
/// - [`ErrorKind::Service`] with the service's reason: 409 while another operation runs
///   ([`Error::is_conflict`]), also where the service was made by the designer. Where it is not known
///   whether the PATCH arrived, or it was accepted without an operation that can be followed
///   ([`ErrorKind::Protocol`]), the error carries a [`resume_token`](Error::resume_token).
///
/// # Cancel safety
///
/// If it is dropped after the PATCH was sent, the change may be made all the same. The handle then counts as in
/// transition: [`wait_for_deployment`](AksWebservice::wait_for_deployment) reads the service,
/// and sending the change again is harmless.
#[must_use = "a request sends nothing before it is awaited"]
pub struct UpdateService<'s> {
    service: &'s mut AksWebservice,
    update: Option<ServiceUpdate>,
    models: Option<Vec<Model>>,
    inference: Option<InferenceConfiguration>,
    despite_findings: bool,
    options: CallOptions,
}

impl<'s> UpdateService<'s> {
    fn of(service: &'s mut AksWebservice) -> Self {
        Self {
            service,
            update: None,
            models: None,
            inference: None,
            despite_findings: false,
            options: CallOptions::default(),
        }
    }

    call_options!();

    /// Changes settings, tags, properties and description, too.
    pub fn settings(mut self, update: ServiceUpdate) -> Self {
        self.update = Some(update);
        self
    }

    /// Changes the models, too.
    pub fn models<'m>(mut self, models: impl IntoIterator<Item = &'m Model>) -> Self {
        self.models = Some(models.into_iter().cloned().collect());
        self
    }

    /// Changes entry script, sources and environment, too.
    pub fn inference_configuration(mut self, inference: InferenceConfiguration) -> Self {
        self.inference = Some(inference);
        self
    }

    /// Sends the change even if the service's own check reports problems, which are then among the
    /// [`warnings`](AksWebservice::warnings) of the handle.
    pub fn despite_findings(mut self) -> Self {
        self.despite_findings = true;
        self
    }

    /// Returns the resume token before anything is sent that changes the service.
    ///
    /// Sends: GET of the workspace and of its hosts (once per workspace).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`] for changes that do not fit each other; [`ErrorKind::Configuration`] for a
    /// client request id that cannot be sent; those of reading the workspace.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn prepare(self) -> Result<Prepared<'s, ()>, Error> {
        let update = self.checked()?;
        let workspace = self.service.workspace.clone();
        let plane = workspace.data_plane().await?;
        let of = (Verb::Update, HttpVerb::Patch);
        let token = self.service.token_of(plane, of, true, &self.options)?;
        let target = self.service.doing("").trim_start().to_owned();
        let timeout = self.options.timeout;
        Ok(Prepared::new(target, token, timeout, move |ticket| {
            self.run(update, ticket).boxed()
        }))
    }

    async fn run(self, update: ServiceUpdate, ticket: Ticket) -> Result<(), Error> {
        let workspace = self.service.workspace.clone();
        let name = self.service.name.clone();
        self.service.read_again().await?;
        let plane = workspace.data_plane().await?;
        let current = self.service.resource.clone();
        let image = self.image(plane, &current).await?;
        let mut warnings: Vec<Finding> = Vec::new();
        let request = image.map(|image| {
            warnings.extend(image.warnings);
            image.request
        });
        let patch = Value::Array(update.patch(&known(&current), request)?);
        let found = checks::ask(
            plane,
            &[Check::update(name.as_str(), &patch)],
            &self.service.hidden.get(),
        )
        .await;
        warnings.extend(checks::judge(found, self.despite_findings)?);

        let token = &ticket.token;
        let url = plane.model_management(&["services", name.as_str()]);
        let request = HttpRequest::new(Method::Patch, url)
            .json_patch(&patch)
            .hiding(&self.service.hidden.get());
        // Also where the request fails: the service may repeat it later.
        self.service.hides(&request.hidden);
        let id = token.id();
        // If this is dropped while the request is on its way, the next wait must not take the state
        // before it for the one after it.
        self.service.expects_change();
        let answer = operation::write(plane.client(), request, token).await;
        let answer = answer.and_then(|answer| answer.successful(id));
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                if error.resume_token().is_none() {
                    self.service.known = None;
                }
                return Err(match error.is_conflict() && error.remedy().is_none() {
                    true => error.with_remedy(
                        "another operation runs on the service: wait for it with \
                         wait_for_deployment, then try again",
                    ),
                    false => error,
                });
            }
        };
        self.service.warnings = warnings;
        let begun = operation::begin_service(
            plane.client(),
            token,
            &plane.model_management(&["operations"]),
            &answer,
        );
        let begun = operation::accepted(begun, token)?;
        // 200 without an operation: made at once, whatever state the service is in. The body may name
        // the operation before this one.
        if answer.status == 200 && (!begun.0.has_monitor() || names_the_last(&answer, &current)) {
            // A deployment that goes on is still to be waited for.
            if self
                .service
                .pending
                .as_ref()
                .is_some_and(|own| own.is_over())
            {
                self.service.pending = None;
            }
            return self.service.read_again().await;
        }
        self.service.begin(plane, ticket, begun);
        Ok(())
    }

    /// Returns the settings, with the known facts about the other changes.
    fn checked(&self) -> Result<ServiceUpdate, Error> {
        let code = match (&self.inference, &self.models) {
            (Some(_), _) => Some(CodeChange::Inference),
            (None, Some(models)) => Some(CodeChange::Models {
                count: models.len(),
                no_code: models.iter().all(needs_no_code),
            }),
            (None, None) => None,
        };
        let own = self.service.workspace.id();
        let foreign = self
            .models
            .iter()
            .flatten()
            .filter(|model| model.workspace().id() != own);
        let foreign: Vec<Finding> = foreign
            .map(|model| {
                rules::DEPLOYMENT_WORKSPACE.finding(
                    "models",
                    Some(model.id()),
                    "the model belongs to another workspace",
                    "register it in the workspace of the service",
                )
            })
            .collect();
        if !foreign.is_empty() {
            return Err(Error::validation("service update", foreign));
        }
        let builder = match &self.update {
            Some(update) => update.clone().into_builder(),
            None => ServiceUpdate::builder(),
        };
        match code {
            Some(code) => builder.with_code(code).build(),
            None => builder.build(),
        }
    }

    async fn image(
        &self,
        plane: &DataPlane,
        current: &ServiceResource,
    ) -> Result<Option<Image>, Error> {
        let ids = |models: &[Model]| models.iter().map(|model| model.id().to_owned()).collect();
        let (workspace, name) = (&self.service.workspace, self.service.name.as_str());
        match (&self.inference, &self.models) {
            (None, None) => Ok(None),
            (None, Some(models)) => {
                let model = models.first().map_or("", Model::id);
                Ok(Some(image::without_code(model)))
            }
            (Some(inference), models) => {
                let models = match models {
                    Some(models) => ids(models),
                    None => models_of(current)?,
                };
                image::of(workspace, plane, inference, &models, name)
                    .await
                    .map(Some)
            }
        }
    }
}

impl AksWebservice {
    /// Marks the document that was read as outdated, until the service is read again.
    fn expects_change(&mut self) {
        self.known = Some(Arc::new(Known {
            state: ServiceState::Transitioning,
            error: None,
        }));
    }
}

awaitable!(['s] UpdateService<'s> => (), 's, |request| {
    async move {
        let context = request.service.doing("update");
        let done = operation::prepare_and_send(request.options.clone(), request.prepare()).await;
        done.map_err(|error| error.with_context(|| context))
    }
    .boxed()
});

impl fmt::Debug for UpdateService<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpdateService")
            .field("service", &self.service.name.as_str())
            .field("models", &self.models)
            .finish_non_exhaustive()
    }
}

/// Returns whether the only operation that the answer names is the one that the service had before.
fn names_the_last(answer: &Answer, before: &ServiceResource) -> bool {
    let body: Option<Value> = serde_json::from_slice(answer.text()).ok();
    let named = body.as_ref().and_then(|body| body.get("operationId"));
    answer.header("operation-location").is_none() && named == before.other.get("operationId")
}

/// Returns the models that the service has, which a new inference configuration keeps.
fn models_of(current: &ServiceResource) -> Result<Vec<String>, Error> {
    let ids = current.models.iter().map(|model| model.id.clone());
    ids.collect::<Option<Vec<String>>>().ok_or_else(|| {
        Error::new(
            ErrorKind::Protocol,
            "the service does not say which models it has",
        )
        .with_remedy("name the models in the update")
    })
}

fn known(current: &ServiceResource) -> CurrentService {
    let scale = current.auto_scaler.as_ref();
    let container = current.container_resource_requirements.as_ref();
    CurrentService {
        tags: current.tags.clone(),
        properties: current.properties.clone(),
        min_replicas: scale.and_then(|scale| scale.min_replicas),
        max_replicas: scale.and_then(|scale| scale.max_replicas),
        cpu_cores: container.and_then(|container| container.cpu),
        cpu_cores_limit: container.and_then(|container| container.cpu_limit),
        memory_gb: container.and_then(|container| container.memory_gb),
        memory_gb_limit: container.and_then(|container| container.memory_gb_limit),
    }
}
