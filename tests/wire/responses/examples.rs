//! The published examples, read at run time from the folder that `AZURE_API_SPECS` names.

use super::*;

// --- the published examples ---------------------------------------------------------------------

/// An example of the published description, or `None` where there are none on this machine.
fn example(name: &str) -> Option<Example> {
    let root = std::env::var_os("AZURE_API_SPECS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/specs"),
        PathBuf::from,
    );
    let file = root
        .join("arm/machinelearningservices-2019-11-01/examples")
        .join(format!("{name}.json"));
    match std::fs::read(&file) {
        Ok(text) => Some(Example(serde_json::from_slice(&text).unwrap())),
        Err(error) => {
            assert!(
                std::env::var_os("REQUIRE_SPECS").is_none(),
                "{}: {error}",
                file.display()
            );
            eprintln!("skipped: {}: {error}", file.display());
            None
        }
    }
}

struct Example(Value);

impl Example {
    fn parameter(&self, name: &str) -> &str {
        self.0["parameters"][name].as_str().unwrap()
    }

    fn reply(&self, status: u16) -> Reply {
        let response = &self.0["responses"][status.to_string()];
        let mut reply = match response.get("body") {
            Some(body) => Reply::json(status, body),
            None => Reply::empty(status),
        };
        for (name, value) in response["headers"].as_object().into_iter().flatten() {
            reply = reply.header(name, value.as_str().unwrap());
        }
        reply
    }

    fn body(&self, status: u16) -> &Value {
        &self.0["responses"][status.to_string()]["body"]
    }

    fn name(&self) -> &str {
        self.parameter("computeName")
    }

    /// The path of the description, filled in.
    fn workspace_path(&self) -> String {
        format!(
            "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.MachineLearningServices/workspaces/{}",
            self.parameter("subscriptionId"),
            self.parameter("resourceGroupName"),
            self.parameter("workspaceName"),
        )
    }

    fn target(&self, path: &str) -> String {
        format!("{}{path}?api-version=2019-11-01", self.workspace_path())
    }

    fn compute(&self) -> String {
        self.target(&format!("/computes/{}", self.name()))
    }

    fn workspace(&self, service: &Service) -> Workspace {
        Workspace::builder(
            self.parameter("subscriptionId"),
            self.parameter("resourceGroupName"),
            self.parameter("workspaceName"),
        )
        .credential(service.token.clone())
        .transport(service.transport(ARM))
        .api_version(self.parameter("api-version"))
        .location("eastus")
        .build()
        .unwrap()
    }
}

#[tokio::test]
async fn published_example_of_a_read_is_decoded() {
    let Some(example) = example("getAKSCompute") else {
        return;
    };
    let mut service = Service::start().await;
    service
        .on("GET", &example.compute(), example.reply(200))
        .await;
    let handle = AksCompute::get(&example.workspace(&service), example.name())
        .await
        .unwrap();
    let body = example.body(200);
    assert_eq!(handle.resource().name, example.name());
    assert_eq!(handle.resource().id.as_deref(), body["id"].as_str());
    assert_eq!(
        handle.cluster_resource_id(),
        body["properties"]["resourceId"].as_str()
    );
    assert_eq!(handle.status(), Some("Succeeded"));
}

#[tokio::test]
async fn published_example_of_a_create_is_sent_and_both_its_answers_are_followed() {
    let Some(example) = example("createBasicAKSCompute") else {
        return;
    };
    let finished = json!({"name": example.name(), "properties": {
        "computeType": "AKS", "provisioningState": "Succeeded",
    }});
    let waits = [(200, false), (201, true)].map(|(status, monitored)| {
        let (example, finished) = (&example, &finished);
        async move {
            let mut service = Service::start().await;
            let compute = example.compute();
            service.on("GET", &compute, Reply::empty(404)).await;
            service.on("PUT", &compute, example.reply(status)).await;
            // The path in the header of the example, with the version that it lacks.
            let monitor = "/subscriptions/...pathToOperationStatus...?api-version=2019-11-01";
            service
                .on(
                    "GET",
                    monitor,
                    Reply::json(200, &json!({"status": "Succeeded"})),
                )
                .await;
            service
                .on("GET", &compute, Reply::json(200, finished))
                .await;

            let configuration = AksCompute::provisioning_configuration().build().unwrap();
            let workspace = example.workspace(&service);
            let mut handle = ComputeTarget::create(&workspace, example.name(), configuration)
                .await
                .unwrap();
            let sent: Value = serde_json::from_slice(&service.last().body).unwrap();
            assert_eq!(sent, example.0["parameters"]["parameters"]);
            assert_eq!(handle.status(), Some("Creating"));
            handle.wait_for_completion(fast()).await.unwrap();
            assert_eq!(handle.status(), Some("Succeeded"));
            let polled = service.lines().contains(&format!("GET {monitor}"));
            assert_eq!(polled, monitored, "{status}");
        }
    });
    futures::future::join_all(waits).await;
}

