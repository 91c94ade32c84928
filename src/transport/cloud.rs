//! Where ARM is, and for whom its tokens are made.

use crate::error::{Error, ErrorKind};
use crate::facts::domains;
use url::Url;

/// An Azure cloud: the endpoint of ARM, and the audiences of tokens for ARM and for the hosts of a
/// workspace.
///
/// The default is the public one. The credential has to belong to the same cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cloud {
    endpoint: Url,
    scope: String,
    workspace_scope: String,
    /// Of the hosts of a workspace; none for a custom one.
    domains: &'static [&'static str],
    /// `None` for a custom one.
    configuration: Option<Configuration>,
}

impl Cloud {
    /// Azure's public cloud: `https://management.azure.com`.
    #[must_use]
    pub fn public() -> Self {
        Self::known(
            "https://management.azure.com",
            "https://ml.azure.com",
            domains::PUBLIC,
            Configuration::AzurePublic,
        )
    }

    /// Azure for the US government: `https://management.usgovcloudapi.net`.
    #[must_use]
    pub fn us_government() -> Self {
        Self::known(
            "https://management.usgovcloudapi.net",
            "https://ml.azure.us",
            domains::US_GOVERNMENT,
            Configuration::AzureGovernment,
        )
    }

    /// Azure in China: `https://management.chinacloudapi.cn`.
    #[must_use]
    pub fn china() -> Self {
        Self::known(
            "https://management.chinacloudapi.cn",
            "https://ml.azure.cn",
            domains::CHINA,
            Configuration::AzureChina,
        )
    }

    /// Any other cloud, for example Azure Stack Hub or a private test endpoint. The hosts of its workspaces may be
    /// in any domain.
    ///
    /// # Arguments
    ///
    /// * `endpoint` - where ARM is: an `https` URL without path, query or user.
    /// * `audience` - for whom tokens are made; tokens are asked for with the scope
    ///   `{audience}/.default`. It also stands for the hosts of the workspace, unless
    ///   [`workspace_audience`](Self::workspace_audience) names another.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] if the endpoint is not such a URL, or the audience is empty.
    ///
    /// ```
    /// use azureml_aks::Cloud;
    ///
    /// let cloud = Cloud::custom("https://management.local.azurestack.external", "https://management.local")?;
    /// assert_eq!(cloud.endpoint().host_str(), Some("management.local.azurestack.external"));
    /// assert!(Cloud::custom("http://management.local", "https://management.local").is_err());
    /// # Ok::<(), azureml_aks::Error>(())
    /// ```
    pub fn custom(endpoint: &str, audience: &str) -> Result<Self, Error> {
        let url = Url::parse(endpoint).map_err(|error| {
            // Not quoted: it may hold a password, which cannot be recognized.
            let why = format!("the ARM endpoint is not a valid URL: {error}");
            Error::new(ErrorKind::Configuration, why)
        })?;
        let refuse = |why: &str| {
            let host = url.host_str().unwrap_or("without a host");
            let why = format!("the ARM endpoint {host} {why}");
            Error::new(ErrorKind::Configuration, why)
        };
        if url.scheme() != "https" {
            return Err(refuse("is not https: tokens are never sent in plain text"));
        }
        let bare =
            matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        if !bare
            || url.host_str().is_none()
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return Err(refuse("has more than scheme, host and port"));
        }
        let scope = scope_of(audience)?;
        Ok(Self {
            endpoint: url,
            workspace_scope: scope.clone(),
            scope,
            domains: &[],
            configuration: None,
        })
    }

    /// Takes another audience for the hosts of the workspace, where models and services are managed.
    ///
    /// Of the known clouds it is `https://ml.azure.com`, `https://ml.azure.us` or
    /// `https://ml.azure.cn`: what Microsoft's present client asks for. Its predecessor sent the token
    /// of ARM to these hosts; if a workspace takes nothing else, name the audience of ARM here.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] if the audience is empty.
    pub fn workspace_audience(self, audience: &str) -> Result<Self, Error> {
        Ok(Self {
            workspace_scope: scope_of(audience)?,
            ..self
        })
    }

    /// Where ARM is.
    #[must_use]
    pub fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    /// The scope that tokens are asked for with.
    #[must_use]
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// The scope that tokens for the hosts of the workspace are asked for with.
    #[must_use]
    pub fn workspace_scope(&self) -> &str {
        &self.workspace_scope
    }

    /// The domains of the hosts of a workspace; empty if they are not known.
    #[cfg(feature = "services")]
    pub(crate) fn domains(&self) -> &'static [&'static str] {
        self.domains
    }

    /// Whether this is none of Azure's own.
    #[cfg(feature = "services")]
    pub(crate) fn is_custom(&self) -> bool {
        self.configuration.is_none()
    }

    #[cfg_attr(not(feature = "identity"), allow(dead_code))]
    pub(crate) fn configuration(&self) -> Option<&Configuration> {
        self.configuration.as_ref()
    }

    fn known(
        endpoint: &'static str,
        workspace_audience: &'static str,
        domains: &'static [&'static str],
        configuration: Configuration,
    ) -> Self {
        Self {
            // A constant that the tests parse.
            #[allow(clippy::expect_used)]
            endpoint: Url::parse(endpoint).expect("a constant"),
            scope: format!("{endpoint}/.default"),
            workspace_scope: format!("{workspace_audience}/.default"),
            domains,
            configuration: Some(configuration),
        }
    }
}

