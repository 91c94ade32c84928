use crate::support::fixture::{self, attached, created};
use azureml_aks::emulator::Emulator;
use azureml_aks::{
    AksCompute, ComputeTarget, ErrorKind, LoadBalancer, Tls, TlsUpdate, UpdateConfiguration,
    WaitOptions,
};

fn change(
    change: impl FnOnce(
        azureml_aks::UpdateConfigurationBuilder,
    ) -> azureml_aks::UpdateConfigurationBuilder,
) -> UpdateConfiguration {
    change(UpdateConfiguration::builder()).build().unwrap()
}

fn tls_status(aks: &AksCompute) -> Option<&str> {
    let ssl = aks.properties().ssl_configuration.as_ref()?;
    ssl.status.as_deref()
}

/// An update from its request to its end.
async fn update(aks: &mut AksCompute, change: UpdateConfiguration) {
    aks.update(change).await.unwrap();
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn tls_goes_on_is_renewed_and_goes_off() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let mut aks = created(&workspace, "myaks").await;
    let error = aks
        .update(change(|c| c.tls(TlsUpdate::Renew)))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Validation);

    let on = change(|c| c.tls(TlsUpdate::Enable(Tls::leaf_domain("mylabel"))));
    update(&mut aks, on).await;
    assert_eq!(tls_status(&aks), Some("Auto"));
    update(&mut aks, change(|c| c.tls(TlsUpdate::Renew))).await;
    assert_eq!(tls_status(&aks), Some("Auto"));
    update(&mut aks, change(|c| c.tls(TlsUpdate::Disable))).await;
    assert_eq!(tls_status(&aks), Some("Disabled"));
}

#[tokio::test(start_paused = true)]
async fn own_certificate_survives_a_change_of_the_load_balancer() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let (certificate, key) = super::secrets::pair("scoring.example.com");
    let config = AksCompute::provisioning_configuration()
        .tls(Tls::certificate(
            "scoring.example.com",
            azureml_aks::Pem::text(certificate),
            azureml_aks::Pem::text(key),
        ))
        .build()
        .unwrap();
    let mut aks = ComputeTarget::create(&workspace, "myaks", config)
        .await
        .unwrap();
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    let before = aks.properties().ssl_configuration.clone().unwrap();
    update(
        &mut aks,
        change(|c| c.load_balancer(LoadBalancer::internal())),
    )
    .await;
    let after = aks.properties();
    assert_eq!(
        after.load_balancer_type.as_deref(),
        Some("InternalLoadBalancer")
    );
    let after = after.ssl_configuration.clone().unwrap();
    assert_eq!((after.status, after.cname), (before.status, before.cname));
}

#[tokio::test(start_paused = true)]
async fn second_write_while_one_runs_is_a_conflict_and_the_first_stays_pending() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let (mut aks, _) = attached(&emulator, &workspace, "myaks").await;
    aks.update(change(|c| c.load_balancer(LoadBalancer::internal())))
        .await
        .unwrap();
    let first = aks.resume_token().cloned();
    let error = aks
        .update(change(|c| c.load_balancer(LoadBalancer::PublicIp)))
        .await
        .unwrap_err();
    assert!(error.is_conflict(), "{error}");
    assert!(first.is_some() && aks.resume_token() == first.as_ref());
    assert_eq!(aks.status(), Some("Updating"));
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    assert_eq!(
        aks.properties().load_balancer_type.as_deref(),
        Some("InternalLoadBalancer")
    );
}

#[tokio::test(start_paused = true)]
async fn update_of_a_compute_that_is_gone_is_not_found() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let mut aks = created(&workspace, "myaks").await;
    aks.delete().await.unwrap().await.unwrap();
    let error = aks
        .update(change(|c| c.tls(TlsUpdate::Disable)))
        .await
        .unwrap_err();
    assert!(error.is_not_found(), "{error}");
}
