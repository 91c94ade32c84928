//! Registrations that end on the way: what is told, what was sent before, and what is found later.

use super::registering::{BLOBS, CONTAINER, announced, announcement, folder};
use super::{described, newest, on_newest};
use crate::support::plane::{self, HISTORY, MODELS, models, only};
use crate::support::redirect::{Reply, Service};
use azureml_aks::{ErrorKind, Model};
use serde_json::json;

#[tokio::test]
async fn refusals_on_the_way_say_what_was_refused_and_by_whom() {
    let refusal = json!({
        "code": "ModelQuota", "statusCode": 403, "message": "no more models",
        "details": [{ "code": "Limit", "message": "at most 10" }], "correlation": { "RequestId": "r" },
    });
    for (method, target, status) in [
        ("POST", announcement(), 403),
        ("PUT", BLOBS[0].to_owned(), 403),
        ("POST", models("/assets"), 400),
        ("POST", models("/models"), 409),
    ] {
        let mut service = plane::start().await;
        service
            .on(method, &target, Reply::json(status, &refusal))
            .await;
        // The others as they should be: mocks are asked in the order in which they were added.
        for (other, answer) in [
            (announcement(), announced()),
            (models("/assets"), json!({ "id": "a1" })),
            (models("/models"), described(1)),
        ] {
            if other != target {
                service.on("POST", &other, Reply::json(200, &answer)).await;
            }
        }
        for blob in BLOBS {
            if blob != target {
                service.on("PUT", blob, Reply::empty(201)).await;
            }
        }
        on_newest(&mut service, "mymodel", json!([])).await;
        let (_folder, path) = folder();
        let error = Model::register(&plane::workspace(&service), "mymodel", &path)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Service, "{target}: {error}");
        assert_eq!(error.http_status(), Some(status), "{target}: {error}");
        let text = error.to_string();
        if method == "PUT" {
            assert!(text.contains("upload \"a b.bin\""), "{text}");
        } else {
            assert!(text.contains("register model \"mymodel\""), "{text}");
            assert!(text.contains("no more models"), "{text}");
            assert_eq!(error.code(), Some("Limit"), "{text}");
            assert!(error.client_request_id().is_some());
        }
        assert!(!format!("{error:?}").contains("a%2Bb"), "{error:?}");
    }
}

/// The requests of a registration that ends before the upload.
fn asked_and_announced() -> [String; 2] {
    [
        format!("GET {MODELS} {}", newest("mymodel")),
        format!("POST {HISTORY} {}", announcement()),
    ]
}

#[tokio::test]
async fn announcement_that_is_refused_for_one_path_uploads_nothing() {
    let mut service = plane::start().await;
    let mut answer = announced();
    answer["errors"] = json!({ "my model/a b.bin": { "error": {
        "code": "BadName", "message": "the path is not allowed",
    } } });
    on_newest(&mut service, "mymodel", json!([])).await;
    service
        .on("POST", &announcement(), Reply::json(200, &answer))
        .await;
    let (_folder, path) = folder();
    let error = Model::register(&plane::workspace(&service), "mymodel", &path)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("BadName"), "{error}");
    assert!(error.to_string().contains("my model/a b.bin"), "{error}");
    assert_eq!(plane::lines(&service), asked_and_announced());
}

#[tokio::test]
async fn invalid_or_unsafe_blob_urls_get_no_request() {
    for (uri, kind) in [
        (
            json!("http://store.blob.example/c/b?sig=s3cr3t"),
            ErrorKind::UntrustedUrl,
        ),
        (
            json!("https://u:s3cr3t@store.blob.example/c/b"),
            ErrorKind::UntrustedUrl,
        ),
        (
            json!("ftp://store.blob.example/c/b?sig=s3cr3t"),
            ErrorKind::UntrustedUrl,
        ),
        (json!("s3cr3t"), ErrorKind::Protocol),
        (
            json!("https://store.blob.example/s3cr3t"),
            ErrorKind::Protocol,
        ),
        (json!(null), ErrorKind::Protocol),
        (json!(7), ErrorKind::Protocol),
    ] {
        let mut service = plane::start().await;
        let mut answer = announced();
        answer["artifactContentInformation"]["my model/a b.bin"] = json!({ "contentUri": uri });
        on_newest(&mut service, "mymodel", json!([])).await;
        service
            .on("POST", &announcement(), Reply::json(200, &answer))
            .await;
        let (_folder, path) = folder();
        let error = Model::register(&plane::workspace(&service), "mymodel", &path)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{uri}: {error}");
        assert!(
            !format!("{error} {error:?}").contains("s3cr3t"),
            "{error:?}"
        );
        assert_eq!(plane::lines(&service), asked_and_announced(), "{uri}");
    }
}

