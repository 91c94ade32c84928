//! TLS of the scoring endpoint.

use super::certificate;
use crate::error::redact;
use crate::facts::names::{DNS_LABEL_MAX, HOST_NAME_MAX, LEAF_DOMAIN_SUFFIX};
use crate::rules::{self, Findings};
use azure_core::credentials::Secret;
use serde_json::{Value, json};
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// TLS of the scoring endpoint, for the whole cluster.
///
/// There is no TLS unless it is set. Either Microsoft makes the certificate
/// ([`leaf_domain`](Self::leaf_domain)), or you bring your own ([`certificate`](Self::certificate)).
///
/// # Examples
///
/// ```
/// use azureml_aks::{LoadBalancer, ProvisioningConfiguration, Tls};
///
/// ProvisioningConfiguration::builder().tls(Tls::leaf_domain("myservice")).build()?;
///
/// let error = ProvisioningConfiguration::builder()
///     .tls(Tls::leaf_domain("myservice"))
///     .load_balancer(LoadBalancer::internal())
///     .build()
///     .unwrap_err();
/// assert_eq!(error.findings()[0].rule, "tls.leaf_domain_with_internal_load_balancer");
/// # Ok::<(), azureml_aks::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Tls {
    /// A certificate of Microsoft's for a name below `cloudapp.azure.com`.
    LeafDomain(LeafDomain),
    /// A certificate of your own.
    Certificate(OwnCertificate),
}

/// The leaf domain label of a certificate that Microsoft makes.
#[derive(Debug, Clone, PartialEq)]
pub struct LeafDomain {
    label: String,
    overwrite_existing_domain: Option<bool>,
}

/// A certificate of your own, with its key and the name that clients call.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnCertificate {
    cname: String,
    certificate: Pem,
    key: Pem,
    overwrite_existing_domain: Option<bool>,
}

impl Tls {
    /// Requests a certificate of Microsoft's for `{label}{six characters}.{region}.cloudapp.azure.com`.
    ///
    /// The service appends the six characters, and there is no DNS work to do. It needs a public
    /// load balancer.
    #[must_use]
    pub fn leaf_domain(label: impl Into<String>) -> Self {
        Self::LeafDomain(LeafDomain {
            label: label.into(),
            overwrite_existing_domain: None,
        })
    }

    /// Uses your own certificate and key, for the host name `cname`.
    ///
    /// The certificate is the PEM text of the full chain, your certificate first. The key is PEM
    /// without a pass-phrase. Both are checked in `build()`: that they belong together, cover
    /// `cname` and have not expired. Afterwards, point `cname` at the scoring address in your DNS.
    ///
    /// # Arguments
    ///
    /// * `cname` - the host name that clients call, as it stands in the certificate
    /// * `certificate` - the certificate and its chain
    /// * `key` - the private key
    #[must_use]
    pub fn certificate(cname: impl Into<String>, certificate: Pem, key: Pem) -> Self {
        Self::Certificate(OwnCertificate {
            cname: cname.into(),
            certificate,
            key,
            overwrite_existing_domain: None,
        })
    }

    /// Sets whether a leaf domain label that is already taken is overwritten. The documented default is
    /// `false`.
    ///
    /// It does not apply to a certificate of your own: `build()` then refuses it.
    #[must_use]
    pub fn overwrite_existing_domain(mut self, overwrite: bool) -> Self {
        match &mut self {
            Self::LeafDomain(leaf) => leaf.overwrite_existing_domain = Some(overwrite),
            Self::Certificate(own) => own.overwrite_existing_domain = Some(overwrite),
        }
        self
    }

