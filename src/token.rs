//! The resume token, with which a stored long-running operation is resumed later.

use crate::error::{Error, ErrorKind};
use crate::names::WorkspaceId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

/// The text that a later process needs to resume the wait for an operation.
///
/// A token is **secret**: the URLs in it may be signed for the caller. It holds no credential, no
/// header and no key, and no body but the settings of an attachment that follows the create of a cluster
/// ([`then_attach`](crate::models::CreateCluster::then_attach)), which have no certificate and no key. `Debug` shows only the verb and the kind of resource, and a token is not
/// `Serialize`, so that it does not slip into a log. To store it, call [`expose`](Self::expose) and
/// write the text where only its owner can read it, or let
/// [`Prepared::send_recording`](crate::Prepared::send_recording) do so.
///
/// A token of 4 KiB is normal, because ARM signs the URLs at which an operation is polled (3.2 kB of
/// 2025, `azure-asyncoperation`). It fits a file or a column of a database. It does not fit a file
/// name, an environment variable, a command line, a label, or an HTTP header: use [`id`](Self::id),
/// which is short and not secret, where a token has to be named.
///
/// A token has a version and a checksum, and is bound to the resource, the verb and the endpoint it
/// came from: [`Workspace::resume`](crate::Workspace::resume) refuses one that does not fit.
///
/// # What to store, and when
///
/// [`Prepared::send_recording`](crate::Prepared::send_recording) follows these rules.
///
/// 1. Before [`send`](crate::Prepared::send): [`Prepared::token`](crate::Prepared::token).
/// 2. After it: the `resume_token` of the handle or the [operation](crate::Operation::resume_token),
///    in place of the first.
/// 3. After an error: [`Error::resume_token`](crate::Error::resume_token). There is one where
///    something may still run.
/// 4. After the end, or an error without a token: nothing. Remove what was stored.
///
/// `docs/operations.md` explains why, and what each result of a resume means.
///
/// ```
/// # #[cfg(feature = "emulator")]
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), azureml_aks::Error> {
/// # use azureml_aks::{AksCompute, Workspace, emulator::Emulator};
/// # let emulator = Emulator::new();
/// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
/// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
/// # let config = AksCompute::provisioning_configuration().build()?;
/// use azureml_aks::{ComputeTarget, ResumeToken, Resumed, WaitOptions};
///
/// let prepared = ComputeTarget::create(&workspace, "myaks", config).prepare()?;
/// let stored = prepared.token().expose(); // to a file of mode 0600
/// let aks = prepared.send().await?;
/// drop(aks); // the process dies before it has stored the newer token
///
/// let token: ResumeToken = stored.parse()?;
/// assert_eq!(token.resource().to_string(), "compute/AKS");
/// assert_eq!(token.target(), "myaks");
/// match workspace.resume(&token).await? {
///     Resumed::Compute(mut compute) => compute.wait_for_completion(WaitOptions::new()).await?,
///     other => panic!("{other:?}"),
/// }
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "emulator"))]
/// # fn main() {}
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ResumeToken(Box<TokenParts>);

/// The fields of a token, as they are written.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TokenParts {
    v: u32,
    /// The kind of resource that the operation changes.
    resource: TokenResource,
    /// The name of the compute, the web service or the cluster; `{cluster}/{pool}` of a node pool,
    /// `{cluster}/{extension}` of an extension.
    target: String,
    workspace: WorkspaceId,
    /// The verb that was requested.
    pub(crate) op: Verb,
    /// HTTP method of the first request.
    pub(crate) method: HttpVerb,
    /// The endpoint that the operation belongs to, as an origin.
    pub(crate) endpoint: String,
    /// The URI of the first request.
    pub(crate) initial_uri: String,
    /// The URL of the status, once the service has given it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_request_uri: Option<String>,
    /// The header that gave [`next_request_uri`](Self::next_request_uri).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) monitor: Option<MonitorKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_known_location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) final_state_via: Option<FinalStateVia>,
    pub(crate) api_version: String,
    /// Unix time in milliseconds.
    pub(crate) started_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_status: Option<String>,
    pub(crate) client_request_id: String,
    /// `true` if the service's answer to the first request was received.
    pub(crate) accepted: bool,
    /// The `createdOn` that the service first gave for the resource, as it wrote it: tells the
    /// resource from another one of the same name that was made later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created_on: Option<String>,
    /// The wanted state of the resource or the next step, in the form of the module that has the verb. Nothing secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) plan: Option<Value>,
}

/// The kind of resource that an operation changes; [`ResumeToken::resource`] gives it.
///
/// Its text form is `compute/{kind}` (`compute/AKS`), `aks/cluster`, `aks/pool`, `kubernetes/extension` or `service`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenResource {
    /// An AKS cluster beside the workspace.
    Cluster,
    /// A compute of this kind, as the service spells it.
    Compute(String),
    /// An extension of a cluster.
    Extension,
    /// A node pool of an AKS cluster.
    NodePool,
    /// A web service.
    Service,
}

