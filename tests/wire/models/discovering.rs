//! Where the services of a workspace are, and who gets a token.

use super::described;
use crate::support::plane::{
    self, DISCOVERY, DISCOVERY_PATH, EXPERIMENTS, HISTORY, MODELS, hosts, models,
    workspace_document,
};
use crate::support::redirect::{ARM, Reply, Service, at};
use azureml_aks::{AksWebservice, Cloud, Error, ErrorKind, Model, Workspace};
use serde_json::{Value, json};

fn third() -> String {
    models("/models/mymodel%3A3")
}

async fn read(workspace: &Workspace) -> Result<Model, Error> {
    Model::get(workspace, "mymodel:3").await
}

/// A mock whose workspace and discovery say this, and which has the model.
async fn saying(workspace: &Value, discovery: Reply) -> Service {
    let mut service = Service::start().await;
    service
        .on("GET", &at(""), Reply::json(200, workspace))
        .await
        .on("GET", DISCOVERY_PATH, discovery)
        .await
        .on("GET", &third(), Reply::json(200, &described(3)))
        .await;
    service
}

#[tokio::test]
async fn hosts_are_found_once_and_their_finder_gets_no_token() {
    let service = saying(&workspace_document(), Reply::json(200, &hosts())).await;
    let workspace = plane::workspace(&service);
    for _ in 0..2 {
        read(&workspace).await.unwrap();
        read(&workspace.clone()).await.unwrap();
    }
    let seen = service.seen();
    let first: Vec<(&str, String)> = seen[..3]
        .iter()
        .map(|seen| (seen.host.as_str(), seen.line()))
        .collect();
    assert_eq!(
        first,
        [
            ("management.azure.com", format!("GET {}", at(""))),
            (DISCOVERY, format!("GET {DISCOVERY_PATH}")),
            (MODELS, format!("GET {}", third())),
        ]
    );
    assert_eq!(seen.len(), 6, "found once");
    let authorized: Vec<bool> = seen[..3]
        .iter()
        .map(|seen| seen.headers.contains_key("authorization"))
        .collect();
    assert_eq!(authorized, [true, false, true]);
    assert_eq!(
        plane::header_names(&seen[1]),
        ["accept", "host", "user-agent", "x-ms-client-request-id"]
    );
}

#[tokio::test]
async fn hosts_are_found_once_by_many_at_a_time() {
    let service = saying(&workspace_document(), Reply::json(200, &hosts())).await;
    let workspace = plane::workspace(&service);
    let reads = (0..20).map(|_| read(&workspace));
    for result in futures::future::join_all(reads).await {
        result.unwrap();
    }
    let found = service
        .seen()
        .iter()
        .filter(|seen| seen.host == DISCOVERY)
        .count();
    assert_eq!(found, 1);
}

#[tokio::test]
async fn tokens_for_arm_and_for_the_hosts_are_asked_for_apart() {
    let arm = "https://management.azure.com/.default";
    let custom = Cloud::custom(ARM, "https://own.example").unwrap();
    for (cloud, expected) in [
        (Cloud::public(), [arm, "https://ml.azure.com/.default"]),
        (
            Cloud::public()
                .workspace_audience("https://management.azure.com")
                .unwrap(),
            [arm, arm],
        ),
        (
            Cloud::public()
                .workspace_audience("https://other.example/")
                .unwrap(),
            [arm, "https://other.example/.default"],
        ),
        (
            custom.clone(),
            [
                "https://own.example/.default",
                "https://own.example/.default",
            ],
        ),
        (
            custom.workspace_audience("https://hosts.example").unwrap(),
            [
                "https://own.example/.default",
                "https://hosts.example/.default",
            ],
        ),
    ] {
        let service = saying(&workspace_document(), Reply::json(200, &hosts())).await;
        let workspace = plane::builder(&service).cloud(cloud).build().unwrap();
        read(&workspace).await.unwrap();
        read(&workspace).await.unwrap();
        assert_eq!(service.token.asked(), expected);
        let tokens: Vec<&str> = service
            .seen()
            .iter()
            .map(
                |seen| match seen.headers.get("authorization").map(String::as_str) {
                    Some("Bearer CANARY-token-1") => "arm",
                    Some("Bearer CANARY-token-2") => "hosts",
                    None => "none",
                    Some(other) => panic!("{other}"),
                },
            )
            .collect();
        assert_eq!(tokens, ["arm", "none", "hosts", "hosts"]);
    }
}