#[tokio::test]
async fn published_answers_to_an_update_are_followed() {
    let (Some(example), Some(before)) = (example("updateAKSCompute"), example("getAKSCompute"))
    else {
        return;
    };
    let waits = [200, 201].map(|status| {
        let (example, before) = (&example, &before);
        async move {
            let mut service = Service::start().await;
            let compute = example.compute();
            service.on("PUT", &compute, example.reply(status)).await;
            let monitor = "/subscriptions/...pathToOperationStatus...?api-version=2019-11-01";
            service
                .on(
                    "GET",
                    monitor,
                    Reply::json(200, &json!({"status": "Succeeded"})),
                )
                .await;
            service.on("GET", &compute, before.reply(200)).await;
            let mut handle = AksCompute::get(&example.workspace(&service), example.name())
                .await
                .unwrap();
            let change = UpdateConfiguration::builder().load_balancer(LoadBalancer::PublicIp);
            handle.update(change.build().unwrap()).await.unwrap();
            assert_eq!(handle.status(), Some("Updating"));
            handle.wait_for_completion(fast()).await.unwrap();
            assert_eq!(handle.status(), Some("Succeeded"));
        }
    });
    futures::future::join_all(waits).await;
}

#[tokio::test]
async fn published_example_of_a_list_is_decoded_to_its_last_item() {
    let Some(example) = example("getComputes") else {
        return;
    };
    let mut service = Service::start().await;
    service
        .on("GET", &example.target("/computes"), example.reply(200))
        .await;
    let items: Vec<_> = example.workspace(&service).computes().collect().await;
    let published = example.body(200)["value"].as_array().unwrap();
    assert_eq!(items.len(), published.len() + 1);
    for (item, published) in items.iter().zip(published) {
        let item = item.as_ref().unwrap();
        assert_eq!(published["name"], item.name().as_str());
        assert_eq!(item.compute_type(), "AKS");
    }
    // Its link is a placeholder, and no URL.
    assert_eq!(
        items.last().unwrap().as_ref().unwrap_err().kind(),
        ErrorKind::Protocol
    );
}

#[tokio::test]
async fn published_answers_to_a_delete_are_both_followed() {
    let (Some(example), Some(before)) = (example("deleteCompute"), example("getAKSCompute")) else {
        return;
    };
    let mut resource = before.body(200).clone();
    resource["properties"]["isAttachedCompute"] = false.into();
    let waits = [200, 202].map(|status| {
        let (example, resource) = (&example, &resource);
        async move {
            let mut service = Service::start().await;
            let compute = example.compute();
            service
                .on("GET", &compute, Reply::json(200, resource))
                .await;
            let target = format!(
                "{compute}&underlyingResourceAction={}",
                example.parameter("underlyingResourceAction")
            );
            service.on("DELETE", &target, example.reply(status)).await;
            let monitor = "/subscriptions/...pathToOperationStatus...?api-version=2019-11-01";
            service
                .on(
                    "GET",
                    monitor,
                    Reply::json(200, &json!({"status": "Succeeded"})),
                )
                .await;
            let mut handle = AksCompute::get(&example.workspace(&service), example.name())
                .await
                .unwrap();
            let mut operation = handle.delete().await.unwrap();
            operation.wait(fast()).await.unwrap();
            let polled = service.lines().contains(&format!("GET {monitor}"));
            assert_eq!(polled, status == 202);
        }
    });
    futures::future::join_all(waits).await;
}

#[tokio::test]
async fn published_example_of_the_keys_is_decoded() {
    let (Some(example), Some(before)) = (example("listKeysAKSCompute"), example("getAKSCompute"))
    else {
        return;
    };
    let mut service = Service::start().await;
    service
        .on("GET", &example.compute(), before.reply(200))
        .await;
    let target = example.target(&format!("/computes/{}/listKeys", example.name()));
    service.on("POST", &target, example.reply(200)).await;
    let handle = AksCompute::get(&example.workspace(&service), example.name())
        .await
        .unwrap();
    let keys = handle.credentials().await.unwrap();
    let body = example.body(200);
    let secret =
        |secret: Option<azure_core::credentials::Secret>| secret.unwrap().secret().to_owned();
    assert_eq!(body["userKubeConfig"], secret(keys.user_kube_config));
    assert_eq!(body["adminKubeConfig"], secret(keys.admin_kube_config));
    assert_eq!(
        body["imagePullSecretName"].as_str(),
        keys.image_pull_secret_name.as_deref()
    );
}

#[tokio::test]
async fn published_example_of_a_workspace_gives_its_location() {
    let Some(example) = example("getWorkspace") else {
        return;
    };
    let mut service = Service::start().await;
    service
        .on("GET", &example.target(""), example.reply(200))
        .await;
    let workspace = Workspace::builder(
        example.parameter("subscriptionId"),
        example.parameter("resourceGroupName"),
        example.parameter("workspaceName"),
    )
    .credential(service.token.clone())
    .transport(service.transport(ARM))
    .api_version("2019-11-01")
    .build()
    .unwrap();
    let location = workspace.location().await.unwrap();
    assert_eq!(example.body(200)["location"], location);
}
