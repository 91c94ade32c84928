//! Trusted Access role bindings of a cluster: at most one, for the workspace.

use serde_json::json;

use super::find;
use crate::emulator::call::Call;
use crate::emulator::routes::Reply;

/// The role of Azure Machine Learning.
const ROLE: &str = "Microsoft.MachineLearningServices/workspaces/mlworkload";

pub(crate) fn list(call: Call<'_>) -> Reply {
    let cluster = find(&call)?;
    let bindings: &[&str] = if cluster.trusted { &["azureml"] } else { &[] };
    call.listed(bindings, "$skiptoken", None, |name| {
        json!({
            "id": format!("{}/trustedAccessRoleBindings/{name}", cluster.id),
            "name": name,
            "type": "Microsoft.ContainerService/managedClusters/trustedAccessRoleBindings",
            "properties": {
                "provisioningState": "Succeeded",
                "sourceResourceId": call.config.workspace_path(),
                "roles": [ROLE],
            },
        })
    })
}
