//! Cases 6, 13, 16 and 36.

use super::script::*;
use super::tree;
use crate::compute;
use crate::operation::{Driver, Machine, Ticket, WaitOptions};
use crate::token::{FinalStateVia, HttpVerb, ResumeToken, TokenResource, Verb};
use crate::transport::{HttpRequest, Limit, Sending};
use crate::{Error, ErrorKind, Workspace};
use azure_core::http::{Method, Transport};
use serde_json::{Value, json};
use std::sync::Arc;
use url::Url;

const TARGET: &str = "https://management.azure.com/subscriptions/s/thing?api-version=1&action=x";
const ORIGINAL: &str = "https://management.azure.com/subscriptions/s/thing?api-version=1";
const MONITOR: &str = "https://management.azure.com/subscriptions/s/op?api-version=1";
const LOCATION: &str = "https://management.azure.com/subscriptions/s/result?api-version=1";

pub(crate) fn workspace(script: &Arc<Script>) -> Workspace {
    Workspace::builder("s", "g", "w")
        .credential(Credential::new(Lifetime::Moment))
        .transport(Transport::new(script.clone()))
        .build()
        .unwrap()
}

/// Sends the first request and begins to wait.
pub(super) async fn begin(
    script: &Arc<Script>,
    verb: HttpVerb,
    via: Option<FinalStateVia>,
    first: Reply,
) -> Result<Driver, Error> {
    script.expect([first]);
    let workspace = workspace(script);
    let client = workspace.client().clone();
    let method = match verb {
        HttpVerb::Delete => Method::Delete,
        HttpVerb::Patch => Method::Patch,
        HttpVerb::Post => Method::Post,
        HttpVerb::Put => Method::Put,
    };
    let url = Url::parse(TARGET).unwrap();
    let request = HttpRequest::new(method, url.clone());
    let id = request.client_request_id.clone();
    let answer = client
        .send(&request, Sending::Once, Limit::RESOURCE, None)
        .await?;
    let begun = Machine::start(verb, &url, &id, "1", client.origins(), via, &answer)?;
    let resource = TokenResource::Compute("AKS".into());
    let token = ResumeToken::of_request(resource, (Verb::Update, verb), url.as_str(), None, &id);
    let target = (&compute::SUBJECT, "thing".into());
    Ok(Driver::new(client, target, Some(Ticket::of(token)), begun))
}

struct Run {
    result: Result<Option<Value>, Error>,
    urls: Vec<String>,
}

async fn run(
    verb: HttpVerb,
    via: Option<FinalStateVia>,
    first: Reply,
    replies: impl IntoIterator<Item = Reply>,
) -> Run {
    let script = Script::new();
    let result = match begin(&script, verb, via, first).await {
        Ok(mut driver) => {
            script.expect(replies);
            let result = driver.run(&WaitOptions::new()).await;
            assert!(
                result.is_err() || driver.token().is_none(),
                "done, and a token"
            );
            result
        }
        Err(error) => Err(error),
    };
    assert_eq!(script.unused(), 0, "answers left over after {result:?}");
    let sent = script.sent();
    assert!(
        sent[1..].iter().all(|sent| sent.method == "GET"),
        "{sent:?}"
    );
    Run {
        result: result.map(tree),
        urls: sent.into_iter().skip(1).map(|sent| sent.url).collect(),
    }
}

fn succeeded() -> Reply {
    reply(200).json(&json!({ "status": "Succeeded", "properties": { "from": "monitor" } }))
}

fn from(place: &str) -> Reply {
    reply(200).json(&json!({ "from": place }))
}

