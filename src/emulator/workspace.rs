//! The workspace, its discovery document, and the VM sizes of its region.

use serde_json::{Value, json};

use crate::emulator::error::ArmError;
use crate::emulator::http::{Answer, Incoming};
use crate::emulator::routes::{Context, Reply, get_only, listing};
use crate::emulator::state::Config;
use crate::emulator::versions::Dialect;

pub(crate) fn get(context: &Context<'_>) -> Reply {
    get_only(context.request)?;
    context.only_parameters(&["api-version"])?;
    let config = context.config;
    let id = config.workspace_path();
    let group = format!(
        "/subscriptions/{}/resourceGroups/{}/providers",
        config.subscription, config.resource_group
    );
    let origin = &context.request.origin;
    Ok(Answer::json(
        200,
        &json!({
            "id": id,
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

/// Every service is the emulator itself, on the listener that was asked.
pub(crate) fn discovery(config: &Config, request: &Incoming, id: &str) -> Reply {
    get_only(request)?;
    if !id.eq_ignore_ascii_case(&config.workspace_id) {
        return Err(ArmError::not_found(&format!("workspace {id}")));
    }
    let origin = &request.origin;
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
pub(crate) fn vm_sizes(context: &Context<'_>) -> Reply {
    get_only(context.request)?;
    context.only_parameters(&["api-version"])?;
    let sizes: Vec<Value> = context
        .config
        .sizes
        .iter()
        .map(|size| {
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
        })
        .collect();
    let key = if context.dialect == Dialect::Current {
        "value"
    } else {
        "amlCompute"
    };
    Ok(listing(key, Value::Array(sizes)))
}
