//! The members of documents whose values are secret.

/// The member whose own members are variables of an environment: some are secret, and none says so.
pub(crate) const ENVIRONMENT_VARIABLES: &str = "environmentVariables";

/// The member of an extension whose own members are all secret.
pub(crate) const PROTECTED_SETTINGS: &str = "configurationProtectedSettings";

/// Returns whether the member of this name, within the member `parent`, has a secret value.
pub(crate) fn is_secret(parent: &str, name: &str) -> bool {
    let protected = parent.eq_ignore_ascii_case(PROTECTED_SETTINGS);
    protected
        || SECRET_MEMBERS.iter().any(|member| {
            let within = |own: &str| own.eq_ignore_ascii_case(parent);
            member.name.eq_ignore_ascii_case(name) && member.parent.is_none_or(within)
        })
}

/// A member whose value is secret, wherever it stands and in whatever case it is written.
#[derive(Debug)]
pub(crate) struct SecretMember {
    /// The name of the member that holds it, where its own name says too little.
    pub(crate) parent: Option<&'static str>,
    pub(crate) name: &'static str,
}

const fn anywhere(name: &'static str) -> SecretMember {
    SecretMember { parent: None, name }
}

const fn within(parent: &'static str, name: &'static str) -> SecretMember {
    SecretMember {
        parent: Some(parent),
        name,
    }
}

/// The sources: "2019-11-01" is the OpenAPI description of `Microsoft.MachineLearningServices`,
/// "2026-05-01" its type index in bicep-types-az, where "sensitive" is a flag of the type, and "model
/// management" the OpenAPI description of 2019-09-30. Public keys are here because the index flags them.
pub(crate) const SECRET_MEMBERS: &[SecretMember] = &[
    // SslConfiguration of an AKS compute; 2019-11-01, and sensitive in 2026-05-01.
    within("sslConfiguration", "cert"),
    within("sslConfiguration", "key"),
    // VirtualMachineSshCredentials, the `administratorAccount` of VirtualMachine and HDInsight computes
    // and of the former's listKeys answer (2019-11-01); ContainerRegistry and RegistryInfo, the
    // `baseImageRegistry` of an environment (model management); workspace connections, sensitive in
    // 2026-05-01.
    anywhere("password"),
    // VirtualMachineSshCredentials; sensitive in 2026-05-01.
    anywhere("privateKeyData"),
    anywhere("publicKeyData"),
    // UserAccountCredentials of an AmlCompute; sensitive in 2026-05-01.
    anywhere("adminUserPassword"),
    anywhere("adminUserSshPublicKey"),
    // Databricks and DatabricksComputeSecrets; 2019-11-01.
    anywhere("databricksAccessToken"),
    // KubernetesProperties; sensitive in 2026-05-01.
    anywhere("relayConnectionString"),
    anywhere("serviceBusConnectionString"),
    // AksComputeSecrets, the listKeys answer of an AKS compute; 2019-11-01.
    anywhere("userKubeConfig"),
    anywhere("adminKubeConfig"),
    // ListWorkspaceKeysResult and ListStorageAccountKeysResult; sensitive in 2026-05-01.
    anywhere("userStorageKey"),
    anywhere("appInsightsInstrumentationKey"),
    // RegistryListCredentialsResult, each with a sensitive `value`; 2019-11-01 and 2026-05-01.
    anywhere("passwords"),
    // ListNotebookKeysResult; sensitive in 2026-05-01.
    anywhere("primaryAccessKey"),
    anywhere("secondaryAccessKey"),
    // AuthKeys of a web service (model management); EndpointAuthKeys, sensitive in 2026-05-01.
    anywhere("primaryKey"),
    anywhere("secondaryKey"),
    // RegenerateServiceKeysRequest; model management.
    anywhere("keyValue"),
    // AuthToken of a web service (model management); EndpointAuthToken and NotebookAccessTokenResult,
    // sensitive in 2026-05-01.
    anywhere("accessToken"),
    anywhere("refreshToken"),
    // ACIServiceResponse; model management.
    anywhere("sslCertificate"),
    anywhere("sslKey"),
    // ServicePrincipalCredentials (2019-11-01); workspace connections, sensitive in 2026-05-01.
    anywhere("clientSecret"),
    // Workspace connections; sensitive in 2026-05-01.
    anywhere("developerToken"),
    anywhere("securityToken"),
    // SASCredentialDto; sensitive in 2026-05-01.
    anywhere("sasUri"),
    // ManagedClusterWindowsProfile, ManagedClusterServicePrincipalProfile and ManagedClusterAADProfile;
    // sensitive in Microsoft.ContainerService 2026-05-01.
    anywhere("adminPassword"),
    within("servicePrincipalProfile", "secret"),
    anywhere("serverAppSecret"),
    // CredentialResults, the answer of listClusterUserCredential and listClusterAdminCredential;
    // Microsoft.ContainerService 2019-10-01.
    anywhere("kubeconfigs"),
    // ExtensionProperties: the service never returns them. The names that `az k8s-extension` sends there are secret among
    // the open settings too, in case that a caller gave them there.
    anywhere(PROTECTED_SETTINGS),
    anywhere("relayServerConnectionString"),
    anywhere("relayserver.relayConnectionString"),
    anywhere("servicebus.connectionString"),
    anywhere("azure_log_analytics.connection_string"),
    anywhere("scoringFe.sslCert"),
    anywhere("scoringFe.sslKey"),
];
