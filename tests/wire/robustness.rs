//! Broken answers, broken connections, throttling and refused tokens.

use crate::support::redirect::{ARM, Reply, Service, Token, at};
use crate::support::resealed::resealed;
use async_trait::async_trait;
use azure_core::http::{AsyncRawResponse, HttpClient, Request, Transport};
use azureml_aks::{
    AksCompute, ComputeTarget, Error, ErrorKind, ResumeToken, Resumed, TlsUpdate,
    UpdateConfiguration, WaitOptions, Workspace,
};
use futures::StreamExt;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A secret: it must not stand in an error.
const CANARY: &str = "CANARY";

fn fast() -> WaitOptions {
    WaitOptions::new()
        .poll_floor(Duration::ZERO)
        .deadline(Duration::from_secs(20))
}

fn aks() -> Value {
    json!({ "name": "myaks", "properties": {
        "computeType": "AKS", "provisioningState": "Succeeded", "isAttachedCompute": false,
    } })
}

async fn handle(service: &mut Service) -> AksCompute {
    service.on_get(Reply::json(200, &aks())).await;
    AksCompute::get(&service.workspace(), "myaks")
        .await
        .unwrap()
}

async fn create(workspace: &Workspace) -> Result<AksCompute, Error> {
    let configuration = AksCompute::provisioning_configuration().build().unwrap();
    ComputeTarget::create(workspace, "myaks", configuration).await
}