#[tokio::test]
async fn workspace_that_names_no_place_to_ask_is_reported_and_nothing_is_sent() {
    for (url, kind) in [
        (json!(null), ErrorKind::Protocol),
        (json!(7), ErrorKind::Protocol),
        (json!(""), ErrorKind::UntrustedUrl),
        (json!("discovery.example"), ErrorKind::UntrustedUrl),
        (
            json!("http://discovery.example/discovery"),
            ErrorKind::UntrustedUrl,
        ),
        (
            json!("https://u:s3cr3t@discovery.example/"),
            ErrorKind::UntrustedUrl,
        ),
        (json!("ftp://discovery.example/"), ErrorKind::UntrustedUrl),
    ] {
        let document = json!({ "location": "l", "properties": { "discoveryUrl": url } });
        let service = saying(&document, Reply::json(200, &hosts())).await;
        let error = read(&plane::workspace(&service)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{url}: {error}");
        let text = error.to_string();
        assert!(
            text.contains("find the services of workspace \"ws\""),
            "{text}"
        );
        assert!(text.contains("discoveryUrl"), "{text}");
        assert!(!format!("{error:?}").contains("s3cr3t"));
        assert_eq!(service.lines(), [format!("GET {}", at(""))]);
    }
    for document in [
        json!({ "location": "l" }),
        json!({ "location": "l", "properties": null }),
    ] {
        let service = saying(&document, Reply::json(200, &hosts())).await;
        let error = read(&plane::workspace(&service)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    }
}

#[tokio::test]
async fn hosts_that_are_missing_or_not_safe_get_nothing() {
    for key in ["modelmanagement", "history", "experimentation"] {
        for (value, kind) in [
            (json!(null), ErrorKind::Protocol),
            (json!(["https://a.example"]), ErrorKind::Protocol),
            (json!("http://models.example"), ErrorKind::UntrustedUrl),
            (
                json!("https://u:s3cr3t@models.example"),
                ErrorKind::UntrustedUrl,
            ),
            (json!("models.example"), ErrorKind::UntrustedUrl),
            (json!(""), ErrorKind::UntrustedUrl),
        ] {
            let mut document = hosts();
            document[key] = value.clone();
            let service = saying(&workspace_document(), Reply::json(200, &document)).await;
            let workspace = plane::workspace(&service);
            let error = read(&workspace).await.unwrap_err();
            assert_eq!(error.kind(), kind, "{key} {value}: {error}");
            assert!(error.to_string().contains(&format!("{key:?}")), "{error}");
            assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error}");
            assert!(plane::sent(&service).is_empty());
            assert_eq!(service.token.asked().len(), 1, "none for the hosts");
        }
        let mut document = hosts();
        document.as_object_mut().unwrap().remove(key);
        let service = saying(&workspace_document(), Reply::json(200, &document)).await;
        let error = read(&plane::workspace(&service)).await.unwrap_err();
        assert!(error.to_string().contains(&format!("{key:?}")), "{error}");
    }
    // Those that are not needed may be missing.
    let mut document = hosts();
    for key in ["api", "hyperdrive", "studio"] {
        document.as_object_mut().unwrap().remove(key);
    }
    let service = saying(&workspace_document(), Reply::json(200, &document)).await;
    read(&plane::workspace(&service)).await.unwrap();
}

#[tokio::test]
async fn hosts_outside_the_known_domains_get_no_token() {
    for host in [
        "evil.test",
        "models.evilexample",
        "example.evil.test",
        "127.0.0.1",
    ] {
        for key in ["modelmanagement", "history", "experimentation"] {
            let mut document = hosts();
            document[key] = json!(format!("https://{host}/"));
            let service = saying(&workspace_document(), Reply::json(200, &document)).await;
            let error = read(&plane::workspace(&service)).await.unwrap_err();
            assert_eq!(
                error.kind(),
                ErrorKind::UntrustedUrl,
                "{key} {host}: {error}"
            );
            assert!(error.remedy().is_some(), "{error}");
            assert_eq!(service.token.asked().len(), 1, "none for the hosts");
        }
        let mut document = workspace_document();
        document["properties"]["discoveryUrl"] = json!(format!("https://{host}/discovery"));
        let service = saying(&document, Reply::json(200, &hosts())).await;
        let error = read(&plane::workspace(&service)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UntrustedUrl, "{host}: {error}");
        assert_eq!(service.seen().len(), 1, "{:?}", service.lines());
    }
}

#[tokio::test]
async fn invalid_discovery_answers_are_errors_and_not_cached() {
    let not_found = json!({ "error": { "code": "WorkspaceNotFound", "message": "gone" } });
    for (reply, kind) in [
        (Reply::json(404, &not_found), ErrorKind::Service),
        (Reply::empty(404), ErrorKind::Service),
        (Reply::empty(500), ErrorKind::Service),
        (Reply::json(403, &not_found), ErrorKind::Service),
        (
            Reply::empty(302).header("location", "https://evil.example/discovery"),
            ErrorKind::Service,
        ),
        (
            Reply::empty(307).header("location", DISCOVERY_PATH),
            ErrorKind::Service,
        ),
        (Reply::empty(204), ErrorKind::Protocol),
        (Reply::new(200, ""), ErrorKind::Protocol),
        (Reply::new(200, "<html>sign in</html>"), ErrorKind::Protocol),
        (Reply::new(200, "[]"), ErrorKind::Protocol),
        (Reply::new(200, "null"), ErrorKind::Protocol),
        (Reply::new(200, "{}"), ErrorKind::Protocol),
        (Reply::new(200, "{\"history\":\"https"), ErrorKind::Protocol),
        (
            Reply::new(200, "{\"hist").breaks_off(),
            ErrorKind::Transport,
        ),
        (
            Reply::new(200, format!("{{\"x\":\"{}\"}}", "y".repeat(5 << 20))),
            ErrorKind::Protocol,
        ),
    ] {
        let mut service = saying(&workspace_document(), reply.clone()).await;
        let workspace = plane::workspace(&service);
        let error = read(&workspace).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        let text = error.to_string();
        assert!(
            text.contains("find the services of workspace \"ws\""),
            "{text}"
        );
        assert!(plane::sent(&service).is_empty(), "{:?}", service.lines());
        // The next call asks again.
        service
            .on("GET", DISCOVERY_PATH, Reply::json(200, &hosts()))
            .await;
        read(&workspace).await.unwrap();
    }
}

#[tokio::test]
async fn host_below_a_path_keeps_it_and_the_rest_of_a_host_is_left_out() {
    let mut document = hosts();
    document["modelmanagement"] = json!(format!("https://{MODELS}:443/below/it/?x=1#y"));
    let mut service = saying(&workspace_document(), Reply::json(200, &document)).await;
    let target = format!("/below/it{}", third());
    service
        .on("GET", &target, Reply::json(200, &described(3)))
        .await;
    read(&plane::workspace(&service)).await.unwrap();
    assert_eq!(plane::lines(&service), [format!("GET {MODELS} {target}")]);
}

#[tokio::test]
async fn each_service_is_asked_at_its_own_host() {
    // All three are named, and none of them is the host of ARM or of the finder.
    let named = [MODELS, HISTORY, EXPERIMENTS];
    assert!(
        named
            .iter()
            .all(|host| !ARM.contains(host) && *host != DISCOVERY)
    );
    let service = saying(&workspace_document(), Reply::json(200, &hosts())).await;
    let workspace = plane::workspace(&service);
    read(&workspace).await.unwrap();
    let answered = service.seen().pop().unwrap();
    assert_eq!(answered.host, MODELS);
}

#[tokio::test]
async fn redirection_of_a_service_is_not_followed() {
    let mut service = plane::start().await;
    for status in [301, 302, 307, 308] {
        let away = Reply::empty(status).header("location", "https://evil.example/models");
        service.on("GET", &third(), away).await;
    }
    let workspace = plane::workspace(&service);
    for status in [301, 302, 307, 308] {
        let error = read(&workspace).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.http_status()),
            (ErrorKind::Service, Some(status))
        );
    }
    assert!(plane::sent(&service).iter().all(|seen| seen.host == MODELS));
}

