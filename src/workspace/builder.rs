//! How a workspace is set up.

#[cfg(feature = "services")]
use super::discovery::Hosts;
use super::{Inner, Workspace};
use crate::error::{Error, ErrorKind};
use crate::facts::arm::DEFAULT_API_VERSION;
use crate::names::WorkspaceId;
use crate::transport::limits::calls;
use crate::transport::{
    Cloud, DefaultClient, ServiceClient, Settings, TrustedOrigins, default_transport,
};
use azure_core::credentials::TokenCredential;
use azure_core::http::{ClientOptions, RetryOptions, Transport};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

/// Sets up a [`Workspace`]. Nothing is sent until the workspace is used.
#[must_use = "call `build` to have the workspace"]
#[derive(Clone)]
pub struct WorkspaceBuilder {
    subscription: String,
    resource_group: String,
    name: String,
    pub(super) cloud: Cloud,
    pub(super) credential: Option<Arc<dyn TokenCredential>>,
    pub(super) options: ClientOptions,
    retry: Option<RetryOptions>,
    api_version: String,
    location: Option<String>,
    timeout: Duration,
    pub(super) default_client: DefaultClient,
    proxy_error: Option<String>,
    #[cfg(feature = "services")]
    domains: Vec<String>,
}

/// The longest application id that `azure_core` takes.
const APPLICATION_ID: usize = 24;

