//! Kubeconfigs, and the sizes that a resource may have.

use super::*;

#[tokio::test]
async fn kubeconfigs_are_given_and_never_shown() {
    let body = json!({
        "computeType": "AKS", "userKubeConfig": "CANARY-user", "adminKubeConfig": "CANARY-admin",
        "imagePullSecretName": "azuremlsecret",
    });
    let mut service = Service::start().await;
    service.on_get(Reply::json(200, &aks("Succeeded"))).await;
    service
        .on(
            "POST",
            &at("/computes/myaks/listKeys"),
            Reply::json(200, &body),
        )
        .await;
    let handle = AksCompute::get(&service.workspace(), "myaks")
        .await
        .unwrap();
    let keys = handle.credentials().await.unwrap();
    assert_eq!(
        keys.user_kube_config.as_ref().unwrap().secret(),
        "CANARY-user"
    );
    assert_eq!(
        keys.admin_kube_config.as_ref().unwrap().secret(),
        "CANARY-admin"
    );
    assert_eq!(
        keys.image_pull_secret_name.as_deref(),
        Some("azuremlsecret")
    );
    assert!(!format!("{keys:?} {keys:#?}").contains("CANARY"));
}

#[tokio::test]
async fn missing_kubeconfigs_are_an_empty_list() {
    for body in [
        "{}",
        r#"{"computeType":"AKS","userKubeConfig":null,"adminKubeConfig":null,"imagePullSecretName":null}"#,
    ] {
        let mut service = Service::start().await;
        service.on_get(Reply::json(200, &aks("Succeeded"))).await;
        service
            .on(
                "POST",
                &at("/computes/myaks/listKeys"),
                Reply::new(200, body),
            )
            .await;
        let handle = AksCompute::get(&service.workspace(), "myaks")
            .await
            .unwrap();
        let keys = handle.credentials().await.unwrap();
        assert!(keys.user_kube_config.is_none() && keys.admin_kube_config.is_none());
        assert!(keys.image_pull_secret_name.is_none());
    }
}

#[tokio::test]
async fn resource_is_read_up_to_four_mebibytes_and_no_further() {
    const LIMIT: usize = 4 << 20;
    let start = r#"{"name":"myaks","properties":{"computeType":"AKS"},"padding":""#;
    for (size, fits) in [(LIMIT, true), (LIMIT + 1, false)] {
        let padding = "x".repeat(size - start.len() - 2);
        let body = format!("{start}{padding}\"}}");
        assert_eq!(body.len(), size);
        let mut service = Service::start().await;
        service.on_get(Reply::new(200, body)).await;
        let read = AksCompute::get(&service.workspace(), "myaks").await;
        match read {
            Ok(handle) => assert!(fits, "{handle:?}"),
            Err(error) => {
                assert!(!fits, "{error}");
                assert_eq!(error.kind(), ErrorKind::Protocol);
            }
        }
        assert_eq!(service.seen().len(), 1);
    }
}

#[tokio::test]
async fn workspace_without_a_location_is_an_error_of_its_own() {
    for body in ["{}", r#"{"location":null}"#, r#"{"location":""}"#] {
        let mut service = Service::start().await;
        service.on("GET", &at(""), Reply::new(200, body)).await;
        let workspace = Workspace::builder("sub", "grp", "ws")
            .credential(service.token.clone())
            .transport(service.transport(ARM))
            .build()
            .unwrap();
        let error = workspace.location().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert!(error.to_string().contains("\"ws\""), "{error}");
        // Not remembered: the next call asks again.
        service
            .on(
                "GET",
                &at(""),
                Reply::json(200, &json!({"location": "eastus"})),
            )
            .await;
        assert_eq!(workspace.location().await.unwrap(), "eastus");
    }
}