impl fmt::Display for TokenResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster => f.write_str("aks/cluster"),
            Self::Compute(kind) => write!(f, "compute/{kind}"),
            Self::Extension => f.write_str("kubernetes/extension"),
            Self::NodePool => f.write_str("aks/pool"),
            Self::Service => f.write_str("service"),
        }
    }
}

impl Serialize for TokenResource {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TokenResource {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.split_once('/') {
            Some(("aks", "cluster")) => Ok(Self::Cluster),
            Some(("aks", "pool")) => Ok(Self::NodePool),
            Some(("kubernetes", "extension")) => Ok(Self::Extension),
            Some(("compute", kind)) => Ok(Self::Compute(kind.to_owned())),
            None if text == "service" => Ok(Self::Service),
            _ => Err(serde::de::Error::custom("unknown resource")),
        }
    }
}

/// The verb that was requested from the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Verb {
    /// Attach a cluster that exists.
    Attach,
    /// Create a compute with a new AKS cluster, or an AKS cluster beside the workspace.
    Create,
    /// Delete the compute and its AKS cluster, an AKS cluster beside the workspace, an extension, or the web service.
    Delete,
    /// Deploy models as a web service.
    Deploy,
    /// Detach the compute; its AKS cluster stays.
    Detach,
    /// Install an extension on a cluster.
    Install,
    /// Make a new key of a web service.
    RegenerateKey,
    /// Change how many nodes a node pool has, or who decides it.
    Scale,
    /// Change the compute, the extension or the web service.
    Update,
}

impl Verb {
    /// Returns the verb as a word: `attach`, `create`, `delete`, `deploy`, `detach`, `install`, `regenerate-key`,
    /// `scale` or `update`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Attach => "attach",
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Deploy => "deploy",
            Self::Detach => "detach",
            Self::Install => "install",
            Self::RegenerateKey => "regenerate-key",
            Self::Scale => "scale",
            Self::Update => "update",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The HTTP methods that start operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum HttpVerb {
    Delete,
    Patch,
    Post,
    Put,
}

/// The header that named the URL of the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum MonitorKind {
    AzureAsyncOperation,
    Location,
    OperationLocation,
    /// An operation of the model management service: its id comes with `Operation-Location`, and is
    /// read below our own base, whatever host the header names.
    ServiceOperation,
}

/// The place of the result of a POST (`x-ms-long-running-operation-options`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FinalStateVia {
    AzureAsyncOperation,
    Location,
    OriginalUri,
}

const VERSION: u32 = 2;
/// The member that holds the checksum of all others.
const CHECKSUM: &str = "checksum";

/// The end of the year 9000, in milliseconds: `time` cannot calculate with later dates.
const LATEST: u64 = 221_845_391_999_000;

/// The contents of a token before anything was sent.
#[derive(Debug)]
pub(crate) struct Preparation {
    pub(crate) resource: TokenResource,
    pub(crate) target: String,
    pub(crate) workspace: WorkspaceId,
    pub(crate) op: Verb,
    pub(crate) method: HttpVerb,
    pub(crate) endpoint: String,
    pub(crate) initial_uri: String,
    pub(crate) final_state_via: Option<FinalStateVia>,
    pub(crate) api_version: String,
    pub(crate) client_request_id: String,
}

impl TokenParts {
    /// Returns whether it is about a web service rather than a compute.
    pub(crate) fn is_service(&self) -> bool {
        self.resource == TokenResource::Service
    }
}

impl ResumeToken {
    /// Returns a token for a request that was not sent yet.
    pub(crate) fn prepared(of: Preparation) -> Self {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Self(Box::new(TokenParts {
            v: VERSION,
            resource: of.resource,
            target: of.target,
            workspace: of.workspace,
            op: of.op,
            method: of.method,
            endpoint: of.endpoint,
            initial_uri: of.initial_uri,
            next_request_uri: None,
            monitor: None,
            last_known_location: None,
            final_state_via: of.final_state_via,
            api_version: of.api_version,
            started_at: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
            last_status: None,
            client_request_id: of.client_request_id,
            accepted: false,
            created_on: None,
            plan: None,
        }))
    }

    /// Returns the same token with what is wanted of the resource, or done after this. Nothing secret.
    pub(crate) fn with_plan(mut self, plan: Value) -> Self {
        self.0.plan = Some(plan);
        self
    }

