//! An attach that is planned: what comes before it carries its settings in a token.

use super::{AttachCompute, Put};
use crate::compute::{Aks, AksCompute, AttachConfiguration};
use crate::error::{Error, ErrorKind};
use crate::names::{ComputeName, resource_id};
use crate::operation::{Operation, Ticket};
use crate::workspace::Workspace;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The attach of a cluster that is not there yet. Its JSON is part of resume tokens, and holds nothing secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PlannedAttach {
    name: String,
    /// The ARM id of the cluster.
    cluster: String,
    /// The body, without the location of the workspace.
    attach: Value,
}

impl PlannedAttach {
    /// Plans the attach of `cluster`. No I/O.
    ///
    /// # Errors
    ///
    /// The name breaks the rules, the configuration is that of another cluster, or it has a certificate.
    pub(crate) fn new(
        workspace: &Workspace,
        name: &str,
        configuration: &AttachConfiguration,
        cluster: &str,
    ) -> Result<Self, Error> {
        let name = ComputeName::parse_for(workspace.api_version(), "name", name);
        let (name, _) = name.map_err(|found| Error::validation("compute name", found))?;
        let own = configuration.resource_id(workspace.id());
        if !resource_id::same(&own, cluster) {
            let why =
                format!("the configuration attaches {own}, and the cluster created is {cluster}");
            return Err(Error::new(ErrorKind::Refused, why).with_remedy(
                "make the attach configuration with to_ref() of the cluster configuration",
            ));
        }
        let attach = configuration.body(workspace.id(), "");
        let tls = attach.pointer("/properties/properties/sslConfiguration");
        if tls.is_some_and(|tls| tls.get("key").is_some() || tls.get("cert").is_some()) {
            return Err(Error::new(
                ErrorKind::Refused,
                "the attach configuration has a certificate and its key, which no resume token may hold",
            )
            .with_remedy(
                "attach without the certificate and enable TLS by an update afterwards; or wait for the create, then \
                 attach",
            ));
        }
        Ok(Self {
            name: name.to_string(),
            cluster: own,
            attach,
        })
    }

    /// Attaches the cluster, unless it is attached under that name already: to call it again is harmless.
    pub(crate) async fn begin(
        self,
        workspace: Workspace,
        earlier: Ticket,
    ) -> Result<Operation<AksCompute>, Error> {
        let mut body = self.attach;
        let mut put = Put::<Aks>::new(
            &workspace,
            &self.name,
            Some(self.cluster),
            move |_, location| {
                body["location"] = location.into();
                body
            },
        );
        put.existing.taken = true;
        put.follows = true;
        put.options.client_request_id = Some(earlier.token.id().to_owned());
        let compute = AttachCompute(put).prepare()?.send_after(&earlier).await?;
        Ok(compute.into_operation())
    }
}
