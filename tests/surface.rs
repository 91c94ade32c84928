//! What every public type can do, and what none may.
#![cfg(feature = "emulator")]

use azureml_aks::*;
use std::fmt::Debug;

fn crosses_threads<T: Send + Sync + Debug>() {}

#[cfg(feature = "services")]
#[test]
fn every_public_type_of_services_can_be_shared_and_shown() {
    crosses_threads::<AksWebservice>();
    crosses_threads::<Auth>();
    crosses_threads::<AutoScale>();
    crosses_threads::<AutoScalerSettings>();
    crosses_threads::<CondaDependencies>();
    crosses_threads::<CondaDependenciesBuilder>();
    crosses_threads::<ContainerRegistry>();
    crosses_threads::<ContainerResources>();
    crosses_threads::<DeployConfiguration>();
    crosses_threads::<DeployConfigurationBuilder>();
    crosses_threads::<Deployment>();
    crosses_threads::<Dockerfile>();
    crosses_threads::<Environment>();
    crosses_threads::<EnvironmentBuilder>();
    crosses_threads::<EnvironmentRef>();
    crosses_threads::<EnvironmentSource>();
    crosses_threads::<Event<()>>();
    crosses_threads::<InferenceConfiguration>();
    crosses_threads::<InferenceConfigurationBuilder>();
    crosses_threads::<KeyName>();
    crosses_threads::<LivenessProbe>();
    crosses_threads::<LogOptions>();
    crosses_threads::<Model>();
    crosses_threads::<ModelChange>();
    crosses_threads::<ModelDownload>();
    crosses_threads::<ModelQuery>();
    crosses_threads::<ModelRegistration>();
    crosses_threads::<ModelResource>();
    crosses_threads::<ProbeSettings>();
    crosses_threads::<Prepared<AksWebservice>>();
    crosses_threads::<ReplicaStatus>();
    crosses_threads::<Replicas>();
    crosses_threads::<ResourceNeeds>();
    crosses_threads::<ResumedService>();
    crosses_threads::<RunOutput>();
    crosses_threads::<ScoringAnswer>();
    crosses_threads::<ScoringClient>();
    crosses_threads::<ScoringClientBuilder>();
    crosses_threads::<ScoringRequest>();
    crosses_threads::<ScoringRetry>();
    crosses_threads::<ServiceChange<'static>>();
    crosses_threads::<ServiceKeys>();
    crosses_threads::<ServiceLoad>();
    crosses_threads::<ServiceName>();
    crosses_threads::<ServiceQuery>();
    crosses_threads::<ServiceResource>();
    crosses_threads::<ServiceState>();
    crosses_threads::<ServiceToken>();
    crosses_threads::<ServiceUpdate>();
    crosses_threads::<ServiceUpdateBuilder>();
    crosses_threads::<SparkSettings>();
    crosses_threads::<TransferProgress>();
}

#[test]
fn every_public_type_can_be_shared_and_shown() {
    crosses_threads::<Aks>();
    crosses_threads::<AksCompute>();
    crosses_threads::<AksCredentials>();
    crosses_threads::<AksNetworking>();
    crosses_threads::<AksProperties>();
    crosses_threads::<AttachConfiguration>();
    crosses_threads::<AttachConfigurationBuilder>();
    crosses_threads::<Cloud>();
    crosses_threads::<ClusterPurpose>();
    crosses_threads::<ClusterRef>();
    crosses_threads::<ComputeName>();
    crosses_threads::<ComputeProperties>();
    crosses_threads::<ComputeResource>();
    crosses_threads::<ContainerLogs>();
    crosses_threads::<Continuation>();
    crosses_threads::<Error>();
    crosses_threads::<ErrorKind>();
    crosses_threads::<Event<AksCompute>>();
    crosses_threads::<Finding>();
    crosses_threads::<KindProperties>();
    crosses_threads::<LeafDomain>();
    crosses_threads::<List<ComputeResource>>();
    crosses_threads::<LoadBalancer>();
    crosses_threads::<Network>();
    crosses_threads::<Operation<AksCompute>>();
    crosses_threads::<Operation<()>>();
    crosses_threads::<OwnCertificate>();
    crosses_threads::<Page<ComputeResource>>();
    crosses_threads::<Pages<ComputeResource>>();
    crosses_threads::<Pem>();
    crosses_threads::<Prepared<AksCompute>>();
    crosses_threads::<Prepared<Operation<()>>>();
    crosses_threads::<Progress>();
    crosses_threads::<ProvisioningConfiguration>();
    crosses_threads::<ProvisioningConfigurationBuilder>();
    crosses_threads::<ResumeToken>();
    crosses_threads::<Resumed>();
    crosses_threads::<ServiceError>();
    crosses_threads::<Severity>();
    crosses_threads::<SslSettings>();
    crosses_threads::<StatusClass>();
    crosses_threads::<Subnet>();
    crosses_threads::<SystemService>();
    crosses_threads::<Tls>();
    crosses_threads::<TlsUpdate>();
    crosses_threads::<UpdateConfiguration>();
    crosses_threads::<UpdateConfigurationBuilder>();
    crosses_threads::<Verb>();
    crosses_threads::<VirtualNetwork>();
    crosses_threads::<WaitOptions>();
    crosses_threads::<Workspace>();
    crosses_threads::<WorkspaceBuilder>();
    crosses_threads::<WorkspaceId>();
    crosses_threads::<emulator::Emulator>();
    crosses_threads::<emulator::Fault>();
    crosses_threads::<emulator::ScoringRequest>();
    crosses_threads::<emulator::ScoringResponse>();
    crosses_threads::<emulator::Server>();
}