    /// Returns the token of a request to `url`, for tests.
    #[cfg(test)]
    pub(crate) fn of_request(
        resource: TokenResource,
        (op, method): (Verb, HttpVerb),
        url: &str,
        final_state_via: Option<FinalStateVia>,
        client_request_id: &str,
    ) -> Self {
        let parsed = url::Url::parse(url).unwrap();
        let target = parsed.path_segments().unwrap().next_back().unwrap();
        Self::prepared(Preparation {
            resource,
            target: target.to_owned(),
            workspace: WorkspaceId::new("s", "g", "w").unwrap(),
            op,
            method,
            endpoint: parsed.origin().ascii_serialization(),
            initial_uri: url.to_owned(),
            final_state_via,
            api_version: crate::facts::arm::DEFAULT_API_VERSION.to_owned(),
            client_request_id: client_request_id.to_owned(),
        })
    }

    /// Reads a token that [`expose`](Self::expose) wrote. The same as `text.parse()`.
    ///
    /// The members of the JSON may come in another order and with other white space, as a database of
    /// JSON documents returns them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ResumeToken`] if the text is not a token of this library, was changed since it was
    /// written, or has a version that this library does not read. The text is not quoted.
    ///
    /// ```
    /// use azureml_aks::{ErrorKind, ResumeToken};
    ///
    /// let error = ResumeToken::parse("{}").unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::ResumeToken);
    /// ```
    pub fn parse(text: &str) -> Result<Self, Error> {
        let refuse = |message: String| Error::new(ErrorKind::ResumeToken, message);
        let foreign = || refuse("the text is not a resume token of azureml-aks".to_owned());
        let Ok(Value::Object(mut members)) = serde_json::from_str(text) else {
            return Err(foreign());
        };
        let version = members.get("v").and_then(Value::as_u64);
        match version {
            Some(version) if version == u64::from(VERSION) => {}
            Some(version) => {
                return Err(refuse(format!(
                    "the resume token has version {version}; this library reads version {VERSION}"
                ))
                .with_remedy("resume it with the version of azureml-aks that wrote it"));
            }
            None => return Err(foreign()),
        }
        let damaged =
            || refuse("the resume token is damaged: its checksum does not match".to_owned());
        let written = members.remove(CHECKSUM).ok_or_else(damaged)?;
        if written.as_str() != Some(&*checksum(&members)) {
            return Err(damaged());
        }
        // serde's message could quote a part of the token.
        let parts: TokenParts = serde_json::from_value(Value::Object(members)).map_err(|_| {
            refuse("this version of azureml-aks cannot read the resume token".to_owned())
                .with_remedy("resume it with the version of azureml-aks that wrote it")
        })?;
        if parts.started_at > LATEST {
            return Err(refuse(
                "invalid resume token: `startedAt` is out of range".to_owned(),
            ));
        }
        Ok(Self(Box::new(parts)))
    }

    /// Returns the token as text, to be stored where only its owner can read it.
    #[must_use]
    pub fn expose(&self) -> String {
        // Strings, numbers and unit variants: serialising them cannot fail.
        let Ok(Value::Object(mut members)) = serde_json::to_value(&self.0) else {
            return String::new();
        };
        let checksum = checksum(&members);
        members.insert(CHECKSUM.to_owned(), Value::String(checksum));
        Value::Object(members).to_string()
    }

    /// Returns the id of the operation: short, unique, not secret, and the same for all tokens of one
    /// operation. It is the `x-ms-client-request-id` of its requests.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.client_request_id
    }

    /// Returns the verb that was requested.
    #[must_use]
    pub fn verb(&self) -> Verb {
        self.0.op
    }

    /// Returns the kind of resource that the operation changes: `compute/AKS`, `aks/pool`, `service`, …
    #[must_use]
    pub fn resource(&self) -> &TokenResource {
        &self.0.resource
    }

    /// Returns the name of the compute, the web service or the cluster; `{cluster}/{pool}` for a node pool,
    /// `{cluster}/{extension}` for an extension.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.0.target
    }

    /// Returns the workspace that the operation belongs to.
    #[must_use]
    pub fn workspace(&self) -> &WorkspaceId {
        &self.0.workspace
    }

    /// Returns when the request was prepared.
    #[must_use]
    pub fn started_at(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(self.0.started_at)
    }

    /// Returns the last status that was read, as the service spelled it.
    #[must_use]
    pub fn last_status(&self) -> Option<&str> {
        self.0.last_status.as_deref()
    }

    pub(crate) fn parts(&self) -> &TokenParts {
        &self.0
    }

    pub(crate) fn parts_mut(&mut self) -> &mut TokenParts {
        &mut self.0
    }
}

