//! From the options to a workspace: which one, where, and who asks.

use crate::args::{Global, Sign};
use crate::defaults;
use crate::failure::{Failure, Result};
use azureml_aks::azure_core::credentials::{
    AccessToken, Secret, TokenCredential, TokenRequestOptions,
};
use azureml_aks::azure_core::time::OffsetDateTime;
use azureml_aks::azure_identity::{
    AzureCliCredential, AzureDeveloperCliCredential, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential,
};
use azureml_aks::{Cloud, Workspace, WorkspaceId, async_trait};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// The audience that is asked for when it is the emulator that answers. It is never sent anywhere else.
const EMULATOR_AUDIENCE: &str = "https://management.emulator";

/// The name in place of a workspace's where a command is about clusters alone.
const NO_WORKSPACE: &str = "none";

/// One run of the program.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) global: Global,
}

/// Where an emulator listens, and what its workspace is called.
#[derive(Debug, Default)]
struct Emulated {
    https: String,
    ca: String,
    subscription: Option<String>,
    group: Option<String>,
    workspace: Option<String>,
}

/// The parts of a workspace's id as far as they are known.
#[derive(Debug, Default)]
struct Place {
    subscription: Option<String>,
    group: Option<String>,
    workspace: Option<String>,
    /// Why the file with the workspace was of no use.
    no_file: String,
}

impl Session {
    pub(crate) fn new(global: Global) -> Self {
        Self { global }
    }

    /// Prints a warning, unless errors alone are wanted.
    pub(crate) fn warn(&self, text: impl std::fmt::Display) {
        if !self.global.only_show_errors {
            let text = crate::failure::of_this_program(&text.to_string());
            crate::output::say(format_args!("WARNING: {text}"));
        }
    }

