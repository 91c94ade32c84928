//! The refusals of the provider, and the findings of the extension's health check on its cluster.

use serde_json::Value;

use super::{Host, TYPE};
use crate::emulator::error::{ArmError, require};
use crate::emulator::operations::Outcome;
use crate::facts::arm::ROUTER_NODES;

/// Refuses the properties of an extension that is to be installed, where they contradict themselves or are not
/// served.
pub(super) fn check(properties: &Value) -> Result<(), ArmError> {
    let given = &properties["extensionType"];
    let kind = given.as_str().unwrap_or_default();
    require(!kind.is_empty(), "properties.extensionType is required.")?;
    if !kind.eq_ignore_ascii_case(TYPE) {
        return Err(ArmError::unsupported(format!(
            "The emulator serves extensions of the type {TYPE}, not '{kind}'."
        )));
    }
    let scope = &properties["scope"];
    require(
        scope["cluster"].is_null() || scope["namespace"].is_null(),
        "properties.scope must be either a cluster or a namespace, not both.",
    )?;
    if scope["cluster"].is_null() {
        return Err(ArmError::unsupported(
            "The emulator serves extensions whose properties.scope.cluster is given.",
        ));
    }
    check_version(properties)
}

/// Refuses a pinned version that would be upgraded.
pub(super) fn check_version(properties: &Value) -> Result<(), ArmError> {
    require(
        properties["version"].is_null() || properties["autoUpgradeMinorVersion"] == false,
        "To set properties.version, properties.autoUpgradeMinorVersion must be false.",
    )
}

/// How an install or an update of an extension with this name ends, by the prefix of the name and by what the
/// health check says about its settings.
pub(super) fn outcome(host: &Host, name: &str, settings: &Value, task: &str) -> Outcome {
    let lower = name.to_ascii_lowercase();
    let found = if lower.starts_with("fail") {
        Some("E40001 LOAD_BALANCER_NOT_SUPPORT")
    } else if lower.starts_with("cancel") {
        return Outcome::IsCanceled;
    } else {
        health(host, settings)
    };
    let Some(found) = found else {
        return Outcome::Succeeds;
    };
    Outcome::Fails {
        code: "ExtensionOperationFailed".to_owned(),
        message: format!(
            "The extension operation failed with the following error:  Error: [ InnerError: [Helm installation \
             failed :  : InnerError [release {name} failed, and has been uninstalled due to atomic being set: \
             failed pre-install: {found}]]] occurred while doing the operation : [{task}] on the config"
        ),
        nested: false,
    }
}

/// The documented code of what the health check finds, where it depends on nothing but settings and cluster.
fn health(host: &Host, settings: &Value) -> Option<&'static str> {
    let is = |key: &str, default: bool| match settings[key].as_str() {
        Some(text) => text.eq_ignore_ascii_case("true"),
        None => default,
    };
    if !is("enableInference", false) {
        return None;
    }
    let internal = settings["internalLoadBalancerProvider"].as_str();
    if is("inferenceRouterHA", true) && host.nodes < u64::from(ROUTER_NODES) {
        Some("E40002 INSUFFICIENT_NODE")
    } else if internal
        .is_some_and(|provider| !provider.eq_ignore_ascii_case("azure") || !host.is_managed())
    {
        Some("E40003 INTERNAL_LOAD_BALANCER_NOT_SUPPORT")
    } else {
        None
    }
}
