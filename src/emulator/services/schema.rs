//! Which members a request for a service may carry, and of which type each is.
//!
//! Spelt out from the published description (2019-09-30) and from what `azureml-core` 1.61 sends
//! beyond it. A member that is not here is refused: a misspelt one must be seen.

use crate::emulator::members::{Kind, Member};

pub(crate) const CREATE: &[Member] = &[
    ("name", Kind::Text),
    ("description", Kind::Text),
    ("kvTags", Kind::Tags),
    ("properties", Kind::Tags),
    ("keys", Kind::Object(KEYS)),
    ("computeType", Kind::Text),
    ("computeName", Kind::Text),
    ("location", Kind::Text),
    ("environmentImageRequest", Kind::Object(IMAGE)),
    ("numReplicas", Kind::Whole),
    ("autoScaler", Kind::Object(AUTO_SCALER)),
    ("containerResourceRequirements", Kind::Object(RESOURCES)),
    ("livenessProbeRequirements", Kind::Object(PROBE)),
    ("dataCollection", Kind::Object(DATA_COLLECTION)),
    ("appInsightsEnabled", Kind::Flag),
    ("authEnabled", Kind::Flag),
    ("aadAuthEnabled", Kind::Flag),
    ("maxConcurrentRequestsPerContainer", Kind::Whole),
    ("maxQueueWaitMs", Kind::Whole),
    ("scoringTimeoutMs", Kind::Whole),
    ("namespace", Kind::Text),
    // Not in the description; `azureml-core` sends them.
    ("storageInitEnabled", Kind::Flag),
    ("overwrite", Kind::Flag),
    // Images, and the variants of computes of type AKSENDPOINT.
    ("imageId", Kind::Unserved),
    ("isDefault", Kind::Unserved),
    ("trafficPercentile", Kind::Unserved),
    ("type", Kind::Unserved),
    ("deploymentType", Kind::Unserved),
];

const KEYS: &[Member] = &[("primaryKey", Kind::Text), ("secondaryKey", Kind::Text)];

const IMAGE: &[Member] = &[
    ("driverProgram", Kind::Text),
    ("assets", Kind::Objects(ASSET)),
    ("modelIds", Kind::Texts),
    ("environment", Kind::Object(ENVIRONMENT)),
];

const ASSET: &[Member] = &[
    ("id", Kind::Text),
    ("mimeType", Kind::Text),
    ("url", Kind::Text),
    ("unpack", Kind::Flag),
];

const ENVIRONMENT: &[Member] = &[
    ("name", Kind::Text),
    ("version", Kind::Text),
    ("python", Kind::AnyObject),
    ("environmentVariables", Kind::Tags),
    ("docker", Kind::Object(DOCKER)),
    ("spark", Kind::AnyObject),
    ("inferencingStackVersion", Kind::Text),
    // What `azureml-core` sends beyond the description.
    ("r", Kind::AnyObject),
    ("databricks", Kind::AnyObject),
    ("assetId", Kind::Text),
];

const DOCKER: &[Member] = &[
    ("baseImage", Kind::Text),
    ("baseDockerfile", Kind::Text),
    ("enabled", Kind::Flag),
    ("sharedVolumes", Kind::Flag),
    ("gpuSupport", Kind::Flag),
    ("shmSize", Kind::Text),
    ("arguments", Kind::Texts),
    ("baseImageRegistry", Kind::Object(REGISTRY)),
    ("platform", Kind::AnyObject),
    ("buildContext", Kind::AnyObject),
];

const REGISTRY: &[Member] = &[
    ("address", Kind::Text),
    ("username", Kind::Text),
    ("password", Kind::Text),
    ("registryIdentity", Kind::AnyObject),
];

const AUTO_SCALER: &[Member] = &[
    ("autoscaleEnabled", Kind::Flag),
    ("minReplicas", Kind::Whole),
    ("maxReplicas", Kind::Whole),
    ("targetUtilization", Kind::Whole),
    ("refreshPeriodInSeconds", Kind::Whole),
];

const RESOURCES: &[Member] = &[
    ("cpu", Kind::Number),
    ("memoryInGB", Kind::Number),
    ("gpu", Kind::Whole),
    ("fpga", Kind::Whole),
    // Not in the description; `azureml-core` sends them.
    ("cpuLimit", Kind::Number),
    ("memoryInGBLimit", Kind::Number),
];

const PROBE: &[Member] = &[
    ("periodSeconds", Kind::Whole),
    ("initialDelaySeconds", Kind::Whole),
    ("timeoutSeconds", Kind::Whole),
    ("successThreshold", Kind::Whole),
    ("failureThreshold", Kind::Whole),
];

const DATA_COLLECTION: &[Member] = &[
    ("storageEnabled", Kind::Flag),
    ("eventHubEnabled", Kind::Flag),
];

/// The body of `regenerateKeys`.
pub(crate) const REGENERATE: &[Member] = &[("keyType", Kind::Text), ("keyValue", Kind::Text)];

/// The body of `validate`: the two requests are looked at on their own.
pub(crate) const VALIDATE: &[Member] = &[
    ("type", Kind::Text),
    ("serviceName", Kind::Text),
    ("createRequest", Kind::AnyObject),
    ("updateRequest", Kind::Any),
];
