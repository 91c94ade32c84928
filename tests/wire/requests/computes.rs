//! Keys, removals, and the places that requests go to.

use super::*;

#[tokio::test]
async fn list_keys_is_a_post_without_a_body() {
    let mut service = Service::start().await;
    service.on_get(Reply::json(200, &aks())).await;
    service
        .on(
            "POST",
            &at("/computes/myaks/listKeys"),
            Reply::new(200, "{}"),
        )
        .await;
    let handle = AksCompute::get(&service.workspace(), "myaks")
        .await
        .unwrap();
    handle.credentials().await.unwrap();
    let request = service.last();
    assert_eq!(
        request.line(),
        format!("POST {}", at("/computes/myaks/listKeys"))
    );
    assert!(request.body.is_empty());
    assert_eq!(request.headers["content-length"], "0");
}

#[tokio::test]
async fn detach_and_delete_are_in_the_query_as_the_description_spells_them() {
    let mut service = Service::start().await;
    service.on_get(Reply::json(200, &aks())).await;
    let mut handle = AksCompute::get(&service.workspace(), "myaks")
        .await
        .unwrap();
    for action in ["Detach", "Delete"] {
        let target = format!(
            "{}&underlyingResourceAction={action}",
            at("/computes/myaks")
        );
        service.on("DELETE", &target, Reply::empty(204)).await;
    }
    handle.detach().await.unwrap().await.unwrap();
    handle.delete().await.unwrap().await.unwrap();
    assert_eq!(
        service.lines()[1..],
        [
            format!(
                "DELETE {}&underlyingResourceAction=Detach",
                at("/computes/myaks")
            ),
            // The cluster could be somebody's own: it is looked at first.
            format!("GET {}", at("/computes/myaks")),
            format!(
                "DELETE {}&underlyingResourceAction=Delete",
                at("/computes/myaks")
            ),
        ]
    );
}

#[tokio::test]
async fn attached_cluster_and_one_of_unknown_origin_are_never_deleted() {
    for attached in [json!(true), Value::Null] {
        let mut service = Service::start().await;
        let mut resource = aks();
        resource["properties"]["isAttachedCompute"] = attached;
        service.on_get(Reply::json(200, &resource)).await;
        let mut handle = AksCompute::get(&service.workspace(), "myaks")
            .await
            .unwrap();
        handle.delete().await.unwrap_err();
        assert!(service.seen().iter().all(|seen| seen.method == "GET"));
    }
}

#[tokio::test]
async fn api_version_of_the_builder_is_asked_for_everywhere() {
    let mut service = Service::start().await;
    let at = |path: &str| format!("{WORKSPACE}{path}?api-version=2020-02-02");
    let of_workspace = json!({"location": "eastus"});
    service
        .on("GET", &at(""), Reply::json(200, &of_workspace))
        .await;
    let compute = at("/computes/myaks");
    service.on("GET", &compute, Reply::empty(404)).await;
    service.on("GET", &compute, Reply::json(200, &aks())).await;
    service.on("PUT", &compute, Reply::json(200, &aks())).await;
    service
        .on(
            "POST",
            &at("/computes/myaks/listKeys"),
            Reply::new(200, "{}"),
        )
        .await;
    service
        .on("GET", &at("/computes"), Reply::new(200, r#"{"value":[]}"#))
        .await;
    let delete = format!("{compute}&underlyingResourceAction=Delete");
    service.on("DELETE", &delete, Reply::empty(200)).await;

    let workspace = Workspace::builder("sub", "grp", "ws")
        .credential(service.token.clone())
        .transport(service.transport(ARM))
        .api_version("2020-02-02")
        .build()
        .unwrap();
    let configuration = AksCompute::provisioning_configuration().build().unwrap();
    let mut handle = ComputeTarget::create(&workspace, "myaks", configuration)
        .await
        .unwrap();
    handle.credentials().await.unwrap();
    assert_eq!(workspace.computes().count().await, 0);
    let change = UpdateConfiguration::builder().tls(TlsUpdate::Disable);
    handle.update(change.build().unwrap()).await.unwrap();
    handle.delete().await.unwrap().await.unwrap();
    assert_eq!(service.seen().len(), 9);
    for line in service.lines() {
        assert!(line.contains("?api-version=2020-02-02"), "{line}");
        assert_eq!(line.matches("api-version").count(), 1, "{line}");
    }
}

#[tokio::test]
async fn another_cloud_has_another_host_and_another_audience() {
    for (cloud, origin, scope) in [
        (
            Cloud::us_government(),
            "https://management.usgovcloudapi.net",
            "https://management.usgovcloudapi.net/.default",
        ),
        (
            Cloud::china(),
            "https://management.chinacloudapi.cn",
            "https://management.chinacloudapi.cn/.default",
        ),
        (
            Cloud::custom("https://arm.example:8443", "https://audience.example").unwrap(),
            "https://arm.example:8443",
            "https://audience.example/.default",
        ),
    ] {
        let mut service = Service::start().await;
        service.on_get(Reply::json(200, &aks())).await;
        // The redirect refuses any other origin.
        let workspace = service
            .builder()
            .cloud(cloud)
            .transport(service.transport(origin))
            .build()
            .unwrap();
        AksCompute::get(&workspace, "myaks").await.unwrap();
        assert_eq!(service.token.asked(), [scope]);
    }
}

#[tokio::test]
async fn names_that_a_url_cannot_hold_are_escaped() {
    let mut service = Service::start().await;
    let target = "/subscriptions/sub/resourceGroups/gr%C3%BCppe_(1)/providers/Microsoft.MachineLearningServices/workspaces/ws/computes/myaks?api-version=2026-05-01";
    service.on("GET", target, Reply::json(200, &aks())).await;
    let workspace = Workspace::builder("sub", "grüppe_(1)", "ws")
        .credential(service.token.clone())
        .transport(service.transport(ARM))
        .build()
        .unwrap();
    AksCompute::get(&workspace, "myaks").await.unwrap();
    assert_eq!(service.last().target, target);
}
