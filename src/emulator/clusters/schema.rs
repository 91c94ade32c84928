//! Which members the PUT of a cluster or of a node pool may carry, by the types of today's API version.
//!
//! What only the service fills in is ignored, so that what a GET gave can be sent back. Parts that change
//! nothing here are kept as they are.

use serde_json::{Map, Value};

use crate::emulator::call::Call;
use crate::emulator::error::ArmError;
use crate::emulator::members::{self, Kind, Member};

const CLUSTER: &[Member] = &[
    ("id", Kind::Ignored),
    ("name", Kind::Ignored),
    ("type", Kind::Ignored),
    ("eTag", Kind::Ignored),
    ("systemData", Kind::Ignored),
    ("location", Kind::Text),
    ("tags", Kind::Tags),
    ("kind", Kind::Text),
    ("sku", Kind::Object(SKU)),
    ("identity", Kind::Object(IDENTITY)),
    ("extendedLocation", Kind::Unserved),
    ("properties", Kind::Object(PROPERTIES)),
];

const SKU: &[Member] = &[("name", Kind::Text), ("tier", Kind::Text)];

const IDENTITY: &[Member] = &[
    (
        "type",
        Kind::OneOf(&["None", "SystemAssigned", "UserAssigned"]),
    ),
    ("principalId", Kind::Ignored),
    ("tenantId", Kind::Ignored),
    ("userAssignedIdentities", Kind::AnyObject),
    ("delegatedResources", Kind::Unserved),
];

const PROPERTIES: &[Member] = &[
    ("provisioningState", Kind::Ignored),
    ("powerState", Kind::Ignored),
    ("maxAgentPools", Kind::Ignored),
    ("currentKubernetesVersion", Kind::Ignored),
    ("fqdn", Kind::Ignored),
    ("privateFQDN", Kind::Ignored),
    ("azurePortalFQDN", Kind::Ignored),
    ("resourceUID", Kind::Ignored),
    ("status", Kind::Ignored),
    ("privateLinkResources", Kind::Ignored),
    ("identityProfile", Kind::Ignored),
    ("kubernetesVersion", Kind::Text),
    ("dnsPrefix", Kind::Text),
    ("fqdnSubdomain", Kind::Unserved),
    ("agentPoolProfiles", Kind::Any),
    ("linuxProfile", Kind::AnyObject),
    ("windowsProfile", Kind::Unserved),
    ("servicePrincipalProfile", Kind::Object(PRINCIPAL)),
    ("addonProfiles", Kind::AnyObject),
    ("podIdentityProfile", Kind::AnyObject),
    ("oidcIssuerProfile", Kind::AnyObject),
    ("nodeResourceGroup", Kind::Text),
    ("nodeResourceGroupProfile", Kind::AnyObject),
    ("enableRBAC", Kind::Flag),
    ("enablePodSecurityPolicy", Kind::Flag),
    ("supportPlan", Kind::Text),
    ("networkProfile", Kind::Object(NETWORK)),
    ("aadProfile", Kind::AnyObject),
    ("autoUpgradeProfile", Kind::AnyObject),
    ("upgradeSettings", Kind::AnyObject),
    ("autoScalerProfile", Kind::AnyObject),
    ("apiServerAccessProfile", Kind::Object(API_SERVER)),
    ("diskEncryptionSetID", Kind::Text),
    ("disableLocalAccounts", Kind::Flag),
    ("httpProxyConfig", Kind::AnyObject),
    ("securityProfile", Kind::AnyObject),
    ("storageProfile", Kind::AnyObject),
    ("ingressProfile", Kind::AnyObject),
    (
        "publicNetworkAccess",
        Kind::OneOf(&["Enabled", "Disabled", "SecuredByPerimeter"]),
    ),
    ("workloadAutoScalerProfile", Kind::AnyObject),
    ("azureMonitorProfile", Kind::AnyObject),
    ("serviceMeshProfile", Kind::AnyObject),
    ("metricsProfile", Kind::AnyObject),
    ("nodeProvisioningProfile", Kind::AnyObject),
    ("bootstrapProfile", Kind::AnyObject),
    ("aiToolchainOperatorProfile", Kind::AnyObject),
    ("schedulerProfile", Kind::AnyObject),
    ("hostedSystemProfile", Kind::AnyObject),
];

const PRINCIPAL: &[Member] = &[("clientId", Kind::Text), ("secret", Kind::Text)];

const NETWORK: &[Member] = &[
    ("networkPlugin", Kind::Text),
    ("networkPluginMode", Kind::Text),
    ("networkPolicy", Kind::Text),
    ("networkMode", Kind::Text),
    ("networkDataplane", Kind::Text),
    ("advancedNetworking", Kind::AnyObject),
    ("podCidr", Kind::Text),
    ("serviceCidr", Kind::Text),
    ("dnsServiceIP", Kind::Text),
    // Until 2023.
    ("dockerBridgeCidr", Kind::Text),
    ("outboundType", Kind::Text),
    ("loadBalancerSku", Kind::Text),
    ("loadBalancerProfile", Kind::AnyObject),
    ("natGatewayProfile", Kind::AnyObject),
    ("staticEgressGatewayProfile", Kind::AnyObject),
    ("podCidrs", Kind::Texts),
    ("serviceCidrs", Kind::Texts),
    ("ipFamilies", Kind::Texts),
];

