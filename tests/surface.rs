//! What every public type can do, and what none may.
#![cfg(feature = "emulator")]

use azureml_aks::*;
use std::fmt::Debug;

fn crosses_threads<T: Send + Sync + Debug>() {}

#[cfg(feature = "services")]
#[test]
fn every_public_type_of_services_can_be_shared_and_shown() {
    crosses_threads::<Auth>();
    crosses_threads::<AutoScale>();
    crosses_threads::<DeployConfiguration>();
    crosses_threads::<DeployConfigurationBuilder>();
    crosses_threads::<LivenessProbe>();
    crosses_threads::<Namespace>();
    crosses_threads::<Replicas>();
    crosses_threads::<ServiceLoad>();
    crosses_threads::<ServiceName>();
    crosses_threads::<ServiceUpdate>();
    crosses_threads::<ServiceUpdateBuilder>();
}

#[test]
fn every_public_type_can_be_shared_and_shown() {
    crosses_threads::<AksCompute>();
    crosses_threads::<AksCredentials>();
    crosses_threads::<AksProperties>();
    crosses_threads::<AttachConfiguration>();
    crosses_threads::<AttachConfigurationBuilder>();
    crosses_threads::<Cloud>();
    crosses_threads::<ClusterPurpose>();
    crosses_threads::<ClusterRef>();
    crosses_threads::<ComputeName>();
    crosses_threads::<ComputeResource>();
    crosses_threads::<Error>();
    #[cfg(feature = "services")]
    {
        crosses_threads::<CondaDependencies>();
        crosses_threads::<ContainerRegistry>();
        crosses_threads::<Dockerfile>();
        crosses_threads::<Environment>();
        crosses_threads::<EnvironmentBuilder>();
        crosses_threads::<EnvironmentRef>();
        crosses_threads::<EnvironmentSource>();
        crosses_threads::<InferenceConfiguration>();
        crosses_threads::<InferenceConfigurationBuilder>();
        crosses_threads::<SparkSettings>();
    }
    crosses_threads::<Event<AksCompute>>();
    crosses_threads::<LoadBalancer>();
    crosses_threads::<Network>();
    crosses_threads::<Operation<AksCompute>>();
    crosses_threads::<Operation<()>>();
    crosses_threads::<Pem>();
    crosses_threads::<Prepared<AksCompute>>();
    crosses_threads::<Prepared<Operation<()>>>();
    crosses_threads::<Progress>();
    crosses_threads::<ProvisioningConfiguration>();
    crosses_threads::<ProvisioningConfigurationBuilder>();
    crosses_threads::<ResumeToken>();
    crosses_threads::<Resumed>();
    crosses_threads::<ServiceError>();
    #[cfg(feature = "services")]
    {
        crosses_threads::<ScoringAnswer>();
        crosses_threads::<ScoringClient>();
        crosses_threads::<ScoringClientBuilder>();
        crosses_threads::<ScoringRequest>();
        crosses_threads::<ScoringRetry>();
    }
    crosses_threads::<Tls>();
    crosses_threads::<TlsUpdate>();
    #[cfg(feature = "services")]
    crosses_threads::<TransferProgress>();
    crosses_threads::<UpdateConfiguration>();
    crosses_threads::<UpdateConfigurationBuilder>();
    crosses_threads::<Violation>();
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

#[cfg(feature = "services")]
#[test]
fn no_type_of_services_that_can_hold_a_secret_can_be_serialised() {
    assert!(!serialises!(DeployConfiguration));
    assert!(!serialises!(DeployConfigurationBuilder));
}
