use super::count;
use crate::support::fixture::{self, created};
use crate::support::resealed::resealed;
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, HttpClient, Method, Request, StatusCode, Transport};
use azureml_aks::emulator::{Emulator, Fault};
use azureml_aks::{
    AksCompute, ComputeTarget, ErrorKind, ResumeToken, Resumed, Verb, WaitOptions, Workspace,
};
use futures::TryStreamExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

fn config() -> azureml_aks::ProvisioningConfiguration {
    AksCompute::provisioning_configuration().build().unwrap()
}

/// The token as another process would read it.
fn stored(token: &ResumeToken) -> ResumeToken {
    ResumeToken::parse(&token.expose()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn create_is_resumed_by_another_process() {
    let emulator = Emulator::new();
    let token = {
        let workspace = fixture::workspace(&emulator);
        let aks = ComputeTarget::create(&workspace, "myaks", config())
            .await
            .unwrap();
        stored(aks.resume_token().unwrap())
    };
    let workspace = fixture::workspace(&emulator);
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
    let workspace = fixture::workspace(&emulator);
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
    let workspace = fixture::workspace(&emulator);
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
    let workspace = fixture::workspace(&emulator);
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
    let workspace = fixture::workspace(&emulator);
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
    let workspace = fixture::workspace(&emulator);
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
    let workspace = fixture::workspace(&emulator);
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
    let workspace = fixture::workspace(&emulator);
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
    // A create takes minutes, but not here.
    document["properties"]["createdOn"] = "2020-01-01T00:00:00Z".into();
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
    assert_eq!(compute.status(), Some("Creating"));
}

#[tokio::test(start_paused = true)]
async fn tokens_are_looked_up_in_one_list() {
    let emulator = Emulator::builder().page_size(100).build();
    let workspace = fixture::workspace(&emulator);
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
    let workspace = fixture::workspace(&emulator);
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

/// A handle of `myaks` on which this verb is pending, with the tokens before and after it was accepted.
async fn begun(emulator: &Emulator, verb: Verb) -> (AksCompute, [ResumeToken; 2]) {
    let workspace = fixture::workspace(emulator);
    let update = || {
        let change =
            azureml_aks::UpdateConfiguration::builder().tls(azureml_aks::TlsUpdate::Disable);
        change.build().unwrap()
    };
    if verb == Verb::Create {
        let prepared = AksCompute::create(&workspace, "myaks", config()).prepare();
        return both_tokens(prepared.unwrap()).await;
    }
    if verb == Verb::Attach {
        let cluster = azureml_aks::emulator::ExistingCluster::new("mygroup", "mine");
        let cluster = azureml_aks::ClusterRef::id(emulator.add_cluster(cluster));
        let config = AksCompute::attach_configuration(cluster).build().unwrap();
        let prepared = AksCompute::attach(&workspace, "myaks", config).prepare();
        return both_tokens(prepared.unwrap()).await;
    }
    let mut aks = created(&workspace, "myaks").await;
    let early = match verb {
        Verb::Update => {
            let prepared = aks.update(update()).prepare().unwrap();
            let token = stored(prepared.token());
            prepared.send().await.unwrap();
            token
        }
        _ => {
            let request = match verb {
                Verb::Detach => aks.detach(),
                _ => aks.delete(),
            };
            let prepared = request.prepare().unwrap();
            let token = stored(prepared.token());
            drop(prepared.send().await.unwrap());
            token
        }
    };
    let late = stored(aks.resume_token().unwrap());
    (aks, [early, late])
}

async fn both_tokens(
    prepared: azureml_aks::Prepared<'_, AksCompute>,
) -> (AksCompute, [ResumeToken; 2]) {
    let early = stored(prepared.token());
    let aks = prepared.send().await.unwrap();
    let late = stored(aks.resume_token().unwrap());
    (aks, [early, late])
}

#[tokio::test(start_paused = true)]
async fn resume_takes_the_token_of_every_verb_before_and_after_it_was_accepted() {
    for verb in [
        Verb::Create,
        Verb::Attach,
        Verb::Update,
        Verb::Detach,
        Verb::Delete,
    ] {
        let emulator = Emulator::new();
        let (mut aks, tokens) = begun(&emulator, verb).await;
        for token in &tokens {
            assert_eq!((token.verb(), token.target()), (verb, "myaks"));
            assert_eq!(token.resource().to_string(), "compute/AKS");
            assert_eq!(token.workspace().name(), "emulator-workspace");
            let workspace = fixture::workspace(&emulator);
            let found = workspace.resume(token).await.unwrap();
            assert_eq!((found.verb(), found.name()), (Some(verb), "myaks"));
            assert_eq!(found.resume_token().unwrap().id(), token.id());
            match (&found, verb) {
                (Resumed::Removal(_), Verb::Detach | Verb::Delete) => {}
                (Resumed::Compute(compute), Verb::Create | Verb::Attach | Verb::Update) => {
                    assert!(!compute.is_ready());
                    let aks: AksCompute = compute.clone().try_into().unwrap();
                    assert_eq!(aks.resume_token(), compute.resume_token());
                }
                _ => panic!("{verb}: {found:?}"),
            }
        }
        let workspace = fixture::workspace(&emulator);
        for token in &tokens {
            let mut found = [workspace.resume(token).await.unwrap()];
            let results = azureml_aks::wait_all(&mut found, WaitOptions::new()).await;
            assert!(results[0].is_ok(), "{verb}: {results:?}");
            assert_eq!(found[0].resume_token(), None);
            // What has ended leaves the other token something to find.
            if verb == Verb::Update {
                break;
            }
        }
        match workspace.resume(&tokens[0]).await.unwrap() {
            // In a final state the compute does not show whose update was the last.
            Resumed::NotStarted { verb: asked, .. } => {
                assert_eq!((asked, verb), (verb, Verb::Update))
            }
            done => assert_eq!(done.resume_token(), None, "{verb}: {done:?}"),
        }
        // The handle that began it goes on as if nobody else had waited.
        aks.wait_for_completion(WaitOptions::new()).await.unwrap();
        let there = !matches!(verb, Verb::Detach | Verb::Delete);
        assert_eq!(emulator.compute("myaks").is_some(), there, "{verb}");
    }
}

#[tokio::test(start_paused = true)]
async fn token_of_every_verb_is_refused_by_another_workspace_and_another_endpoint() {
    for verb in [
        Verb::Create,
        Verb::Attach,
        Verb::Update,
        Verb::Detach,
        Verb::Delete,
    ] {
        let emulator = Emulator::new();
        let (_, tokens) = begun(&emulator, verb).await;
        emulator.clear_journal();
        let workspace = |group: &str, name: &str| {
            Workspace::builder(emulator.subscription(), group, name)
                .credential(emulator.credential())
                .transport(emulator.transport())
        };
        let group = emulator.resource_group();
        let own = emulator.workspace();
        for (elsewhere, why) in [
            (workspace(group, "other"), "another workspace"),
            (workspace("other-group", own), "another workspace"),
            (
                workspace(group, own).cloud(azureml_aks::Cloud::us_government()),
                "another endpoint",
            ),
        ] {
            let elsewhere = elsewhere.build().unwrap();
            for token in &tokens {
                let error = elsewhere.resume(token).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::ResumeToken, "{verb}: {error}");
                assert!(error.to_string().contains(why), "{verb}: {error}");
            }
            for result in elsewhere.resume_all(&tokens).await {
                assert_eq!(result.unwrap_err().kind(), ErrorKind::ResumeToken);
            }
        }
        assert!(emulator.journal().is_empty(), "{verb}");
    }
}

/// The error of a wait for a compute that is not the one that its create made.
#[track_caller]
fn assert_is_another(error: &azureml_aks::Error) {
    assert_eq!(error.kind(), ErrorKind::Service, "{error}");
    let text = "was deleted, and another one of its name was created since";
    assert!(error.to_string().contains(text), "{error}");
    assert!(error.resume_token().is_none() && !error.may_still_run());
    assert!(!error.is_operation_failure() && !error.is_not_found());
}

/// Removes `myaks`, and creates another one of its name after this time.
async fn create_again(emulator: &Emulator, after: std::time::Duration) {
    let workspace = fixture::workspace(emulator);
    let before = emulator.compute("myaks").unwrap();
    let mut first = AksCompute::get(&workspace, "myaks").await.unwrap();
    drop(first.delete().await.unwrap());
    emulator.finish_operations();
    emulator.advance(after);
    let second = ComputeTarget::create(&workspace, "myaks", config()).await;
    drop(second.unwrap());
    emulator.finish_operations();
    let after = emulator.compute("myaks").unwrap();
    assert_eq!(after["properties"]["provisioningState"], "Succeeded");
    assert_ne!(
        before["properties"]["createdOn"],
        after["properties"]["createdOn"]
    );
}

/// `createdOn` without its fraction.
fn second_of_creation(emulator: &Emulator) -> String {
    let document = emulator.compute("myaks").unwrap();
    let created = document["properties"]["createdOn"].as_str().unwrap();
    created.split('.').next().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn compute_that_was_created_again_is_not_taken_for_the_one_of_the_token() {
    use azureml_aks::emulator::Clock;
    use std::time::Duration;
    let mut same_second = 0;
    for (after, monitor) in [
        (Duration::from_secs(3600), true),
        (Duration::from_secs(3600), false),
        (Duration::from_millis(1), true),
        (Duration::from_millis(1), false),
    ] {
        // Nothing moves the clock but this test.
        let emulator = Emulator::builder().clock(Clock::Manual).build();
        let (mut aks, [_, token]) = begun(&emulator, Verb::Create).await;
        let second = second_of_creation(&emulator);
        emulator.finish_operations();
        create_again(&emulator, after).await;
        same_second += usize::from(second == second_of_creation(&emulator));
        if !monitor {
            let gone = Fault::response_override(404, &[], "{}");
            emulator.inject(gone.on_path("/computeOperationsStatus/"));
        }

        let Resumed::Compute(mut found) =
            fixture::workspace(&emulator).resume(&token).await.unwrap()
        else {
            panic!("its answer was seen");
        };
        for _ in 0..2 {
            let error = found.wait_for_completion(WaitOptions::new()).await;
            assert_is_another(&error.unwrap_err());
        }
        assert!(!found.is_ready() && found.resume_token().is_none());
        // The handle that made the first one is not misled either.
        let error = aks.wait_for_completion(WaitOptions::new()).await;
        assert_is_another(&error.unwrap_err());
        // Who wants the other one reads it.
        aks.refresh_state().await.unwrap();
        aks.wait_for_completion(WaitOptions::new()).await.unwrap();
        assert!(aks.is_ready());
    }
    assert!(same_second >= 1, "a millisecond rarely crosses a second");
}

#[tokio::test(start_paused = true)]
async fn compute_that_was_created_again_is_distinguished_by_its_row_of_the_list() {
    use azureml_aks::emulator::Clock;
    use std::time::Duration;
    for monitor in [true, false] {
        let emulator = Emulator::builder().clock(Clock::Manual).build();
        let (_, [_, token]) = begun(&emulator, Verb::Create).await;
        let workspace = fixture::workspace(&emulator);
        let other = ComputeTarget::create(&workspace, "other", config()).await;
        let tokens = [token, other.unwrap().resume_token().unwrap().clone()];
        emulator.finish_operations();
        create_again(&emulator, Duration::from_millis(1)).await;
        if !monitor {
            let gone = Fault::response_override(404, &[], "{}");
            emulator.inject(gone.on_path("/computeOperationsStatus/"));
        }
        let resumed = fixture::workspace(&emulator).resume_all(&tokens).await;
        let resumed: Result<Vec<Resumed>, _> = resumed.into_iter().collect();
        emulator.clear_journal();
        let results = azureml_aks::wait_all(&mut resumed.unwrap(), WaitOptions::new()).await;
        assert_is_another(results[0].as_ref().unwrap_err());
        assert!(results[1].is_ok(), "{results:?}");
        let journal = emulator.journal();
        assert!(journal[0].path.ends_with("/computes"), "{journal:?}");
        if monitor {
            let reads = journal
                .iter()
                .filter(|entry| entry.path.contains("/computes/"));
            assert_eq!(reads.count(), 0, "the rows were the result: {journal:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn compute_that_was_created_again_is_not_taken_for_the_one_that_was_updated() {
    let emulator = Emulator::builder()
        .clock(azureml_aks::emulator::Clock::Manual)
        .build();
    let workspace = fixture::workspace(&emulator);
    let created = ComputeTarget::create(&workspace, "myaks", config()).await;
    let mut aks = created.unwrap();
    emulator.finish_operations();
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    let change = azureml_aks::UpdateConfiguration::builder().tls(azureml_aks::TlsUpdate::Disable);
    aks.update(change.build().unwrap()).await.unwrap();
    let token = stored(aks.resume_token().unwrap());
    emulator.finish_operations();
    create_again(&emulator, std::time::Duration::from_millis(1)).await;
    let found = workspace.resume(&token).await.unwrap();
    let results = azureml_aks::wait_all(&mut [found], WaitOptions::new()).await;
    assert_is_another(results[0].as_ref().unwrap_err());
}

/// Has a list of computes without an end; everything else is the emulator.
#[derive(Debug)]
struct Endless {
    emulator: Arc<dyn HttpClient>,
    pages: AtomicU64,
    pause: Duration,
}

#[async_trait::async_trait]
impl HttpClient for Endless {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let url = request.url();
        if !url.path().ends_with("/computes") {
            return self.emulator.execute_request(request).await;
        }
        let number = self.pages.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(self.pause).await;
        let mut next = url.clone();
        next.set_query(Some(&format!("api-version=2024-04-01&$skip={number}")));
        let page = serde_json::json!({ "value": [], "nextLink": next.as_str() });
        let (status, headers) = (StatusCode::Ok, Headers::new());
        Ok(AsyncRawResponse::from_bytes(
            status,
            headers,
            page.to_string(),
        ))
    }
}

#[tokio::test(start_paused = true)]
async fn list_without_an_end_is_left_and_the_tokens_are_looked_up_one_by_one() {
    for (pause, most) in [(Duration::ZERO, 10_000), (Duration::from_secs(1), 101)] {
        let emulator = Emulator::new();
        let endless = Arc::new(Endless {
            emulator: emulator.http_client(),
            pages: AtomicU64::new(0),
            pause,
        });
        let workspace = fixture::builder(&emulator)
            .transport(Transport::new(endless.clone()))
            .build()
            .unwrap();
        let mut tokens = Vec::new();
        for name in ["aks-a", "aks-b"] {
            let prepared = ComputeTarget::create(&workspace, name, config())
                .prepare()
                .unwrap();
            tokens.push(stored(prepared.token()));
            let _ = prepared.send().await.unwrap();
        }
        for found in workspace.resume_all(&tokens).await {
            assert!(matches!(found, Ok(Resumed::Compute(_))), "{found:?}");
        }
        let pages = endless.pages.load(Ordering::SeqCst);
        assert!((2..=most).contains(&pages), "{pages}");
        if pause.is_zero() {
            let mut all = workspace.computes();
            let error = all.try_next().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
            assert!(error.to_string().contains("10000 pages"), "{error}");
            assert!(all.try_next().await.unwrap().is_none());
        }
    }
}
