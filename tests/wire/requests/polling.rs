//! The URLs and versions of polls.

use super::*;

/// Reads the status at `named` once, from a resume token, and gives the line of that request.
async fn poll_of(named: &str, expected: &str) -> String {
    let mut service = Service::start().await;
    let failed = json!({"status": "Failed", "error": {"code": "C", "message": "M"}});
    service.on("GET", expected, Reply::json(200, &failed)).await;
    let workspace = service.workspace();
    let configuration = AksCompute::provisioning_configuration().build().unwrap();
    let prepared = ComputeTarget::create(&workspace, "myaks", configuration).prepare();
    let mut token: Value = serde_json::from_str(&prepared.unwrap().token().expose()).unwrap();
    token["accepted"] = true.into();
    token["monitor"] = "azureAsyncOperation".into();
    token["nextRequestUri"] = format!("{ARM}{named}").into();
    let token = ResumeToken::parse(&resealed(&token.to_string())).unwrap();
    let Resumed::Compute(mut handle) = workspace.resume(&token).await.unwrap() else {
        panic!("not a create");
    };
    let error = handle.wait_for_completion(fast(20)).await.unwrap_err();
    assert_eq!(error.code(), Some("C"), "{error} {:?}", service.lines());
    service.last().target
}

#[tokio::test]
async fn polling_urls_are_followed_byte_for_byte() {
    for target in [
        format!("{MONITOR}?api-version=2019-11-01&service=new"),
        format!("{MONITOR}?service=new&API-Version=2019-11-01&t=1&c=MII%2BA%3D%3D&s=a-b_c~&h="),
        "/a/East%20US%202/b%2Fc/%E2%82%AC?x=%20+%2B&x=&x&api-version=1".to_owned(),
    ] {
        assert_eq!(poll_of(&target, &target).await, target);
    }
}

#[tokio::test]
async fn monitor_keeps_its_api_version_or_gets_ours() {
    // One wait each, side by side: the first pause is a second.
    let cases = [
        (
            format!("{MONITOR}?api-version=2019-11-01&service=new"),
            format!("{MONITOR}?api-version=2019-11-01&service=new"),
        ),
        (
            format!("{MONITOR}?service=new&c=a%2Fb"),
            format!("{MONITOR}?service=new&c=a%2Fb&{VERSION}"),
        ),
        (MONITOR.to_owned(), format!("{MONITOR}?{VERSION}")),
        (
            format!("{MONITOR}?x-api-version=1"),
            format!("{MONITOR}?x-api-version=1&{VERSION}"),
        ),
    ];
    let waits = cases.map(|(named, asked)| async move {
        let mut service = Service::start().await;
        let delete = format!("{}&underlyingResourceAction=Detach", at("/computes/myaks"));
        service.on_get(Reply::json(200, &aks())).await;
        service
            .on(
                "DELETE",
                &delete,
                Reply::empty(202).header("azure-asyncoperation", &format!("{ARM}{named}")),
            )
            .await;
        service
            .on(
                "GET",
                &asked,
                Reply::json(200, &json!({"status": "Succeeded"})),
            )
            .await;
        let mut handle = AksCompute::get(&service.workspace(), "myaks")
            .await
            .unwrap();
        let mut operation = handle.detach().await.unwrap();
        operation.wait(fast(20)).await.unwrap();
        assert_eq!(service.last().target, asked);
    });
    futures::future::join_all(waits).await;
}