#[tokio::test]
async fn registration_whose_answer_is_lost_looks_for_what_it_made() {
    for (reply, found) in [
        (Reply::empty(500), true),
        (Reply::new(200, "{\"na").breaks_off(), true),
        (Reply::new(200, "<html>"), true),
        (Reply::empty(503), false),
    ] {
        let mut service = plane::start().await;
        service
            .on("POST", &announcement(), Reply::json(200, &announced()))
            .await;
        for blob in BLOBS {
            service.on("PUT", blob, Reply::empty(201)).await;
        }
        // Before the upload and after it; it is there when the answer is lost.
        on_newest(&mut service, "mymodel", json!([])).await;
        on_newest(&mut service, "mymodel", json!([])).await;
        let there = if found {
            json!([described(1)])
        } else {
            json!([])
        };
        on_newest(&mut service, "mymodel", there).await;
        let asset = json!({ "id": "a1", "artifacts": [
            { "prefix": format!("LocalUpload/{CONTAINER}/my model") },
        ] });
        service
            .on("POST", &models("/assets"), Reply::json(200, &asset))
            .await
            .on("GET", &models("/assets/a1"), Reply::json(200, &asset))
            .await
            .on("POST", &models("/models"), reply)
            .await;
        let (_folder, path) = folder();
        let registered = Model::register(&plane::workspace(&service), "mymodel", &path).await;
        match registered {
            Ok(model) => assert!(found && model.id() == "mymodel:1"),
            Err(error) => {
                assert!(!found, "{error}");
                assert!(error.remedy().is_some(), "{error}");
            }
        }
        only(&service, "POST", &models("/models"));
        let lines = plane::lines(&service);
        let mut last = vec![
            format!("POST {MODELS} {}", models("/models")),
            format!("GET {MODELS} {}", newest("mymodel")),
        ];
        if found {
            last.push(format!("GET {MODELS} {}", models("/assets/a1")));
        }
        assert!(lines.ends_with(&last), "{lines:#?}");
    }
}

#[tokio::test]
async fn odd_answers_at_any_point_of_a_registration_are_clear_errors() {
    let (folder, path) = folder();
    for (method, target, asked_before) in [
        ("GET", newest("mymodel"), false),
        ("POST", announcement(), true),
        ("GET", newest("mymodel"), true),
        ("POST", models("/assets"), true),
        ("POST", models("/models"), true),
    ] {
        for body in [
            "",
            "null",
            "[]",
            "[{\"id\":\"a1\",\"name\":\"mymodel\",\"version\":1}]",
            "7",
            "\"x\"",
            "<html>sign in</html>",
            "{\"id\":\"a1\"",
            "\u{0}",
        ] {
            let mut service = plane::start().await;
            if asked_before {
                on_newest(&mut service, "mymodel", json!([])).await;
            }
            service.on(method, &target, Reply::new(200, body)).await;
            service
                .on("POST", &announcement(), Reply::json(200, &announced()))
                .await;
            for blob in BLOBS {
                service.on("PUT", blob, Reply::empty(201)).await;
            }
            on_newest(&mut service, "mymodel", json!([])).await;
            let asset = json!({ "id": "a1" });
            service
                .on("POST", &models("/assets"), Reply::json(200, &asset))
                .await;
            let workspace = plane::workspace(&service);
            let error = Model::register(&workspace, "mymodel", &path).await;
            let error = error.unwrap_err();
            assert_eq!(
                error.kind(),
                ErrorKind::Protocol,
                "{target} {body}: {error}"
            );
            let text = error.to_string();
            assert!(text.contains("register model \"mymodel\""), "{text}");
            let uploaded = plane::lines(&service).len() > 2;
            let early = !asked_before || target == announcement();
            assert_eq!(uploaded, !early, "{target} {body}");
        }
    }
    drop(folder);
}

/// A mock that takes all of a registration of [`folder`] but the model itself.
async fn taking() -> Service {
    let mut service = plane::start().await;
    service
        .on("POST", &announcement(), Reply::json(200, &announced()))
        .await;
    for blob in BLOBS {
        service.on("PUT", blob, Reply::empty(201)).await;
    }
    service
        .on(
            "POST",
            &models("/assets"),
            Reply::json(200, &json!({ "id": "a2" })),
        )
        .await;
    service
}

