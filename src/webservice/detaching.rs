//! The report before a detach, and the notes after it.

use super::{AksWebservice, ServiceQuery};
use crate::cluster::ClusterId;
use crate::compute::{AksCompute, ClusterRef};
use crate::error::Error;
use crate::rules::Findings;
use futures::TryStreamExt;
use std::fmt;

/// The lines that remove from the cluster what a detach leaves behind.
const CLEANUP: [&str; 7] = [
    "kubectl delete deployment azureml-fe -n default --ignore-not-found",
    "kubectl delete service azureml-fe azureml-fe-int-http -n default --ignore-not-found",
    "kubectl delete serviceaccount azureml-fe -n default --ignore-not-found",
    "kubectl delete clusterrolebinding azureml-fe-binding --ignore-not-found",
    "kubectl delete clusterrole azureml-fe-role --ignore-not-found",
    "kubectl delete secret azuremlfessl -n default --ignore-not-found",
    "kubectl delete configmap azuremlfeconfig -n default --ignore-not-found",
];

/// The line that shows certificate and key, while they are still in the cluster.
const READ_TLS: &str = "kubectl get secret azuremlfessl -n default -o yaml";

/// A report for the time before a detach, and what to do after it; [`AksCompute::before_detach`] returns it.
///
/// `Display` writes all of it for people.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DetachReport {
    /// The name of the compute.
    pub compute: String,
    /// The ARM id of its cluster, where the service says it.
    pub cluster: Option<String>,
    /// The names of the services that run on it. They cannot be changed through the workspace once it is detached.
    pub services: Vec<String>,
    /// The settings to give again if the cluster is attached later, a sentence each.
    pub to_give_again: Vec<String>,
    /// Whether certificate and key are of your own: then read them before the detach, if they are kept nowhere else.
    pub has_own_certificate: bool,
}

/// Reports before a detach.
impl AksCompute {
    /// Returns what to know before the compute is detached: the services that still run on it, what has to be given
    /// again if the cluster is attached later, and what stays in the cluster, with the lines that remove it.
    ///
    /// Sends: GET of the compute, GETs of the list of services.
    ///
    /// # Errors
    ///
    /// [`Error::is_not_found`] if there is no such compute; otherwise those of reading it and of the list.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), azureml_aks::Error> {
    /// # use azureml_aks::{AksCompute, ClusterRef, ComputeTarget, WaitOptions, Workspace};
    /// # use azureml_aks::emulator::{Emulator, ExistingCluster};
    /// # let emulator = Emulator::new();
    /// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
    /// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
    /// # emulator.add_cluster(ExistingCluster::new("mygroup", "mycluster"));
    /// # let config = AksCompute::attach_configuration(ClusterRef::named("mygroup", "mycluster")).build()?;
    /// # let mut aks = ComputeTarget::attach(&workspace, "myaks", config).await?;
    /// # aks.wait_for_completion(WaitOptions::new()).await?;
    /// let report = aks.before_detach().await?;
    /// if report.services.is_empty() {
    ///     aks.detach().await?.await?;
    /// }
    /// println!("{report}");
    /// assert!(report.to_string().contains("az aks delete -n mycluster -g mygroup"));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub async fn before_detach(&self) -> Result<DetachReport, Error> {
        let name = self.name().as_str();
        let now = Self::get(self.workspace(), name).await?;
        let all = AksWebservice::list(self.workspace(), ServiceQuery::new());
        let mut services: Vec<String> = all
            .try_filter_map(async |service: AksWebservice| {
                let on = service.resource().compute_name.as_deref();
                let here = on.is_some_and(|on| on.eq_ignore_ascii_case(name));
                Ok(here.then(|| service.name().to_string()))
            })
            .try_collect()
            .await?;
        services.sort();
        Ok(report(&now, services))
    }
}

fn report(compute: &AksCompute, services: Vec<String>) -> DetachReport {
    let own = compute.properties();
    let mut again = Vec::new();
    if let Some(purpose) = &own.cluster_purpose {
        again.push(format!("the purpose: {purpose}"));
    }
    let kind = own.load_balancer_type.as_deref().unwrap_or_default();
    if kind.eq_ignore_ascii_case("InternalLoadBalancer") {
        let subnet = own.load_balancer_subnet.as_deref();
        let subnet = subnet.map_or(String::new(), |subnet| format!(", in subnet {subnet}"));
        again.push(format!("the internal load balancer{subnet}"));
    }
    let ssl = own.ssl_configuration.clone().unwrap_or_default();
    let status = ssl.status.as_deref().unwrap_or_default();
    let has_own_certificate = status.eq_ignore_ascii_case("Enabled");
    if has_own_certificate {
        let host = ssl.cname.as_deref().unwrap_or("its host");
        again.push(format!("the certificate of {host} and its key"));
    } else if status.eq_ignore_ascii_case("Auto") {
        let label = ssl.leaf_domain_label.as_deref().unwrap_or_default();
        again.push(format!(
            "the leaf domain label {label}, with overwrite_existing_domain(true) to keep its name"
        ));
    }
    DetachReport {
        compute: compute.name().to_string(),
        cluster: compute.cluster_resource_id().map(str::to_owned),
        services,
        to_give_again: again,
        has_own_certificate,
    }
}

impl DetachReport {
    /// Returns the lines that remove from the cluster what a detach leaves behind: the router of Azure Machine Learning
    /// and what belongs to it. While it is there, Azure Machine Learning's extension for Kubernetes cannot be
    /// installed, and a later attach may fail. Run them when no service runs on the cluster any more.
    #[must_use]
    pub fn cleanup(&self) -> &'static [&'static str] {
        &CLEANUP
    }

    /// Returns the line that deletes the cluster, where its id is known.
    /// [`ManagedCluster::delete`](crate::ManagedCluster::delete) does the same.
    #[must_use]
    pub fn delete_line(&self) -> Option<String> {
        let id = self.cluster.as_deref()?;
        let mut findings = Findings::default();
        ClusterRef::id(id).check(&mut findings);
        let ClusterId {
            subscription,
            resource_group,
            name,
        } = ClusterId::of_resource(id);
        (!findings.refused()).then(|| {
            format!("az aks delete -n {name} -g {resource_group} --subscription {subscription}")
        })
    }
}

impl fmt::Display for DetachReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { compute, .. } = self;
        match &*self.services {
            [] => writeln!(f, "No service runs on compute {compute:?}.")?,
            services => writeln!(
                f,
                "These services still run on compute {compute:?}: {}. Delete them before you detach it: afterwards they cannot be changed.",
                services.join(", ")
            )?,
        }
        if self.has_own_certificate {
            writeln!(
                f,
                "Before you detach it, keep the certificate and its key (cert.pem and key.pem, in base64):\n  {READ_TLS}"
            )?;
        }
        if !self.to_give_again.is_empty() {
            writeln!(f, "If you attach the cluster again later, set these again:")?;
            for what in &self.to_give_again {
                writeln!(f, "  {what}")?;
            }
        }
        writeln!(
            f,
            "After the detach the router of Azure Machine Learning stays in the cluster. To remove it:"
        )?;
        for line in self.cleanup() {
            writeln!(f, "  {line}")?;
        }
        write!(
            f,
            "The cluster itself stays, and goes on costing. To delete it:"
        )?;
        match self.delete_line() {
            Some(line) => write!(f, "\n  {line}"),
            None => f.write_str(" the service does not say which one it is."),
        }
    }
}
