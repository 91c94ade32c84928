use super::{count, requests};
use crate::support::fixture::{self, attached, created};
use azure_core::http::Method;
use azureml_aks::emulator::{Clock, Emulator, ExistingCluster, Fault};
use azureml_aks::{
    AksCompute, ClusterRef, ComputeTarget, Error, ErrorKind, LoadBalancer, Operation,
    UpdateConfiguration, Verb, WaitOptions,
    models::{ComputeState, Event, StatusClass},
};
use futures::{StreamExt, TryStreamExt};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

fn config() -> azureml_aks::ProvisioningConfiguration {
    AksCompute::provisioning_configuration().build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn progress_is_reported_before_each_pause() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let mut aks = ComputeTarget::create(&workspace, "myaks", config())
        .await
        .unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let options = WaitOptions::new().on_progress(move |progress| {
        sink.lock()
            .unwrap()
            .push((progress.clone(), Instant::now()));
    });
    aks.wait_for_completion(options).await.unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen.len() >= 3);
    assert_eq!(
        seen[0].0.polls, 0,
        "the first is told before the first read"
    );
    for pair in seen.windows(2) {
        let ((one, at), (next, later)) = (&pair[0], &pair[1]);
        assert_eq!(next.polls, one.polls + 1);
        let pause = later.duration_since(*at);
        assert!(pause >= one.next_delay && pause < one.next_delay + Duration::from_millis(5));
        assert_eq!(one.class, StatusClass::InProgress);
    }
}

#[tokio::test(start_paused = true)]
async fn events_of_an_operation_end_with_the_result() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let mut aks = created(&workspace, "myaks").await;
    let mut operation = aks.detach().await.unwrap();
    let events: Vec<_> = operation
        .events(WaitOptions::new())
        .try_collect()
        .await
        .unwrap();
    assert!(matches!(events.first(), Some(Event::Progress(_))));
    assert!(matches!(events.last(), Some(Event::Done(()))));
    assert_eq!(
        events
            .iter()
            .filter(|event| matches!(event, Event::Done(())))
            .count(),
        1
    );
    let mut again = pin!(operation.events(WaitOptions::new()));
    assert!(matches!(again.next().await, Some(Ok(Event::Done(())))));
    assert!(again.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn deadline_ends_the_wait_and_not_the_operation() {
    let emulator = Emulator::builder()
        .create_duration(Duration::from_secs(900))
        .build();
    let workspace = fixture::workspace(&emulator);
    let mut aks = ComputeTarget::create(&workspace, "myaks", config())
        .await
        .unwrap();
    let start = Instant::now();
    let deadline = Duration::from_secs(61);
    let error = aks
        .wait_for_completion(WaitOptions::new().deadline(deadline))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(start.elapsed().as_secs(), 61);
    assert!(error.may_still_run() && error.is_timeout());
    assert!(error.resume_token().is_some() && error.polls() > Some(1));
    assert!(error.last_status().is_some());
    let before = emulator.journal().len();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(
        emulator.journal().len(),
        before,
        "nothing is sent after the deadline"
    );
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    assert_eq!(aks.status(), Some("Succeeded"));
}

#[tokio::test(start_paused = true)]
async fn failed_reads_of_the_status_do_not_fail_the_operation() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    for (name, fault) in [
        ("throttled", Fault::throttled(Duration::from_secs(17))),
        ("broken", Fault::server_error(502)),
        ("dropped", Fault::connection_dropped()),
        ("truncated", Fault::truncated_body()),
        ("html", Fault::html_error()),
        ("expired", Fault::expired_token()),
    ] {
        let mut aks = ComputeTarget::create(&workspace, name, config())
            .await
            .unwrap();
        let times = if name == "expired" { 1 } else { 2 };
        emulator.inject(
            fault
                .on(Method::Get, "/computeOperationsStatus/")
                .times(times),
        );
        aks.wait_for_completion(WaitOptions::new())
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        emulator.clear_faults();
    }
}

#[tokio::test(start_paused = true)]
async fn foreign_polling_url_is_refused_and_nothing_is_sent_there() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    emulator.inject(Fault::foreign_polling_url(
        "https://evil.example/steal?sig=s3cr3t",
    ));
    let mut aks = ComputeTarget::create(&workspace, "myaks", config())
        .await
        .unwrap();
    emulator.clear_journal();
    let error = aks
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UntrustedUrl, "{error}");
    assert!(emulator.journal().is_empty());
    assert!(error.to_string().contains("evil.example") && !error.to_string().contains("s3cr3t"));
    assert!(error.resume_token().is_some(), "the operation runs on");
}

