//! The traits that every public type has, and those that none may have.

use azureml_aks::error::*;
use azureml_aks::models::*;
use azureml_aks::*;
use std::fmt::Debug;

fn crosses_threads<T: Send + Sync + Debug>() {}

/// Tells whether a type can be serialised: the inherent function, which comes first, is there only where
/// `T: Serialize`.
mod serialised {
    use std::marker::PhantomData;

    pub(crate) struct Is<T>(pub(crate) PhantomData<T>);

    pub(crate) trait Not {
        fn serialises(&self) -> bool {
            false
        }
    }

    impl<T> Not for Is<T> {}

    impl<T: serde::Serialize> Is<T> {
        pub(crate) fn serialises(&self) -> bool {
            true
        }
    }
}

macro_rules! serialises {
    ($type:ty) => {{
        #[allow(unused_imports)]
        use serialised::Not;
        serialised::Is::<$type>(std::marker::PhantomData).serialises()
    }};
}

/// Compiles only if all of these can be shared and shown, and gives their names and whether they can be
/// serialised.
macro_rules! public {
    ($($type:ty),* $(,)?) => {{
        $(crosses_threads::<$type>();)*
        [$((stringify!($type), serialises!($type))),*]
    }};
}

/// Every public type but those of services.
fn public_types() -> Vec<(&'static str, bool)> {
    let types = public![
        Aks,
        AksCompute,
        AksCredentials,
        AksNetworking,
        AksProperties,
        AnyCompute,
        AnyKind,
        ApiServerAccess,
        AssignedIdentity,
        AttachCompute<Aks>,
        AttachConfiguration,
        AttachConfigurationBuilder,
        BoxError,
        Cloud,
        ClusterProperties,
        ClusterPurpose,
        ClusterRef,
        ClusterResource,
        ClusterSku,
        ComputeName,
        ComputeProperties,
        ComputeResource,
        ComputeState,
        ComputeTarget<Aks>,
        ContainerLogs,
        Continuation,
        CreateAndAttach,
        CreateCluster,
        CreateCompute<Aks>,
        DeleteCluster,
        DeleteExtension,
        EntraProfile,
        Error,
        ErrorKind,
        Event<AksCompute>,
        Extension,
        ExtensionConfiguration,
        ExtensionConfigurationBuilder,
        ExtensionIdentity,
        ExtensionProperties,
        ExtensionRelay,
        ExtensionResource,
        ExtensionStatus,
        ExtensionTls,
        ExtensionUpdateConfiguration,
        ExtensionUpdateConfigurationBuilder,
        Finding,
        InstallExtension,
        Kubeconfig,
        InstanceType,
        Kubernetes,
        KubernetesAttachConfiguration,
        KubernetesAttachConfigurationBuilder,
        KubernetesClusterRef,
        KubernetesCompute,
        KubernetesIdentity,
        KubernetesPatch,
        KubernetesProperties,
        KubernetesRelease,
        KubernetesUpdateConfiguration,
        KubernetesUpdateConfigurationBuilder,
        KubernetesVersion,
        KubernetesVersions,
        LeafDomain,
        List<AksCompute>,
        LoadBalancer,
        ManagedCluster,
        ManagedClusterConfiguration,
        ManagedClusterConfigurationBuilder,
        Network,
        NetworkProfile,
        NodePool,
        NodePoolResource,
        NodesOfSize,
        Operation<()>,
        Operation<AksCompute>,
        Orchestrator,
        OrchestratorUpgrade,
        Orchestrators,
        OutboundType,
        OwnCertificate,
        Page<AksCompute>,
        Preflight,
        PreflightFinding,
        PreflightReport,
        PreflightRequest,
        Pages<AksCompute>,
        Pem,
        PowerState,
        Prepared<'static, AksCompute>,
        Prepared<'static, Operation<()>>,
        Progress,
        ProvisioningConfiguration,
        ProvisioningConfigurationBuilder,
        Quota,
        QuotaUsage,
        RemoveCompute<'static, Aks>,
        Result<AksCompute>,
        ResumeToken,
        Resumed,
        RouterServiceType,
        ScaleNodePool,
        ServiceError,
        ServicePrincipal,
        Severity,
        SizeRestriction,
        SslSettings,
        StatusClass,
        Subnet,
        SystemService,
        Tls,
        TlsUpdate,
        TokenResource,
        UpdateCompute<'static, Aks>,
        UpdateExtension,
        UpdateConfiguration,
        UpdateConfigurationBuilder,
        UsageName,
        Verb,
        VirtualMachinesProfile,
        VirtualMachinesScale,
        VirtualNetwork,
        VmSize,
        VmSizes,
        WaitOptions,
        Workspace,
        WorkspaceBuilder,
        WorkspaceId,
        emulator::Clock,
        emulator::ConnectedCluster,
        emulator::Emulator,
        emulator::EmulatorBuilder,
        emulator::ExistingCluster,
        emulator::Fault,
        emulator::JournalEntry,
        emulator::ScoringRequest,
        emulator::ScoringResponse,
        emulator::ServeOptions,
        emulator::Server,
    ];
    types.into()
}