/// A handle in the middle of a create whose status is read at `monitor`, at once.
async fn resumed(workspace: &Workspace, monitor: &str) -> AksCompute {
    let configuration = AksCompute::provisioning_configuration().build().unwrap();
    let prepared = ComputeTarget::create(workspace, "myaks", configuration).prepare();
    let mut token: Value = serde_json::from_str(&prepared.unwrap().token().expose()).unwrap();
    token["accepted"] = true.into();
    token["monitor"] = "azureAsyncOperation".into();
    token["nextRequestUri"] = format!("{ARM}{monitor}").into();
    let token = ResumeToken::parse(&resealed(&token.to_string())).unwrap();
    match workspace.resume(&token).await.unwrap() {
        Resumed::Compute(handle) => handle.try_into().unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Bodies that are not what they should be. All of them carry the canary where they hold a value.
fn bodies() -> Vec<Vec<u8>> {
    let utf16: Vec<u8> = "{\"name\":\"CANARY\"}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let mut bodies: Vec<Vec<u8>> = [
        "",
        " \n",
        "nul",
        "null",
        "true",
        "42",
        "1e999999",
        "\"CANARY\"",
        "[]",
        "[[]]",
        "{",
        "{}",
        "{}{}",
        "{'name':'CANARY'}",
        "{\"name\":\"CANARY}",
        "{\"name\":7}",
        "{\"name\":\"a\",\"name\":\"CANARY\"}",
        "{\"properties\":\"CANARY\"}",
        "{\"properties\":[\"CANARY\"]}",
        "{\"properties\":{\"computeType\":7}}",
        "{\"properties\":{\"computeType\":\"AKS\",\"properties\":\"CANARY\"}}",
        "{\"properties\":{\"computeType\":\"AKS\",\"properties\":{\"agentCount\":-1}}}",
        "{\"properties\":{\"computeType\":\"AKS\",\"properties\":{\"agentCount\":1e30}}}",
        "{\"properties\":{\"computeType\":\"AKS\",\"properties\":{\"systemServices\":\"CANARY\"}}}",
        "{\"properties\":{\"computeType\":\"AKS\",\"provisioningState\":{\"a\":\"CANARY\"}}}",
        "{\"properties\":{\"computeType\":\"AKS\",\"provisioningErrors\":7}}",
        "{\"properties\":{\"computeType\":\"AKS\",\"createdOn\":7}}",
        "{\"tags\":[\"CANARY\"],\"properties\":{\"computeType\":\"AKS\"}}",
        "{\"status\":7,\"error\":\"text\"}",
        "{\"status\":null}",
        "{\"value\":7,\"nextLink\":7}",
        "{\"value\":{\"a\":\"CANARY\"}}",
        "{\"value\":[],\"nextLink\":{}}",
        "{\"userKubeConfig\":7,\"adminKubeConfig\":[\"CANARY\"]}",
        "{\"userKubeConfig\":\"CANARY\"",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\u0000\"}",
        "<!DOCTYPE html><html><body>CANARY</body></html>",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    bodies.push(b"\xff\xfe\xfd".to_vec());
    bodies.push(b"{\"name\":\"\xc3\x28 CANARY\"}".to_vec());
    bodies.push(b"\x1f\x8b\x08\x00CANARY".to_vec());
    bodies.push(b"{\"name\":\"a\0b\"}".to_vec());
    bodies.push(utf16);
    bodies.push(vec![b'['; 100_000]);
    bodies.push(b"{\"error\":".repeat(20_000));
    bodies.push(format!("{{\"name\":\"{}\"", "CANARY".repeat(100_000)).into_bytes());
    bodies.push(vec![0; (4 << 20) + 1]);
    bodies
}

fn short(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned()
}

/// An error that says something, and nothing of the body.
fn is_clear(error: &Error, body: &[u8]) {
    let text = format!("{error}\n{error:?}");
    assert!(!text.contains(CANARY), "{} gave {text}", short(body));
    assert!(
        text.len() < 2000 && text.contains("myaks") || text.contains("list"),
        "{} gave {text}",
        short(body)
    );
    let kinds = [
        ErrorKind::Protocol,
        ErrorKind::Refused,
        ErrorKind::OperationStatusLost,
        ErrorKind::ResultUnavailable,
    ];
    assert!(kinds.contains(&error.kind()), "{} gave {text}", short(body));
}

#[tokio::test]
async fn read_that_cannot_be_understood_is_a_clear_error_and_is_not_repeated() {
    for body in bodies() {
        let mut service = Service::start().await;
        service.on_get(Reply::new(200, body.clone())).await;
        let read = AksCompute::get(&service.workspace(), "myaks").await;
        if let Err(error) = read {
            is_clear(&error, &body);
        }
        assert_eq!(service.seen().len(), 1, "{}", short(&body));
    }
}

#[tokio::test]
async fn resource_cut_off_anywhere_is_an_error() {
    let whole = json!({ "name": "myaks", "tags": { "a": "ä" }, "properties": {
        "properties": { "agentCount": 3 }, "computeType": "AKS",
    } })
    .to_string();
    let mut service = Service::start().await;
    let workspace = service.workspace();
    for end in 0..whole.len() {
        let cut = &whole.as_bytes()[..end];
        service.on_get(Reply::new(200, cut)).await;
        let error = AksCompute::get(&workspace, "myaks").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{}", short(cut));
    }
    service.on_get(Reply::new(200, whole)).await;
    AksCompute::get(&workspace, "myaks").await.unwrap();
}

#[tokio::test]
async fn list_that_cannot_be_understood_is_a_clear_error_and_ends() {
    for body in bodies() {
        let mut service = Service::start().await;
        service
            .on("GET", &at("/computes"), Reply::new(200, body.clone()))
            .await;
        let items: Vec<_> = service.workspace().computes().take(10).collect().await;
        assert!(items.len() < 2, "{}", short(&body));
        for error in items.iter().filter_map(|item| item.as_ref().err()) {
            assert_eq!(error.kind(), ErrorKind::Protocol, "{}", short(&body));
            assert!(!format!("{error} {error:?}").contains(CANARY), "{error}");
        }
        assert_eq!(service.seen().len(), 1, "{}", short(&body));
    }
}

#[tokio::test]
async fn page_that_is_a_bare_list_does_not_pass_for_an_empty_one() {
    for body in ["[]", " [[]]", "[[{\"name\":\"myaks\"}]]"] {
        let mut service = Service::start().await;
        service
            .on("GET", &at("/computes"), Reply::new(200, body))
            .await;
        let items: Vec<_> = service.workspace().computes().collect().await;
        let [Err(error)] = items.as_slice() else {
            panic!("{body}: {items:?}");
        };
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    }
}

#[tokio::test]
async fn accepted_create_stays_accepted_whatever_the_answer_holds() {
    for body in bodies() {
        let too_large = body.len() > 4 << 20;
        let mut service = Service::start().await;
        service.on_get(Reply::empty(404)).await;
        service
            .on_put(
                Reply::new(201, body.clone())
                    .header("Azure-AsyncOperation", &format!("{ARM}/o?api-version=1")),
            )
            .await;
        match create(&service.workspace()).await {
            Ok(handle) => {
                assert!(handle.resume_token().is_some(), "{}", short(&body));
                assert!(!format!("{handle:?}").contains(CANARY), "{handle:?}");
            }
            // The request arrived: the token finds out what became of it.
            Err(error) => {
                assert!(too_large, "{} gave {error}", short(&body));
                assert!(error.resume_token().is_some(), "{error}");
            }
        }
        assert_eq!(service.seen().len(), 2, "{}", short(&body));
    }
}

#[tokio::test]
async fn keys_that_cannot_be_understood_are_a_clear_error_without_a_word_of_the_answer() {
    let mut service = Service::start().await;
    let handle = handle(&mut service).await;
    let target = at("/computes/myaks/listKeys");
    for body in bodies() {
        service
            .on("POST", &target, Reply::new(200, body.clone()))
            .await;
        if let Err(error) = handle.credentials().await {
            is_clear(&error, &body);
        }
    }
    assert_eq!(service.seen().len(), 1 + bodies().len());
}

#[tokio::test]
async fn refusal_to_give_keys_shows_nothing_that_looks_like_one() {
    let kubeconfig = "apiVersion: v1\nusers:\n- name: u\n  user:\n    client-certificate-data: CANARY\n    \
                      client-key-data: CANARY\n    token: CANARY\n    password: \"CANARY\"\n";
    let mut service = Service::start().await;
    let handle = handle(&mut service).await;
    let target = at("/computes/myaks/listKeys");
    for body in [
        kubeconfig.to_owned(),
        json!({ "userKubeConfig": kubeconfig, "adminKubeConfig": "CANARY" }).to_string(),
        json!({ "adminKubeConfig": "CANARY", "error": null }).to_string(),
        json!({ "error": { "code": "C", "message": "adminKubeConfig=CANARY" } }).to_string(),
        "Bearer CANARY".to_owned(),
        "-----BEGIN RSA PRIVATE KEY-----\nCANARY".to_owned(),
    ] {
        for status in [400, 500] {
            service
                .on("POST", &target, Reply::new(status, body.clone()))
                .await;
            let error = handle.credentials().await.unwrap_err();
            assert_eq!(error.http_status(), Some(status));
            let text = format!("{error} {error:?}");
            assert!(!text.contains(CANARY), "{body} gave {text}");
        }
    }
}

#[tokio::test]
async fn status_that_cannot_be_understood_ends_the_wait_after_a_few_reads() {
    let hint = |reply: Reply| reply.header("retry-after-ms", "1");
    let waits = bodies().into_iter().map(|body| async move {
        let mut service = Service::start().await;
        let monitor = "/o?api-version=1";
        service
            .on("GET", monitor, hint(Reply::new(200, body.clone())))
            .await;
        service.on_get(Reply::json(200, &aks())).await;
        let mut handle = resumed(&service.workspace(), monitor).await;
        let mut options = fast();
        // Where no answer counts there is no hint either, and the pauses are the library's own.
        if body.len() > 4 << 20 {
            options = options.deadline(Duration::from_millis(1100));
        }
        match handle.wait_for_completion(options).await {
            Ok(()) => assert_eq!(handle.status(), Some("Succeeded"), "{}", short(&body)),
            Err(error) if error.kind() == ErrorKind::DeadlineExceeded => {
                assert!(body.len() > 4 << 20, "{} gave {error}", short(&body));
            }
            Err(error) => is_clear(&error, &body),
        }
        assert!(service.seen().len() <= 4, "{}", short(&body));
    });
    // A few at a time: the mock has only so many servers.
    futures::stream::iter(waits)
        .buffer_unordered(8)
        .collect::<Vec<()>>()
        .await;
}

#[tokio::test]
async fn write_that_is_answered_503_is_sent_once_only() {
    let mut service = Service::start().await;
    let mut aks = handle(&mut service).await;
    service
        .on("POST", &at("/computes/myaks/listKeys"), Reply::empty(503))
        .await;
    let error = aks.credentials().await.unwrap_err();
    assert_eq!(error.http_status(), Some(503));

    let detach = format!("{}&underlyingResourceAction=Detach", at("/computes/myaks"));
    service.on("DELETE", &detach, Reply::empty(503)).await;
    let error = aks.detach().await.unwrap_err();
    assert!(error.resume_token().is_some(), "it may have arrived");

    service.on_put(Reply::empty(503)).await;
    let change = UpdateConfiguration::builder().tls(TlsUpdate::Disable);
    let error = aks.update(change.build().unwrap()).await.unwrap_err();
    assert!(error.resume_token().is_some(), "it may have arrived");

    let methods: Vec<_> = service.seen().into_iter().map(|seen| seen.method).collect();
    assert_eq!(methods, ["GET", "POST", "DELETE", "GET", "PUT"]);
}

#[tokio::test]
async fn refused_write_leaves_nothing_to_resume() {
    for status in [400, 401, 403, 404, 409, 412, 429] {
        let mut service = Service::start().await;
        service.on_get(Reply::empty(404)).await;
        service.on_put(Reply::empty(status)).await;
        let error = create(&service.workspace()).await.unwrap_err();
        assert_eq!(error.http_status(), Some(status));
        assert!(error.resume_token().is_none(), "{error}");
    }
}

#[tokio::test]
async fn read_that_is_answered_503_is_repeated() {
    let mut service = Service::start().await;
    service.on_get(Reply::empty(503)).await;
    service.on_get(Reply::empty(503)).await;
    service.on_get(Reply::json(200, &aks())).await;
    AksCompute::get(&service.workspace(), "myaks")
        .await
        .unwrap();
    let seen = service.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|s| s.request_id() == seen[0].request_id()));
}