    /// Reads the files, checks everything and returns the TLS configuration to send, if its files could be read.
    pub(crate) fn check(&self, now: SystemTime, findings: &mut Findings) -> Option<CheckedTls> {
        match self {
            Self::LeafDomain(leaf) => {
                check_label(&leaf.label, findings);
                Some(CheckedTls::LeafDomain {
                    label: leaf.label.clone(),
                    overwrite: leaf.overwrite_existing_domain,
                })
            }
            Self::Certificate(own) => {
                if own.overwrite_existing_domain.is_some() {
                    findings.refuse(
                        rules::TLS_OVERWRITE_WITHOUT_LABEL,
                        "tls.overwrite_existing_domain",
                        None,
                        "a domain can only be overwritten together with a leaf domain label",
                        "leave it out for a certificate of your own",
                    );
                }
                let cname = check_cname(&own.cname, findings).then_some(own.cname.as_str());
                let certificate = own.certificate.read("tls.certificate", findings);
                let key = own.key.read("tls.key", findings);
                if let Some(certificate) = &certificate
                    && let Some(key) = &key
                {
                    certificate::check(cname, certificate.secret(), key.secret(), now, findings);
                }
                Some(CheckedTls::Certificate {
                    cname: own.cname.clone(),
                    certificate: certificate?,
                    key: key?,
                })
            }
        }
    }
}

/// PEM text, given as text or as a file.
///
/// The text is never shown, neither in `Debug` nor in errors.
///
/// # Examples
///
/// ```
/// use azureml_aks::Pem;
///
/// assert!(!format!("{:?}", Pem::text("-----BEGIN PRIVATE KEY-----")).contains("BEGIN"));
/// assert!(format!("{:?}", Pem::file("certs/key.pem")).contains("key.pem"));
/// ```
#[derive(Clone, PartialEq)]
pub struct Pem(Source);

#[derive(Clone, PartialEq)]
enum Source {
    Text(Secret),
    File(PathBuf),
}

impl Pem {
    /// Takes PEM text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self(Source::Text(Secret::new(text.into())))
    }

    /// Names a PEM file. It is read when the configuration is built.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Source::File(path.into()))
    }

    fn read(&self, path: &str, findings: &mut Findings) -> Option<Secret> {
        let file = match &self.0 {
            Source::Text(text) => return Some(text.clone()),
            Source::File(file) => file,
        };
        match read_text(file) {
            Ok(text) => Some(Secret::new(text)),
            Err(error) => {
                findings.refuse(
                    rules::TLS_FILE_UNREADABLE,
                    path,
                    Some(&file.to_string_lossy()),
                    format!("the file cannot be read: {error}"),
                    "give the path of a PEM file that this program may read",
                );
                None
            }
        }
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Text(_) => f.write_str("Pem(<text>)"),
            // A text that was given for a file is hidden too.
            Source::File(path) => write!(f, "Pem({})", redact(&path.display().to_string())),
        }
    }
}

/// TLS that passed its checks, with the text of its files.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CheckedTls {
    LeafDomain {
        label: String,
        overwrite: Option<bool>,
    },
    Certificate {
        cname: String,
        certificate: Secret,
        key: Secret,
    },
}

impl CheckedTls {
    pub(crate) fn is_leaf_domain(&self) -> bool {
        matches!(self, Self::LeafDomain { .. })
    }

    /// Returns the TLS configuration as the service reads it. It holds the private key in clear.
    pub(crate) fn value(&self) -> Value {
        match self {
            Self::LeafDomain { label, overwrite } => {
                let mut value = json!({ "status": "Auto", "leafDomainLabel": label });
                if let Some(overwrite) = overwrite {
                    value["overwriteExistingDomain"] = (*overwrite).into();
                }
                value
            }
            Self::Certificate {
                cname,
                certificate,
                key,
            } => json!({
                "status": "Enabled",
                "cname": cname,
                "cert": certificate.secret(),
                "key": key.secret(),
            }),
        }
    }
}

/// Notes the one combination of TLS and load balancer that cannot work.
pub(crate) fn refuse_leaf_domain_behind_internal(findings: &mut Findings) {
    findings.refuse(
        rules::TLS_LEAF_DOMAIN_INTERNAL,
        "tls",
        None,
        "a leaf domain label names a public address, which an internal load balancer does not have",
        "use a certificate of your own, or a public load balancer",
    );
}

fn check_label(label: &str, findings: &mut Findings) {
    let longest = DNS_LABEL_MAX - LEAF_DOMAIN_SUFFIX;
    if !is_dns_label(label) || label.len() > longest {
        findings.refuse(
            rules::TLS_LEAF_DOMAIN_LABEL,
            "tls.leaf_domain_label",
            Some(label),
            format!(
                "a leaf domain label has 1 to {longest} letters, digits and hyphens, with no hyphen at either end"
            ),
            "give only the first label of the host name, without the six characters that the service appends",
        );
    }
}

