//! The workspace, its discovery document, and the VM sizes of its region.

use serde_json::{Value, json};

use super::call::Call;
use super::http::Answer;
use super::names::region;
use super::routes::Reply;
use super::versions::Dialect;

/// The tenant of the workspace, and who the workspace is in it.
const TENANT: &str = "00000000-0000-0000-0000-0000000000ff";

pub(crate) fn get(call: Call<'_>) -> Reply {
    call.check_scope()?;
    Ok(Answer::json(200, &document(&call)))
}

/// The workspaces of the subscription: this one.
pub(crate) fn list(call: Call<'_>) -> Reply {
    call.check_scope()?;
    let all = json!({ "value": [document(&call)] });
    Ok(Answer::json(200, &all))
}

fn document(call: &Call<'_>) -> Value {
    let config = call.config;
    let group = format!(
        "/subscriptions/{}/resourceGroups/{}/providers",
        config.subscription, config.resource_group
    );
    let id = config.workspace_path();
    json!({
            "id": id,
            "name": config.workspace,
            "type": "Microsoft.MachineLearningServices/workspaces",
            "location": config.location,
            "tags": {},
            "etag": null,
            "properties": {
                "friendlyName": config.workspace,
                "description": "",
                "storageAccount":
                    format!("{group}/Microsoft.Storage/storageAccounts/emulatorstorage"),
                "keyVault": format!("{group}/Microsoft.Keyvault/vaults/emulatorvault"),
                "applicationInsights":
                    format!("{group}/Microsoft.insights/components/emulatorinsights"),
                "hbiWorkspace": false,
                "tenantId": TENANT,
                "imageBuildCompute": null,
                "provisioningState": "Succeeded",
                "v1LegacyMode": config.v1_legacy_mode,
                "storageHnsEnabled": false,
                "workspaceId": config.workspace_id,
                "privateLinkCount": 0,
                "publicNetworkAccess": "Enabled",
                "discoveryUrl": format!("{}/discovery", call.request.origin),
                "mlFlowTrackingUri": format!(
                    "azureml://{}.api.azureml.ms/mlflow/v1.0{id}", region(&config.location)
                ),
            },
            "identity": { "type": "SystemAssigned", "principalId": TENANT, "tenantId": TENANT },
            "kind": "Default",
            "sku": { "name": "Basic", "tier": "Basic" },
    })
}

/// Every service is the emulator itself, on the listener that was asked. No token is sent for it, as
/// Microsoft's client sends none.
pub(crate) fn discovery(call: Call<'_>) -> Reply {
    let origin = &call.request.origin;
    // `azureml-core` looks most of them up.
    Ok(Answer::json(
        200,
        &json!({
            "api": origin,
            "catalog": origin,
            "experimentation": origin,
            "gallery": origin,
            "history": origin,
            "hyperdrive": origin,
            "labeling": origin,
            "modelmanagement": origin,
            "pipelines": origin,
            "studio": origin,
        }),
    ))
}

/// `locations/{l}/vmSizes`: under `amlCompute` in the old descriptions, under `value` in today's.
pub(crate) fn vm_sizes(call: Call<'_>) -> Reply {
    let sizes = call.config.sizes.iter().map(|size| {
        json!({
            "name": size.name,
            "family": size.family,
            "vCPUs": size.cores,
            "gpus": size.gpus,
            "memoryGB": size.memory_gb,
            "osVhdSizeMB": 1_047_552,
            "maxResourceVolumeMB": 0,
            "lowPriorityCapable": true,
            "premiumIO": size.name.contains('s'),
            "supportedComputeTypes": ["AmlCompute", "ComputeInstance", "MIR"],
            "generation": "gen1",
            "supportsIB": false,
        })
    });
    let key = match call.dialect() {
        Dialect::Current => "value",
        _ => "amlCompute",
    };
    Ok(Answer::json(
        200,
        &json!({ key: sizes.collect::<Vec<Value>>() }),
    ))
}
