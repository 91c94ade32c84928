//! Computes of kinds that this library does not know: what can be done with any compute.

use super::support::*;
use crate::support::resealed::resealed;
use azureml_aks::{
    AksCompute, AnyCompute, ErrorKind, ResumeToken, Resumed, Verb, WaitOptions, Workspace, wait_all,
};

const KIND: &str = "QuantumCompute";

/// A compute of that kind, as an answer.
fn strange(state: &str) -> Value {
    let mut resource = resource(state);
    resource["properties"]["computeType"] = json!(KIND);
    resource["properties"]["properties"] = json!({ "qubits": 7 });
    resource
}

fn strange_reply(state: &str) -> Reply {
    reply(200).json(&strange(state))
}

async fn handle(stage: &Stage) -> AnyCompute {
    stage.script.expect([strange_reply("Succeeded")]);
    AnyCompute::get(&stage.workspace, "myaks").await.unwrap()
}

fn stored(token: Option<&ResumeToken>) -> ResumeToken {
    let text = token.unwrap().expose();
    ResumeToken::parse(&text).unwrap()
}

#[tokio::test(start_paused = true)]
async fn compute_of_an_unknown_kind_is_read_and_waited_for() {
    let stage = Stage::new();
    let mut compute = handle(&stage).await;
    assert_eq!((compute.compute_type(), compute.is_ready()), (KIND, true));
    assert_eq!(compute.properties()["qubits"], 7);
    let error = AksCompute::try_from(compute.clone()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains(KIND), "{error}");

    stage.script.expect([
        strange_reply("Updating"),
        strange_reply("Updating"),
        strange_reply("Failed"),
    ]);
    let error = compute.wait_for_completion(WaitOptions::new()).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::OperationFailed);
    assert!(compute.is_failed());
    assert_eq!(stage.script.unused(), 0);
}

#[tokio::test(start_paused = true)]
async fn compute_of_an_unknown_kind_is_detached_and_deleted() {
    for verb in [Verb::Detach, Verb::Delete] {
        let stage = Stage::new();
        let mut compute = handle(&stage).await;
        if verb == Verb::Delete {
            stage.script.expect([strange_reply("Succeeded")]);
        }
        stage.script.expect([accepted()]);
        let request = match verb {
            Verb::Delete => compute.delete(),
            _ => compute.detach(),
        };
        let prepared = request.prepare().unwrap();
        let early = stored(Some(prepared.token()));
        assert_eq!(early.resource().to_string(), format!("compute/{KIND}"));
        let operation = prepared.send().await.unwrap();
        let late = stored(operation.resume_token());
        assert_eq!(late.resource(), early.resource());
        let action = match verb {
            Verb::Delete => "&underlyingResourceAction=Delete",
            _ => "&underlyingResourceAction=Detach",
        };
        assert!(stage.lines()[0].starts_with("DELETE") && stage.lines()[0].ends_with(action));

        // The prepared token is looked up, the accepted one is not.
        stage.script.expect([strange_reply("Deleting")]);
        for (token, monitor) in [(early, false), (late, true)] {
            let found = stage.elsewhere().resume(&token).await.unwrap();
            assert_eq!(stage.script.unused(), 0);
            assert_eq!((found.verb(), found.name()), (Some(verb), "myaks"));
            let Resumed::Removal(operation) = found else {
                panic!("{found:?}");
            };
            stage.script.expect(match monitor {
                true => [status("Deleting"), status("Succeeded")],
                false => [strange_reply("Deleting"), not_found()],
            });
            operation.await.unwrap();
            assert_eq!(stage.script.unused(), 0);
        }
        stage.script.expect([status("Succeeded")]);
        compute
            .wait_for_completion(WaitOptions::new())
            .await
            .unwrap();
        assert_eq!(compute.status(), Some("Deleting"));
    }
}

#[tokio::test(start_paused = true)]
async fn attached_compute_of_an_unknown_kind_is_not_deleted() {
    let stage = Stage::new();
    let mut compute = handle(&stage).await;
    let mut attached = strange("Succeeded");
    attached["properties"]["isAttachedCompute"] = json!(true);
    stage.script.expect([reply(200).json(&attached)]);
    let error = compute.delete().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(stage.lines().is_empty(), "nothing was deleted");
}