#[tokio::test]
async fn token_that_a_host_refuses_is_replaced_once() {
    for (answers, good) in [(vec![401], true), (vec![401, 401], false)] {
        let mut service = plane::start().await;
        for status in &answers {
            service.on("GET", &third(), Reply::empty(*status)).await;
        }
        service
            .on("GET", &third(), Reply::json(200, &described(3)))
            .await;
        let result = read(&plane::workspace(&service)).await;
        assert_eq!(result.is_ok(), good, "{result:?}");
        let tokens: Vec<String> = plane::sent(&service)
            .iter()
            .map(|seen| seen.headers["authorization"].clone())
            .collect();
        assert_eq!(tokens, ["Bearer CANARY-token-2", "Bearer CANARY-token-3"]);
        let scopes = service.token.asked();
        assert_eq!(scopes[1..], ["https://ml.azure.com/.default"; 2]);
        if let Err(error) = result {
            assert_eq!(error.http_status(), Some(401));
        }
    }
}

#[tokio::test]
async fn hosts_that_are_not_found_do_not_pass_for_a_model_or_a_service_that_is_not_there() {
    let service = saying(&workspace_document(), Reply::empty(404)).await;
    let workspace = plane::workspace(&service);
    let model = Model::get_opt(&workspace, "mymodel:3").await;
    assert!(model.is_err(), "{model:?}");
    let web = AksWebservice::get_opt(&workspace, "s-1").await;
    assert!(web.is_err(), "{web:?}");
}