/// Every public type of services.
#[cfg(feature = "services")]
fn public_types_of_services() -> Vec<(&'static str, bool)> {
    let types = public![
        AksWebservice,
        Auth,
        AutoScale,
        AutoScalerSettings,
        CondaDependencies,
        CondaDependenciesBuilder,
        ContainerRegistry,
        ContainerResources,
        DeleteModel<'static>,
        DeleteService<'static>,
        DeployConfiguration,
        DeployConfigurationBuilder,
        DeployService,
        DetachReport,
        Dockerfile,
        DownloadModel,
        Environment,
        EnvironmentBuilder,
        EnvironmentRef,
        EnvironmentSource,
        InferenceConfiguration,
        InferenceConfigurationBuilder,
        KeyName,
        LivenessProbe,
        LogOptions,
        Model,
        ModelQuery,
        ModelResource,
        Prepared<'static, AksWebservice>,
        ProbeSettings,
        RegenerateKey<'static>,
        RegisterModel,
        ReplicaStatus,
        Replicas,
        ResourceNeeds,
        RunOutput,
        ScoringAnswer,
        ScoringClient,
        ScoringClientBuilder,
        ScoringRequest,
        ScoringRetry,
        ServiceKeys,
        ServiceLoad,
        ServiceName,
        ServiceQuery,
        ServiceResource,
        ServiceState,
        ServiceToken,
        ServiceUpdate,
        ServiceUpdateBuilder,
        SparkSettings,
        TransferProgress,
        UpdateModel<'static>,
        UpdateService<'static>,
    ];
    types.into()
}

fn all_public_types() -> Vec<(&'static str, bool)> {
    #[allow(unused_mut, reason = "without services there are no more")]
    let mut types = public_types();
    #[cfg(feature = "services")]
    types.extend(public_types_of_services());
    types
}

/// The name of a type without its parameters.
fn base(name: &str) -> &str {
    name.split('<').next().unwrap_or_default().trim()
}

/// The lines of `docs/api.md`, which `.ci/run` compares with what the compiler says is public.
fn listed() -> impl Iterator<Item = &'static str> {
    let lines = include_str!("../../docs/api.md").lines();
    lines.filter(|line| line.starts_with("pub ") || line.starts_with("#["))
}

/// The lines of public types and aliases, each with its keyword and its path without the library's name.
fn exported() -> Vec<(&'static str, &'static str, &'static str)> {
    let types = listed().filter_map(|line| {
        let item = line.strip_prefix("#[non_exhaustive] ").unwrap_or(line);
        let (kind, path) = item.strip_prefix("pub ")?.split_once(" azureml_aks::")?;
        let path = path.split([' ', '<', '(']).next()?;
        let in_a_type = path
            .rsplit_once("::")
            .is_some_and(|(parent, _)| parent.contains(char::is_uppercase));
        let is_type = ["struct", "enum", "union", "type"].contains(&kind) && !in_a_type;
        is_type.then_some((line, kind, path))
    });
    types.collect()
}

