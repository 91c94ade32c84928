//! The answer to `listKeys`.

use crate::error::Shown;
use azure_core::credentials::Secret;
use serde::Deserialize;
use std::fmt;

/// The kubeconfigs of an AKS compute, as secrets.
///
/// `Debug` shows which ones are there, never their content.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AksCredentials {
    /// Kubeconfig of a user without cluster-wide rights, base64 or YAML as the service gives it.
    #[serde(default)]
    pub user_kube_config: Option<Secret>,
    /// Kubeconfig of the cluster's administrator.
    #[serde(default)]
    pub admin_kube_config: Option<Secret>,
    /// Name of the Kubernetes secret with which images are pulled.
    #[serde(default)]
    pub image_pull_secret_name: Option<String>,
}

impl fmt::Debug for AksCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AksCredentials")
            .field("user_kube_config", &Shown(&self.user_kube_config))
            .field("admin_kube_config", &Shown(&self.admin_kube_config))
            .field("image_pull_secret_name", &self.image_pull_secret_name)
            .finish()
    }
}