    /// Prints what a builder found questionable.
    pub(crate) fn warn_of<'f>(
        &self,
        findings: impl IntoIterator<Item = &'f azureml_aks::error::Finding>,
    ) {
        findings.into_iter().for_each(|finding| self.warn(finding));
    }

    /// The workspace that the options, the folder, the environment or `az configure` name.
    pub(crate) async fn workspace(&self) -> Result<Workspace> {
        let emulated = self.emulated().await?;
        let place = self.place(self.global.resource_group.clone(), emulated.as_ref());
        let (Some(subscription), Some(group), Some(name)) =
            (&place.subscription, &place.group, &place.workspace)
        else {
            return Err(missing(&place));
        };
        self.connect(subscription, group, name, emulated).await
    }

    /// The workspace of a token.
    pub(crate) async fn workspace_of(&self, id: &WorkspaceId) -> Result<Workspace> {
        let emulated = self.emulated().await?;
        self.connect(id.subscription(), id.resource_group(), id.name(), emulated)
            .await
    }

    /// Returns a way to the clusters of a subscription, and the resource group if there is one.
    pub(crate) async fn subscription(&self) -> Result<(Workspace, Option<String>)> {
        let emulated = self.emulated().await?;
        // The group is that of the cluster. Only beside the name of a workspace it is that of the workspace, too.
        let group = self.global.workspace_name.as_ref();
        let group = group.and(self.global.resource_group.clone());
        let place = self.place(group, emulated.as_ref());
        let Some(subscription) = &place.subscription else {
            return Err(missing(&place));
        };
        let name = place.workspace.as_deref().unwrap_or(NO_WORKSPACE);
        let group = place.group.as_deref().unwrap_or(NO_WORKSPACE);
        let workspace = self.connect(subscription, group, name, emulated).await?;
        Ok((
            workspace,
            self.global
                .resource_group
                .clone()
                .or_else(|| defaults::default("group")),
        ))
    }

    /// The authority that the emulator's services have their certificates from; nothing on Azure.
    pub(crate) async fn authority(&self) -> Result<Option<String>> {
        Ok(self.emulated().await?.map(|emulated| emulated.ca))
    }

    /// Whether this is more than a way to the clusters of a subscription.
    pub(crate) fn has_workspace(&self, workspace: &Workspace) -> bool {
        workspace.id().name() != NO_WORKSPACE
    }

    fn place(&self, group: Option<String>, emulated: Option<&Emulated>) -> Place {
        let global = &self.global;
        let mut place = Place {
            subscription: global.subscription.clone(),
            group,
            workspace: global.workspace_name.clone(),
            no_file: String::new(),
        };
        let whole = place.group.is_some() && place.workspace.is_some();
        if let Some(emulated) = emulated {
            place.fill(
                emulated.subscription.clone(),
                emulated.group.clone(),
                emulated.workspace.clone(),
            );
        }
        // A workspace that the options name has nothing to do with the one of the folder.
        if !whole {
            match file(&global.path) {
                Ok(id) => place.fill(
                    Some(id.subscription().to_owned()),
                    Some(id.resource_group().to_owned()),
                    Some(id.name().to_owned()),
                ),
                Err(error) => place.no_file = crate::failure::of_this_program(&error),
            }
        }
        place.fill(
            defaults::subscription_of_environment(),
            defaults::group_of_environment(),
            defaults::workspace_of_environment(),
        );
        let workspace =
            defaults::default("aml_workspace").or_else(|| defaults::default("workspace_name"));
        place.fill(
            defaults::active_subscription(),
            defaults::default("group"),
            workspace,
        );
        place
    }

    async fn connect(
        &self,
        subscription: &str,
        group: &str,
        name: &str,
        emulated: Option<Emulated>,
    ) -> Result<Workspace> {
        let builder =
            Workspace::builder(subscription, group, name).application_id("azureml-aks-cli");
        let builder = match emulated {
            Some(emulated) => builder
                .cloud(Cloud::custom(&emulated.https, EMULATOR_AUDIENCE)?)
                .extra_ca(emulated.ca)
                .credential(Arc::new(EmulatorCredential)),
            None => match self.credential()? {
                Some(credential) => builder.credential(credential),
                None => builder.default_credential()?,
            },
        };
        Ok(builder.build()?)
    }

    /// The credential that was chosen, or nothing for the library's own choice.
    fn credential(&self) -> Result<Option<Arc<dyn TokenCredential>>> {
        let refuse =
            |error: azureml_aks::azure_core::Error| Failure::new(format!("--credential: {error}"));
        Ok(Some(match self.global.credential {
            Sign::Default => return Ok(None),
            Sign::Cli => AzureCliCredential::new(None).map_err(refuse)?,
            Sign::Azd => AzureDeveloperCliCredential::new(None).map_err(refuse)?,
            Sign::ManagedIdentity => {
                let client = std::env::var("AZURE_CLIENT_ID")
                    .ok()
                    .filter(|id| !id.is_empty());
                let options = ManagedIdentityCredentialOptions {
                    user_assigned_id: client.map(UserAssignedId::ClientId),
                    ..ManagedIdentityCredentialOptions::default()
                };
                ManagedIdentityCredential::new(Some(options)).map_err(refuse)?
            }
            Sign::WorkloadIdentity => WorkloadIdentityCredential::new(None).map_err(refuse)?,
        }))
    }

    /// The plain address tells the encrypted one and the authority to trust; all else goes there.
    async fn emulated(&self) -> Result<Option<Emulated>> {
        let Some(url) = &self.global.emulator else {
            return Ok(None);
        };
        let refuse = |why: String| Failure::new(format!("--emulator {url}: {why}"));
        if url.starts_with("https://") {
            let Some(file) = &self.global.emulator_ca else {
                let why = "the https address needs --emulator-ca with the file `ca` of the emulator's line; or give the \
                           http address";
                return Err(Failure::usage(format!("--emulator {url}: {why}")));
            };
            let ca = std::fs::read_to_string(file).map_err(|error| Failure::file(file, error))?;
            let client = reqwest::Certificate::from_pem(ca.as_bytes())
                .and_then(|ca| reqwest::Client::builder().tls_certs_only([ca]).build())
                .map_err(|error| refuse(error.to_string()))?;
            let mut found = health(&client, url).await.map_err(refuse)?;
            (found.https, found.ca) = (url.clone(), ca);
            return Ok(Some(found));
        }
        if !url.starts_with("http://") {
            return Err(Failure::usage(format!(
                "--emulator {url}: it must begin with http:// or https://"
            )));
        }
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .map_err(|error| refuse(error.to_string()))?;
        let found = health(&client, url).await.map_err(refuse)?;
        if found.https.is_empty() {
            return Err(refuse(
                "this emulator does not listen with HTTPS; start it with --https ADDRESS, too"
                    .to_owned(),
            ));
        }
        Ok(Some(found))
    }
}