/// The lists above are whole: a type that is public and in neither fails the test by its name.
#[cfg(feature = "services")]
#[test]
fn public_types_are_all_checked_to_be_shared_and_shown() {
    let checked: Vec<&str> = all_public_types()
        .into_iter()
        .map(|(name, _)| base(name))
        .collect();
    // Those of other modules are in the lists by their name alone.
    let names: Vec<&str> = exported()
        .into_iter()
        .map(|(_, _, path)| match path.rsplit_once("::") {
            Some(("emulator", _)) | None => path,
            Some((_, name)) => name,
        })
        .collect();
    for name in [
        "Workspace",
        "Progress",
        "Finding",
        "Error",
        "emulator::Emulator",
    ] {
        assert!(names.contains(&name), "{name} is not found: {names:?}");
    }
    assert!(names.len() > 120, "{names:?}");
    for name in names {
        assert!(checked.contains(&name), "{name} is in no list");
    }
}

/// The types that can be serialised: what a program reports, stores or sends on.
const SERIALISED: &[&str] = &[
    "AksNetworking",
    "AksProperties",
    "ApiServerAccess",
    "AssignedIdentity",
    "AutoScalerSettings",
    "ClusterProperties",
    "ClusterPurpose",
    "ClusterResource",
    "ClusterSku",
    "ComputeName",
    "ComputeProperties",
    "ComputeResource",
    "ContainerResources",
    "EntraProfile",
    "ErrorKind",
    "ExtensionIdentity",
    "ExtensionProperties",
    "ExtensionResource",
    "ExtensionStatus",
    "Finding",
    "InstanceType",
    "KeyName",
    "KubernetesProperties",
    "KubernetesVersion",
    "KubernetesVersions",
    "ModelResource",
    "NetworkProfile",
    "NodePool",
    "NodePoolResource",
    "NodesOfSize",
    "Orchestrator",
    "OrchestratorUpgrade",
    "Orchestrators",
    "PowerState",
    "PreflightFinding",
    "PreflightReport",
    "ProbeSettings",
    "Progress",
    "Quota",
    "QuotaUsage",
    "ReplicaStatus",
    "ResourceNeeds",
    "ServiceError",
    "ServiceName",
    "ServicePrincipal",
    "ServiceResource",
    "Severity",
    "SizeRestriction",
    "SslSettings",
    "StatusClass",
    "SystemService",
    "TokenResource",
    "UsageName",
    "Verb",
    "VirtualMachinesProfile",
    "VirtualMachinesScale",
    "VmSize",
    "WorkspaceId",
];

/// A list of all, so that nothing becomes serialisable by the way: `azure_core`'s `Secret` serialises in
/// clear.
#[test]
fn serialisable_types_are_these_and_no_others() {
    assert!(
        serialises!(String) && !serialises!(serialised::Is<String>),
        "the check can tell"
    );
    for (name, serialises) in all_public_types() {
        let expected = SERIALISED.contains(&base(name));
        assert_eq!(
            serialises, expected,
            "{name} can be serialised: {serialises}"
        );
    }
}

/// The types that can hold a secret. Those that are not in [`all_public_types`] belong to services.
const SECRET: &[&str] = &[
    "AksCompute",
    "AksCredentials",
    "AksWebservice",
    "AttachCompute",
    "AttachConfiguration",
    "AttachConfigurationBuilder",
    "CondaDependencies",
    "ContainerRegistry",
    "CreateCompute",
    "DeployConfiguration",
    "DeployConfigurationBuilder",
    "DeployService",
    "Dockerfile",
    "DownloadModel",
    "Environment",
    "EnvironmentBuilder",
    "EnvironmentSource",
    "Error",
    "ExtensionConfiguration",
    "ExtensionConfigurationBuilder",
    "ExtensionRelay",
    "ExtensionTls",
    "ExtensionUpdateConfiguration",
    "ExtensionUpdateConfigurationBuilder",
    "InferenceConfiguration",
    "InferenceConfigurationBuilder",
    "InstallExtension",
    "Model",
    "Operation",
    "OwnCertificate",
    "Pem",
    "Prepared",
    "ProvisioningConfiguration",
    "ProvisioningConfigurationBuilder",
    "RegenerateKey",
    "RegisterModel",
    "ResumeToken",
    "Resumed",
    "ScoringAnswer",
    "ScoringClient",
    "ScoringClientBuilder",
    "ScoringRequest",
    "ServiceKeys",
    "ServiceToken",
    "ServiceUpdate",
    "ServiceUpdateBuilder",
    "Tls",
    "TlsUpdate",
    "UpdateCompute",
    "UpdateConfiguration",
    "UpdateConfigurationBuilder",
    "UpdateExtension",
    "UpdateModel",
    "UpdateService",
    "Workspace",
    "WorkspaceBuilder",
];