/// An audience, or a scope of it, as the scope that tokens are asked for with.
fn scope_of(audience: &str) -> Result<String, Error> {
    let audience = audience
        .trim()
        .trim_end_matches("/.default")
        .trim_end_matches('/');
    if audience.is_empty() {
        return Err(Error::new(
            ErrorKind::Configuration,
            "the audience of the cloud is empty",
        ));
    }
    Ok(format!("{audience}/.default"))
}

impl Default for Cloud {
    fn default() -> Self {
        Self::public()
    }
}

use azure_core::cloud::CloudConfiguration as Configuration;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_clouds_have_their_documented_hosts() {
        for (cloud, host, workspace) in [
            (Cloud::public(), "management.azure.com", "ml.azure.com"),
            (
                Cloud::us_government(),
                "management.usgovcloudapi.net",
                "ml.azure.us",
            ),
            (Cloud::china(), "management.chinacloudapi.cn", "ml.azure.cn"),
        ] {
            assert_eq!(cloud.endpoint().host_str(), Some(host));
            assert_eq!(cloud.scope(), format!("https://{host}/.default"));
            assert_eq!(
                cloud.workspace_scope(),
                format!("https://{workspace}/.default")
            );
        }
    }

    #[test]
    fn endpoints_that_could_leak_a_token_are_refused() {
        for endpoint in [
            "http://management.local",
            "management.local",
            "https://user:s3cr3t@management.local",
            "http://user:s3cr3t@management.local",
            "https://user:s3cr3t@management.local:port",
            "user:s3cr3t@management.local",
            "https://management.local/s3cr3t",
            "https://management.local/tenant",
            "https://management.local?x=1",
            "",
        ] {
            let error = Cloud::custom(endpoint, "https://a").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{endpoint}");
            assert!(!error.to_string().contains("s3cr3t"), "{error}");
        }
        assert!(Cloud::custom("https://management.local", " ").is_err());
    }

    #[test]
    fn audience_may_be_given_as_a_scope() {
        for audience in ["https://a", "https://a/", "https://a/.default"] {
            let cloud = Cloud::custom("https://m", audience).unwrap();
            assert_eq!(cloud.scope(), "https://a/.default");
            assert_eq!(cloud.workspace_scope(), "https://a/.default");
            let cloud = Cloud::public().workspace_audience(audience).unwrap();
            assert_eq!(cloud.workspace_scope(), "https://a/.default");
        }
    }
}