#[tokio::test(start_paused = true)]
async fn case_06_post_that_is_accepted_without_a_place_for_its_status_is_an_error() {
    for via in [
        None,
        Some(FinalStateVia::Location),
        Some(FinalStateVia::OriginalUri),
    ] {
        let run = run(HttpVerb::Post, via, reply(202), []).await;
        let error = run.result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert_eq!(run.urls, [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn case_06_answer_that_starts_no_operation_is_a_refusal() {
    for status in [203, 206, 301, 302, 400, 404, 409, 429, 500] {
        let run = run(HttpVerb::Put, None, reply(status), []).await;
        assert_eq!(
            run.result.unwrap_err().kind(),
            ErrorKind::Service,
            "{status}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn case_07_post_or_delete_that_is_done_at_once_costs_one_request() {
    for (verb, status) in [
        (HttpVerb::Post, 200),
        (HttpVerb::Post, 204),
        (HttpVerb::Delete, 200),
        (HttpVerb::Delete, 204),
    ] {
        let run = run(verb, None, reply(status), []).await;
        assert_eq!(run.result.unwrap(), None, "{verb:?} {status}");
        assert_eq!(run.urls, [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn case_13_body_at_the_last_location_is_the_result_of_a_post() {
    const MOVED: &str = "https://management.azure.com/subscriptions/s/moved?api-version=1";
    let first = reply(202).header("Location", LOCATION);
    let moved = reply(202).header("Location", MOVED);
    let run = run(HttpVerb::Post, None, first, [moved, from("there")]).await;
    assert_eq!(run.result.unwrap(), Some(json!({ "from": "there" })));
    assert_eq!(run.urls, [LOCATION, MOVED]);
}

#[tokio::test(start_paused = true)]
async fn case_16_patch_that_answers_200_is_done_by_its_body_whatever_the_header() {
    let header = |reply: Reply| reply.header("Azure-AsyncOperation", MONITOR);
    for body in [
        json!({ "properties": { "provisioningState": "Succeeded" } }),
        json!({ "tags": {} }),
    ] {
        let first = header(reply(200)).json(&body);
        let run = run(HttpVerb::Patch, None, first, []).await;
        assert_eq!(run.result.unwrap(), Some(body));
        assert_eq!(run.urls, [""; 0]);
    }
    let updating = json!({ "properties": { "provisioningState": "Updating" } });
    let ready = json!({ "properties": { "provisioningState": "Succeeded" } });
    let replies = || [succeeded(), reply(200).json(&ready)];
    let first = header(reply(200)).json(&updating);
    let polled = run(HttpVerb::Patch, None, first, replies()).await;
    assert_eq!(polled.result.unwrap(), Some(ready.clone()));
    assert_eq!(polled.urls, [MONITOR, ORIGINAL]);
    // Only a 200 is the end.
    let first = header(reply(202)).json(&json!({}));
    let polled = run(HttpVerb::Patch, None, first, replies()).await;
    assert_eq!(polled.urls, [MONITOR, ORIGINAL]);
}

#[tokio::test(start_paused = true)]
async fn case_36_result_of_a_post_is_where_the_description_says() {
    use FinalStateVia::{AzureAsyncOperation, Location, OriginalUri};
    let cases = [
        (Some(Location), true, "location"),
        (Some(Location), false, "monitor"),
        (Some(AzureAsyncOperation), true, "monitor"),
        (Some(AzureAsyncOperation), false, "monitor"),
        (Some(OriginalUri), true, "original"),
        (Some(OriginalUri), false, "original"),
        (None, true, "location"),
        (None, false, "monitor"),
    ];
    for (via, has_location, place) in cases {
        for header in ["Azure-AsyncOperation", "Operation-Location"] {
            let mut first = reply(202).header(header, MONITOR);
            if has_location {
                first = first.header("Location", LOCATION);
            }
            let mut replies = vec![succeeded()];
            replies.extend((place != "monitor").then(|| from(place)));
            let run = run(HttpVerb::Post, via, first, replies).await;
            let case = format!("{via:?}, location {has_location}");
            assert_eq!(
                run.result.unwrap(),
                Some(json!({ "from": place })),
                "{case}"
            );
            let urls: &[&str] = match place {
                "location" => &[MONITOR, LOCATION],
                "original" => &[MONITOR, ORIGINAL],
                _ => &[MONITOR],
            };
            assert_eq!(run.urls, urls, "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn case_36_latest_location_of_a_post_counts_and_may_be_empty() {
    const LATER: &str = "https://management.azure.com/subscriptions/s/later?api-version=1";
    let first = || {
        reply(202)
            .header("Azure-AsyncOperation", MONITOR)
            .header("Location", LOCATION)
    };
    let moved = || {
        reply(200)
            .json(&json!({"status": "Running"}))
            .header("Location", LATER)
    };
    let there = run(
        HttpVerb::Post,
        None,
        first(),
        [moved(), succeeded(), from("later")],
    )
    .await;
    assert_eq!(there.result.unwrap(), Some(json!({ "from": "later" })));
    assert_eq!(there.urls, [MONITOR, MONITOR, LATER]);
    let nothing = run(
        HttpVerb::Post,
        None,
        first(),
        [succeeded(), reply(202), reply(204)],
    )
    .await;
    assert_eq!(nothing.result.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn url_of_a_post_is_probed_only_where_its_result_is_read_there() {
    let first = || reply(202).header("Azure-AsyncOperation", MONITOR);
    let lost = run(HttpVerb::Post, None, first(), [reply(410)]).await;
    assert_eq!(
        lost.result.unwrap_err().kind(),
        ErrorKind::OperationStatusLost
    );
    assert_eq!(lost.urls, [MONITOR]);
    let via = Some(FinalStateVia::OriginalUri);
    let probed = run(HttpVerb::Post, via, first(), [reply(410), from("original")]).await;
    assert_eq!(probed.result.unwrap(), Some(json!({ "from": "original" })));
    assert_eq!(probed.urls, [MONITOR, ORIGINAL]);
}