/// Returns the checksum of a token: of its members in the order of their names, so that it does not depend on how
/// the JSON is written.
fn checksum(members: &Map<String, Value>) -> String {
    let mut names: Vec<&String> = members.keys().collect();
    names.sort_unstable();
    let mut hasher = crc32fast::Hasher::new();
    for name in names {
        hasher.update(name.as_bytes());
        hasher.update(b"=");
        hasher.update(members[name].to_string().as_bytes());
        hasher.update(b"\n");
    }
    format!("{:08x}", hasher.finalize())
}

impl FromStr for ResumeToken {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl fmt::Debug for ResumeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResumeToken")
            .field("verb", &self.0.op)
            .field("resource", &format_args!("{}", self.0.resource))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> ResumeToken {
        ResumeToken::prepared(Preparation {
            resource: TokenResource::Compute("AKS".into()),
            target: "myaks".into(),
            workspace: WorkspaceId::new("s", "g", "w").unwrap(),
            op: Verb::Create,
            method: HttpVerb::Put,
            endpoint: "https://management.azure.com".into(),
            initial_uri: "https://management.azure.com/x?api-version=1".into(),
            final_state_via: None,
            api_version: "1".into(),
            client_request_id: "id".into(),
        })
    }

    /// A token whose members were changed before its checksum was computed.
    fn rewritten(change: impl FnOnce(&mut Map<String, Value>)) -> String {
        let mut members: Map<String, Value> = serde_json::from_str(&token().expose()).unwrap();
        change(&mut members);
        members.remove(CHECKSUM);
        members.insert(CHECKSUM.to_owned(), checksum(&members).into());
        Value::Object(members).to_string()
    }

    #[test]
    fn token_reads_back_as_it_was_written() {
        let mut token = token();
        token.parts_mut().next_request_uri = Some("https://management.azure.com/y?c=1&h=2".into());
        token.parts_mut().monitor = Some(MonitorKind::AzureAsyncOperation);
        token.parts_mut().last_status = Some("InProgress".into());
        token.parts_mut().created_on = Some("2025-11-04T09:40:51.9+00:00".into());
        let token = token.with_plan(serde_json::json!({ "nodes": 5 }));
        let text = token.expose();
        assert_eq!(ResumeToken::parse(&text).unwrap(), token);
        // Another order and other white space, as a database of JSON documents returns it.
        let members: Map<String, Value> = serde_json::from_str(&text).unwrap();
        let reversed: Vec<String> = members
            .iter()
            .rev()
            .map(|(name, value)| format!("{name:?} : {value}"))
            .collect();
        let text = format!("{{ {} }}", reversed.join(" ,\n"));
        assert_eq!(text.parse::<ResumeToken>().unwrap(), token);
    }

    #[test]
    fn token_that_is_damaged_foreign_or_of_another_version_is_refused_without_being_quoted() {
        let good = token().expose();
        let old = r#"{"v":1,"kind":"azureml-aks/compute","op":"create","method":"PUT"}"#;
        let cases = [
            (old.to_owned(), "version 1;"),
            (good.replace("\"v\":2", "\"v\":3"), "version 3;"),
            (good.replace("\"create\"", "\"s3cr3t\""), "checksum"),
            (good.replace("myaks", "myakt"), "checksum"),
            (good.replace("\"checksum\"", "\"sum\""), "checksum"),
            (good[..good.len() - 1].to_owned(), "not a resume token"),
            ("{}".to_owned(), "not a resume token"),
            ("[]".to_owned(), "not a resume token"),
            (String::new(), "not a resume token"),
            (
                rewritten(|members| {
                    members.insert("resource".into(), "endpoint/online".into());
                }),
                "cannot read",
            ),
            (
                rewritten(|members| {
                    members.remove("op");
                }),
                "cannot read",
            ),
            (
                rewritten(|members| {
                    members.insert("startedAt".into(), (LATEST + 1).into());
                }),
                "out of range",
            ),
        ];
        for (text, expected) in cases {
            let error = ResumeToken::parse(&text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ResumeToken);
            assert!(error.to_string().contains(expected), "{text}: {error}");
            assert!(!format!("{error:?}").contains("s3cr3t"));
        }
    }

    #[test]
    fn token_with_members_of_a_later_library_is_read() {
        let text = rewritten(|members| {
            members.insert("later".into(), "x".into());
        });
        assert_eq!(ResumeToken::parse(&text).unwrap().target(), "myaks");
    }

    #[test]
    fn token_names_its_resource_and_workspace() {
        let token = token();
        assert_eq!(token.resource().to_string(), "compute/AKS");
        assert_eq!(token.target(), "myaks");
        assert_eq!(token.workspace().name(), "w");
        assert_eq!(token.id(), "id");
    }

    #[test]
    fn debug_shows_no_url() {
        assert_eq!(
            format!("{:?}", token()),
            "ResumeToken { verb: Create, resource: compute/AKS, .. }"
        );
    }
}