const API_SERVER: &[Member] = &[
    ("authorizedIPRanges", Kind::Texts),
    ("enablePrivateCluster", Kind::Flag),
    ("privateDNSZone", Kind::Text),
    ("enablePrivateClusterPublicFQDN", Kind::Flag),
    ("disableRunCommand", Kind::Flag),
    ("enableVnetIntegration", Kind::Unserved),
    ("subnetId", Kind::Unserved),
];

const POOL_RESOURCE: &[Member] = &[
    ("id", Kind::Ignored),
    ("name", Kind::Ignored),
    ("type", Kind::Ignored),
    ("systemData", Kind::Ignored),
    ("properties", Kind::Object(POOL)),
];

const POOL: &[Member] = &[
    // Only in the list of a cluster.
    ("name", Kind::Text),
    ("eTag", Kind::Ignored),
    ("provisioningState", Kind::Ignored),
    ("currentOrchestratorVersion", Kind::Ignored),
    ("status", Kind::Ignored),
    ("virtualMachineNodesStatus", Kind::Ignored),
    ("nodeImageVersion", Kind::Ignored),
    ("powerState", Kind::AnyObject),
    ("count", Kind::Whole),
    ("vmSize", Kind::Text),
    ("osDiskSizeGB", Kind::Whole),
    ("osDiskType", Kind::Text),
    ("kubeletDiskType", Kind::Text),
    ("workloadRuntime", Kind::Text),
    ("messageOfTheDay", Kind::Text),
    ("vnetSubnetID", Kind::Text),
    ("podSubnetID", Kind::Text),
    ("podIPAllocationMode", Kind::Text),
    ("maxPods", Kind::Whole),
    ("osType", Kind::OneOf(&["Linux", "Windows"])),
    ("osSKU", Kind::Text),
    ("maxCount", Kind::Whole),
    ("minCount", Kind::Whole),
    ("enableAutoScaling", Kind::Flag),
    ("scaleDownMode", Kind::Text),
    ("type", Kind::Text),
    ("mode", Kind::OneOf(&["System", "User"])),
    ("orchestratorVersion", Kind::Text),
    ("upgradeSettings", Kind::AnyObject),
    ("availabilityZones", Kind::Texts),
    ("enableNodePublicIP", Kind::Flag),
    ("nodePublicIPPrefixID", Kind::Text),
    ("scaleSetPriority", Kind::Text),
    ("scaleSetEvictionPolicy", Kind::Text),
    ("spotMaxPrice", Kind::Number),
    ("tags", Kind::Tags),
    ("nodeLabels", Kind::Tags),
    ("nodeTaints", Kind::Texts),
    ("proximityPlacementGroupID", Kind::Text),
    ("kubeletConfig", Kind::AnyObject),
    ("linuxOSConfig", Kind::AnyObject),
    ("enableEncryptionAtHost", Kind::Flag),
    ("enableUltraSSD", Kind::Flag),
    ("enableFIPS", Kind::Flag),
    ("gpuInstanceProfile", Kind::Text),
    ("creationData", Kind::Unserved),
    ("capacityReservationGroupID", Kind::Text),
    ("hostGroupID", Kind::Text),
    ("networkProfile", Kind::AnyObject),
    ("windowsProfile", Kind::Unserved),
    ("securityProfile", Kind::AnyObject),
    ("gpuProfile", Kind::AnyObject),
    ("gatewayProfile", Kind::Unserved),
    ("artifactStreamingProfile", Kind::AnyObject),
    ("virtualMachinesProfile", Kind::Unserved),
    ("localDNSProfile", Kind::AnyObject),
];

/// The body of a cluster; its pools are read by [`pools`].
pub(super) fn cluster(call: &Call<'_>) -> Result<Map<String, Value>, ArmError> {
    members::check(&call.request.body, CLUSTER)
}

/// The pools in the properties of a cluster, if they are given.
pub(super) fn pools(
    properties: &Map<String, Value>,
) -> Result<Option<Vec<Map<String, Value>>>, ArmError> {
    let Some(pools) = properties.get("agentPoolProfiles") else {
        return Ok(None);
    };
    let Value::Array(pools) = members::checked(
        "properties.agentPoolProfiles",
        pools,
        Kind::Objects(POOL),
        members::EVERY_VERSION,
    )?
    else {
        return Ok(None);
    };
    let objects = pools.into_iter().filter_map(|pool| match pool {
        Value::Object(pool) => Some(pool),
        _ => None,
    });
    Ok(Some(objects.collect()))
}

/// The properties of a node pool by itself.
pub(super) fn pool(call: &Call<'_>) -> Result<Map<String, Value>, ArmError> {
    let mut body = members::check(&call.request.body, POOL_RESOURCE)?;
    Ok(match body.remove("properties") {
        Some(Value::Object(properties)) => properties,
        _ => Map::new(),
    })
}
