//! The registry of a base image.

use super::refuse_empty;
use crate::rules::{self, Findings};
use azure_core::credentials::Secret;
use serde_json::{Value, json};
use std::fmt;
use std::ops::Deref;

/// The name of an image or the address of a registry. `Debug` hides what stands where a URL has its user: it
/// does not belong there, and some write a password there.
#[derive(Clone, PartialEq)]
pub(super) struct Place(pub(super) String);

impl Deref for Place {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = self.find("://").map_or(0, |at| at + 3);
        let (scheme, rest) = self.split_at(start);
        let host = rest.split('/').next().unwrap_or_default();
        match host.rsplit_once('@') {
            // An `@` is also what a digest begins with.
            Some((user, host)) if !host.starts_with("sha256:") => {
                let user = user.len();
                fmt::Debug::fmt(&format!("{scheme}[redacted]{}", &rest[user..]), f)
            }
            _ => fmt::Debug::fmt(&self.0, f),
        }
    }
}

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
    address: Place,
    credentials: Option<(String, Secret)>,
}

impl ContainerRegistry {
    /// Returns the registry with this address: its host name, without `https://`.
    #[must_use]
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: Place(address.into()),
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
        let mut value = json!({ "address": &*self.address });
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
    fn user_in_an_address_is_not_shown() {
        for (place, shown) in [
            ("u:s3cr3t@r.example/i:1", "[redacted]@r.example/i:1"),
            ("https://u:s3cr3t@r.example", "https://[redacted]@r.example"),
            ("s3cr3t@r.example:5000/a/i", "[redacted]@r.example:5000/a/i"),
            ("u:s3cr3t@r/i@sha256:ab", "[redacted]@r/i@sha256:ab"),
            ("r.example/i:1", "r.example/i:1"),
            ("i@sha256:ab", "i@sha256:ab"),
            ("r.example/i@sha256:ab", "r.example/i@sha256:ab"),
        ] {
            assert_eq!(
                format!("{:?}", Place(place.to_owned())),
                format!("{shown:?}")
            );
        }
        let registry = ContainerRegistry::new("https://u:s3cr3t@r.example");
        assert!(!format!("{registry:?}").contains("s3cr3t"));
        let builder = crate::Environment::builder().base_image("u:s3cr3t@r.example/i");
        assert!(!format!("{builder:?}").contains("s3cr3t"));
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
