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
    crosses_threads::<ModelName>();
    crosses_threads::<ModelQuery>();
    crosses_threads::<ModelRegistration>();
    crosses_threads::<ModelResource>();
    crosses_threads::<Namespace>();
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
    crosses_threads::<ComputeState>();
    crosses_threads::<ContainerLogs>();
    crosses_threads::<Error>();
    crosses_threads::<ErrorKind>();
    crosses_threads::<Event<AksCompute>>();
    crosses_threads::<LeafDomain>();
    crosses_threads::<LoadBalancer>();
    crosses_threads::<Network>();
    crosses_threads::<Operation<AksCompute>>();
    crosses_threads::<Operation<()>>();
    crosses_threads::<OwnCertificate>();
    crosses_threads::<Pem>();
    crosses_threads::<Prepared<AksCompute>>();
    crosses_threads::<Prepared<Operation<()>>>();
    crosses_threads::<Progress>();
    crosses_threads::<ProvisioningConfiguration>();
    crosses_threads::<ProvisioningConfigurationBuilder>();
    crosses_threads::<ResumeToken>();
    crosses_threads::<Resumed>();
    crosses_threads::<ServiceError>();
    crosses_threads::<SslSettings>();
    crosses_threads::<StatusClass>();
    crosses_threads::<Subnet>();
    crosses_threads::<SystemService>();
    crosses_threads::<Tls>();
    crosses_threads::<TlsUpdate>();
    crosses_threads::<UpdateConfiguration>();
    crosses_threads::<UpdateConfigurationBuilder>();
    crosses_threads::<Verb>();
    crosses_threads::<Violation>();
    crosses_threads::<VirtualNetwork>();
    crosses_threads::<WaitOptions>();
    crosses_threads::<Warning>();
    crosses_threads::<Workspace>();
    crosses_threads::<WorkspaceBuilder>();
    crosses_threads::<WorkspaceId>();
    crosses_threads::<emulator::Emulator>();
    crosses_threads::<emulator::Fault>();
    crosses_threads::<emulator::ScoringRequest>();
    crosses_threads::<emulator::ScoringResponse>();
    crosses_threads::<emulator::Server>();
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
    let library = include_str!("../src/lib.rs");
    let own = include_str!("surface.rs");
    let given = library.split("pub use ").skip(1);
    let given = given.filter_map(|text| text.split_once(';'));
    let names = given.flat_map(|(text, _)| text.split(|c: char| !c.is_alphanumeric() && c != '_'));
    let types: Vec<&str> = names
        .filter(|name| name.starts_with(char::is_uppercase) && !OTHERS.contains(name))
        .collect();
    assert!(types.len() > 80, "{types:?}");
    for name in types {
        let listed = [">", "<"].map(|end| format!("crosses_threads::<{name}{end}"));
        assert!(listed.iter().any(|text| own.contains(text)), "{name}");
    }
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

/// Their documents hold no secret member (`src/wire/tests.rs`).
#[test]
fn resources_can_be_serialised() {
    for (name, serialises) in [
        ("AksNetworking", serialises!(AksNetworking)),
        ("AksProperties", serialises!(AksProperties)),
        ("ComputeProperties", serialises!(ComputeProperties)),
        ("ComputeResource", serialises!(ComputeResource)),
        ("SslSettings", serialises!(SslSettings)),
        ("SystemService", serialises!(SystemService)),
        #[cfg(feature = "services")]
        ("AutoScalerSettings", serialises!(AutoScalerSettings)),
        #[cfg(feature = "services")]
        ("ContainerResources", serialises!(ContainerResources)),
        #[cfg(feature = "services")]
        ("ModelResource", serialises!(ModelResource)),
        #[cfg(feature = "services")]
        ("ProbeSettings", serialises!(ProbeSettings)),
        #[cfg(feature = "services")]
        ("ReplicaStatus", serialises!(ReplicaStatus)),
        #[cfg(feature = "services")]
        ("ResourceNeeds", serialises!(ResourceNeeds)),
        #[cfg(feature = "services")]
        ("ServiceResource", serialises!(ServiceResource)),
    ] {
        assert!(serialises, "{name}");
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
        ("ResumedService", serialises!(ResumedService)),
        ("ServiceKeys", serialises!(ServiceKeys)),
        ("ServiceToken", serialises!(ServiceToken)),
        ("ServiceUpdate", serialises!(ServiceUpdate)),
        ("ServiceUpdateBuilder", serialises!(ServiceUpdateBuilder)),
        ("Prepared", serialises!(Prepared<AksWebservice>)),
        ("ServiceChange", serialises!(ServiceChange<'static>)),
    ] {
        assert!(!serialises, "{name}");
    }
}
