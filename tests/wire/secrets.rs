//! Secrets stay secret: in everything that can be formatted, and in everything that is logged.

use crate::support::alone::is_alone;
use crate::support::log::Log;
use crate::support::redirect::{ARM, Reply, Service, TOKEN, at};
use crate::support::resealed::resealed;
use async_trait::async_trait;
use azure_core::http::{AsyncRawResponse, HttpClient, Request, Transport};
use azureml_aks::{
    AksCompute, ClusterRef, ComputeTarget, ErrorKind, LoadBalancer, Pem, ResumeToken, Resumed, Tls,
    TlsUpdate, UpdateConfiguration, WaitOptions, Workspace,
};
use futures::StreamExt;
use serde_json::{Value, json};
use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Secrets that must not stand in any text that comes out of the library.
const CANARY: &str = "CANARY";

fn fast() -> WaitOptions {
    WaitOptions::new()
        .poll_floor(Duration::ZERO)
        .deadline(Duration::from_secs(20))
}

fn aks_resource() -> Value {
    json!({ "name": "myaks", "properties": {
        "computeType": "AKS", "provisioningState": "Succeeded", "isAttachedCompute": false,
    } })
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

/// A connection that breaks with a text that quotes the URL, as `reqwest`'s errors do.
#[derive(Debug)]
struct Broken;

#[async_trait]
impl HttpClient for Broken {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let inner = std::io::Error::other(format!("error sending request for {}", request.url()));
        Err(azure_core::Error::with_error(
            azure_core::error::ErrorKind::Io,
            inner,
            "failed to execute `reqwest` request",
        ))
    }
}

/// A store that refuses a signed URL, and quotes it.
#[cfg(all(feature = "services", feature = "internals"))]
#[derive(Debug)]
struct Refusing;

#[cfg(all(feature = "services", feature = "internals"))]
#[async_trait]
impl HttpClient for Refusing {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        assert!(request.url().as_str().contains(CANARY));
        let text = format!(
            "<Error><Code>AuthenticationFailed</Code><Message>no to {}</Message></Error>",
            request.url().as_str().replace('&', "&amp;")
        );
        let mut headers = azure_core::http::headers::Headers::new();
        headers.insert("x-ms-error-code", "AuthenticationFailed");
        Ok(AsyncRawResponse::from_bytes(403.into(), headers, text))
    }
}

