use crate::support::fixture::{self, created};
use azure_core::http::Method;
use azureml_aks::emulator::{Emulator, Fault};
use azureml_aks::{AksCompute, ComputeTarget, Pem, Tls, WaitOptions};

/// A certificate for `name` and its key, made for this test.
pub(crate) fn pair(name: &str) -> (String, String) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

#[tokio::test(start_paused = true)]
async fn keys_and_kubeconfigs_reach_the_service_and_nothing_else() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let (certificate, key) = pair("scoring.example.com");
    let canary = key.lines().nth(1).unwrap().to_owned();
    let tls = Tls::certificate(
        "scoring.example.com",
        Pem::text(certificate),
        Pem::text(key),
    );
    let mut shown = vec![format!("{tls:?}")];
    let builder = AksCompute::provisioning_configuration().tls(tls);
    shown.push(format!("{builder:?}"));
    let config = builder.build().unwrap();
    shown.push(format!("{config:?}"));
    let prepared = AksCompute::create(&workspace, "myaks", config)
        .prepare()
        .unwrap();
    shown.push(format!(
        "{prepared:?} {:?} {}",
        prepared.token(),
        prepared.token().expose()
    ));

    let mut aks = prepared.send().await.unwrap();
    shown.push(format!("{aks:?} {}", aks.resume_token().unwrap().expose()));
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    shown.push(format!("{aks:?} {:?}", aks.resource()));
    let put = emulator
        .journal()
        .into_iter()
        .find(|entry| entry.method == "PUT")
        .unwrap();
    assert!(
        put.body.to_string().contains(&canary),
        "the service gets the key"
    );

    // A service that echoes what it was sent.
    let (certificate, key) = pair("scoring.example.com");
    let second = key.lines().nth(1).unwrap().to_owned();
    let echo =
        serde_json::json!({"error": {"code": "Bad", "message": format!("cannot use {key}")}});
    emulator.inject(
        Fault::response_override(
            400,
            &[("content-type", "application/json")],
            echo.to_string(),
        )
        .on(Method::Put, "/computes/other"),
    );
    let tls = Tls::certificate(
        "scoring.example.com",
        Pem::text(certificate),
        Pem::text(key),
    );
    let config = AksCompute::provisioning_configuration()
        .tls(tls)
        .build()
        .unwrap();
    let error = ComputeTarget::create(&workspace, "other", config)
        .await
        .unwrap_err();
    shown.push(format!("{error} {error:?} {:?}", error.service_error()));
    for text in &shown {
        assert!(!text.contains(&canary) && !text.contains(&second), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn kubeconfigs_are_secret() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let aks = created(&workspace, "myaks").await;
    let credentials = aks.credentials().await.unwrap();
    let user = credentials.user_kube_config.clone().unwrap();
    let shown = format!("{credentials:?}");
    assert!(
        !user.secret().is_empty() && !shown.contains(user.secret()),
        "{shown}"
    );

    let leak = format!(
        r#"{{"userKubeConfig": "{}", "adminKubeConfig": 7}}"#,
        "s3cr3t"
    );
    emulator.inject(
        Fault::response_override(200, &[("content-type", "application/json")], leak)
            .on(Method::Post, "/listKeys"),
    );
    let error = aks.credentials().await.unwrap_err();
    assert!(
        !format!("{error} {error:?}").contains("s3cr3t"),
        "{error:?}"
    );
}
