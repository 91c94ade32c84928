use super::{created, emulated, requests};
use azure_core::http::Method;
use azureml_aks::emulator::{Clock, Emulator, Fault};
use azureml_aks::{
    AksCompute, ComputeTarget, ErrorKind, WaitOptions,
    models::{Event, StatusClass},
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
async fn progress_is_told_before_each_pause() {
    let emulator = Emulator::new();
    let workspace = emulated::workspace(&emulator);
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
async fn events_end_with_the_result() {
    let emulator = Emulator::new();
    let workspace = emulated::workspace(&emulator);
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
async fn the_deadline_ends_the_wait_and_not_the_operation() {
    let emulator = Emulator::builder()
        .create_duration(Duration::from_secs(900))
        .build();
    let workspace = emulated::workspace(&emulator);
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
    let workspace = emulated::workspace(&emulator);
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
async fn a_foreign_polling_url_is_refused_and_nothing_is_sent_there() {
    let emulator = Emulator::new();
    let workspace = emulated::workspace(&emulator);
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
async fn an_operation_that_never_ends_is_bounded_by_the_deadline() {
    let emulator = Emulator::new();
    let workspace = emulated::workspace(&emulator);
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
async fn a_manual_clock_moves_only_when_it_is_told() {
    let emulator = Emulator::builder().clock(Clock::Manual).build();
    let workspace = emulated::workspace(&emulator);
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
