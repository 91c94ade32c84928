//! The number, the order and the headers of requests.

use super::*;

#[tokio::test]
async fn two_creates_read_each_name_first_and_the_workspace_once() {
    let mut service = Service::start().await;
    service
        .on(
            "GET",
            &at(""),
            Reply::json(200, &json!({"location": "eastus"})),
        )
        .await;
    for name in ["one", "two"] {
        let target = at(&format!("/computes/{name}"));
        service.on("GET", &target, Reply::empty(404)).await;
        service.on("PUT", &target, Reply::json(200, &aks())).await;
    }
    let workspace = Workspace::builder("sub", "grp", "ws")
        .credential(service.token.clone())
        .transport(service.transport(ARM))
        .build()
        .unwrap();
    let configuration = AksCompute::provisioning_configuration().build().unwrap();
    for name in ["one", "two"] {
        let created = ComputeTarget::create(&workspace, name, configuration.clone()).await;
        created.unwrap();
        assert!(service.last().text().contains(r#""location":"eastus""#));
    }
    assert_eq!(
        service.lines(),
        [
            format!("GET {}", at("/computes/one")),
            format!("GET {}", at("")),
            format!("PUT {}", at("/computes/one")),
            format!("GET {}", at("/computes/two")),
            format!("PUT {}", at("/computes/two")),
        ]
    );
    assert_eq!(
        service.token.asked(),
        ["https://management.azure.com/.default"]
    );
}

#[tokio::test]
async fn prepared_verb_sends_nothing_and_existing_name_is_never_written() {
    let mut service = Service::start().await;
    service.on_get(Reply::json(200, &aks())).await;
    let workspace = service.workspace();
    let configuration = || AksCompute::provisioning_configuration().build().unwrap();

    drop(ComputeTarget::create(&workspace, "myaks", configuration()));
    let prepared = ComputeTarget::create(&workspace, "myaks", configuration()).prepare();
    drop(prepared.unwrap());
    assert!(service.seen().is_empty());

    let error = ComputeTarget::create(&workspace, "myaks", configuration()).await;
    assert!(error.unwrap_err().is_already_exists());
    ComputeTarget::create(&workspace, "myaks", configuration())
        .or_get()
        .await
        .unwrap();
    let attach = AksCompute::attach_configuration(ClusterRef::id(CLUSTER))
        .build()
        .unwrap();
    ComputeTarget::attach(&workspace, "myaks", attach)
        .or_get()
        .await
        .unwrap();
    let get = format!("GET {}", at("/computes/myaks"));
    assert_eq!(service.lines(), [get.clone(), get.clone(), get]);
}

#[tokio::test]
async fn requests_carry_these_headers_and_no_others() {
    let mut service = Service::start().await;
    service.on_get(Reply::empty(404)).await;
    service.on_get(Reply::json(200, &aks())).await;
    service.on_put(Reply::json(200, &aks())).await;
    service
        .on(
            "POST",
            &at("/computes/myaks/listKeys"),
            Reply::new(200, "{}"),
        )
        .await;
    let delete = format!("{}&underlyingResourceAction=Delete", at("/computes/myaks"));
    service.on("DELETE", &delete, Reply::empty(200)).await;

    let workspace = service.workspace();
    let configuration = AksCompute::provisioning_configuration().build().unwrap();
    let mut handle = ComputeTarget::create(&workspace, "myaks", configuration)
        .await
        .unwrap();
    handle.credentials().await.unwrap();
    handle.delete().await.unwrap().await.unwrap();

    let seen = service.seen();
    let methods: Vec<_> = seen.iter().map(|request| request.method.as_str()).collect();
    assert_eq!(methods, ["GET", "PUT", "POST", "GET", "DELETE"]);
    for request in &seen {
        let names: Vec<_> = request.headers.keys().map(String::as_str).collect();
        let usual = ["accept", "authorization"];
        let rest = ["host", "user-agent", "x-ms-client-request-id"];
        let body: &[&str] = match request.method.as_str() {
            "PUT" => &["content-length", "content-type"],
            // Some gateways refuse a POST without a length (411).
            "POST" => &["content-length"],
            _ => &[],
        };
        assert_eq!(names, [&usual, body, &rest].concat(), "{}", request.line());

        assert_eq!(request.headers["accept"], "application/json");
        assert_eq!(request.headers["authorization"], format!("Bearer {TOKEN}"));
        let id = request.request_id();
        assert!(azure_core::Uuid::parse_str(id).is_ok(), "{id}");
        let agent = &request.headers["user-agent"];
        let start = concat!("azsdk-rust-azureml-aks/", env!("CARGO_PKG_VERSION"), " (");
        assert!(agent.starts_with(start) && agent.ends_with(')'), "{agent}");
        match request.method.as_str() {
            "PUT" => {
                assert_eq!(request.headers["content-type"], "application/json");
                let length = request.body.len().to_string();
                assert_eq!(request.headers["content-length"], length);
            }
            "POST" => assert_eq!(request.headers["content-length"], "0"),
            _ => assert!(request.body.is_empty()),
        }
    }
    let mut ids: Vec<_> = seen.iter().map(|request| request.request_id()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5, "every call has an id of its own");
}

#[tokio::test]
async fn application_id_stands_before_the_library_in_the_user_agent() {
    let mut service = Service::start().await;
    service.on_get(Reply::json(200, &aks())).await;
    let workspace = service.builder().application_id("fleet-7").build().unwrap();
    AksCompute::get(&workspace, "myaks").await.unwrap();
    let agent = service.last().headers["user-agent"].clone();
    assert!(
        agent.starts_with("fleet-7 azsdk-rust-azureml-aks/"),
        "{agent}"
    );
}

#[tokio::test]
async fn application_id_that_a_user_agent_cannot_hold_is_refused() {
    let service = Service::start().await;
    for id in ["", "my app", "fleet/7", "größe", "a\r\nb", &"x".repeat(25)] {
        let error = service.builder().application_id(id).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{id}");
    }
    for id in ["fleet-7", "a!#$%&'*+-.^_`|~9", &"x".repeat(24)] {
        service.builder().application_id(id).build().unwrap();
    }
}

#[tokio::test]
async fn request_id_of_a_prepared_verb_is_in_its_token_and_on_every_poll() {
    let mut service = Service::start().await;
    let monitor = format!("{MONITOR}?{VERSION}&service=new");
    service.on_get(Reply::empty(404)).await;
    service
        .on_put(
            Reply::json(201, &aks())
                .header("Azure-AsyncOperation", &format!("{ARM}{monitor}"))
                .header("retry-after-ms", "1"),
        )
        .await;
    let running = Reply::json(200, &json!({"status": "InProgress"})).header("retry-after-ms", "1");
    service.on("GET", &monitor, running).await;
    service
        .on(
            "GET",
            &monitor,
            Reply::json(200, &json!({"status": "Succeeded"})),
        )
        .await;
    service.on_get(Reply::json(200, &aks())).await;

    let configuration = AksCompute::provisioning_configuration().build().unwrap();
    let prepared = ComputeTarget::create(&service.workspace(), "myaks", configuration).prepare();
    let prepared = prepared.unwrap();
    let token: Value = serde_json::from_str(&prepared.token().expose()).unwrap();
    let mut handle = prepared.send().await.unwrap();
    handle.wait_for_completion(fast(20)).await.unwrap();

    let get = format!("GET {}", at("/computes/myaks"));
    let poll = format!("GET {monitor}");
    assert_eq!(
        service.lines(),
        [
            get.clone(),
            format!("PUT {}", at("/computes/myaks")),
            poll.clone(),
            poll,
            get,
        ]
    );
    for request in &service.seen()[1..] {
        assert_eq!(
            request.request_id(),
            token["clientRequestId"],
            "{}",
            request.line()
        );
    }
}