#[tokio::test(start_paused = true)]
async fn operation_that_never_ends_is_bounded_by_the_deadline() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    emulator.inject(Fault::never_ending_operation());
    let mut aks = ComputeTarget::create(&workspace, "myaks", config())
        .await
        .unwrap();
    let start = Instant::now();
    let error = aks
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(start.elapsed(), WaitOptions::DEFAULT_DEADLINE);
    assert!(
        requests(&emulator).len() < 1000,
        "at the service's pace, not in a hot loop"
    );
}

#[tokio::test(start_paused = true)]
async fn manual_clock_moves_only_on_request() {
    let emulator = Emulator::builder().clock(Clock::Manual).build();
    let workspace = fixture::workspace(&emulator);
    let mut aks = ComputeTarget::create(&workspace, "myaks", config())
        .await
        .unwrap();
    let short = WaitOptions::new().deadline(Duration::from_secs(3600));
    assert!(
        aks.wait_for_completion(short)
            .await
            .unwrap_err()
            .may_still_run()
    );
    emulator.finish_operations();
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
}

/// A change of the load balancer.
fn load_balancer(to: LoadBalancer) -> UpdateConfiguration {
    let change = UpdateConfiguration::builder().load_balancer(to);
    change.build().unwrap()
}

fn shown(aks: &AksCompute) -> Option<&str> {
    aks.properties().load_balancer_type.as_deref()
}

fn short() -> WaitOptions {
    WaitOptions::new().deadline(Duration::from_secs(1))
}

/// The requests of a wait that follows a monitor: reads of one monitor, and at last what is given.
#[track_caller]
fn assert_polls_one_monitor(emulator: &Emulator, last: &[&str]) {
    let journal = emulator.journal();
    let (polls, rest) = journal.split_at(journal.len() - last.len());
    assert!(!polls.is_empty() && polls[0].path.contains("/computeOperationsStatus/"));
    assert!(
        polls.iter().all(|poll| poll.path == polls[0].path),
        "{polls:?}"
    );
    let all = requests(emulator);
    assert_eq!(&all[polls.len()..], last, "{rest:?}");
}

#[tokio::test(start_paused = true)]
async fn update_is_pending_on_its_handle_until_a_wait_has_seen_its_end() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let mut aks = created(&workspace, "myaks").await;
    emulator.clear_journal();
    let internal = load_balancer(LoadBalancer::internal());
    aks.update(internal).await.unwrap();
    assert_eq!(requests(&emulator), ["GET myaks", "PUT myaks"]);
    assert_eq!(aks.status(), Some("Updating"));
    assert_eq!(aks.state(), Some(ComputeState::Updating));
    assert!(!aks.is_ready() && !aks.is_failed());

    let error = aks.wait_for_completion(short()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    let token = error.resume_token().unwrap();
    assert_eq!((token.verb(), token.target()), (Verb::Update, "myaks"));
    assert_eq!(aks.resume_token(), Some(token));
    assert_eq!(shown(&aks), Some("PublicIp"), "as it was last read");

    emulator.clear_journal();
    let begun = Instant::now();
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    // The emulator takes five minutes.
    assert!(begun.elapsed() >= Duration::from_secs(299));
    let document = emulator.compute("myaks").unwrap();
    assert_eq!(document["properties"]["provisioningState"], "Succeeded");
    assert_polls_one_monitor(&emulator, &["GET myaks"]);
    assert!(aks.is_ready() && aks.resume_token().is_none());
    assert_eq!(shown(&aks), Some("InternalLoadBalancer"));
}

#[tokio::test(start_paused = true)]
async fn second_update_is_pending_in_place_of_the_first() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let mut aks = created(&workspace, "myaks").await;
    aks.update(load_balancer(LoadBalancer::internal()))
        .await
        .unwrap();
    let first = aks.resume_token().unwrap().clone();
    // The first one ends, and nobody has seen it.
    emulator.finish_operations();
    aks.update(load_balancer(LoadBalancer::PublicIp))
        .await
        .unwrap();
    assert_ne!(aks.resume_token().unwrap().id(), first.id());
    emulator.clear_journal();
    let begun = Instant::now();
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(299));
    assert_polls_one_monitor(&emulator, &["GET myaks"]);
    assert_eq!(shown(&aks), Some("PublicIp"));

    // One after the other.
    aks.update(load_balancer(LoadBalancer::internal()))
        .await
        .unwrap();
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    assert_eq!(shown(&aks), Some("InternalLoadBalancer"));
}

