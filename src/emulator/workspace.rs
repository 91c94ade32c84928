//! The workspace, its discovery document, and the VM sizes of its region.

use serde_json::{Value, json};

use super::call::Call;
use super::error::ArmError;
use super::http::Answer;
use super::routes::Reply;
use super::versions::Dialect;

pub(crate) fn get(call: Call<'_>) -> Reply {
    let config = call.config;
    let group = format!(
        "/subscriptions/{}/resourceGroups/{}/providers",
        config.subscription, config.resource_group
    );
    let origin = &call.request.origin;
    Ok(Answer::json(
        200,
        &json!({
            "id": config.workspace_path(),
            "name": config.workspace,
            "type": "Microsoft.MachineLearningServices/workspaces",
            "location": config.location,
            "tags": {},
            "sku": { "name": "Basic", "tier": "Basic" },
            "identity": { "type": "SystemAssigned" },
            "properties": {
                "workspaceId": config.workspace_id,
                "friendlyName": config.workspace,
                "description": "",
                "provisioningState": "Succeeded",
                "discoveryUrl": format!("{origin}/discovery/workspaces/{}", config.workspace_id),
                "storageAccount":
                    format!("{group}/Microsoft.Storage/storageAccounts/emulatorstorage"),
                "keyVault": format!("{group}/Microsoft.KeyVault/vaults/emulatorvault"),
                "applicationInsights":
                    format!("{group}/microsoft.insights/components/emulatorinsights"),
            },
        }),
    ))
}

/// Every service is the emulator itself, on the listener that was asked. No token is sent for it, as
/// Microsoft's client sends none.
pub(crate) fn discovery(call: Call<'_>) -> Reply {
    let id = call.name("id");
    if !id.eq_ignore_ascii_case(&call.config.workspace_id) {
        return Err(ArmError::not_found(&format!("workspace {id}")));
    }
    let origin = &call.request.origin;
    // All six must be there: `azureml-core` looks each of them up.
    Ok(Answer::json(
        200,
        &json!({
            "api": origin,
            "experimentation": origin,
            "history": origin,
            "hyperdrive": origin,
            "modelmanagement": origin,
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
