//! `update`: only what changes is sent.

use super::Extension;
use super::configuration::{RouterServiceType, clear};
use super::relay::ExtensionRelay;
use super::resource::ExtensionResource;
use super::settings::{
    self, Given, INSECURE, Open, ROUTER_SSL_CERT, ROUTER_SSL_SECRET, SSL_CNAME, SSL_SECRET,
    Settings, check_together, has_relay, is_set, is_true, setting_setters,
};
use super::tls::ExtensionTls;
use super::verb::{self, changing, watch};
use crate::compute::Found;
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::error::{Error, Finding, Hidden};
use crate::operation::request::{CallOptions, awaitable, call_options};
use crate::operation::{self, Machine, Operation, Prepared, Step, Ticket};
use crate::rules::{self, Findings};
use crate::token::{HttpVerb, Verb};
use crate::transport::HttpRequest;
use azure_core::http::Method;
use futures::FutureExt;
use serde_json::{Map, Value, json};
use std::fmt;

/// A valid change of an extension: only what it names changes.
///
/// Made by [`builder`](Self::builder). A setting can be changed, and not removed, because the service has no request for
/// that. **Protected settings** are replaced as a whole: the service deletes those that an update does not give again.
#[must_use = "a change does nothing until an extension is updated with it"]
#[derive(Debug, Clone, PartialEq)]
pub struct ExtensionUpdateConfiguration {
    settings: Settings,
    warnings: Vec<Finding>,
}

impl ExtensionUpdateConfiguration {
    /// Starts a change.
    ///
    /// ```
    /// use azureml_aks::{ExtensionTls, ExtensionUpdateConfiguration};
    ///
    /// ExtensionUpdateConfiguration::builder()
    ///     .tls(ExtensionTls::secret("scoring.example.com", "my-certificate"))
    ///     .allow_insecure_connections(false)
    ///     .build()?;
    ///
    /// let error = ExtensionUpdateConfiguration::builder().build().unwrap_err();
    /// assert_eq!(error.findings()[0].rule, "extension.update_nothing");
    /// # Ok::<(), azureml_aks::Error>(())
    /// ```
    pub fn builder() -> ExtensionUpdateConfigurationBuilder {
        ExtensionUpdateConfigurationBuilder::default()
    }

    /// Returns the findings that do not make the change invalid: settings that are allowed but probably not meant.
    #[must_use]
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// Returns the body of the request for the present state of the extension; `None` if nothing changes.
    ///
    /// Protected settings always count as a change, because the service does not show the present ones. If the last change
    /// failed, everything is sent again.
    pub(crate) fn body(
        &self,
        is_managed: bool,
        current: &ExtensionResource,
    ) -> Result<Option<Value>, Error> {
        let change = &self.settings;
        let own = &current.properties;
        let mut all: Open = own.configuration_settings.clone();
        let by_secret = [SSL_SECRET, ROUTER_SSL_SECRET]
            .iter()
            .any(|name| is_set(&all, name));
        // The service does not show whether there is one.
        let has_certificate = is_set(&all, SSL_CNAME) && !by_secret && !is_true(&all, INSECURE);
        all.extend(change.open.clone());
        let mut findings = Findings::default();
        // If the service shows no settings, they cannot be checked together.
        if !own.configuration_settings.is_empty() {
            check_together(&all, &change.protected, has_certificate, &mut findings);
        }
        change.check_internal(is_managed, &mut findings);
        if !change.protected.is_empty() {
            let other_tls = change.protected.contains_key(ROUTER_SSL_CERT)
                || is_set(&change.open, SSL_SECRET)
                || is_true(&change.open, INSECURE);
            let loses_certificate = has_certificate && !other_tls;
            let loses_relay = has_relay(&all, is_managed) && !change.has_relay_connection();
            for (is_lost, path) in [(loses_certificate, "tls"), (loses_relay, "relay")] {
                if is_lost {
                    findings.refuse(
                        rules::EXTENSION_PROTECTED_REPLACED,
                        path,
                        None,
                        "the update has protected settings, and the service deletes those that an update does not give again",
                        "give all protected settings again: the certificate with its key, and the relay",
                    );
                }
            }
        }
        findings.finish("update of the extension")?;

        let is_failed = own
            .provisioning_state
            .as_deref()
            .is_some_and(|state| state.trim().eq_ignore_ascii_case("Failed"));
        let mut properties = Map::new();
        let new = |name: &str, value: &String| {
            is_failed || own.configuration_settings.get(name) != Some(value)
        };
        let open = change.open.iter().filter(|(name, value)| new(name, value));
        let open: Map<String, Value> = open
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect();
        if !open.is_empty() {
            properties.insert("configurationSettings".into(), open.into());
        }
        if !change.protected.is_empty() {
            let protected = clear(change.protected.iter());
            properties.insert("configurationProtectedSettings".into(), protected.into());
        }
        for (name, given, present) in [
            ("releaseTrain", &change.release_train, &own.release_train),
            ("version", &change.version, &own.version),
        ] {
            if let Some(given) = given
                && (is_failed || Some(given) != present.as_ref())
            {
                properties.insert(name.into(), given.as_str().into());
            }
        }
        if let Some(upgrade) = change.auto_upgrade
            && (is_failed || own.auto_upgrade_minor_version != Some(upgrade))
        {
            properties.insert("autoUpgradeMinorVersion".into(), upgrade.into());
        }
        Ok((!properties.is_empty()).then(|| json!({ "properties": properties })))
    }
}

