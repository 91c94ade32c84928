//! The conditions of a deployment, checked before anything is uploaded.

use super::DeployService;
use crate::compute::AksCompute;
use crate::error::{Error, ErrorKind, Finding};
use crate::model::Model;
use crate::names::ServiceName;
use crate::rules;

/// The most models that a service takes (`how-to-deploy-azure-kubernetes-service`, 2020-09).
const MOST_MODELS: usize = 1_000;

/// Frameworks that need no code of the user's (`azureml-core` 1.61).
const NO_CODE: [&str; 4] = ["Onnx", "ScikitLearn", "TensorFlow", "Multi"];

/// Returns whether a model can be deployed without code.
pub(in crate::webservice) fn needs_no_code(model: &Model) -> bool {
    let framework = model.resource().framework.as_deref().unwrap_or_default();
    NO_CODE
        .iter()
        .any(|known| known.eq_ignore_ascii_case(framework))
}

impl DeployService {
    /// Checks that the target, as it is now, can take a service.
    pub(super) async fn check_target(&self) -> Result<(), Error> {
        let name = self.target.name().as_str();
        let refuse = |why: String, remedy| {
            Err(Error::new(
                ErrorKind::Refused,
                format!("compute target {name:?} {why}, and nothing was uploaded"),
            )
            .with_remedy(remedy))
        };
        let Some(target) = AksCompute::get_opt(&self.workspace, name).await? else {
            return refuse(
                "does not exist: it was detached or deleted".to_owned(),
                "attach or create it first",
            );
        };
        match target.status() {
            Some(state) if state.eq_ignore_ascii_case("Succeeded") => Ok(()),
            // Whether a cluster that is being updated takes services is not known: the service decides.
            Some(state) if state.eq_ignore_ascii_case("Updating") => Ok(()),
            None => Ok(()),
            Some(state) if state.eq_ignore_ascii_case("Failed") => refuse(
                "has failed".to_owned(),
                "delete or detach it, then create or attach it again",
            ),
            Some(state) => refuse(
                format!("is not ready (state {state})"),
                "wait for it with wait_for_completion first",
            ),
        }
    }

    /// Checks everything that can be checked without the service.
    pub(super) fn check(&self) -> Result<ServiceName, Error> {
        let mut found: Vec<Finding> = Vec::new();
        let name = ServiceName::parse("name", &self.name)
            .map_err(|findings| found.extend(findings))
            .ok();
        if self.models.len() > MOST_MODELS {
            found.push(rules::DEPLOYMENT_MODELS.finding(
                "models",
                Some(&self.models.len().to_string()),
                format!("a deployment has at most {MOST_MODELS} models"),
                "divide the models between services",
            ));
        }
        for model in &self.models {
            if model.workspace().id() != self.workspace.id() {
                found.push(rules::DEPLOYMENT_WORKSPACE.finding(
                    "models",
                    Some(model.id()),
                    "the model belongs to another workspace",
                    "register it in the workspace of the service",
                ));
            }
        }
        if self.target.workspace().id() != self.workspace.id() {
            found.push(rules::DEPLOYMENT_WORKSPACE.finding(
                "target",
                Some(self.target.name().as_str()),
                "the compute target belongs to another workspace",
                "attach the cluster to the workspace of the service",
            ));
        }
        if self.inference.is_none()
            && let Some(model) = self.models.iter().find(|model| !needs_no_code(model))
        {
            found.push(rules::DEPLOYMENT_NO_CODE.finding(
                "models",
                model.resource().framework.as_deref(),
                "a model of this framework cannot be deployed without code",
                format!(
                    "register it with one of the frameworks {}, or give an inference configuration",
                    NO_CODE.join(", ")
                ),
            ));
        }
        match name {
            Some(name) if found.is_empty() => Ok(name),
            _ => Err(Error::validation("deployment", found)),
        }
    }
}