#[tokio::test]
async fn read_whose_body_breaks_off_is_repeated_and_a_write_is_not() {
    let mut service = Service::start().await;
    service
        .on_get(Reply::new(200, "{\"name\":").breaks_off())
        .await;
    let aks = handle(&mut service).await;
    assert_eq!(service.seen().len(), 2);

    let target = at("/computes/myaks/listKeys");
    let reply = Reply::new(200, "{\"userKubeConfig\":\"CANARY").breaks_off();
    service.on("POST", &target, reply).await;
    let error = aks.credentials().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(!format!("{error} {error:?}").contains(CANARY), "{error:?}");
    assert_eq!(service.seen().len(), 3);
}

/// Nobody there.
#[derive(Debug, Default)]
struct Dead(AtomicUsize);

#[async_trait]
impl HttpClient for Dead {
    async fn execute_request(&self, _request: &Request) -> azure_core::Result<AsyncRawResponse> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Err(azure_core::Error::with_message(
            azure_core::error::ErrorKind::Connection,
            "connection refused",
        ))
    }
}

fn dead() -> (Arc<Dead>, Workspace) {
    let nobody = Arc::new(Dead::default());
    let workspace = Workspace::builder("sub", "grp", "ws")
        .credential(Arc::new(Token::default()))
        .transport(Transport::new(nobody.clone()))
        .build();
    (nobody, workspace.unwrap())
}