/// A create, an attach or an update of that kind, which a later version of this library may offer.
async fn token_of(stage: &Stage, verb: &str, accepted: bool) -> ResumeToken {
    let text = match accepted {
        true => {
            let compute = stage.create(created()).await.unwrap();
            compute.resume_token().unwrap().expose()
        }
        false => {
            let create = AksCompute::create(&stage.workspace, "myaks", configuration());
            create.prepare().unwrap().token().expose()
        }
    };
    let text = text.replace("\"create\"", &format!("\"{verb}\""));
    let text = text.replace("compute/AKS", &format!("compute/{KIND}"));
    ResumeToken::parse(&resealed(&text)).unwrap()
}

async fn resume(workspace: &Workspace, token: &ResumeToken) -> AnyCompute {
    match workspace.resume(token).await.unwrap() {
        Resumed::Compute(compute) => compute,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn create_attach_and_update_of_an_unknown_kind_are_resumed() {
    for verb in ["create", "attach", "update"] {
        for accepted in [true, false] {
            let stage = Stage::new();
            let token = token_of(&stage, verb, accepted).await;
            assert_eq!(token.verb().as_str(), verb);
            assert_eq!(token.resource().to_string(), format!("compute/{KIND}"));
            let document = |state: &str| {
                let mut document = strange(state);
                document["properties"]["isAttachedCompute"] = json!(verb == "attach");
                document["properties"]["modifiedOn"] = json!("2090-01-01T00:00:00Z");
                reply(200).json(&document)
            };
            let at_work = if verb == "update" {
                "Updating"
            } else {
                "Creating"
            };
            if !accepted {
                stage.script.expect([document(at_work)]);
            }
            let mut compute = resume(&stage.elsewhere(), &token).await;
            assert_eq!(stage.script.unused(), 0);
            assert_eq!(compute.compute_type(), KIND);
            assert_eq!(compute.status(), Some(at_work));
            assert_eq!(compute.resume_token().unwrap().id(), token.id());
            let refused = AksCompute::try_from(compute.clone()).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Refused);
            stage.script.expect(match accepted {
                true => [
                    status("InProgress"),
                    status("Succeeded"),
                    document("Succeeded"),
                ],
                false => [document(at_work), document(at_work), document("Succeeded")],
            });
            compute
                .wait_for_completion(WaitOptions::new())
                .await
                .unwrap();
            assert_eq!(stage.script.unused(), 0);
            assert!(compute.is_ready() && compute.resume_token().is_none());
            assert_eq!(compute.properties()["qubits"], 7);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn computes_of_all_kinds_are_listed_and_waited_for_together() {
    let stage = Stage::new();
    let named = |name: &str, kind: &str, state: &str| {
        let mut document = resource(state);
        document["name"] = json!(name);
        document["properties"]["computeType"] = json!(kind);
        document
    };
    let page = move |state: &str| {
        let rows = [
            named("one", KIND, state),
            named("two", "AKS", "Succeeded"),
            named("three", "Kubernetes", "Failed"),
        ];
        reply(200).json(&json!({ "value": rows }))
    };
    stage.script.expect([page("Creating")]);
    let all: Result<Vec<AnyCompute>, _> =
        futures::TryStreamExt::try_collect(stage.workspace.computes()).await;
    let mut all = all.unwrap();
    let kinds: Vec<&str> = all.iter().map(AnyCompute::compute_type).collect();
    assert_eq!(kinds, [KIND, "AKS", "Kubernetes"]);

    let before = stage.script.sent().len();
    stage.script.expect([page("Creating")]);
    stage.script.otherwise(move |sent| {
        if sent.url.contains("/computes?") {
            return page("Succeeded");
        }
        let (name, kind, state) = match sent.url.contains("/computes/one?") {
            true => ("one", KIND, "Succeeded"),
            false if sent.url.contains("/computes/two?") => ("two", "AKS", "Succeeded"),
            false => ("three", "Kubernetes", "Failed"),
        };
        reply(200).json(&named(name, kind, state))
    });
    let results = wait_all(&mut all, WaitOptions::new()).await;
    let kinds: Vec<_> = results
        .iter()
        .map(|result| result.as_ref().err().map(|error| error.kind()))
        .collect();
    assert_eq!(kinds, [None, None, Some(ErrorKind::OperationFailed)]);
    assert!(all[0].is_ready() && all[1].is_ready() && all[2].is_failed());
    let sent = &stage.script.sent()[before..];
    assert!(sent[0].url.contains("/computes?"), "{sent:?}");
    assert!(sent.iter().all(|sent| sent.method == "GET"), "{sent:?}");
}