#[test]
fn types_that_can_hold_a_secret_cannot_be_serialised() {
    let types = all_public_types();
    let mut checked = 0;
    for (name, serialises) in types
        .iter()
        .filter(|(name, _)| SECRET.contains(&base(name)))
    {
        assert!(!serialises, "{name}");
        checked += 1;
    }
    assert!(checked >= 20, "{checked}");
    #[cfg(feature = "services")]
    for name in SECRET {
        assert!(
            types.iter().any(|(listed, _)| base(listed) == *name),
            "{name} does not exist"
        );
    }
}

/// A user reads a list without `pin!`, and may keep it in a struct or a task.
#[test]
fn lists_need_no_pin() {
    fn moves_freely<T: Unpin + Send + 'static>() {}

    moves_freely::<List<AnyCompute>>();
    moves_freely::<Pages<AnyCompute>>();
    // Whatever the items are.
    moves_freely::<List<std::marker::PhantomPinned>>();
    moves_freely::<Pages<std::marker::PhantomPinned>>();
}

/// A member that is added later breaks nobody: whoever builds such a type goes through its
/// constructors, and whoever matches on it has a last arm.
#[test]
fn types_that_may_gain_members_are_non_exhaustive() {
    /// Uninhabited: they name kinds of compute and have no members to match on.
    const MARKERS: [&str; 3] = ["Aks", "AnyKind", "Kubernetes"];
    let mut judged = Vec::new();
    for (line, kind, path) in exported() {
        if kind == "type" {
            continue;
        }
        let member = format!("pub azureml_aks::{path}::");
        let may_grow = kind == "enum" || listed().any(|line| line.starts_with(&member));
        let marked = line.starts_with("#[non_exhaustive] ");
        let known = MARKERS.contains(&path);
        assert!(!may_grow || marked || known, "{line} can never grow");
        judged.push(path);
    }
    assert!(judged.len() > 80, "{judged:?}");
    for path in [
        "VirtualNetwork",
        "KeyName",
        "error::Finding",
        "Aks",
        "emulator::JournalEntry",
        "WorkspaceId",
    ] {
        assert!(judged.contains(&path), "{path} is not found in docs/api.md");
    }
}

/// Types that a program compares with an earlier value, keeps as a key or in a file, or counts by.
#[test]
fn values_have_the_traits_that_programs_need_of_them() {
    use std::fmt::Display;
    use std::hash::Hash;
    use std::str::FromStr;

    fn clones<T: Clone>() {}
    fn compares<T: Clone + PartialEq>() {}
    fn keys<T: Clone + Eq + Hash>() {}
    fn labels<T: Display + serde::Serialize + Clone + Eq + Hash>() {}
    fn parses<T: FromStr>() {}
    fn names<T>()
    where
        T: Clone + Ord + Hash + FromStr<Err = Error> + Display,
        T: serde::Serialize + serde::de::DeserializeOwned,
    {
    }
    compares::<ProvisioningConfiguration>();
    compares::<ProvisioningConfigurationBuilder>();
    compares::<AttachConfiguration>();
    compares::<AttachConfigurationBuilder>();
    compares::<KubernetesAttachConfiguration>();
    compares::<KubernetesAttachConfigurationBuilder>();
    compares::<KubernetesUpdateConfiguration>();
    compares::<KubernetesUpdateConfigurationBuilder>();
    keys::<KubernetesClusterRef>();
    keys::<KubernetesIdentity>();
    compares::<InstanceType>();
    compares::<KubernetesProperties>();
    compares::<UpdateConfiguration>();
    compares::<UpdateConfigurationBuilder>();
    compares::<Tls>();
    compares::<TlsUpdate>();
    compares::<VirtualNetwork>();
    compares::<Subnet>();
    compares::<ComputeResource>();
    compares::<AksProperties>();
    compares::<Progress>();
    compares::<ResumeToken>();
    names::<ComputeName>();
    names::<WorkspaceId>();
    keys::<Workspace>();
    labels::<ErrorKind>();
    labels::<Severity>();
    labels::<StatusClass>();
    labels::<Verb>();
    labels::<TokenResource>();
    parses::<ResumeToken>();
    parses::<ClusterPurpose>();
    parses::<Continuation>();
    clones::<AksCompute>();
    clones::<Error>();
    clones::<Operation<std::sync::Mutex<()>>>();
    clones::<Resumed>();
    clones::<WaitOptions>();
    clones::<WorkspaceBuilder>();
    #[cfg(feature = "services")]
    {
        compares::<DeployConfiguration>();
        compares::<DeployConfigurationBuilder>();
        compares::<InferenceConfiguration>();
        compares::<ModelResource>();
        compares::<ServiceResource>();
        compares::<ServiceUpdate>();
        names::<ServiceName>();
        keys::<KeyName>();
        labels::<KeyName>();
        parses::<ServiceState>();
        clones::<AksWebservice>();
        clones::<Model>();
        clones::<ScoringClient>();
    }

    // A change of a secret alone is a change, and neither secret shows.
    let with = |key: &str| {
        let tls = Tls::certificate("a.example.com", Pem::text("certificate"), Pem::text(key));
        UpdateConfiguration::builder().tls(tls)
    };
    assert!(with("CANARY-1") == with("CANARY-1") && with("CANARY-1") != with("CANARY-2"));
    assert!(!format!("{:?}", with("CANARY-1")).contains("CANARY"));
}

