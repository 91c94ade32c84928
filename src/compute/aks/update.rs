//! The configuration of an update.

use super::load_balancer::{self, LoadBalancer};
use super::tls::{self, CheckedTls, Tls};
use crate::compute::update::Current;
use crate::error::{Error, Finding};
use crate::rules::{self, Findings};
use serde_json::{Value, json};
use std::time::SystemTime;

/// The valid configuration of an update: of TLS, the load balancer, or both.
///
/// A setting that is not given stays as it is: a change of the load balancer of a cluster with its own
/// certificate leaves the certificate in place. The number and size of nodes cannot be changed this
/// way.
#[must_use = "a configuration does nothing until a cluster is updated with it"]
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateConfiguration {
    tls: Option<Change>,
    load_balancer: Option<LoadBalancer>,
    warnings: Vec<Finding>,
}

/// A change of TLS.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum TlsUpdate {
    /// Turns TLS on, or replaces what was configured.
    Enable(Tls),
    /// Turns TLS off.
    Disable,
    /// Renews the certificate that Microsoft made, under the same name.
    ///
    /// It needs a leaf domain label now. The service no longer renews such certificates by itself.
    Renew,
}

impl From<Tls> for TlsUpdate {
    /// Turns TLS on, or replaces what was configured.
    fn from(tls: Tls) -> Self {
        Self::Enable(tls)
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Change {
    Enable(CheckedTls),
    Disable,
    Renew,
}

impl UpdateConfiguration {
    /// Starts an update that changes nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use azureml_aks::{LoadBalancer, TlsUpdate, UpdateConfiguration};
    ///
    /// UpdateConfiguration::builder()
    ///     .tls(TlsUpdate::Disable)
    ///     .load_balancer(LoadBalancer::internal())
    ///     .build()?;
    ///
    /// let error = UpdateConfiguration::builder().build().unwrap_err();
    /// assert_eq!(error.findings()[0].rule, "update.nothing");
    /// # Ok::<(), azureml_aks::Error>(())
    /// ```
    pub fn builder() -> UpdateConfigurationBuilder {
        UpdateConfigurationBuilder::default()
    }

    /// Returns the findings that do not make the configuration invalid: settings that are allowed but probably not
    /// meant ([`Warning`](crate::error::Severity::Warning)), and checks that could not be made
    /// ([`Unknown`](crate::error::Severity::Unknown)).
    #[must_use]
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// Returns the load balancer, if it is to change.
    #[must_use]
    pub fn load_balancer(&self) -> Option<&LoadBalancer> {
        self.load_balancer.as_ref()
    }

    /// Returns whether TLS is to change.
    #[must_use]
    pub fn changes_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Returns the body of the request, made of the compute as the service describes it now: without the members that
    /// are read-only, and with the changes. The result may hold a private key in clear.
    ///
    /// TLS and load balancer that are not to change are left out, which the service takes as "keep";
    /// the description never holds the private key, so TLS could not be sent back anyway.
    pub(crate) fn apply(&self, current: Value) -> Result<Value, Error> {
        let mut findings = Findings::default();
        let mut current = Current::of(current, READ_ONLY)?;
        let inner = &mut current.inner;

        let ssl = inner.remove("sslConfiguration");
        let label = ssl.as_ref().and_then(active_leaf_domain_label);
        let internal_now = inner.remove("loadBalancerType").is_some_and(|kind| {
            kind.as_str()
                .is_some_and(|kind| kind.eq_ignore_ascii_case(load_balancer::INTERNAL))
        });
        inner.remove("loadBalancerSubnet");

        let internal_then = self
            .load_balancer
            .as_ref()
            .map_or(internal_now, LoadBalancer::is_internal);
        let leaf_domain_then = match &self.tls {
            None | Some(Change::Renew) => label.is_some(),
            Some(Change::Enable(tls)) => tls.is_leaf_domain(),
            Some(Change::Disable) => false,
        };
        if internal_then && leaf_domain_then {
            tls::refuse_leaf_domain_behind_internal(&mut findings);
        }

        match (&self.tls, label) {
            (None, _) => {}
            (Some(Change::Enable(tls)), _) => {
                inner.insert("sslConfiguration".into(), tls.value());
            }
            (Some(Change::Disable), _) => {
                inner.insert("sslConfiguration".into(), json!({ "status": "Disabled" }));
            }
            (Some(Change::Renew), Some((status, label))) => {
                inner.insert(
                    "sslConfiguration".into(),
                    json!({
                        "status": status,
                        "leafDomainLabel": label,
                        "overwriteExistingDomain": true,
                        "renew": true,
                    }),
                );
            }
            (Some(Change::Renew), None) => findings.refuse(
                rules::UPDATE_RENEW_WITHOUT_LABEL,
                "tls",
                Some("renew"),
                "the cluster has no leaf domain label, so there is no certificate of Microsoft's to renew",
                "turn TLS on with `TlsUpdate::Enable`: a leaf domain label, or your own new certificate",
            ),
        }
        if let Some(load_balancer) = &self.load_balancer {
            load_balancer.write(inner);
        }

        findings.finish("update configuration")?;
        Ok(current.into_body())
    }
}

/// The builder of an [`UpdateConfiguration`].
#[must_use = "a builder does nothing until `build()`"]
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UpdateConfigurationBuilder {
    tls: Option<TlsUpdate>,
    load_balancer: Option<LoadBalancer>,
}

impl UpdateConfigurationBuilder {
    /// Changes TLS, which stays as it is by default. A [`Tls`] turns it on.
    pub fn tls(mut self, tls: impl Into<TlsUpdate>) -> Self {
        self.tls = Some(tls.into());
        self
    }

    /// Changes the load balancer. It stays as it is by default.
    pub fn load_balancer(mut self, load_balancer: LoadBalancer) -> Self {
        self.load_balancer = Some(load_balancer);
        self
    }

    /// Checks everything together. Reads the PEM files, if there are any, and nothing else.
    ///
    /// Rules that depend on the current state of the cluster are checked when the update is sent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`](crate::ErrorKind::Validation) with all broken rules at once; an update must change
    /// something.
    pub fn build(self) -> Result<UpdateConfiguration, Error> {
        self.build_at(SystemTime::now())
    }

    pub(crate) fn build_at(self, now: SystemTime) -> Result<UpdateConfiguration, Error> {
        let mut findings = Findings::default();
        if self.tls.is_none() && self.load_balancer.is_none() {
            findings.refuse(
                rules::UPDATE_NOTHING,
                "update",
                None,
                "the update changes nothing",
                "set TLS or a load balancer",
            );
        }
        if let Some(load_balancer) = &self.load_balancer {
            load_balancer.check(&mut findings);
        }
        let tls = match &self.tls {
            None => None,
            Some(TlsUpdate::Enable(tls)) => tls.check(now, &mut findings).map(Change::Enable),
            Some(TlsUpdate::Disable) => Some(Change::Disable),
            Some(TlsUpdate::Renew) => Some(Change::Renew),
        };
        let leaf_domain = match &tls {
            Some(Change::Enable(tls)) => tls.is_leaf_domain(),
            Some(Change::Renew) => true,
            Some(Change::Disable) | None => false,
        };
        if leaf_domain
            && self
                .load_balancer
                .as_ref()
                .is_some_and(LoadBalancer::is_internal)
        {
            tls::refuse_leaf_domain_behind_internal(&mut findings);
        }
        let warnings = findings.finish("update configuration")?;
        Ok(UpdateConfiguration {
            tls,
            load_balancer: self.load_balancer,
            warnings,
        })
    }
}

/// Status and label, if TLS is on with a certificate of Microsoft's.
fn active_leaf_domain_label(ssl: &Value) -> Option<(String, String)> {
    let text = |key: &str| {
        ssl.get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let status = text("status").unwrap_or("Auto");
    let label = text("leafDomainLabel")?;
    (!status.eq_ignore_ascii_case("Disabled")).then(|| (status.to_owned(), label.to_owned()))
}

/// Read-only by the type index (`AKSSchemaProperties`, 2026-05-01).
const READ_ONLY: &[&str] = &["systemServices"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_alone_is_turned_on() {
        let tls = || Tls::leaf_domain("myaks");
        assert_eq!(
            UpdateConfiguration::builder().tls(tls()),
            UpdateConfiguration::builder().tls(TlsUpdate::Enable(tls()))
        );
    }

    fn current(ssl: Value, load_balancer: &str) -> Value {
        json!({
            "id": "/subscriptions/s/x", "name": "myaks", "type": "t", "systemData": {},
            "location": "eastus", "tags": { "a": "1" }, "identity": null,
            "properties": {
                "computeType": "AKS", "computeLocation": "westeurope", "description": "text",
                "resourceId": "/subscriptions/s/c",
                "provisioningState": "Succeeded", "provisioningErrors": null,
                "provisioningWarnings": {}, "createdOn": "x", "modifiedOn": "x", "isAttachedCompute": true,
                "somethingNew": 1,
                "properties": {
                    "agentCount": 3, "agentVmSize": "Standard_D3_v2", "clusterFqdn": "f",
                    "systemServices": [], "somethingElse": 2,
                    "sslConfiguration": ssl,
                    "loadBalancerType": load_balancer, "loadBalancerSubnet": "old",
                },
            },
        })
    }

    fn expected(change: Value) -> Value {
        let mut inner = json!({
            "agentCount": 3, "agentVmSize": "Standard_D3_v2", "clusterFqdn": "f", "somethingElse": 2,
        });
        for (key, value) in change.as_object().unwrap() {
            inner[key] = value.clone();
        }
        json!({
            "location": "eastus", "tags": { "a": "1" }, "identity": null,
            "properties": {
                "computeType": "AKS", "computeLocation": "westeurope", "description": "text",
                "resourceId": "/subscriptions/s/c", "somethingNew": 1, "properties": inner,
            },
        })
    }

    fn update(tls: Option<TlsUpdate>, load_balancer: Option<LoadBalancer>) -> UpdateConfiguration {
        UpdateConfigurationBuilder { tls, load_balancer }
            .build()
            .unwrap()
    }

    fn rule(result: Result<Value, Error>) -> &'static str {
        result.unwrap_err().findings()[0].rule
    }

    const PUBLIC: &str = "PublicIp";

    #[test]
    fn change_of_the_load_balancer_leaves_an_own_certificate_as_it_is() {
        let own = json!({ "status": "Enabled", "cname": "a.b", "cert": null, "key": null });
        let body = update(None, Some(LoadBalancer::internal_in("new"))).apply(current(own, PUBLIC));
        assert_eq!(
            body.unwrap(),
            expected(
                json!({ "loadBalancerType": "InternalLoadBalancer", "loadBalancerSubnet": "new" })
            )
        );
    }

    #[test]
    fn change_of_tls_leaves_the_load_balancer_as_it_is() {
        let body = update(Some(TlsUpdate::Disable), None).apply(current(
            json!({ "status": "Auto", "leafDomainLabel": "l" }),
            PUBLIC,
        ));
        assert_eq!(
            body.unwrap(),
            expected(json!({ "sslConfiguration": { "status": "Disabled" } }))
        );

        let body = update(Some(TlsUpdate::Enable(Tls::leaf_domain("new"))), None)
            .apply(current(Value::Null, PUBLIC));
        assert_eq!(
            body.unwrap(),
            expected(json!({ "sslConfiguration": { "status": "Auto", "leafDomainLabel": "new" } }))
        );
    }

    #[test]
    fn renewal_repeats_the_label_of_now_and_needs_one() {
        let renew = update(Some(TlsUpdate::Renew), None);
        let leaf =
            json!({ "status": "Auto", "leafDomainLabel": "l", "overwriteExistingDomain": false });
        assert_eq!(
            renew.apply(current(leaf, PUBLIC)).unwrap(),
            expected(json!({ "sslConfiguration": {
                "status": "Auto", "leafDomainLabel": "l",
                "overwriteExistingDomain": true, "renew": true,
            } }))
        );
        for ssl in [
            Value::Null,
            json!({ "status": "Enabled", "cname": "a.b" }),
            json!({ "status": "Auto", "leafDomainLabel": "" }),
            json!({ "status": "Disabled", "leafDomainLabel": "l" }),
            json!("text"),
        ] {
            assert_eq!(
                rule(renew.apply(current(ssl, PUBLIC))),
                "update.renew_without_leaf_domain"
            );
        }
    }

    #[test]
    fn leaf_domain_label_never_meets_an_internal_load_balancer() {
        const RULE: &str = "tls.leaf_domain_with_internal_load_balancer";
        let leaf = || json!({ "status": "Auto", "leafDomainLabel": "l" });
        let internal = || Some(LoadBalancer::internal());
        let enable = || Some(TlsUpdate::Enable(Tls::leaf_domain("l")));

        assert_eq!(
            rule(update(None, internal()).apply(current(leaf(), PUBLIC))),
            RULE
        );
        let now_internal = current(Value::Null, "InternalLoadBalancer");
        assert_eq!(
            rule(update(enable(), None).apply(now_internal.clone())),
            RULE
        );
        for tls in [enable(), Some(TlsUpdate::Renew)] {
            let both = UpdateConfigurationBuilder {
                tls,
                load_balancer: internal(),
            };
            assert_eq!(both.build().unwrap_err().findings()[0].rule, RULE);
        }

        assert!(
            update(Some(TlsUpdate::Disable), internal())
                .apply(current(leaf(), PUBLIC))
                .is_ok()
        );
        let public = update(enable(), Some(LoadBalancer::PublicIp)).apply(now_internal);
        assert_eq!(
            public.unwrap()["properties"]["properties"].get("loadBalancerSubnet"),
            None
        );
    }

    #[test]
    fn compute_without_details_can_be_updated_and_anything_else_is_refused() {
        let disable = update(Some(TlsUpdate::Disable), None);
        let bare = json!({ "location": "eastus", "properties": { "computeType": "AKS" } });
        assert!(disable.apply(bare).is_ok());
        for broken in [
            Value::Null,
            json!({}),
            json!({ "properties": [] }),
            json!({ "properties": { "properties": 1 } }),
        ] {
            assert_eq!(rule(disable.apply(broken)), "update.current_resource");
        }
    }
}
