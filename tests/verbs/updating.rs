use super::{attached, created, emulated};
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

fn tls_status(aks: &AksCompute) -> Option<String> {
    aks.properties().ssl_configuration?.status
}

#[tokio::test(start_paused = true)]
async fn tls_goes_on_is_renewed_and_goes_off() {
    let emulator = Emulator::new();
    let workspace = emulated::workspace(&emulator);
    let aks = created(&workspace, "myaks").await;
    let error = aks
        .update(change(|c| c.tls(TlsUpdate::Renew)))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Validation);

    let on = change(|c| c.tls(TlsUpdate::Enable(Tls::leaf_domain("mylabel"))));
    let aks = aks.update(on).await.unwrap().await.unwrap();
    assert_eq!(tls_status(&aks).as_deref(), Some("Auto"));
    let aks = aks
        .update(change(|c| c.tls(TlsUpdate::Renew)))
        .await
        .unwrap()
        .await
        .unwrap();
    assert_eq!(tls_status(&aks).as_deref(), Some("Auto"));
    let aks = aks
        .update(change(|c| c.tls(TlsUpdate::Disable)))
        .await
        .unwrap()
        .await
        .unwrap();
    assert_eq!(tls_status(&aks).as_deref(), Some("Disabled"));
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_change_leaves_a_certificate_of_ones_own_as_it_is() {
    let emulator = Emulator::new();
    let workspace = emulated::workspace(&emulator);
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
    let before = aks.properties().ssl_configuration.unwrap();
    let aks = aks
        .update(change(|c| c.load_balancer(LoadBalancer::internal())))
        .await
        .unwrap()
        .await
        .unwrap();
    let after = aks.properties();
    assert_eq!(
        after.load_balancer_type.as_deref(),
        Some("InternalLoadBalancer")
    );
    let after = after.ssl_configuration.unwrap();
    assert_eq!((after.status, after.cname), (before.status, before.cname));
}

#[tokio::test(start_paused = true)]
async fn a_second_write_while_one_runs_is_a_conflict() {
    let emulator = Emulator::new();
    let workspace = emulated::workspace(&emulator);
    let (aks, _) = attached(&emulator, &workspace, "myaks").await;
    let first = aks
        .update(change(|c| c.load_balancer(LoadBalancer::internal())))
        .await
        .unwrap();
    let error = aks
        .update(change(|c| c.load_balancer(LoadBalancer::PublicIp)))
        .await
        .unwrap_err();
    assert!(error.is_conflict(), "{error}");
    assert_eq!(first.target(), "myaks");
    let aks = first.await.unwrap();
    assert_eq!(
        aks.properties().load_balancer_type.as_deref(),
        Some("InternalLoadBalancer")
    );
}

#[tokio::test(start_paused = true)]
async fn an_update_of_nothing_that_is_there_is_not_found() {
    let emulator = Emulator::new();
    let workspace = emulated::workspace(&emulator);
    let aks = created(&workspace, "myaks").await;
    aks.delete().await.unwrap().await.unwrap();
    let error = aks
        .update(change(|c| c.tls(TlsUpdate::Disable)))
        .await
        .unwrap_err();
    assert!(error.is_not_found(), "{error}");
}