#[cfg(feature = "services")]
#[test]
fn key_name_is_the_word_of_the_service_in_json() {
    for key in [KeyName::Primary, KeyName::Secondary] {
        let json = serde_json::to_value(key).unwrap();
        assert_eq!(json, key.as_str());
        assert_eq!(json, key.to_string());
    }
}

#[test]
fn credentials_show_what_is_there_and_never_its_content() {
    let json = serde_json::json!({ "userKubeConfig": "CANARY", "imagePullSecretName": "name" });
    let credentials: AksCredentials = serde_json::from_value(json).unwrap();
    assert_eq!(
        format!("{credentials:?}"),
        r#"AksCredentials { user_kube_config: [hidden], admin_kube_config: None, image_pull_secret_name: Some("name") }"#
    );
    #[cfg(feature = "services")]
    {
        let json = serde_json::json!({ "primaryKey": "CANARY" });
        let keys: ServiceKeys = serde_json::from_value(json).unwrap();
        let shown = "ServiceKeys { primary_key: [hidden], secondary_key: None }";
        assert_eq!(format!("{keys:?}"), shown);
    }
}

/// Handles of one workspace are one key, whatever they were built with.
#[test]
#[expect(
    clippy::mutable_key_type,
    reason = "the region is filled in later, and neither equality nor hash reads it"
)]
fn workspaces_are_equal_by_id_and_endpoint() {
    use std::collections::HashSet;

    let emulator = emulator::Emulator::new();
    let builder = || {
        Workspace::builder("s", "g", "w")
            .credential(emulator.credential())
            .transport(emulator.transport())
    };
    let first = builder().build().unwrap();
    let again = builder().api_version("2025-01-01").build().unwrap();
    let cloned = builder().clone().location("eastus").build().unwrap();
    let china = builder().cloud(Cloud::china()).build().unwrap();
    let other = Workspace::builder("s", "g", "x")
        .credential(emulator.credential())
        .transport(emulator.transport())
        .build()
        .unwrap();
    assert_eq!(first, again);
    assert_ne!(first, china);
    assert_ne!(first, other);
    let different: HashSet<_> = [first, again, cloned, china, other].into();
    assert_eq!(different.len(), 3);
}