/// A user reads a list without `pin!`, and may keep it in a struct or a task.
#[test]
fn lists_need_no_pin() {
    fn moves_freely<T: Unpin + Send + 'static>() {}

    moves_freely::<List<ComputeResource>>();
    moves_freely::<Pages<ComputeResource>>();
    // Whatever the items are.
    moves_freely::<List<std::marker::PhantomPinned>>();
    moves_freely::<Pages<std::marker::PhantomPinned>>();
}

/// The lists above are whole: a type that is re-exported and not in them is told by its name.
#[test]
fn every_type_that_the_library_gives_is_in_these_lists() {
    // Traits, functions, the alias of a result, and what stands for itself with each kind of compute.
    const OTHERS: [&str; 6] = [
        "AttachWith",
        "ComputeTarget",
        "CreateWith",
        "Kind",
        "Result",
        "Waitable",
    ];
    let own = include_str!("surface.rs");
    let types = exported(include_str!("../src/lib.rs"));
    let types: Vec<&str> = types
        .into_iter()
        .filter(|name| !OTHERS.contains(name))
        .collect();
    assert!(types.len() > 80, "{types:?}");
    for name in types {
        let listed = [">", "<"].map(|end| format!("crosses_threads::<{name}{end}"));
        assert!(listed.iter().any(|text| own.contains(text)), "{name}");
    }
}

/// The names of types, traits and aliases that a file re-exports.
fn exported(file: &str) -> Vec<&str> {
    let given = file.split("pub use ").skip(1);
    let given = given.filter_map(|text| text.split_once(';'));
    let names = given.flat_map(|(text, _)| text.split(|c: char| !c.is_alphanumeric() && c != '_'));
    names
        .filter(|name| name.starts_with(char::is_uppercase))
        .collect()
}

/// A member that is added later breaks nobody: whoever builds such a type goes through its
/// constructors, and whoever matches on it has a last arm.
#[test]
fn types_that_may_gain_members_are_non_exhaustive() {
    /// Uninhabited: it names a kind of compute and has no members to match on.
    const MARKERS: [&str; 1] = ["Aks"];
    let mut exported = exported(include_str!("../src/lib.rs"));
    exported.extend(self::exported(include_str!("../src/emulator/mod.rs")));
    let mut judged = Vec::new();
    let mut folders = vec![concat!(env!("CARGO_MANIFEST_DIR"), "/src").into()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir::<std::path::PathBuf>(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap();
            // Items stand apart by an empty line; one that is not indented is of the module.
            for (at, start) in source.match_indices("\npub ") {
                let item = &source[at + start.len()..];
                let Some((kind, name)) = item.split_once(' ') else {
                    continue;
                };
                let name = name.split(|c: char| !c.is_alphanumeric()).next().unwrap();
                if !["struct", "enum"].contains(&kind) || !exported.contains(&name) {
                    continue;
                }
                let head = source[..at].rsplit("\n\n").next().unwrap();
                // A type without a body in braces ends in its line.
                let line = item.lines().next().unwrap();
                let body = if line.ends_with('{') {
                    item.split("\n}").next().unwrap()
                } else {
                    line
                };
                let may_grow =
                    kind == "enum" || body.contains("\n    pub ") || body.contains("(pub ");
                let marked = head.contains("#[non_exhaustive]");
                let known = MARKERS.contains(&name);
                assert!(!may_grow || marked || known, "{kind} {name} can never grow");
                judged.push(name.to_owned());
            }
        }
    }
    assert!(judged.len() > 80, "{judged:?}");
    for name in [
        "VirtualNetwork",
        "KeyName",
        "Aks",
        "JournalEntry",
        "WorkspaceId",
    ] {
        assert!(
            judged.iter().any(|judged| judged == name),
            "{name} is not found in the source"
        );
    }
}