#[tokio::test(start_paused = true)]
async fn failed_update_ends_the_wait_and_shows_in_the_state_but_not_in_the_resource() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let mut aks = created(&workspace, "myaks").await;
    let before = aks.resource().clone();
    let broken = Fault::operation_fails("Broken", "no such subnet").on(Method::Put, "/computes/");
    emulator.inject(broken.times(1));
    aks.update(load_balancer(LoadBalancer::internal()))
        .await
        .unwrap();
    let check = |error: Error, aks: &AksCompute| {
        assert_eq!(error.kind(), ErrorKind::OperationFailed);
        assert_eq!(error.code(), Some("Broken"));
        assert!(error.to_string().contains("update compute \"myaks\""));
        assert!(error.resume_token().is_none() && aks.resume_token().is_none());
        assert_eq!(aks.status(), Some("Failed"));
        assert!(aks.is_failed() && !aks.is_ready());
        assert_eq!(aks.provisioning_errors()[0].code.as_deref(), Some("Broken"));
        assert_eq!(aks.resource(), &before);
        assert_eq!(
            before.properties.provisioning_state.as_deref(),
            Some("Succeeded")
        );
    };
    let error = aks
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap_err();
    check(error, &aks);
    let copy = aks.clone();
    assert!(copy.is_failed());
    // The same end again, without a request.
    emulator.clear_journal();
    let error = aks
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap_err();
    check(error, &aks);
    assert!(emulator.journal().is_empty());

    // The next operation is judged by itself.
    aks.update(load_balancer(LoadBalancer::internal()))
        .await
        .unwrap();
    assert_eq!(aks.status(), Some("Updating"));
    assert!(!aks.is_failed() && aks.provisioning_errors().is_empty());
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    assert!(aks.is_ready());
    assert!(copy.is_failed(), "a copy tells what it knew");
}

#[tokio::test(start_paused = true)]
async fn removal_is_pending_on_its_handle_and_waits_for_it_succeed_again_and_again() {
    for verb in [Verb::Detach, Verb::Delete] {
        let emulator = Emulator::new();
        let workspace = fixture::workspace(&emulator);
        let mut aks = created(&workspace, "myaks").await;
        let operation = remove(&mut aks, verb).await;
        drop(operation);
        assert_eq!(aks.status(), Some("Deleting"), "{verb}");
        assert!(!aks.is_ready() && !aks.is_failed());
        let error = aks.wait_for_completion(short()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DeadlineExceeded, "{verb}");
        assert_eq!(error.resume_token().unwrap().verb(), verb);
        assert!(emulator.compute("myaks").is_some());

        emulator.clear_journal();
        aks.wait_for_completion(WaitOptions::new()).await.unwrap();
        assert_eq!(emulator.compute("myaks"), None, "{verb}");
        assert_polls_one_monitor(&emulator, &[]);
        assert!(aks.resume_token().is_none() && !aks.is_ready());
        assert_eq!(aks.status(), Some("Deleting"));

        emulator.clear_journal();
        aks.wait_for_completion(WaitOptions::new()).await.unwrap();
        assert!(emulator.journal().is_empty(), "{verb}: it is known");
        assert!(aks.refresh_state().await.unwrap_err().is_not_found());
        aks.wait_for_completion(WaitOptions::new()).await.unwrap();

        // Once the handle has read another compute of that name, it is about that one.
        created(&workspace, "myaks").await;
        aks.refresh_state().await.unwrap();
        assert!(aks.is_ready());
        emulator.clear_journal();
        aks.wait_for_completion(WaitOptions::new()).await.unwrap();
        assert_eq!(requests(&emulator), ["GET myaks"], "{verb}");
    }
}