#[tokio::test]
async fn files_that_change_while_they_are_uploaded_are_not_registered() {
    let mut service = taking().await;
    on_newest(&mut service, "mymodel", json!([])).await;
    let (_folder, path) = folder();
    let changed = path.join("a b.bin");
    let registration = Model::register(&plane::workspace(&service), "mymodel", &path);
    // Its own upload is over: only a look at all of them finds it.
    let error = registration
        .on_progress(move |progress| {
            if progress.file.ends_with("a b.bin") && progress.bytes == progress.total {
                std::fs::write(&changed, "longer than before").unwrap();
            }
        })
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File, "{error}");
    assert!(error.to_string().contains("a b.bin"), "{error}");
    let made = plane::lines(&service);
    assert!(
        !made.iter().any(|line| line.contains("/assets")),
        "{made:?}"
    );
}

#[tokio::test]
async fn version_whose_files_are_not_known_to_be_the_same_is_another_one() {
    let own = json!({ "prefix": format!("LocalUpload/{CONTAINER}/my model") });
    let asset = |artifacts| Reply::json(200, &json!({ "id": "a1", "artifacts": artifacts }));
    for (url, reply) in [
        ("aml://asset/a1", Reply::empty(404)),
        ("aml://asset/a1", Reply::new(200, "[]")),
        ("aml://asset/a1", asset(json!([]))),
        ("aml://asset/a1", asset(json!([own, own]))),
        (
            "aml://asset/a1",
            asset(json!([{ "prefix": "LocalUpload/x/my model" }])),
        ),
        (
            "aml://asset/a1",
            asset(json!([{ "id": "LocalUpload/x/my model" }])),
        ),
        ("aml://asset/", asset(json!([own]))),
        ("azureml://elsewhere", asset(json!([own]))),
    ] {
        let mut service = taking().await;
        let mut before = described(1);
        before["url"] = json!(url);
        on_newest(&mut service, "mymodel", json!([before])).await;
        service
            .on("GET", &models("/assets/a1"), reply)
            .await
            .on("POST", &models("/models"), Reply::json(200, &described(2)))
            .await;
        let (_folder, path) = folder();
        let model = Model::register(&plane::workspace(&service), "mymodel", &path);
        assert_eq!(model.await.unwrap().version(), Some(2), "{url}");
    }
    // An unknown result is not a reason to make another one, neither before the upload nor after it.
    for before in [json!([described(1)]), json!([])] {
        let mut service = taking().await;
        on_newest(&mut service, "mymodel", before.clone()).await;
        on_newest(&mut service, "mymodel", json!([described(1)])).await;
        service
            .on("GET", &models("/assets/a1"), Reply::empty(403))
            .await;
        let (_folder, path) = folder();
        let error = Model::register(&plane::workspace(&service), "mymodel", &path).await;
        assert!(error.unwrap_err().is_forbidden());
        let lines = plane::lines(&service);
        let asked = [
            format!("GET {MODELS} {}", newest("mymodel")),
            format!("GET {MODELS} {}", models("/assets/a1")),
        ];
        assert!(lines.ends_with(&asked), "{lines:#?}");
        let uploaded = lines.len() > asked.len();
        assert_eq!(uploaded, before == json!([]), "{lines:#?}");
    }
}

#[tokio::test]
async fn uploads_are_repeated_and_the_model_is_posted_once() {
    let mut service = plane::start().await;
    for target in [announcement(), models("/assets")] {
        service.on("POST", &target, Reply::empty(500)).await;
    }
    service
        .on("POST", &announcement(), Reply::json(200, &announced()))
        .await;
    for blob in BLOBS {
        service.on("PUT", blob, Reply::empty(201)).await;
    }
    on_newest(&mut service, "mymodel", json!([])).await;
    service
        .on(
            "POST",
            &models("/assets"),
            Reply::json(200, &json!({ "id": "a1" })),
        )
        .await
        .on("POST", &models("/models"), Reply::empty(500))
        .await;
    let (_folder, path) = folder();
    let workspace = plane::patient(&service).build().unwrap();
    let error = Model::register(&workspace, "mymodel", &path)
        .await
        .unwrap_err();
    assert_eq!(error.http_status(), Some(500));
    let count = |target: &str| {
        let sent = plane::sent(&service);
        let posts = sent
            .iter()
            .filter(|seen| seen.method == "POST" && seen.target == target);
        posts.count()
    };
    assert_eq!(count(&announcement()), 2);
    assert_eq!(count(&models("/assets")), 2);
    assert_eq!(count(&models("/models")), 1);
}