/// Whoever spawns a request needs its future to be `Send`, also that of a request that is prepared.
#[allow(dead_code, reason = "compiled, not run")]
fn futures_of_requests_are_send(
    workspace: &Workspace,
    aks: &mut AksCompute,
    any: &mut AnyCompute,
    create: ProvisioningConfiguration,
    attach: AttachConfiguration,
    update: UpdateConfiguration,
    store: std::sync::Arc<dyn TokenStore>,
) -> Result<()> {
    is_send(&ComputeTarget::create(workspace, "a", create.clone()).into_future());
    is_send(
        &ComputeTarget::create(workspace, "a", create.clone())
            .or_get()
            .into_future(),
    );
    is_send(&ComputeTarget::attach(workspace, "a", attach.clone()).into_future());
    is_send(
        &ComputeTarget::attach(workspace, "a", attach)
            .or_get()
            .into_future(),
    );
    is_send(&aks.update(update.clone()).into_future());
    is_send(&aks.detach().into_future());
    is_send(&aks.delete().into_future());
    is_send(&any.detach().into_future());
    is_send(&any.delete().into_future());
    is_send(
        &ComputeTarget::create(workspace, "a", create.clone())
            .prepare()?
            .send(),
    );
    let prepared = ComputeTarget::create(workspace, "a", create).prepare()?;
    is_send(&prepared.send_recording(store.clone()));
    is_send(&aks.update(update).prepare()?.send());
    is_send(&aks.delete().prepare()?.send_recording(store));
    is_send(&AksCompute::get(workspace, "a"));
    is_send(&AnyCompute::get_opt(workspace, String::new()));
    is_send(&aks.refresh_state());
    is_send(&aks.credentials());
    is_send(&aks.wait_for_completion(WaitOptions::new()));
    is_send(&aks.events(WaitOptions::new()));
    Ok(())
}

fn is_send<T: Send>(_: &T) {}

/// The same of models and services.
#[cfg(feature = "services")]
#[allow(dead_code, reason = "compiled, not run")]
fn futures_of_requests_of_services_are_send(
    workspace: &Workspace,
    aks: &AksCompute,
    model: &mut Model,
    service: &mut AksWebservice,
    inference: InferenceConfiguration,
    deploy: DeployConfiguration,
    update: ServiceUpdate,
) {
    is_send(&Model::register(workspace, "m", "path").into_future());
    let output = RunOutput::new("e", "r", "p");
    is_send(&Model::register_from_run(workspace, "m", output).into_future());
    is_send(&model.download("folder").into_future());
    is_send(&model.update().into_future());
    is_send(&model.delete().into_future());
    let request = || {
        let (inference, deploy) = (inference.clone(), deploy.clone());
        Model::deploy(workspace, "s", [&*model], inference, deploy, aks)
    };
    is_send(&request().into_future());
    is_send(&request().prepare());
    is_send(&async { request().prepare().await?.send().await });
    is_send(
        &model
            .deploy_without_code("s", deploy.clone(), aks)
            .into_future(),
    );
    is_send(&service.update(update.clone()).into_future());
    is_send(&service.update(update).prepare());
    is_send(&service.update_inference(inference.clone()).into_future());
    is_send(&service.update_models([&*model]).into_future());
    is_send(&service.regenerate_key(KeyName::Primary).into_future());
    is_send(&service.regenerate_key(KeyName::Primary).prepare());
    is_send(&service.delete().into_future());
    is_send(&service.delete().prepare());
    is_send(&service.refresh_state());
    is_send(&service.wait_for_deployment(WaitOptions::new()));
    is_send(&service.events(WaitOptions::new()));
}

/// Futures that are awaited for minutes are spawned: that is only known to work where it compiles.
#[allow(dead_code, reason = "compiled, not run")]
fn every_long_wait_can_be_spawned(workspace: Workspace, tokens: Vec<ResumeToken>) {
    use futures::StreamExt;

    drop(tokio::spawn(async move {
        let mut resumed: Vec<Resumed> = workspace
            .resume_all(&tokens)
            .await
            .into_iter()
            .filter_map(Result::ok)
            .collect();
        let results = wait_all(&mut resumed, WaitOptions::new()).await;
        for target in &mut resumed {
            if let Resumed::Compute(compute) = target {
                let _ = compute.wait_for_completion(WaitOptions::new()).await;
                let events: Vec<_> = compute.events(WaitOptions::new()).collect().await;
                drop(events);
                let _ = compute.delete().await;
            }
        }
        results.len()
    }));
}