/// Asks an emulator who it is.
async fn health(client: &reqwest::Client, url: &str) -> std::result::Result<Emulated, String> {
    let url = format!("{}/_emulator/health", url.trim_end_matches('/'));
    let reply = client
        .get(url)
        .timeout(Duration::from_secs(10))
        .send()
        .await;
    let body = async { reply?.error_for_status()?.bytes().await };
    let body = body
        .await
        .map_err(|error| format!("no emulator answers there: {error}"))?;
    let health: Value =
        serde_json::from_slice(&body).map_err(|_| "what answers there is not an emulator")?;
    let text = |key: &str| health[key].as_str().map(str::to_owned);
    Ok(Emulated {
        https: text("https").unwrap_or_default(),
        ca: text("ca").unwrap_or_default(),
        subscription: text("subscription"),
        group: text("resourceGroup"),
        workspace: text("workspace"),
    })
}

impl Place {
    /// Fills in what is still open.
    fn fill(
        &mut self,
        subscription: Option<String>,
        group: Option<String>,
        workspace: Option<String>,
    ) {
        self.subscription = self.subscription.take().or(subscription);
        self.group = self.group.take().or(group);
        self.workspace = self.workspace.take().or(workspace);
    }
}

/// The workspace that `config.json` names.
fn file(path: &std::path::Path) -> std::result::Result<WorkspaceId, String> {
    // The builder keeps what it read to itself, so it is built; nothing is sent.
    let workspace = Workspace::builder_from_config(path)
        .and_then(|builder| builder.credential(Arc::new(EmulatorCredential)).build())
        .map_err(|error| error.to_string())?;
    Ok(workspace.id().clone())
}

fn missing(place: &Place) -> Failure {
    let parts = [
        (&place.subscription, "the subscription"),
        (&place.group, "the resource group"),
        (&place.workspace, "the workspace"),
    ];
    let open: Vec<&str> = parts
        .iter()
        .filter(|(known, _)| known.is_none())
        .map(|(_, what)| *what)
        .collect();
    let mut text = format!(
        "{} not given. Ways to give a workspace: --subscription, -g and -w; a config.json in this folder or one above \
         (`azureml-aks folder attach` writes one); AZUREML_SUBSCRIPTION_ID, AZUREML_RESOURCE_GROUP and \
         AZUREML_WORKSPACE_NAME; `az configure --defaults group=… aml_workspace=…` and `az account set`",
        match open.as_slice() {
            [one] => format!("{one} is"),
            [rest @ .., last] => format!("{} and {last} are", rest.join(", ")),
            [] => String::new(),
        }
    );
    if !place.no_file.is_empty() {
        text += &format!("\n  {}", place.no_file);
    }
    Failure::usage(text)
}

/// A fixed token: the emulator takes any.
#[derive(Debug)]
struct EmulatorCredential;

#[async_trait]
impl TokenCredential for EmulatorCredential {
    async fn get_token(
        &self,
        _scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azureml_aks::azure_core::Result<AccessToken> {
        Ok(AccessToken {
            token: Secret::new("emulator-token"),
            expires_on: OffsetDateTime::now_utc() + Duration::from_secs(3600),
        })
    }
}