async fn remove(aks: &mut AksCompute, verb: Verb) -> Operation<()> {
    let request = match verb {
        Verb::Delete => aks.delete(),
        _ => aks.detach(),
    };
    request.await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn removal_ends_for_its_operation_and_for_its_handle() {
    for verb in [Verb::Detach, Verb::Delete] {
        let emulator = Emulator::new();
        let workspace = fixture::workspace(&emulator);
        let mut aks = created(&workspace, "myaks").await;
        let operation = remove(&mut aks, verb).await;
        assert_eq!(operation.resume_token(), aks.resume_token());
        operation.await.unwrap();
        emulator.clear_journal();
        aks.wait_for_completion(WaitOptions::new()).await.unwrap();
        // The handle looks for itself, once.
        assert_polls_one_monitor(&emulator, &[]);
        assert_eq!(emulator.journal().len(), 1, "{verb}");

        // At the same time.
        let mut aks = created(&workspace, "myaks").await;
        let operation = remove(&mut aks, verb).await;
        let wait = aks.wait_for_completion(WaitOptions::new());
        let (operation, handle) = futures::join!(operation.into_future(), wait);
        operation.unwrap();
        handle.unwrap();
        assert_eq!(emulator.compute("myaks"), None);
    }
}

#[tokio::test(start_paused = true)]
async fn failed_removal_ends_the_wait_on_its_handle() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let mut aks = created(&workspace, "myaks").await;
    let broken = Fault::operation_fails("InUse", "still in use").on(Method::Delete, "/computes/");
    emulator.inject(broken.times(1));
    drop(aks.detach().await.unwrap());
    for _ in 0..2 {
        let error = aks
            .wait_for_completion(WaitOptions::new())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OperationFailed);
        assert_eq!(error.code(), Some("InUse"));
    }
    assert!(aks.is_failed() && aks.resume_token().is_none());
    assert!(emulator.compute("myaks").is_some());
}

#[tokio::test(start_paused = true)]
async fn wait_with_nothing_pending_is_decided_by_one_read() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    // Ready.
    let (mut aks, _) = attached(&emulator, &workspace, "ready").await;
    emulator.clear_journal();
    let begun = Instant::now();
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    assert_eq!(requests(&emulator), ["GET ready"]);
    assert_eq!(begun.elapsed(), Duration::ZERO);
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    assert_eq!(requests(&emulator), ["GET ready", "GET ready"]);

    // Read as ready, and failed since.
    let mut stale = aks.clone();
    let broken = Fault::operation_fails("Broken", "no such subnet").on(Method::Put, "/computes/");
    emulator.inject(broken.times(1));
    let change = load_balancer(LoadBalancer::internal());
    aks.update(change).await.unwrap();
    emulator.finish_operations();
    emulator.clear_journal();
    let error = stale
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OperationFailed, "{error}");
    assert_eq!(requests(&emulator), ["GET ready"]);
    assert!(stale.is_failed());
    // The failure was only read, so it is not remembered: each wait reads anew.
    assert!(stale.wait_for_completion(WaitOptions::new()).await.is_err());
    assert_eq!(requests(&emulator), ["GET ready", "GET ready"]);
    let change = load_balancer(LoadBalancer::internal());
    aks.update(change).await.unwrap();
    emulator.finish_operations();
    stale.wait_for_completion(WaitOptions::new()).await.unwrap();
    assert!(stale.is_ready() && !stale.is_failed());

    // Failed when it was read.
    let mut aks = ComputeTarget::create(&workspace, "fail-x", config())
        .await
        .unwrap();
    let failed = aks.wait_for_completion(WaitOptions::new()).await;
    assert!(failed.is_err());
    let mut aks = AksCompute::get(&workspace, "fail-x").await.unwrap();
    emulator.clear_journal();
    let error = aks
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OperationFailed);
    assert!(error.service_error().is_some() && error.resume_token().is_none());
    assert_eq!(requests(&emulator), ["GET fail-x"]);

    // Gone since it was read.
    aks.clone().delete().await.unwrap().await.unwrap();
    let mut aks = AksCompute::from_resource(&workspace, aks.resource().clone()).unwrap();
    emulator.clear_journal();
    let error = aks
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Service);
    assert!(error.is_not_found() && !error.may_still_run(), "{error}");
    assert!(error.resume_token().is_none());
    assert_eq!(requests(&emulator), ["GET fail-x"]);
    // Somebody makes it again.
    let cluster = emulator.add_cluster(ExistingCluster::new("g", "c"));
    let attach = AksCompute::attach_configuration(ClusterRef::id(cluster));
    let attach = ComputeTarget::attach(&workspace, "fail-x", attach.build().unwrap());
    drop(attach.await.unwrap());
    let again = aks.wait_for_completion(WaitOptions::new()).await;
    assert!(!again.is_err_and(|error| error.is_not_found()));
}

