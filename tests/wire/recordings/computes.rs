//! Computes of other kinds than AKS, through the public verbs.

use super::cassette;
use super::operations::made_up;
use super::replay::Replay;
use crate::support::recordings::Exchange;
use azureml_aks::models::ComputeResource;
use azureml_aks::{
    AksCompute, AnyCompute, ComputeTarget, ErrorKind, KubernetesClusterRef, KubernetesCompute,
    ResumeToken, Resumed, WaitOptions, models::ComputeState,
};
use futures::TryStreamExt;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Recordings that tests of their own replay.
pub(super) const ALONE: &[&str] = &["05b", "07b", "11c"];

/// A recording, with one of its exchanges.
fn exchange(name: &str, at: usize) -> Option<(Vec<Exchange>, Exchange)> {
    let exchanges = cassette(name)?.exchanges();
    let one = exchanges[at].clone();
    Some((exchanges, one))
}

#[tokio::test(start_paused = true)]
async fn recorded_lists_of_computes_give_every_kind() {
    for (name, at, kinds) in [
        ("05", 0, &["AmlCompute", "ComputeInstance"][..]),
        ("11c", 2, &["AmlCompute"][..]),
    ] {
        let Some((exchanges, list)) = exchange(name, at) else {
            return;
        };
        let replay = Replay::of(exchanges);
        let workspace = replay.workspace(&list.url);
        let computes: Vec<AnyCompute> = workspace.computes().try_collect().await.unwrap();
        let mut found: Vec<&str> = computes.iter().map(AnyCompute::compute_type).collect();
        found.dedup();
        assert_eq!(found, kinds, "{name}");
        assert!(computes.iter().all(|compute| compute.state().is_some()));
        let aks: Vec<AksCompute> = AksCompute::list(&workspace).try_collect().await.unwrap();
        assert!(aks.is_empty(), "{name}");
        let sent = replay.sent();
        assert_eq!(sent.len(), 2, "one page each: there is no nextLink");
        assert!(sent.iter().all(|sent| sent.url == list.url));
    }
}

#[tokio::test(start_paused = true)]
async fn compute_that_failed_shows_why_and_the_remedy_for_its_quota() {
    let Some((exchanges, get)) = exchange("05b", 0) else {
        return;
    };
    let replay = Replay::of(exchanges);
    let workspace = replay.workspace(&get.url);
    let mut compute = AnyCompute::get(&workspace, "gpu-cluster").await.unwrap();
    assert_eq!(compute.state(), Some(ComputeState::Failed));
    assert_eq!(
        compute.provisioning_errors()[0].code.as_deref(),
        Some("ClusterMinNodesExceedCoreQuota")
    );
    let error = compute
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OperationFailed);
    assert_eq!(error.code(), Some("ClusterMinNodesExceedCoreQuota"));
    let remedy = error.remedy().unwrap();
    assert!(
        remedy.contains("Azure Machine Learning's own quota"),
        "{remedy}"
    );
}

#[tokio::test(start_paused = true)]
async fn compute_that_does_not_exist_is_not_found_in_each_form() {
    for name in ["07", "07b"] {
        let Some((exchanges, get)) = exchange(name, 0) else {
            return;
        };
        let replay = Replay::of(exchanges);
        let compute = get.url.split(['/', '?']).nth_back(1).unwrap().to_owned();
        let error = AnyCompute::get(&replay.workspace(&get.url), &compute)
            .await
            .unwrap_err();
        assert!(error.is_not_found(), "{name}: {error}");
    }
}

/// A compute as a handle that was read before, on a transport that answers everything about it with one recorded
/// answer.
fn on_one_answer(answer: &Exchange) -> (Arc<Replay>, AnyCompute) {
    let url = "https://management.azure.com/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/computes/c?api-version=2024-04-01";
    let all = [
        ("GET", String::new()),
        ("DELETE", "&underlyingResourceAction=Delete".to_owned()),
        ("DELETE", "&underlyingResourceAction=Detach".to_owned()),
    ];
    let answers = all.map(|(method, action)| {
        let mut exchange = answer.clone();
        exchange.method = method.to_owned();
        exchange.url = format!("{url}{action}");
        exchange
    });
    let replay = Replay::of(answers.to_vec());
    let text = r#"{"name":"c","properties":{"computeType":"AKS","isAttachedCompute":false}}"#;
    let resource: ComputeResource = serde_json::from_str(text).unwrap();
    let compute = AnyCompute::from_resource(&replay.workspace(url), resource).unwrap();
    (replay, compute)
}