#[tokio::test(start_paused = true)]
async fn service_that_is_not_there_is_tried_four_times_in_three_seconds() {
    let (nobody, workspace) = dead();
    let start = tokio::time::Instant::now();
    let error = AksCompute::get(&workspace, "myaks").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(error.to_string().contains("connection refused"), "{error}");
    assert_eq!(nobody.0.load(Ordering::SeqCst), 4);
    assert!(start.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn refused_token_is_fetched_again_and_the_request_repeated_once() {
    let mut service = Service::start().await;
    service.on_get(Reply::empty(401)).await;
    let aks = handle(&mut service).await;
    let sent: Vec<_> = service
        .seen()
        .into_iter()
        .map(|seen| seen.headers["authorization"].clone())
        .collect();
    assert_eq!(sent, ["Bearer CANARY-token-1", "Bearer CANARY-token-2"]);

    // Also a write: the one that was refused had no effect.
    let target = at("/computes/myaks/listKeys");
    service.on("POST", &target, Reply::empty(401)).await;
    service.on("POST", &target, Reply::new(200, "{}")).await;
    aks.credentials().await.unwrap();
    assert_eq!(service.seen().len(), 4);
}

#[tokio::test]
async fn token_that_is_refused_twice_is_an_error() {
    let mut service = Service::start().await;
    let body = json!({"error": {"code": "InvalidAuthenticationToken", "message": "M"}});
    service.on_get(Reply::json(401, &body)).await;
    let error = AksCompute::get(&service.workspace(), "myaks").await;
    let error = error.unwrap_err();
    assert!(error.is_unauthenticated() && error.http_status() == Some(401));
    assert!(error.remedy().is_some(), "{error}");
    assert_eq!(service.seen().len(), 2);
    assert_eq!(service.token.asked().len(), 2);
}

#[tokio::test]
async fn workspace_sends_nothing_after_one_answer_that_throttles_for_long() {
    for status in [429, 503] {
        let mut service = Service::start().await;
        let mut aks = handle(&mut service).await;
        let workspace = aks.workspace().clone();
        service
            .on(
                "POST",
                &at("/computes/myaks/listKeys"),
                Reply::empty(status).header("Retry-After", "3600"),
            )
            .await;
        let error = aks.credentials().await.unwrap_err();
        assert_eq!(error.http_status(), Some(status));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
        assert_eq!(service.seen().len(), 2);

        let own = |error: Error| {
            assert_eq!(error.http_status(), Some(status), "{error}");
            assert!(error.to_string().contains("was not sent"), "{error}");
            let left = error.retry_after().unwrap();
            assert!(left > Duration::from_secs(3500), "{left:?}");
            assert!(error.resume_token().is_none(), "nothing was sent");
        };
        own(AksCompute::get(&workspace, "myaks").await.unwrap_err());
        own(aks.credentials().await.unwrap_err());
        own(aks.detach().await.unwrap_err());
        own(create(&workspace).await.unwrap_err());
        let mut list = workspace.computes();
        own(list.next().await.unwrap().unwrap_err());
        assert_eq!(service.seen().len(), 2);

        // Another workspace has a throttle of its own.
        AksCompute::get(&service.workspace(), "myaks")
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn read_that_is_throttled_for_long_fails_at_once() {
    let mut service = Service::start().await;
    service
        .on_get(Reply::empty(429).header("Retry-After", "3600"))
        .await;
    let error = AksCompute::get(&service.workspace(), "myaks").await;
    let error = error.unwrap_err();
    assert!(error.is_throttled(), "{error}");
    assert!(error.retry_after().unwrap() > Duration::from_secs(3500));
    assert_eq!(service.seen().len(), 1);
}

#[tokio::test]
async fn short_throttle_is_waited_out_inside_the_call() {
    let mut service = Service::start().await;
    service
        .on_get(Reply::empty(429).header("retry-after-ms", "600"))
        .await;
    service.on_get(Reply::json(200, &aks())).await;
    let start = std::time::Instant::now();
    AksCompute::get(&service.workspace(), "myaks")
        .await
        .unwrap();
    assert!(start.elapsed() >= Duration::from_millis(600));
    assert_eq!(service.seen().len(), 2);
}

#[tokio::test]
async fn redirect_is_not_followed() {
    let mut service = Service::start().await;
    service
        .on_get(Reply::empty(307).header("Location", "https://evil.example/"))
        .await;
    let error = AksCompute::get(&service.workspace(), "myaks").await;
    assert_eq!(error.unwrap_err().http_status(), Some(307));
    assert_eq!(service.seen().len(), 1);
}

#[tokio::test]
async fn status_url_elsewhere_is_refused_and_nothing_is_sent_there() {
    for monitor in [
        "https://evil.example/o",
        "http://management.azure.com/o",
        "https://management.azure.com:8443/o",
        "https://management.azure.com@evil.example/o",
        "//evil.example/o",
    ] {
        let mut service = Service::start().await;
        service.on_get(Reply::empty(404)).await;
        service
            .on_put(Reply::empty(202).header("Azure-AsyncOperation", monitor))
            .await;
        let mut handle = create(&service.workspace()).await.unwrap();
        let error = handle.wait_for_completion(fast()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UntrustedUrl, "{monitor}");
        assert_eq!(service.seen().len(), 2, "{monitor}");
    }
}