/// The builder of an [`ExtensionUpdateConfiguration`].
#[must_use = "a builder does nothing until `build()`"]
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExtensionUpdateConfigurationBuilder {
    given: Given,
}

impl ExtensionUpdateConfigurationBuilder {
    setting_setters!();

    /// Checks each setting. It reads the PEM files of [`ExtensionTls`], and nothing else.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`] with all broken rules at once; an update must change something. Whether the change fits the
    /// present settings is checked when the extension is updated.
    pub fn build(self) -> Result<ExtensionUpdateConfiguration, Error> {
        let mut findings = Findings::default();
        if self.given == Given::default() {
            findings.refuse(
                rules::EXTENSION_UPDATE_NOTHING,
                "update",
                None,
                "the update changes nothing",
                "set at least one setting",
            );
        }
        let mut settings = self.given.resolve(&mut findings);
        settings.derive_router();
        let warnings = findings.finish("update of the extension")?;
        Ok(ExtensionUpdateConfiguration { settings, warnings })
    }
}

/// The verb that changes an extension.
impl Extension {
    /// Changes settings, protected settings, release train or version of the extension.
    ///
    /// Returns a request; the first `.await` sends it and gives an [`Operation`], the second one waits for that and gives
    /// the extension. The extension is read, the change is checked together with the present settings, and only values that
    /// differ are sent. If none differs, nothing is sent, and the wait follows the extension as it is.
    ///
    /// A change of the router or of the features interrupts running jobs and online endpoints.
    ///
    /// Sends: GET of the extension, PATCH of the extension.
    ///
    /// # Errors
    ///
    /// When it is awaited: [`ErrorKind::Validation`] where the change contradicts the settings of the extension, or would
    /// lose protected ones; [`ErrorKind::Refused`] for an extension of another type than Azure Machine Learning's;
    /// [`Error::is_not_found`] if it is gone; [`ErrorKind::Service`] with the service's reason. Where it is not known
    /// whether the PATCH arrived, the error carries a [`resume_token`](Error::resume_token).
    ///
    /// # Cancel safety
    ///
    /// If it is dropped after the PATCH was sent, the change may still be made; sending it again is harmless.
    pub fn update(&self, change: ExtensionUpdateConfiguration) -> UpdateExtension {
        UpdateExtension {
            extension: self.clone(),
            change,
            options: CallOptions::default(),
        }
    }
}

/// A request to change an extension, which [`Extension::update`] returns. `.await` sends it.
#[must_use = "a request sends nothing before it is awaited"]
#[derive(Clone)]
pub struct UpdateExtension {
    extension: Extension,
    change: ExtensionUpdateConfiguration,
    options: CallOptions,
}

impl UpdateExtension {
    call_options!();

    /// Returns the verb with its resume token, before anything is sent. No I/O.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Refused`] for an extension of another type; [`ErrorKind::Configuration`] for a client request id that
    /// cannot be sent.
    pub fn prepare(self) -> Result<Prepared<'static, Operation<Extension>>, Error> {
        self.extension.check_type()?;
        let Self {
            extension,
            change,
            options,
        } = self;
        let id = extension.id.clone();
        let url = id.url(&extension.workspace);
        let verb = (Verb::Update, HttpVerb::Patch);
        let token = verb::token(&extension.workspace, &id, verb, &url, &options)?;
        Ok(Prepared::new(
            id.to_string(),
            token,
            options.timeout,
            move |ticket| {
                async move {
                    let hidden = extension.hidden.and(&change.settings.hidden());
                    let begun = begin(&extension, &change, &hidden, &ticket).await?;
                    let workspace = &extension.workspace;
                    Ok(changing(workspace, id, hidden, ticket, begun))
                }
                .boxed()
            },
        ))
    }
}

async fn begin(
    extension: &Extension,
    change: &ExtensionUpdateConfiguration,
    hidden: &Hidden,
    ticket: &Ticket,
) -> Result<(Machine, Step), Error> {
    let Extension { workspace, id, .. } = extension;
    let current = id.read(workspace, hidden).await;
    let current = current.and_then(Found::or_refusal)?;
    let Some(body) = change.body(id.cluster.is_managed(), &current)? else {
        let state = current.properties.provisioning_state.as_deref();
        return Ok(watch(workspace, id, ticket, state));
    };
    let request = HttpRequest::new(Method::Patch, id.url(workspace))
        .json(&body)
        .hiding(hidden);
    let answer = operation::write(workspace.client(), request, &ticket.token).await?;
    operation::begin(workspace.client(), &ticket.token, &answer)
}

awaitable!([] UpdateExtension => Operation<Extension>, 'static, |request| {
    async move { request.prepare()?.send().await }.boxed()
});

impl fmt::Debug for UpdateExtension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpdateExtension")
            .field("extension", &self.extension)
            .finish_non_exhaustive()
    }
}