#[tokio::test(start_paused = true)]
async fn removal_in_a_workspace_that_does_not_exist_is_an_error() {
    for (name, at) in [("11", 0), ("16", 5)] {
        let Some((_, answer)) = exchange(name, at) else {
            return;
        };
        let mut unmarked = answer.clone();
        unmarked.headers.clear();
        for answer in [answer, unmarked] {
            let (_, mut compute) = on_one_answer(&answer);
            let error = compute.delete().await.unwrap_err();
            assert_eq!(error.code(), Some("ResourceNotFound"), "{name}: {error}");
            let (_, mut compute) = on_one_answer(&answer);
            let error = compute.detach().await.unwrap_err();
            assert_eq!(error.code(), Some("ResourceNotFound"), "{name}: {error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn removal_of_a_compute_that_is_gone_succeeds() {
    for name in ["07", "07b"] {
        let Some((_, answer)) = exchange(name, 0) else {
            return;
        };
        let (replay, mut compute) = on_one_answer(&answer);
        compute.delete().await.unwrap().await.unwrap();
        let (_, mut compute) = on_one_answer(&answer);
        compute.detach().await.unwrap().await.unwrap();
        assert_eq!(replay.unrecorded(), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn refusal_of_keys_keeps_its_words() {
    let Some((exchanges, post)) = exchange("06", 0) else {
        return;
    };
    let replay = Replay::of(exchanges);
    let text = r#"{"name":"cpu-cluster","properties":{"computeType":"AKS"}}"#;
    let resource: ComputeResource = serde_json::from_str(text).unwrap();
    let compute = AksCompute::from_resource(&replay.workspace(&post.url), resource).unwrap();
    let error = compute.credentials().await.unwrap_err();
    assert_eq!(error.code(), Some("UserError"));
    assert!(
        error.to_string().contains("do not have any secrets"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn recorded_computes_are_deleted_at_the_recorded_urls() {
    // The place of the DELETE, and whether its end is recorded; of the last one not even a read of its status is.
    for (name, at, ends) in [
        ("01", 6, Some(true)),
        ("02", 6, Some(true)),
        ("03", 10, Some(false)),
        ("04", 18, None),
    ] {
        let Some((exchanges, delete)) = exchange(name, at) else {
            return;
        };
        let replay = Replay::from(exchanges, at - 1);
        let workspace = replay.workspace(&delete.url);
        let compute = delete.url.split(['/', '?']).nth_back(1).unwrap().to_owned();
        let mut compute = AnyCompute::get(&workspace, &compute).await.unwrap();
        assert_ne!(compute.compute_type(), "AKS");
        let mut removal = compute.delete().await.unwrap();
        assert_eq!(replay.sent().last().unwrap().url, delete.url, "{name}");
        let shown = format!("{removal:?} {:?}", removal.resume_token());
        assert!(!shown.contains("&c="), "{shown}");
        let Some(ends) = ends else { continue };
        let options = WaitOptions::new().deadline(Duration::from_secs(300));
        let result = removal.wait(options).await;
        assert_eq!(replay.unrecorded(), [""; 0], "{name}");
        match ends {
            true => result.unwrap(),
            false => assert_eq!(result.unwrap_err().kind(), ErrorKind::DeadlineExceeded),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn token_over_a_signed_url_resumes_at_the_same_bytes() {
    let Some((mut exchanges, _)) = exchange("01", 6) else {
        return;
    };
    // The first signed URLs, in 2023, wrote their time so.
    let older = |text: &str| text.replace("t=638978461166345690", "t=2023-09-15T02%3a36%3a50");
    for exchange in &mut exchanges {
        exchange.url = older(&exchange.url);
        for value in exchange.headers.values_mut() {
            *value = older(value);
        }
    }
    let delete = exchanges[6].clone();
    let monitor = delete.headers["Azure-AsyncOperation"].clone();
    assert!(monitor.len() > 3000 && monitor.contains("%3a"), "{monitor}");
    let replay = Replay::from(exchanges, 5);
    let workspace = replay.workspace(&delete.url);
    let mut compute = AnyCompute::get(&workspace, "aml03").await.unwrap();
    let removal = compute.delete().await.unwrap();
    let text = removal.resume_token().unwrap().expose();
    assert!(text.len() > 3500, "{} bytes", text.len());
    let token = ResumeToken::parse(&text).unwrap();
    let elsewhere = replay.workspace(&delete.url);
    let resumed = elsewhere.resume(&token).await.unwrap();
    let Resumed::Removal(mut removal) = resumed else {
        panic!("{resumed:?}");
    };
    removal.wait(WaitOptions::new()).await.unwrap();
    let polls: Vec<_> = replay.sent().into_iter().skip(3).collect();
    assert_eq!(polls.len(), 2);
    assert!(polls.iter().all(|sent| sent.url == monitor));
}

#[tokio::test(start_paused = true)]
async fn kubernetes_attach_is_followed_although_its_answer_was_cut() {
    let Some((mut exchanges, put)) = exchange("10", 0) else {
        return;
    };
    // The recorded name breaks today's rules.
    let url = put.url.replace("AZARC_CLU_NAME", "azarc");
    exchanges[0].url = url.clone();
    let (workspace_url, version) = url.split_once("/computes/azarc").unwrap();
    exchanges.push(made_up("GET", &url, 404, json!({}), Value::Null));
    let workspace_url = format!("{workspace_url}{version}");
    let body = json!({ "location": "francecentral" });
    exchanges.push(made_up("GET", &workspace_url, 200, json!({}), body));
    let replay = Replay::of(exchanges);
    let workspace = replay.workspace(&url);
    let cluster = KubernetesClusterRef::connected("AML_WS_NAME", "edge");
    let config = KubernetesCompute::attach_configuration(cluster)
        .build()
        .unwrap();
    let attach = ComputeTarget::attach(&workspace, "azarc", config);
    let mut compute = attach.ignore_other_attachments().await.unwrap();
    assert_eq!(compute.compute_type(), "Kubernetes");
    assert_eq!(compute.status(), Some("Creating"));
    let options = WaitOptions::new().deadline(Duration::from_secs(1200));
    let error = compute.wait_for_completion(options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded, "{error}");
    assert_eq!(error.last_status(), Some("InProgress"));
    let token = error.resume_token().unwrap();
    assert_eq!(token.resource().to_string(), "compute/Kubernetes");
    assert_eq!(replay.unrecorded(), [""; 0]);
}