/// Whether an application id can stand in `User-Agent`; `azure_core` panics for others. Characters
/// of a token by RFC 9110, section 5.6.2.
fn is_application_id(id: &str) -> bool {
    (1..=APPLICATION_ID).contains(&id.len())
        && id
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

impl WorkspaceBuilder {
    pub(super) fn new(subscription: String, resource_group: String, name: String) -> Self {
        Self {
            subscription,
            resource_group,
            name,
            cloud: Cloud::public(),
            credential: None,
            options: ClientOptions::default(),
            retry: None,
            api_version: DEFAULT_API_VERSION.to_owned(),
            location: None,
            timeout: calls::TIMEOUT,
            default_client: DefaultClient::default(),
            proxy_error: None,
            #[cfg(feature = "services")]
            domains: Vec::new(),
        }
    }

    /// Sets the credential: any of `azure_core`, such as those of `azure_identity`.
    pub fn credential(mut self, credential: Arc<dyn TokenCredential>) -> Self {
        self.credential = Some(credential);
        self
    }

    /// Sets the Azure cloud; the public one by default.
    pub fn cloud(mut self, cloud: Cloud) -> Self {
        self.cloud = cloud;
        self
    }

    /// Trusts one more domain, such as `ml.example`, and all hosts below it with the access tokens for the hosts
    /// of the workspace. May be called again.
    ///
    /// The workspace itself names these hosts. They have to be in a domain that the [`cloud`](Self::cloud) is known
    /// to use, in one of these, or on the host of Resource Manager; otherwise a call ends with
    /// [`ErrorKind::UntrustedUrl`], and nothing is sent there. In a custom cloud without such a domain any host is
    /// taken.
    #[cfg(feature = "services")]
    pub fn trusted_domain(mut self, domain: impl Into<String>) -> Self {
        self.domains.push(domain.into());
        self
    }

    /// Sets the API version of computes and workspace. By default it is the newest stable one that this
    /// library knows to carry computes of kind AKS; [`Workspace::api_version`] returns it.
    pub fn api_version(mut self, version: impl Into<String>) -> Self {
        self.api_version = version.into();
        self
    }

    /// The region of the workspace, if it is known: then it is not read.
    pub fn location(mut self, location: impl Into<String>) -> Self {
        self.location = Some(location.into());
        self
    }

    /// Transport, policies, telemetry and logging of `azure_core`. Replaces everything that was set for
    /// them before.
    ///
    /// `retry` of these options is ignored, because a default value cannot be distinguished from one that was set; see
    /// [`retry`](Self::retry). `cloud` is not taken either; see [`cloud`](Self::cloud).
    pub fn client_options(mut self, options: ClientOptions) -> Self {
        self.options = options;
        self
    }

    /// Sets how *reads* are repeated after a passing status or a broken connection. By default one read goes
    /// out at most four times for all reasons together, among them a body that broke off and a refused token,
    /// with pauses of at most ten seconds. With options of your own these decide how often, and those two
    /// reasons repeat a read only while it was sent fewer than four times. Writes are never repeated on their
    /// own, and polls of an operation follow the rules of the operation.
    pub fn retry(mut self, retry: RetryOptions) -> Self {
        self.retry = Some(retry);
        self
    }

    /// The transport, instead of the default HTTP client.
    pub fn transport(mut self, transport: Transport) -> Self {
        self.options.transport = Some(transport);
        self
    }

    /// A name for this application in `User-Agent`: at most 24 letters, digits and characters of
    /// ``!#$%&'*+-.^_`|~``, without spaces.
    pub fn application_id(mut self, id: impl Into<String>) -> Self {
        self.options.user_agent.application_id = Some(id.into());
        self
    }

    /// Sets the time limit of a call with all its tries; 100 seconds by default. Waiting for an
    /// operation has a deadline of its own, see [`WaitOptions`](crate::WaitOptions).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// A proxy for the default HTTP client, which otherwise follows `HTTPS_PROXY` and `NO_PROXY`.
    pub fn proxy(mut self, proxy: impl AsRef<str>) -> Self {
        self.proxy_error = self.default_client.set_proxy(proxy.as_ref()).err();
        self
    }

    /// More certification authorities for the default HTTP client, as PEM. May be called again.
    pub fn extra_ca(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.default_client.extra_ca.push(pem.into());
        self
    }

    /// Sets how long the default HTTP client tries to connect; 20 seconds by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.default_client.connect_timeout = Some(timeout);
        self
    }

    /// Makes the workspace, without I/O.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`] for coordinates that are empty or unsafe in a URL;
    /// [`ErrorKind::Configuration`] if there is no credential, no transport in this build, a domain, proxy
    /// or CA that is not valid, or a proxy or CA together with a transport, which would ignore them.
    ///
    /// ```
    /// use azureml_aks::{ErrorKind, Workspace};
    ///
    /// let error = Workspace::builder("s", "g", "w").build().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Configuration);
    /// assert!(error.to_string().contains("credential"));
    /// ```
    pub fn build(self) -> Result<Workspace, Error> {
        let refuse = |why: &str| Err(Error::new(ErrorKind::Configuration, why));
        let id = WorkspaceId::parse(&self.subscription, &self.resource_group, &self.name)
            .map_err(|findings| Error::validation("workspace", findings))?;
        let Some(credential) = self.credential else {
            return refuse(
                "no credential: call `credential`, or `default_credential` with the feature `identity`",
            );
        };
        if let Some(why) = self.proxy_error {
            return refuse(&why);
        }
        #[cfg(feature = "services")]
        let domains = super::discovery::domains(&self.cloud, &self.domains)?;
        let api_version = self.api_version.trim();
        if api_version.is_empty()
            || !api_version
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.')
        {
            return refuse(&format!(
                "the API version must consist of letters, digits, dots and hyphens, for example \
                 {DEFAULT_API_VERSION}"
            ));
        }
        let mut options = self.options;
        if let Some(application) = &options.user_agent.application_id
            && !is_application_id(application)
        {
            return refuse(
                "the application id is not valid in User-Agent: it must have 1 to 24 letters, digits \
                 and characters of !#$%&'*+-.^_`|~",
            );
        }
        #[cfg(feature = "services")]
        let own_transport = options.transport.is_some();
        match &options.transport {
            Some(_) if self.default_client.is_customised() => {
                return refuse(
                    "proxy, extra CA and connect timeout are for the default HTTP client, and a \
                     transport was given: set them there",
                );
            }
            Some(_) => {}
            None => options.transport = Some(default_transport(&self.default_client)?),
        }
        let own_retry = self.retry.is_some();
        options.retry = self.retry.unwrap_or_default();
        let settings = Settings {
            credential,
            options,
            own_retry,
            timeout: self.timeout,
        };
        let origins = TrustedOrigins::new(self.cloud.endpoint().clone());
        let client = ServiceClient::new(&settings, origins, self.cloud.scope());
        Ok(Workspace {
            inner: Arc::new(Inner {
                id,
                client: Arc::new(client),
                endpoint: self.cloud.endpoint().clone(),
                api_version: api_version.to_owned(),
                preset: self.location,
                found: OnceCell::new(),
                kept: Default::default(),
                #[cfg(feature = "services")]
                hosts: Hosts::new(settings, self.cloud, domains, own_transport),
            }),
        })
    }
}

impl fmt::Debug for WorkspaceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkspaceBuilder")
            .field("subscription", &self.subscription)
            .field("resource_group", &self.resource_group)
            .field("name", &self.name)
            .field("cloud", &self.cloud)
            .field("api_version", &self.api_version)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crate::Workspace;

    #[test]
    fn proxy_that_would_be_bypassed_is_refused_and_not_quoted() {
        for proxy in [
            "htp://user:s3cr3t@localhost:9",
            "ftp://localhost",
            "localhost:9",
            "",
            "http://",
        ] {
            let builder = Workspace::builder("s", "g", "w").proxy(proxy);
            let why = builder.proxy_error.clone().unwrap_or_default();
            assert!(
                why.contains("proxy") && !why.contains("s3cr3t"),
                "{proxy}: {why}"
            );
        }
        assert!(
            Workspace::builder("s", "g", "w")
                .proxy("http://localhost:9")
                .proxy_error
                .is_none()
        );
    }
}