#[tokio::test(start_paused = true)]
async fn wait_with_nothing_pending_follows_a_running_operation() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let mut aks = created(&workspace, "myaks").await;
    // Read while it was ready; another handle changes it since.
    let mut other = aks.clone();
    other
        .update(load_balancer(LoadBalancer::internal()))
        .await
        .unwrap();
    assert_eq!(
        (aks.status(), aks.resume_token()),
        (Some("Succeeded"), None)
    );
    emulator.clear_journal();
    let begun = Instant::now();
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(299));
    let sent = requests(&emulator);
    assert!(sent.len() > 5, "{sent:?}");
    assert!(sent.iter().all(|sent| sent == "GET myaks"), "{sent:?}");
    assert_eq!(shown(&aks), Some("InternalLoadBalancer"));
    assert_eq!(shown(&other), Some("PublicIp"), "it has not waited yet");
}

#[tokio::test(start_paused = true)]
async fn clone_has_what_was_pending_when_it_was_made() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let mut aks = created(&workspace, "myaks").await;
    let before = aks.clone();
    aks.update(load_balancer(LoadBalancer::internal()))
        .await
        .unwrap();
    let mut after = aks.clone();
    assert_eq!(before.resume_token(), None);
    assert!(after.resume_token().is_some());
    assert_eq!(after.resume_token(), aks.resume_token());
    assert_eq!(
        (before.status(), after.status()),
        (Some("Succeeded"), Some("Updating"))
    );

    for handle in [&mut aks, &mut after] {
        emulator.clear_journal();
        handle
            .wait_for_completion(WaitOptions::new())
            .await
            .unwrap();
        assert_polls_one_monitor(&emulator, &["GET myaks"]);
        assert_eq!(shown(handle), Some("InternalLoadBalancer"));
    }
}

#[tokio::test(start_paused = true)]
async fn request_that_is_dropped_sends_nothing_and_leaves_nothing_pending() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let mut aks = created(&workspace, "myaks").await;
    emulator.clear_journal();
    let change = || load_balancer(LoadBalancer::internal());
    drop(ComputeTarget::create(&workspace, "other", config()));
    drop(ComputeTarget::create(&workspace, "other", config()).prepare());
    let cluster = AksCompute::attach_configuration(ClusterRef::named("g", "c"));
    drop(ComputeTarget::attach(&workspace, "other", cluster.build().unwrap()).or_get());
    drop(aks.update(change()));
    drop(aks.update(change()).prepare().unwrap());
    drop(aks.detach());
    drop(aks.delete());
    drop(aks.delete().prepare().unwrap());
    // Nor does a future that is never polled.
    drop(aks.detach().into_future());
    drop(aks.update(change()).prepare().unwrap().send());
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(emulator.journal().is_empty());
    assert_eq!(
        (aks.status(), aks.resume_token()),
        (Some("Succeeded"), None)
    );
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    assert_eq!(requests(&emulator), ["GET myaks"]);
}

#[tokio::test(start_paused = true)]
async fn or_get_makes_what_is_absent_and_takes_what_another_request_made_first() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let prepared = ComputeTarget::create(&workspace, "myaks", config())
        .or_get()
        .prepare()
        .unwrap();
    let id = prepared.token().id().to_owned();
    let aks = prepared.send().await.unwrap();
    assert_eq!(aks.resume_token().map(|token| token.id()), Some(&*id));
    assert_eq!(count(&emulator, "PUT"), 1);

    // Between the read that finds the name free and the PUT.
    for or_get in [true, false] {
        let emulator = Emulator::new();
        let workspace = fixture::workspace(&emulator);
        emulator.inject(Fault::compute_appears().times(1));
        let conflict = r#"{"error":{"code":"Conflict","message":"it exists"}}"#;
        let conflict = Fault::response_override(409, &[], conflict);
        emulator.inject(conflict.on(Method::Put, "/computes/myaks"));
        let create = ComputeTarget::create(&workspace, "myaks", config());
        match or_get {
            true => {
                let mut taken = create.or_get().await.unwrap();
                assert_eq!(taken.resume_token(), None);
                taken.wait_for_completion(WaitOptions::new()).await.unwrap();
                assert!(taken.is_ready());
            }
            false => assert!(create.await.unwrap_err().is_already_exists()),
        }
        assert_eq!(count(&emulator, "PUT"), 1);
    }
}