/// The same of models and services.
#[cfg(feature = "services")]
#[allow(dead_code, reason = "compiled, not run")]
fn every_long_wait_on_services_can_be_spawned(
    workspace: Workspace,
    aks: AksCompute,
    inference: InferenceConfiguration,
    deploy: DeployConfiguration,
    update: ServiceUpdate,
    token: ResumeToken,
) {
    use futures::StreamExt;

    drop(tokio::spawn(async move {
        let output = RunOutput::new("e", "r", "p");
        let model = Model::register(&workspace, "m", "path").await?;
        let other = Model::register_from_run(&workspace, "m", output).await?;
        let models: Vec<_> = Model::list(&workspace, ModelQuery::new()).collect().await;
        drop(models);
        model.download("folder").overwrite(true).await?;
        let prepared = Model::deploy(&workspace, "s", [&model], inference.clone(), deploy, &aks)
            .prepare()
            .await?;
        let mut service = prepared.send().await?;
        service.wait_for_deployment(WaitOptions::new()).await?;
        let events: Vec<_> = service.events(WaitOptions::new()).collect().await;
        drop(events);
        service.update(update).models([&other]).await?;
        service.update_inference(inference).await?;
        let resumed = workspace.resume(&token).await?;
        drop(resumed);
        let services = AksWebservice::list(&workspace, ServiceQuery::new());
        let services: Vec<_> = services.collect().await;
        drop(services);
        service
            .regenerate_key(KeyName::Primary)
            .value("key")
            .await?;
        service.logs(LogOptions::new()).await?;
        let client = service.scoring_client().await?;
        let answer: String = client.run(&"x").await?;
        service.delete().await?.await?;
        Ok::<_, Error>(answer)
    }));
}

/// The emulator's workspace.
fn workspace_of(emulator: &emulator::Emulator) -> azureml_aks::Workspace {
    azureml_aks::Workspace::builder(
        emulator.subscription(),
        emulator.resource_group(),
        emulator.workspace(),
    )
    .credential(emulator.credential())
    .transport(emulator.transport())
    .build()
    .unwrap()
}

