//! The registry of a base image.

use super::refuse_empty;
use crate::rules::{self, Findings};
use azure_core::credentials::Secret;
use serde_json::{Value, json};

/// A private registry that holds the base image of an environment.
///
/// A registry that the workspace may read by itself needs no user name. The password is never
/// shown.
///
/// # Examples
///
/// ```
/// use azureml_aks::{ContainerRegistry, Environment};
///
/// let registry = ContainerRegistry::new("myregistry.azurecr.io").credentials("me", "secret");
/// let environment = Environment::builder()
///     .name("myenv")
///     .base_image("myregistry.azurecr.io/scoring:1")
///     .base_image_registry(registry)
///     .build()?;
/// assert!(!format!("{environment:?}").contains("secret"));
/// # Ok::<(), azureml_aks::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ContainerRegistry {
    address: String,
    credentials: Option<(String, Secret)>,
}

impl ContainerRegistry {
    /// Returns the registry with this address: its host name, without `https://`.
    #[must_use]
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            credentials: None,
        }
    }

    /// Sets the user name and the password of the registry.
    #[must_use]
    pub fn credentials(mut self, username: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.credentials = Some((username.into(), password.into()));
        self
    }

    /// Returns the host name of the registry.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns the user name, if there is one.
    #[must_use]
    pub fn username(&self) -> Option<&str> {
        let (username, _) = self.credentials.as_ref()?;
        Some(username)
    }

    pub(super) fn check(&self, findings: &mut Findings) {
        if self.address.trim().is_empty() {
            refuse_empty(findings, "base_image_registry.address");
        }
        if let Some((username, password)) = &self.credentials
            && (username.trim().is_empty() || password.secret().is_empty())
        {
            findings.refuse(
                rules::ENVIRONMENT_REGISTRY,
                "base_image_registry",
                None,
                "the user name or the password is empty",
                "give both, or neither",
            );
        }
    }

    /// Returns the registry as the service reads it, with the password in clear.
    pub(super) fn value(&self) -> Value {
        let mut value = json!({ "address": self.address });
        if let Some((username, password)) = &self.credentials {
            value["username"] = username.as_str().into();
            value["password"] = password.secret().into();
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(registry: &ContainerRegistry) -> Vec<&'static str> {
        let mut findings = Findings::default();
        registry.check(&mut findings);
        let found = findings.into_refusals();
        found.iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn registry_is_sent_with_both_credentials_or_with_none() {
        let bare = ContainerRegistry::new("r.azurecr.io");
        assert!(broken(&bare).is_empty());
        assert_eq!(bare.value(), json!({ "address": "r.azurecr.io" }));
        assert_eq!(bare.username(), None);

        let known = bare.credentials("me", "CANARY");
        assert!(broken(&known).is_empty());
        assert_eq!(
            known.value(),
            json!({ "address": "r.azurecr.io", "username": "me", "password": "CANARY" })
        );
        assert!(!format!("{known:?}").contains("CANARY"));
    }

    #[test]
    fn empty_texts_are_refused() {
        let registry = ContainerRegistry::new(" ").credentials("", "p");
        assert_eq!(
            broken(&registry),
            ["environment.empty", "environment.registry"]
        );
        let registry = ContainerRegistry::new("r").credentials("me", "");
        assert_eq!(broken(&registry), ["environment.registry"]);
    }
}
