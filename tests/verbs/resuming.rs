use super::{count, created, emulated, resealed::resealed};
use azure_core::http::Method;
use azureml_aks::emulator::{Emulator, Fault};
use azureml_aks::{
    AksCompute, ComputeTarget, ErrorKind, ResumeToken, Resumed, Verb, WaitOptions, Workspace,
};

fn config() -> azureml_aks::ProvisioningConfiguration {
    AksCompute::provisioning_configuration().build().unwrap()
}

/// What another process would read.
fn stored(token: &ResumeToken) -> ResumeToken {
    ResumeToken::parse(&token.expose()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn create_is_resumed_by_another_process() {
    let emulator = Emulator::new();
    let token = {
        let workspace = emulated::workspace(&emulator);
        let aks = ComputeTarget::create(&workspace, "myaks", config())
            .await
            .unwrap();
        stored(aks.resume_token().unwrap())
    };
    let workspace = emulated::workspace(&emulator);
    emulator.clear_journal();
    let Resumed::Compute(mut aks) = workspace.resume(&token).await.unwrap() else {
        panic!()
    };
    assert!(
        emulator.journal().is_empty(),
        "a token with a monitor needs no probe"
    );
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    assert_eq!(
        (aks.name().as_str(), aks.status()),
        ("myaks", Some("Succeeded"))
    );
}

#[tokio::test(start_paused = true)]
async fn prepared_create_is_not_started_running_or_done() {
    let emulator = Emulator::new();
    let workspace = emulated::workspace(&emulator);
    let prepared = AksCompute::create(&workspace, "myaks", config())
        .prepare()
        .unwrap();
    assert!(emulator.journal().is_empty());
    let token = stored(prepared.token());
    let Resumed::NotStarted {
        verb,
        resource,
        name,
    } = workspace.resume(&token).await.unwrap()
    else {
        panic!()
    };
    assert_eq!((verb, name.as_str()), (Verb::Create, "myaks"));
    assert_eq!(resource.to_string(), "compute/AKS");

    // The answer to the PUT gets lost: the process knows no more than the token.
    emulator.inject(
        Fault::response_lost()
            .on(Method::Put, "/computes/myaks")
            .times(1),
    );
    let error = prepared.send().await.unwrap_err();
    assert_eq!(error.resume_token(), Some(&token), "{error}");
    let Resumed::Compute(mut aks) = workspace.resume(&token).await.unwrap() else {
        panic!()
    };
    assert_eq!(aks.status(), Some("Creating"));
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();

    let Resumed::Compute(aks) = workspace.resume(&token).await.unwrap() else {
        panic!()
    };
    assert_eq!(aks.status(), Some("Succeeded"));
    assert_eq!(count(&emulator, "PUT"), 1);
}

#[tokio::test(start_paused = true)]
async fn removal_is_resumed_before_and_after_it_was_accepted() {
    let emulator = Emulator::new();
    let workspace = emulated::workspace(&emulator);
    let mut aks = created(&workspace, "myaks").await;
    let prepared = aks.delete().prepare().unwrap();
    let early = stored(prepared.token());
    assert!(matches!(
        workspace.resume(&early).await.unwrap(),
        Resumed::NotStarted {
            verb: Verb::Delete,
            ..
        }
    ));
    let operation = prepared.send().await.unwrap();
    let late = stored(operation.resume_token().unwrap());
    drop(operation);
    for token in [&early, &late] {
        let Resumed::Removal(operation) = workspace.resume(token).await.unwrap() else {
            panic!()
        };
        operation.await.unwrap();
    }
    assert_eq!(count(&emulator, "DELETE"), 1);
}

#[tokio::test(start_paused = true)]
async fn token_of_another_place_is_refused_and_nothing_is_sent() {
    let emulator = Emulator::new();
    let workspace = emulated::workspace(&emulator);
    let token = AksCompute::create(&workspace, "myaks", config())
        .prepare()
        .unwrap()
        .token()
        .expose();
    let other = Workspace::builder(emulator.subscription(), emulator.resource_group(), "other")
        .credential(emulator.credential())
        .transport(emulator.transport())
        .build()
        .unwrap();
    let refused = other
        .resume(&ResumeToken::parse(&token).unwrap())
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ResumeToken);
    for (from, to) in [
        ("https://management.azure.com/", "https://evil.example/"),
        (
            "\"endpoint\":\"https://management.azure.com\"",
            "\"endpoint\":\"https://evil.example\"",
        ),
        ("/computes/myaks", "/computes/..%2fx"),
        ("/workspaces/", "/onlineEndpoints/"),
    ] {
        let changed = token.replace(from, to);
        assert_ne!(changed, token);
        let error = ResumeToken::parse(&changed).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResumeToken, "{to}: {error}");
        // The same by somebody who knows the checksum.
        let error = match ResumeToken::parse(&resealed(&changed)) {
            Ok(token) => workspace.resume(&token).await.unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(error.kind(), ErrorKind::ResumeToken, "{to}: {error}");
        assert!(!error.to_string().contains("checksum"), "{to}: {error}");
    }
    assert!(emulator.journal().is_empty());
}

#[tokio::test(start_paused = true)]
async fn update_that_was_never_sent_is_not_taken_for_done() {
    let emulator = Emulator::new();
    let workspace = emulated::workspace(&emulator);
    let change = || {
        azureml_aks::UpdateConfiguration::builder()
            .tls(azureml_aks::TlsUpdate::Enable(
                azureml_aks::Tls::leaf_domain("mylabel"),
            ))
            .build()
            .unwrap()
    };
    let not_started = |resumed: Resumed| {
        assert!(
            matches!(
                resumed,
                Resumed::NotStarted {
                    verb: Verb::Update,
                    ..
                }
            ),
            "{resumed:?}"
        );
    };
    let mut aks = created(&workspace, "myaks").await;
    let token = stored(aks.update(change()).prepare().unwrap().token());
    not_started(workspace.resume(&token).await.unwrap());

    // While somebody else's create is running.
    let mut other = ComputeTarget::create(&workspace, "other", config())
        .await
        .unwrap();
    let token = stored(other.update(change()).prepare().unwrap().token());
    not_started(workspace.resume(&token).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn removal_that_was_never_sent_does_not_follow_a_create() {
    let emulator = Emulator::new();
    let workspace = emulated::workspace(&emulator);
    let mut aks = ComputeTarget::create(&workspace, "myaks", config())
        .await
        .unwrap();
    let delete = stored(aks.delete().prepare().unwrap().token());
    let detach = stored(aks.detach().prepare().unwrap().token());
    for token in [delete, detach] {
        assert!(matches!(
            workspace.resume(&token).await.unwrap(),
            Resumed::NotStarted { .. }
        ));
    }
}

#[tokio::test(start_paused = true)]
async fn attach_is_not_taken_for_the_create_of_somebody_else() {
    let emulator = Emulator::new();
    let workspace = emulated::workspace(&emulator);
    let config = AksCompute::attach_configuration(azureml_aks::ClusterRef::named("g", "mine"))
        .build()
        .unwrap();
    let token = stored(
        AksCompute::attach(&workspace, "myaks", config)
            .prepare()
            .unwrap()
            .token(),
    );
    created(&workspace, "myaks").await;
    assert!(matches!(
        workspace.resume(&token).await.unwrap(),
        Resumed::NotStarted {
            verb: Verb::Attach,
            ..
        }
    ));
}

/// Many services write their times in whole seconds, and clocks differ.
#[tokio::test]
async fn running_update_is_found_although_its_time_has_no_fraction() {
    let emulator = Emulator::builder().retry_after(None).build();
    let workspace = emulated::workspace(&emulator);
    let mut aks = ComputeTarget::create(&workspace, "myaks", config())
        .await
        .unwrap();
    emulator.finish_operations();
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    let change = azureml_aks::UpdateConfiguration::builder()
        .tls(azureml_aks::TlsUpdate::Enable(
            azureml_aks::Tls::leaf_domain("mylabel"),
        ))
        .build()
        .unwrap();
    let prepared = aks.update(change).prepare().unwrap();
    let token = stored(prepared.token());
    prepared.send().await.unwrap();

    let mut document = emulator.compute("myaks").unwrap();
    let modified = document["properties"]["modifiedOn"].as_str().unwrap();
    let seconds = format!("{}Z", modified.split_once('.').unwrap().0);
    document["properties"]["modifiedOn"] = seconds.into();
    emulator.inject(
        Fault::response_override(
            200,
            &[("content-type", "application/json")],
            document.to_string(),
        )
        .on(Method::Get, "/computes/myaks"),
    );
    let found = workspace.resume(&token).await.unwrap();
    assert_eq!(found.verb(), Some(Verb::Update), "{found:?}");
    let Resumed::Compute(compute) = found else {
        panic!("{found:?}")
    };
    assert_eq!(compute.status(), Some("Updating"));
}

#[tokio::test(start_paused = true)]
async fn tokens_are_looked_up_in_one_list() {
    let emulator = Emulator::builder().page_size(100).build();
    let workspace = emulated::workspace(&emulator);
    let mut tokens = Vec::new();
    for name in ["aks-a", "aks-b", "aks-c"] {
        let prepared = ComputeTarget::create(&workspace, name, config())
            .prepare()
            .unwrap();
        tokens.push(stored(prepared.token()));
        // The last one never leaves.
        if name != "aks-c" {
            let aks = prepared.send().await.unwrap();
            tokens.push(stored(aks.resume_token().unwrap()));
        }
    }
    let foreign = tokens[0].expose().replace("emulator-workspace", "other");
    tokens.push(ResumeToken::parse(&resealed(&foreign)).unwrap());
    emulator.clear_journal();
    let found = workspace.resume_all(&tokens).await;
    let sent: Vec<String> = emulator
        .journal()
        .iter()
        .map(|request| request.path.rsplit('/').next().unwrap().to_owned())
        .collect();
    // One list, and a read of the one that it does not show.
    assert_eq!(sent, ["computes", "aks-c"]);
    for running in &found[..4] {
        assert!(matches!(running, Ok(Resumed::Compute(_))), "{running:?}");
    }
    assert!(
        matches!(&found[4], Ok(Resumed::NotStarted { name, .. }) if name == "aks-c"),
        "{found:?}"
    );
    assert_eq!(
        found[5].as_ref().unwrap_err().kind(),
        azureml_aks::ErrorKind::ResumeToken
    );

    let mut running: Vec<Resumed> = found.into_iter().filter_map(Result::ok).collect();
    let results = azureml_aks::wait_all(&mut running, WaitOptions::new()).await;
    assert!(results[..4].iter().all(Result::is_ok), "{results:?}");
    assert!(results[4].is_err());
}

#[tokio::test(start_paused = true)]
async fn tokens_are_looked_up_one_by_one_where_there_is_no_list() {
    let emulator = Emulator::new();
    let workspace = emulated::workspace(&emulator);
    let mut tokens = Vec::new();
    for name in ["aks-a", "aks-b"] {
        let prepared = ComputeTarget::create(&workspace, name, config())
            .prepare()
            .unwrap();
        tokens.push(stored(prepared.token()));
        let _ = prepared.send().await.unwrap();
    }
    emulator.inject(
        Fault::server_error(403)
            .on(Method::Get, "/computes")
            .times(1),
    );
    for found in workspace.resume_all(&tokens).await {
        assert!(matches!(found, Ok(Resumed::Compute(_))), "{found:?}");
    }
}