pub(crate) fn check_cname(cname: &str, findings: &mut Findings) -> bool {
    let is_host_name = cname.len() <= HOST_NAME_MAX
        && cname.split('.').all(is_dns_label)
        && cname.parse::<Ipv4Addr>().is_err();
    if !is_host_name {
        findings.refuse(
            rules::TLS_CNAME_SYNTAX,
            "tls.cname",
            Some(cname),
            "this is not a host name",
            "give the name that clients call, without scheme, port, path or wildcard, for example scoring.example.com",
        );
    }
    is_host_name
}

fn is_dns_label(label: &str) -> bool {
    (1..=DNS_LABEL_MAX).contains(&label.len())
        && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Reads a text file. The limit keeps a mistaken path (a device, a disk image) from being read to
/// its end.
fn read_text(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MAX_PEM_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_PEM_BYTES {
        return Err(io::Error::other("it is too large for a PEM file"));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is not a text file"))
}

const MAX_PEM_BYTES: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(tls: &Tls) -> Vec<&'static str> {
        let mut findings = Findings::default();
        tls.check(SystemTime::now(), &mut findings);
        findings
            .into_refusals()
            .iter()
            .map(|finding| finding.rule)
            .collect()
    }

    #[test]
    fn leaf_domain_label_is_one_dns_label_with_room_for_the_suffix() {
        for label in ["a", "myservice", "My-Service2", &"a".repeat(57)] {
            assert!(broken(&Tls::leaf_domain(label)).is_empty(), "{label}");
        }
        for label in ["", "-a", "a-", "a.b", "a_b", "ä", "a b", &"a".repeat(58)] {
            assert_eq!(
                broken(&Tls::leaf_domain(label)),
                ["tls.leaf_domain_label"],
                "{label}"
            );
        }
    }

    #[test]
    fn cname_is_a_plain_host_name() {
        for (cname, expected) in [
            ("scoring.example.com", true),
            ("localhost", true),
            ("", false),
            ("scoring.example.com.", false),
            ("*.example.com", false),
            ("https://scoring.example.com", false),
            ("scoring.example.com:443", false),
            ("10.0.0.1", false),
            (&format!("{}.com", "a".repeat(64)), false),
            (&format!("{}com", "abc.".repeat(63)), false),
        ] {
            assert_eq!(
                check_cname(cname, &mut Findings::default()),
                expected,
                "{cname}"
            );
        }
    }

    #[test]
    fn overwriting_a_domain_needs_a_leaf_domain_label() {
        let own = Tls::certificate("a.example.com", Pem::text(""), Pem::text(""))
            .overwrite_existing_domain(false);
        assert!(broken(&own).contains(&"tls.overwrite_without_leaf_domain"));
        assert!(broken(&Tls::leaf_domain("a").overwrite_existing_domain(true)).is_empty());
    }

    #[test]
    fn every_unreadable_file_is_named_and_nothing_of_it_is_quoted() {
        let tls = Tls::certificate(
            "a.example.com",
            Pem::file("does/not/exist.pem"),
            Pem::file(std::env::temp_dir()),
        );
        let mut findings = Findings::default();
        tls.check(SystemTime::now(), &mut findings);
        let found = findings.into_refusals();
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|v| v.rule == "tls.file_unreadable"));
        assert_eq!(found[0].value.as_deref(), Some("does/not/exist.pem"));
    }

    #[test]
    fn no_part_shows_key_or_certificate() {
        let tls = Tls::certificate(
            "a.example.com",
            Pem::text("CANARY-1"),
            Pem::text("CANARY-2"),
        );
        assert!(!format!("{tls:?}").contains("CANARY"));
        let checked = CheckedTls::Certificate {
            cname: "a.example.com".into(),
            certificate: Secret::new("CANARY-1"),
            key: Secret::new("CANARY-2"),
        };
        assert!(!format!("{checked:?}").contains("CANARY"));
    }
}