/// What a program compares with what it had before, or keeps as a key.
#[test]
fn configurations_compare_and_names_sort() {
    fn compares<T: Clone + PartialEq>() {}
    fn names<T>()
    where
        T: Clone + Ord + std::hash::Hash + std::str::FromStr + std::fmt::Display,
        T: serde::Serialize + serde::de::DeserializeOwned,
    {
    }
    compares::<ProvisioningConfiguration>();
    compares::<AttachConfiguration>();
    compares::<UpdateConfiguration>();
    names::<ComputeName>();
    names::<WorkspaceId>();
    #[cfg(feature = "services")]
    {
        compares::<DeployConfiguration>();
        compares::<InferenceConfiguration>();
        compares::<ServiceUpdate>();
        names::<ServiceName>();
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
fn a_key_name_is_the_word_of_the_service_in_json() {
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

/// What is awaited for minutes is spawned: that is only known to work where it compiles.
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
        let resumed = AksWebservice::resume(&workspace, &token).await?;
        drop(resumed);
        let services = AksWebservice::list(&workspace, ServiceQuery::new());
        let services: Vec<_> = services.collect().await;
        drop(services);
        service.regenerate_key(KeyName::Primary, None).await?;
        service.logs(LogOptions::new()).await?;
        let client = service.scoring_client().await?;
        let answer: String = client.run(&"x").await?;
        service.delete().await?.await?;
        Ok::<_, Error>(answer)
    }));
}

/// `azure_core`'s `Secret` serialises in clear, so no type that can hold one may be serialised.
/// Answers `false` through the inherent function only where `T: Serialize`.
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

#[test]
fn every_type_that_a_program_reports_can_be_serialised() {
    for (name, serialises) in [
        ("ErrorKind", serialises!(ErrorKind)),
        ("Finding", serialises!(Finding)),
        ("Progress", serialises!(Progress)),
        ("ServiceError", serialises!(ServiceError)),
        ("Severity", serialises!(Severity)),
        ("StatusClass", serialises!(StatusClass)),
        ("Verb", serialises!(Verb)),
    ] {
        assert!(serialises, "{name}");
    }
}

#[test]
fn no_type_that_can_hold_a_secret_can_be_serialised() {
    assert!(serialises!(String), "the check can tell");
    for (name, serialises) in [
        ("AksCompute", serialises!(AksCompute)),
        ("AksCredentials", serialises!(AksCredentials)),
        ("AttachConfiguration", serialises!(AttachConfiguration)),
        ("Error", serialises!(Error)),
        ("Operation", serialises!(Operation<()>)),
        ("Pem", serialises!(Pem)),
        ("Prepared", serialises!(Prepared<AksCompute>)),
        (
            "ProvisioningConfiguration",
            serialises!(ProvisioningConfiguration),
        ),
        ("ResumeToken", serialises!(ResumeToken)),
        #[cfg(feature = "services")]
        ("ScoringAnswer", serialises!(ScoringAnswer)),
        #[cfg(feature = "services")]
        ("ScoringClient", serialises!(ScoringClient)),
        #[cfg(feature = "services")]
        ("ScoringClientBuilder", serialises!(ScoringClientBuilder)),
        #[cfg(feature = "services")]
        ("ScoringRequest", serialises!(ScoringRequest)),
        ("Tls", serialises!(Tls)),
        ("TlsUpdate", serialises!(TlsUpdate)),
        ("UpdateConfiguration", serialises!(UpdateConfiguration)),
        ("Workspace", serialises!(Workspace)),
    ] {
        assert!(!serialises, "{name}");
    }
    #[cfg(feature = "services")]
    for (name, serialises) in [
        ("ContainerRegistry", serialises!(ContainerRegistry)),
        ("Environment", serialises!(Environment)),
        ("EnvironmentBuilder", serialises!(EnvironmentBuilder)),
        ("EnvironmentSource", serialises!(EnvironmentSource)),
        (
            "InferenceConfiguration",
            serialises!(InferenceConfiguration),
        ),
        (
            "InferenceConfigurationBuilder",
            serialises!(InferenceConfigurationBuilder),
        ),
    ] {
        assert!(!serialises, "{name}");
    }
}

#[cfg(feature = "services")]
#[test]
fn no_type_of_services_that_can_hold_a_secret_can_be_serialised() {
    for (name, serialises) in [
        ("AksWebservice", serialises!(AksWebservice)),
        ("CondaDependencies", serialises!(CondaDependencies)),
        ("DeployConfiguration", serialises!(DeployConfiguration)),
        (
            "DeployConfigurationBuilder",
            serialises!(DeployConfigurationBuilder),
        ),
        ("Deployment", serialises!(Deployment)),
        ("Dockerfile", serialises!(Dockerfile)),
        ("Model", serialises!(Model)),
        ("ModelChange", serialises!(ModelChange)),
        ("ModelDownload", serialises!(ModelDownload)),
        ("ModelRegistration", serialises!(ModelRegistration)),
        ("ModelResource", serialises!(ModelResource)),
        ("ResumedService", serialises!(ResumedService)),
        ("ServiceKeys", serialises!(ServiceKeys)),
        ("ServiceResource", serialises!(ServiceResource)),
        ("ServiceToken", serialises!(ServiceToken)),
        ("ServiceUpdate", serialises!(ServiceUpdate)),
        ("ServiceUpdateBuilder", serialises!(ServiceUpdateBuilder)),
        ("Prepared", serialises!(Prepared<AksWebservice>)),
        ("ServiceChange", serialises!(ServiceChange<'static>)),
    ] {
        assert!(!serialises, "{name}");
    }
}
