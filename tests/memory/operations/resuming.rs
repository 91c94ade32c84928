//! Case 39 and `prepare`: what a token is good for, and what it is not good for.

use super::support::*;
use crate::support::resealed::resealed;
use azureml_aks::{AksCompute, Cloud, ErrorKind, ResumeToken, Resumed, Verb, WaitOptions};

/// Creates, loses the answer to the PUT, and gives the token of the error.
async fn unanswered(stage: &Stage, lost: Reply) -> ResumeToken {
    let error = stage.create(lost).await.unwrap_err();
    let token = error.resume_token().expect("the PUT may have arrived");
    ResumeToken::parse(&token.expose()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn case_39_put_without_an_answer_is_looked_up() {
    let lost = [
        Reply::reset(),
        created().truncated(),
        Reply::silence(),
        reply(500),
        reply(408),
        reply(503),
    ];
    for lost in lost {
        // Never arrived.
        let stage = Stage::new();
        let token = unanswered(&stage, lost.clone()).await;
        stage.script.expect([not_found()]);
        let resumed = stage.elsewhere().resume(&token).await.unwrap();
        assert!(
            matches!(resumed, Resumed::NotStarted { verb: Verb::Create, ref name, .. } if name == "myaks"),
            "{resumed:?}"
        );

        // Running.
        let stage = Stage::new();
        let token = unanswered(&stage, lost.clone()).await;
        stage
            .script
            .expect([reply(200).json(&resource("Creating"))]);
        let Resumed::Compute(mut compute) = stage.elsewhere().resume(&token).await.unwrap() else {
            panic!("a compute");
        };
        assert!(compute.resume_token().is_some());
        stage
            .script
            .expect([reply(200).json(&resource("Creating")), ready()]);
        compute
            .wait_for_completion(WaitOptions::new())
            .await
            .unwrap();
        assert_eq!(
            stage.lines(),
            ["PUT compute", "GET compute", "GET compute", "GET compute"]
        );

        // Done.
        let stage = Stage::new();
        let token = unanswered(&stage, lost).await;
        stage.script.expect([ready()]);
        let Resumed::Compute(mut compute) = stage.elsewhere().resume(&token).await.unwrap() else {
            panic!("a compute");
        };
        assert_eq!(compute.resume_token(), None);
        stage.script.expect([ready()]);
        compute
            .wait_for_completion(WaitOptions::new())
            .await
            .unwrap();
        // Nothing is pending: the wait reads the compute once.
        assert_eq!(stage.lines(), ["PUT compute", "GET compute", "GET compute"]);
        assert_eq!(stage.script.unused(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn case_39_put_that_was_refused_has_no_token() {
    for refused in [reply(400), reply(403), reply(409), reply(429)] {
        let stage = Stage::new();
        // After a 409 the name is read once more: somebody may have been faster.
        stage.script.otherwise(|_| not_found());
        let error = stage.create(refused).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Service);
        assert_eq!(error.resume_token(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn case_39_wait_on_what_was_found_running_ends_with_a_token_too() {
    let stage = Stage::new();
    let token = unanswered(&stage, Reply::reset()).await;
    stage
        .script
        .otherwise(|_| reply(200).json(&resource("Creating")));
    let Resumed::Compute(mut compute) = stage.workspace.resume(&token).await.unwrap() else {
        panic!("a compute");
    };
    let options = WaitOptions::new().deadline(Duration::from_secs(60));
    let error = compute.wait_for_completion(options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    let token = error.resume_token().expect("it may still run");
    assert_eq!(token.last_status(), Some("Creating"));
    stage.script.expect([ready()]);
    let Resumed::Compute(mut compute) = stage.workspace.resume(token).await.unwrap() else {
        panic!("a compute");
    };
    compute
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn case_39_older_compute_of_the_name_is_not_taken_for_the_one_asked_for() {
    let stage = Stage::new();
    let token = unanswered(&stage, Reply::reset()).await;
    let mut old = resource("Succeeded");
    old["properties"]["createdOn"] = json!("2020-01-01T00:00:00Z");
    stage.script.expect([reply(200).json(&old)]);
    let resumed = stage.workspace.resume(&token).await.unwrap();
    assert!(matches!(resumed, Resumed::NotStarted { .. }), "{resumed:?}");
}

#[tokio::test(start_paused = true)]
async fn case_39_detach_without_an_answer_is_looked_up() {
    let begin = async |stage: &Stage| {
        let error = stage.detach(Reply::reset()).await.unwrap_err();
        error
            .resume_token()
            .expect("the DELETE may have arrived")
            .clone()
    };
    let stage = Stage::new();
    let token = begin(&stage).await;
    stage.script.expect([not_found()]);
    match stage.workspace.resume(&token).await.unwrap() {
        Resumed::Removal(operation) => operation.await.unwrap(),
        other => panic!("{other:?}"),
    }

    let stage = Stage::new();
    let token = begin(&stage).await;
    let deleting = || reply(200).json(&resource("Deleting"));
    stage.script.expect([deleting(), deleting(), not_found()]);
    match stage.workspace.resume(&token).await.unwrap() {
        Resumed::Removal(operation) => operation.await.unwrap(),
        other => panic!("{other:?}"),
    }
    assert_eq!(stage.script.unused(), 0);

    let stage = Stage::new();
    let token = begin(&stage).await;
    stage.script.expect([ready()]);
    let resumed = stage.workspace.resume(&token).await.unwrap();
    assert!(matches!(
        resumed,
        Resumed::NotStarted {
            verb: Verb::Detach,
            ..
        }
    ));
}

#[tokio::test(start_paused = true)]
async fn case_39_detach_that_failed_in_between_is_seen_after_a_resume() {
    let stage = Stage::new();
    let mut operation = stage.detach(reply(202)).await.unwrap();
    stage
        .script
        .otherwise(|_| reply(200).json(&resource("Deleting")));
    let options = WaitOptions::new().deadline(Duration::from_secs(20));
    let error = operation.wait(options).await.unwrap_err();
    let token = error.resume_token().unwrap();
    stage
        .script
        .otherwise(|_| reply(200).json(&resource("Failed")));
    let Resumed::Removal(operation) = stage.elsewhere().resume(token).await.unwrap() else {
        panic!("a removal");
    };
    assert_eq!(
        operation.await.unwrap_err().kind(),
        ErrorKind::OperationFailed
    );
}

#[tokio::test(start_paused = true)]
async fn case_39_token_of_a_running_operation_needs_no_request_to_be_resumed() {
    let stage = Stage::new();
    let compute = stage.create(created()).await.unwrap();
    let token = compute.resume_token().unwrap().expose();
    let before = stage.script.sent().len();
    let token = ResumeToken::parse(&token).unwrap();
    let Resumed::Compute(mut compute) = stage.elsewhere().resume(&token).await.unwrap() else {
        panic!("a compute");
    };
    assert_eq!(stage.script.sent().len(), before);
    stage.script.expect([status("Succeeded"), ready()]);
    compute
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap();
    let sent = stage.script.sent_from_write();
    assert_eq!(lines(&sent), ["PUT compute", "GET monitor", "GET compute"]);
    assert_eq!(sent[1].at, Duration::ZERO, "a resumed wait looks at once");
    assert_eq!(sent[1].request_id, sent[0].request_id);
}

#[tokio::test(start_paused = true)]
async fn case_39_monitor_that_expired_before_the_resume_is_replaced_by_the_compute() {
    let stage = Stage::new();
    let compute = stage.create(created()).await.unwrap();
    let token = compute.resume_token().unwrap().clone();
    tokio::time::sleep(Duration::from_secs(3 * 86_400)).await;
    let Resumed::Compute(mut compute) = stage.elsewhere().resume(&token).await.unwrap() else {
        panic!("a compute");
    };
    stage.script.otherwise(|sent| match sent.url.as_str() {
        MONITOR => not_found(),
        _ => ready(),
    });
    compute
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn case_39_token_that_does_not_fit_is_refused_and_nothing_is_sent() {
    let stage = Stage::new();
    let create = stage
        .create(created())
        .await
        .unwrap()
        .resume_token()
        .unwrap()
        .expose();
    let detach = stage
        .detach(accepted())
        .await
        .unwrap()
        .resume_token()
        .unwrap()
        .expose();
    let prepared = AksCompute::create(&stage.workspace, "myaks", configuration()).prepare();
    let prepared = prepared.unwrap().token().expose();
    let before = stage.script.sent().len();

    let forged = [
        // Another verb.
        create.replace("\"create\"", "\"delete\""),
        create.replace("\"PUT\"", "\"DELETE\""),
        detach.replace("\"detach\"", "\"delete\""),
        detach.replace("=Detach", "=Delete"),
        detach.replace("\"detach\"", "\"update\""),
        // Another version or kind.
        create.replace("\"v\":2", "\"v\":3"),
        create.replace("\"compute/AKS\"", "\"model/AKS\""),
        // Another origin.
        create.replace("https://management.azure.com/", "https://evil.example/"),
        create.replace(
            "https://management.azure.com",
            "http://management.azure.com",
        ),
        create.replace(MONITOR, "https://evil.example/op"),
        create.replace(
            "\"endpoint\":\"https://management",
            "\"endpoint\":\"https://other",
        ),
        detach.replace(LOCATION, "https://evil.example/op"),
        prepared.replace("https://management.azure.com/", "https://evil.example/"),
        // Another workspace or resource.
        create.replace("/workspaces/w/", "/workspaces/x/"),
        create.replace("/resourceGroups/g/", "/resourceGroups/x/"),
        create.replace("\"target\":\"myaks\"", "\"target\":\"other\""),
        prepared.replace("/computes/myaks", "/computes/../myaks"),
        prepared.replace("/computes/myaks", "/models/myaks"),
    ];
    for text in forged {
        assert!(
            ![&create, &detach, &prepared].contains(&&text),
            "nothing was forged: {text}"
        );
        // Damage, which the checksum shows, or another version.
        let damaged = ResumeToken::parse(&text).unwrap_err();
        assert_eq!(damaged.kind(), ErrorKind::ResumeToken, "{text}");
        assert!(!damaged.to_string().contains("mlOperations"), "{damaged}");
        // The same by somebody who knows the checksum.
        let refused = match ResumeToken::parse(&resealed(&text)) {
            Ok(token) => stage.elsewhere().resume(&token).await.unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(refused.kind(), ErrorKind::ResumeToken, "{text}");
        assert!(!refused.to_string().contains("checksum"), "{refused}");
        assert!(!refused.to_string().contains("mlOperations"), "{refused}");
    }
    assert_eq!(
        ResumeToken::parse(&resealed(&create)).unwrap().expose(),
        create,
        "the seal of this test is that of the library"
    );
    let elsewhere = [
        builder(&stage.script, &stage.credential).cloud(Cloud::us_government()),
        azureml_aks::Workspace::builder("s", "g", "other")
            .credential(stage.credential.clone())
            .transport(azure_core::http::Transport::new(stage.script.clone())),
    ];
    for workspace in elsewhere {
        let workspace = workspace.build().unwrap();
        for text in [&create, &detach, &prepared] {
            let token = ResumeToken::parse(text).unwrap();
            let refused = workspace.resume(&token).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::ResumeToken);
        }
    }
    assert_eq!(stage.script.sent().len(), before);
}

#[tokio::test(start_paused = true)]
async fn handle_that_was_only_read_waits_by_its_state_and_has_no_token() {
    let stage = Stage::new();
    stage
        .script
        .expect([reply(200).json(&resource("Creating"))]);
    let mut compute = AksCompute::get(&stage.workspace, "myaks").await.unwrap();
    stage
        .script
        .expect([reply(200).json(&resource("Updating")), ready()]);
    compute
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap();
    assert_eq!(compute.resume_token(), None);
    assert_eq!(stage.script.sent().len(), 3);
}

/// The compute as it was created at this time.
fn created_at(state: &str, created: Option<&str>) -> Value {
    let mut resource = resource(state);
    if let Some(created) = created {
        resource["properties"]["createdOn"] = json!(created);
    }
    resource
}

#[tokio::test(start_paused = true)]
async fn case_39_time_of_creation_by_the_service_tells_one_compute_from_another() {
    let long_ago = Some("2001-01-01T00:00:00Z");
    // What the service said first, what it says at last, and whether that is the same compute. The clock
    // of this machine is decades away from each of them.
    for (first, last, same) in [
        (long_ago, long_ago, true),
        (long_ago, Some("2001-01-01T01:00:00.000+01:00"), true),
        (
            Some("2090-06-01T00:00:00Z"),
            Some("2090-06-01T00:00:00Z"),
            true,
        ),
        (Some("not a time"), Some("not a time"), true),
        (None, long_ago, true),
        (Some(""), long_ago, true),
        (long_ago, None, true),
        (long_ago, Some(" "), true),
        (long_ago, Some("2001-01-01T00:00:00.0000001Z"), false),
        (
            Some("2001-01-01T00:00:00.1Z"),
            Some("2001-01-01T00:00:00.2Z"),
            false,
        ),
        (long_ago, Some("2000-12-31T23:59:59Z"), false),
        (Some("not a time"), Some("nor this"), false),
        (Some("not a time"), long_ago, false),
    ] {
        for monitored in [true, false] {
            let stage = Stage::new();
            let creating = created_at("Creating", first);
            let answer = match monitored {
                true => created().json(&creating),
                false => reply(201).json(&creating),
            };
            let mut compute = stage.create(answer).await.unwrap();
            let token = compute.resume_token().unwrap().expose();
            let token = ResumeToken::parse(&token).unwrap();
            let ready = reply(200).json(&created_at("Succeeded", last));
            let replies = || match monitored {
                true => vec![status("Succeeded"), ready.clone()],
                false => vec![ready.clone()],
            };
            let Resumed::Compute(mut resumed) = stage.elsewhere().resume(&token).await.unwrap()
            else {
                panic!("a compute");
            };
            stage.script.expect(replies());
            let elsewhere = resumed.wait_for_completion(WaitOptions::new()).await;
            stage.script.expect(replies());
            let here = compute.wait_for_completion(WaitOptions::new()).await;
            assert_eq!(stage.script.unused(), 0);
            for result in [elsewhere, here] {
                assert_eq!(result.is_ok(), same, "{first:?} {last:?}: {result:?}");
                if let Err(error) = result {
                    assert_eq!(error.kind(), ErrorKind::Service);
                    assert!(
                        error.to_string().contains("another one of its name"),
                        "{error}"
                    );
                    assert!(error.resume_token().is_none() && !error.may_still_run());
                }
            }
        }
    }
}