/// Programs that were written by the names of issue 9 go on compiling: the paths are written out,
/// because `use` would find a name wherever it has moved.
#[tokio::test(start_paused = true)]
async fn names_that_were_promised_are_at_the_root_and_work() {
    let emulator = emulator::Emulator::new();
    let workspace: azureml_aks::Workspace = workspace_of(&emulator);
    let network = azureml_aks::VirtualNetwork::new("mygroup", "mynetwork", "default")
        .service_cidr("10.0.0.0/16")
        .dns_service_ip("10.0.0.10")
        .docker_bridge_cidr("172.17.0.1/16");
    let builder: azureml_aks::ProvisioningConfigurationBuilder =
        azureml_aks::AksCompute::provisioning_configuration()
            .cluster_purpose(azureml_aks::ClusterPurpose::FastProd)
            .vm_size("Standard_D13_v2")
            .agent_count(6)
            .virtual_network(network);
    let config: azureml_aks::ProvisioningConfiguration = builder.build().unwrap();
    let mut aks: azureml_aks::AksCompute =
        azureml_aks::ComputeTarget::create(&workspace, "myaks", config)
            .await
            .unwrap();
    let token: azureml_aks::ResumeToken = aks.resume_token().unwrap().clone();
    aks.wait_for_completion(azureml_aks::WaitOptions::new())
        .await
        .unwrap();
    assert_eq!(
        aks.resource().properties.provisioning_state.as_deref(),
        Some("Succeeded")
    );
    assert_eq!(aks.properties().agent_count, Some(6));
    match workspace.resume(&token).await.unwrap() {
        azureml_aks::Resumed::Compute(resumed) => assert_eq!(resumed.name(), aks.name()),
        other => panic!("{other:?}"),
    }

    let tls: azureml_aks::Tls = azureml_aks::Tls::leaf_domain("mylabel");
    let change: azureml_aks::UpdateConfigurationBuilder =
        azureml_aks::UpdateConfiguration::builder().tls(azureml_aks::TlsUpdate::Enable(tls));
    let change: azureml_aks::UpdateConfiguration = change.build().unwrap();
    aks.update(change).await.unwrap();
    aks.wait_for_completion(azureml_aks::WaitOptions::new())
        .await
        .unwrap();

    let cluster = emulator.add_cluster(emulator::ExistingCluster::new("mygroup", "mine"));
    let cluster: azureml_aks::ClusterRef = azureml_aks::ClusterRef::id(cluster);
    let builder: azureml_aks::AttachConfigurationBuilder =
        azureml_aks::AksCompute::attach_configuration(cluster)
            .cluster_purpose(azureml_aks::ClusterPurpose::DevTest);
    let config: azureml_aks::AttachConfiguration = builder.build().unwrap();
    let mut attached = azureml_aks::ComputeTarget::attach(&workspace, "attached", config)
        .await
        .unwrap();
    attached
        .wait_for_completion(azureml_aks::WaitOptions::new())
        .await
        .unwrap();
    assert_eq!(attached.is_attached(), Some(true));
    let mut removal: azureml_aks::Operation<()> = attached.detach().await.unwrap();
    removal.wait(azureml_aks::WaitOptions::new()).await.unwrap();
    let gone = azureml_aks::AksCompute::get_opt(&workspace, "attached").await;
    assert!(gone.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn clones_of_operations_wait_by_themselves() {
    let emulator = emulator::Emulator::new();
    let workspace = workspace_of(&emulator);
    let config = AksCompute::provisioning_configuration().build().unwrap();
    let mut aks = ComputeTarget::create(&workspace, "myaks", config)
        .await
        .unwrap();
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    let mut removal = aks.delete().await.unwrap();
    let resumed = workspace.resume(removal.resume_token().unwrap()).await;
    let mut clones = [Resumed::Removal(removal.clone()), resumed.unwrap().clone()];
    removal.wait(WaitOptions::new()).await.unwrap();
    assert!(removal.resume_token().is_none());
    // They know of the end when they are waited for, and not before.
    assert!(clones.iter().all(|clone| clone.resume_token().is_some()));
    for result in wait_all(&mut clones, WaitOptions::new()).await {
        result.unwrap();
    }
    assert!(clones.iter().all(|clone| clone.resume_token().is_none()));
}

/// The same of services.
#[cfg(feature = "services")]
#[tokio::test(start_paused = true)]
async fn names_of_services_that_were_promised_are_at_the_root_and_work() {
    let emulator = emulator::Emulator::new();
    let workspace = workspace_of(&emulator);
    let folder = tempfile::tempdir().unwrap();
    let (file, entry) = (
        folder.path().join("model.pkl"),
        folder.path().join("score.py"),
    );
    std::fs::write(&file, "weights").unwrap();
    std::fs::write(&entry, "def init(): pass\ndef run(data): return data\n").unwrap();
    let config = azureml_aks::AksCompute::provisioning_configuration()
        .build()
        .unwrap();
    let mut aks = azureml_aks::ComputeTarget::create(&workspace, "myaks", config)
        .await
        .unwrap();
    aks.wait_for_completion(azureml_aks::WaitOptions::new())
        .await
        .unwrap();

    let model = azureml_aks::Model::register(&workspace, "mymodel", file)
        .await
        .unwrap();
    let inference: azureml_aks::InferenceConfigurationBuilder =
        azureml_aks::InferenceConfiguration::builder()
            .entry_script(entry)
            .environment(azureml_aks::EnvironmentRef::latest("AzureML-Minimal"));
    let inference: azureml_aks::InferenceConfiguration = inference.build().unwrap();
    let deploy: azureml_aks::DeployConfigurationBuilder =
        azureml_aks::AksWebservice::deploy_configuration()
            .cpu_cores(1.0)
            .memory_gb(1.0);
    let deploy: azureml_aks::DeployConfiguration = deploy.build().unwrap();
    let deployed =
        azureml_aks::Model::deploy(&workspace, "myservice", [&model], inference, deploy, &aks);
    let mut service: azureml_aks::AksWebservice = deployed.await.unwrap();
    service
        .wait_for_deployment(azureml_aks::WaitOptions::new())
        .await
        .unwrap();
    assert!(service.is_ready());
    let change: azureml_aks::ServiceUpdateBuilder =
        azureml_aks::ServiceUpdate::builder().description("new");
    service.update(change.build().unwrap()).await.unwrap();
    service
        .wait_for_deployment(azureml_aks::WaitOptions::new())
        .await
        .unwrap();
    let mut removal: azureml_aks::Operation<()> = service.delete().await.unwrap();
    removal.wait(azureml_aks::WaitOptions::new()).await.unwrap();
}
