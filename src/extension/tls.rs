//! TLS of inference.

use super::settings::{
    ROUTER_SSL_CERT, ROUTER_SSL_KEY, ROUTER_SSL_SECRET, SSL_CNAME, SSL_SECRET, Settings,
};
use crate::compute::aks::{CheckedTls, check_cname};
use crate::compute::{Pem, Tls};
use crate::names::kubernetes::is_subdomain;
use crate::rules::{self, Findings};
use azure_core::credentials::Secret;
use std::time::SystemTime;

/// TLS of inference on a cluster with the extension: TLS 1.2, for one host name.
///
/// Microsoft issues no certificates for it: use your own, and create a DNS record that points the host name at the router.
/// The router restarts when its certificate changes.
///
/// ```
/// use azureml_aks::{ExtensionConfiguration, ExtensionTls, Pem, RouterServiceType};
///
/// let inference = || {
///     ExtensionConfiguration::builder()
///         .inference(true)
///         .router_service_type(RouterServiceType::LoadBalancer)
/// };
/// inference().tls(ExtensionTls::secret("scoring.example.com", "my-certificate")).build()?;
///
/// let swapped = ExtensionTls::certificate("scoring.example.com", Pem::text("a key"), Pem::text("a certificate"));
/// let error = inference().tls(swapped).build().unwrap_err();
/// assert_eq!(error.findings()[0].rule, "tls.certificate_missing");
/// # Ok::<(), azureml_aks::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ExtensionTls(Source);

#[derive(Debug, Clone, PartialEq)]
enum Source {
    Certificate { cname: String, tls: Tls },
    Secret { cname: String, name: String },
}

impl ExtensionTls {
    /// Uses a certificate and its key, for the host name `cname`.
    ///
    /// The certificate is the PEM text of the full chain, your certificate first. The key is PEM without a pass-phrase.
    /// `build()` checks that they belong together, cover `cname` and have not expired. They are sent as protected
    /// settings.
    ///
    /// # Arguments
    ///
    /// * `cname` - the host name that clients call, as it stands in the certificate
    /// * `certificate` - the certificate and its chain
    /// * `key` - the private key
    #[must_use]
    pub fn certificate(cname: impl Into<String>, certificate: Pem, key: Pem) -> Self {
        let cname = cname.into();
        Self(Source::Certificate {
            tls: Tls::certificate(&cname, certificate, key),
            cname,
        })
    }

    /// Uses a secret of the cluster's namespace `azureml`, with the members `cert.pem` and `key.pem`, for the host name
    /// `cname`.
    ///
    /// # Arguments
    ///
    /// * `cname` - the host name that clients call, as it stands in the certificate
    /// * `name` - the name of the secret, as `kubectl get secrets -n azureml` shows it
    #[must_use]
    pub fn secret(cname: impl Into<String>, name: impl Into<String>) -> Self {
        Self(Source::Secret {
            cname: cname.into(),
            name: name.into(),
        })
    }

    /// Reads the files, checks everything, and adds the settings to send.
    pub(super) fn resolve(&self, now: SystemTime, to: &mut Settings, findings: &mut Findings) {
        let (cname, secret) = match &self.0 {
            Source::Secret { cname, name } => {
                check_cname(cname, findings);
                if !is_subdomain(name) {
                    findings.refuse(
                        rules::EXTENSION_TLS_SECRET,
                        "tls.secret",
                        Some(name),
                        "this is not a valid name of a Kubernetes secret",
                        "give the name that `kubectl get secrets -n azureml` shows",
                    );
                }
                (cname.clone(), Some(name))
            }
            Source::Certificate { cname, tls } => {
                // `None` where a file could not be read.
                if let Some(CheckedTls::Certificate {
                    certificate, key, ..
                }) = tls.check(now, findings)
                {
                    for (name, text) in [(ROUTER_SSL_CERT, certificate), (ROUTER_SSL_KEY, key)] {
                        let encoded = azure_core::base64::encode(text.secret());
                        to.protected.insert(name.to_owned(), Secret::new(encoded));
                        to.texts.push(text);
                    }
                }
                (cname.clone(), None)
            }
        };
        to.open.insert(SSL_CNAME.to_owned(), cname);
        if let Some(secret) = secret {
            for name in [SSL_SECRET, ROUTER_SSL_SECRET] {
                to.open.insert(name.to_owned(), secret.clone());
            }
        }
    }
}