#[tokio::test]
async fn secrets_are_in_no_text_that_leaves_the_library() {
    if !is_alone(
        module_path!(),
        "secrets_are_in_no_text_that_leaves_the_library",
    ) {
        return;
    }
    let log = Log::of_the_process(|_| true);
    assert!(TOKEN.contains(CANARY));
    let mut out = String::new();
    let mut show = |what: &dyn Debug| writeln!(out, "{what:?}\n{what:#?}").unwrap();

    let made = rcgen::generate_simple_self_signed(["scoring.example.com".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    // Some line in the middle: enough to know either by.
    let line = |pem: &str| pem.lines().nth(1).unwrap().to_owned();
    let secrets = [line(&certificate), line(&key), CANARY.to_owned()];

    let mut service = Service::start().await;
    let workspace = service.workspace();
    show(&service.builder());
    show(&workspace);
    let tls = || {
        Tls::certificate(
            "scoring.example.com",
            Pem::text(certificate.clone()),
            Pem::text(key.clone()),
        )
    };
    show(&tls());
    let provisioning = AksCompute::provisioning_configuration().tls(tls());
    show(&provisioning);
    let provisioning = provisioning.build().unwrap();
    show(&provisioning);
    let attach = AksCompute::attach_configuration(ClusterRef::named("g", "c")).tls(tls());
    show(&attach);
    show(&attach.build().unwrap());
    let change = UpdateConfiguration::builder().tls(TlsUpdate::Enable(tls()));
    show(&change);
    let change = change.build().unwrap();
    show(&change);
    // The key where the certificate belongs, and the other way round.
    let swapped = Tls::certificate(
        "scoring.example.com",
        Pem::text(key.clone()),
        Pem::text(certificate.clone()),
    );
    let error = AksCompute::provisioning_configuration()
        .tls(swapped)
        .build();
    let error = error.unwrap_err();
    show(&error);
    show(&error.to_string());

    // A create whose operation fails while its words repeat what was sent.
    let echo = json!({"error": {"code": "BadCertificate", "target": "Bearer CANARY", "message":
        format!("cannot use {key} with Authorization: Bearer CANARY and {certificate}"),
        "details": [{"code": "C", "message": "sig=CANARY&primaryKey=CANARY"}],
    }});
    let monitor = "/o?api-version=1&t=CANARY&c=CANARY&sig=CANARY";
    service.on_get(Reply::empty(404)).await;
    service
        .on_put(
            Reply::json(
                201,
                &json!({"name": "myaks", "properties": {"computeType": "AKS",
                "properties": {"sslConfiguration": {"cert": certificate, "key": key}}}}),
            )
            .header("Azure-AsyncOperation", &format!("{ARM}{monitor}"))
            .header("set-cookie", "session=CANARY")
            .header("x-ms-secret", "CANARY"),
        )
        .await;
    let mut status = echo.clone();
    status["status"] = "Failed".into();
    service.on("GET", monitor, Reply::json(200, &status)).await;
    let create = ComputeTarget::create(&workspace, "myaks", provisioning);
    show(&create);
    let prepared = create.prepare().unwrap();
    show(&prepared);
    show(prepared.token());
    let mut aks = prepared.send().await.unwrap();
    assert!(
        service
            .last()
            .text()
            .contains("-----BEGIN PRIVATE KEY-----"),
        "the secrets are really on the wire"
    );
    show(&aks);
    show(aks.resource());
    show(&aks.resume_token());
    assert!(aks.resume_token().unwrap().expose().contains(monitor));
    let error = aks.wait_for_completion(fast()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OperationFailed);
    show(&error);
    show(&error.to_string());
    show(&error.service_error());

    // Refusals that repeat what was sent, and URLs signed for the caller in errors.
    service.on_get(Reply::json(200, &aks_resource())).await;
    service.on_put(Reply::json(400, &echo)).await;
    let update = aks.update(change);
    show(&update);
    let error = update.await.unwrap_err();
    show(&error);
    show(&error.to_string());
    let balancer = UpdateConfiguration::builder().load_balancer(LoadBalancer::PublicIp);
    service
        .on_put(Reply::empty(202).header("Azure-AsyncOperation", "https://evil.example/?t=CANARY"))
        .await;
    aks.update(balancer.build().unwrap()).await.unwrap();
    show(&aks);
    let error = aks.wait_for_completion(fast()).await.unwrap_err();
    show(&error);
    show(&error.to_string());

    // Keys.
    let target = at("/computes/myaks/listKeys");
    let keys = json!({"userKubeConfig": "CANARY", "adminKubeConfig": "CANARY"});
    service.on("POST", &target, Reply::json(200, &keys)).await;
    show(&aks.credentials().await.unwrap());
    service.on("POST", &target, Reply::json(500, &keys)).await;
    let error = aks.credentials().await.unwrap_err();
    show(&error);
    show(&error.to_string());

    // A refused token, and a connection that breaks on a URL signed for the caller.
    service
        .on("GET", &at("/computes"), Reply::json(401, &echo))
        .await;
    let error = workspace.computes().next().await.unwrap();
    let error = error.unwrap_err();
    show(&error);
    show(&error.to_string());
    let broken = service
        .builder()
        .transport(Transport::new(Arc::new(Broken)))
        .build()
        .unwrap();
    let mut lost = resumed(&broken, monitor).await;
    let mut told = Vec::new();
    let deadline = WaitOptions::new().deadline(Duration::from_millis(1500));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let progress = seen.clone();
    let options = deadline.on_progress(move |p| progress.lock().unwrap().push(p.clone()));
    show(&options);
    told.push(lost.wait_for_completion(options).await.unwrap_err());
    show(&told);
    show(&told[0].to_string());
    show(&seen.lock().unwrap());
    let mut source = std::error::Error::source(&told[0]);
    while let Some(cause) = source {
        show(&cause.to_string());
        source = cause.source();
    }

    // Blobs, whose URLs are secrets as a whole.
    #[cfg(all(feature = "services", feature = "internals"))]
    {
        let blobs = azureml_aks::internals::Blobs::over(Transport::new(Arc::new(Refusing)));
        let sas = "https://acct.blob.core.windows.net/c/b?sv=1&sig=CANARY&se=2&skoid=1";
        let file = std::path::Path::new(env!("CARGO_MANIFEST_PATH"));
        let error = blobs.upload(sas, file, &|_| {}).await.unwrap_err();
        assert_eq!(error.code(), Some("AuthenticationFailed"));
        show(&blobs);
        show(&error);
        show(&error.to_string());
        show(&error.service_error());
        let text = log.text();
        assert!(text.contains("acct.blob.core.windows.net/c/b"));
    }
    let log = log.text();
    assert!(
        log.contains("api-version=2026-05-01"),
        "the log holds the requests: {log}"
    );
    for (name, text) in [("the log", &log), ("a text", &out)] {
        for secret in &secrets {
            let found = text.lines().find(|line| line.contains(secret.as_str()));
            assert_eq!(found, None, "{name} holds {secret}");
        }
    }
}
