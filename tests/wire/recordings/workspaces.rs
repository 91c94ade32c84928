//! The workspace, and where its services are.

use super::cassette;
use super::replay::Replay;
use crate::support::recordings::Exchange;
use azureml_aks::{AnyCompute, Model, ModelQuery};
use futures::TryStreamExt;
use serde_json::Value;

/// Recordings that tests of their own replay.
pub(super) const ALONE: &[&str] = &["11b"];

#[tokio::test(start_paused = true)]
async fn hosts_of_a_workspace_are_found_without_a_token() {
    let (Some(workspaces), Some(discovery)) = (cassette("11"), cassette("11b")) else {
        return;
    };
    let mut workspace = workspaces.exchanges()[1].clone();
    let discovery = discovery.exchanges();
    // The recorded workspace is of a region whose hosts are not recorded.
    let text = String::from_utf8(workspace.body()).unwrap();
    let text = text.replace("eastus2euap.api", "eastus2.api");
    workspace = with_body(&workspace, &text);
    let replay = Replay::of([vec![workspace.clone()], discovery.clone()].concat());
    let handle = replay.workspace(&workspace.url);
    let listed: Result<Vec<Model>, _> = Model::list(&handle, ModelQuery::new()).try_collect().await;
    assert!(listed.is_err(), "a list of models is not recorded");
    let sent = replay.sent();
    let urls: Vec<&str> = sent.iter().map(|sent| sent.url.as_str()).collect();
    assert_eq!(urls[..2], [workspace.url.as_str(), &discovery[1].url]);
    assert!(sent[0].has_token && !sent[1].has_token, "{sent:?}");
    assert!(
        urls[2].starts_with("https://eastus2.modelmanagement.azureml.net/modelmanagement/v1.0/"),
        "{}",
        urls[2]
    );
}

#[tokio::test(start_paused = true)]
async fn workspace_that_does_not_exist_is_an_error_where_a_compute_is_looked_for() {
    let Some(cassette) = cassette("11") else {
        return;
    };
    let mut exchanges = cassette.exchanges();
    exchanges.truncate(1);
    let mut compute = exchanges[0].clone();
    compute.url = compute.url.replace('?', "/computes/myaks?");
    exchanges.push(compute.clone());
    let replay = Replay::of(exchanges);
    let found = AnyCompute::get_opt(&replay.workspace(&compute.url), "myaks").await;
    assert_eq!(found.unwrap_err().code(), Some("ResourceNotFound"));
    assert_eq!(replay.unrecorded(), [""; 0]);
}

fn with_body(exchange: &Exchange, text: &str) -> Exchange {
    let body: Value = serde_json::from_str(text).unwrap();
    serde_json::from_value(serde_json::json!({
        "method": exchange.method, "url": exchange.url, "request_body": null, "status": exchange.status,
        "headers": exchange.headers, "body": body,
    }))
    .unwrap()
}
