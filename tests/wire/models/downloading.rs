//! Downloading: the asset, what is below its prefix, and the blobs.

use super::{described, signed};
use crate::support::plane::{self, HISTORY, MODELS, STORE, artifacts, header_names, models};
use crate::support::redirect::{Reply, Service};
use azureml_aks::{Error, ErrorKind, Model};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

const SIGNED: &str = "?sv=2021-08-06&sr=b&sig=a%2Bb%3D";

/// A model whose asset is this.
async fn with_asset(asset: &Value) -> Service {
    let mut service = plane::start().await;
    service
        .on(
            "GET",
            &models("/models/mymodel%3A3"),
            Reply::json(200, &described(3)),
        )
        .await
        .on("GET", &models("/assets/a1"), Reply::json(200, asset))
        .await;
    service
}

async fn download(service: &Service, folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let model = Model::get(&plane::workspace(service), "mymodel:3").await?;
    model.download(folder).await
}

fn blob(bytes: &str) -> Reply {
    let range = format!("bytes 0-{}/{}", bytes.len() - 1, bytes.len());
    Reply::new(206, bytes)
        .header("content-range", &range)
        .header("etag", "\"1\"")
}

#[tokio::test]
async fn folder_is_downloaded_by_these_very_requests() {
    let asset = json!({ "id": "a1", "artifacts": [{ "prefix": "LocalUpload/c 1/my model" }] });
    let mut service = with_asset(&asset).await;
    let below = artifacts("/prefix/contentinfo/LocalUpload/c%201/my%20model");
    let second = format!("{below}?continuationToken=t%2F2");
    let content = |path: &str, uri: &str| json!({ "contentUri": signed(uri), "path": path });
    let first_page = json!({
        "value": [content("my model/a.bin", "/c/a.bin")], "continuationToken": "t/2",
    });
    let second_page = json!({ "value": [
        content("my model/sub/b.txt", "/c/b.txt"), content("my model.bak/x", "/c/x"),
    ] });
    service
        .on("GET", &below, Reply::json(200, &first_page))
        .await
        .on("GET", &second, Reply::json(200, &second_page))
        .await
        .on("GET", &format!("/c/a.bin{SIGNED}"), blob("first"))
        .await
        .on("GET", &format!("/c/b.txt{SIGNED}"), blob("second"))
        .await;
    let folder = tempfile::tempdir().unwrap();
    let files = download(&service, folder.path()).await.unwrap();
    assert_eq!(
        files,
        [
            folder.path().join("my model/a.bin"),
            folder.path().join("my model/sub/b.txt")
        ]
    );
    assert_eq!(fs::read(&files[0]).unwrap(), b"first");
    assert_eq!(fs::read(&files[1]).unwrap(), b"second");

    let mut lines = plane::lines(&service);
    lines[4..].sort();
    assert_eq!(
        lines,
        [
            format!("GET {MODELS} {}", models("/models/mymodel%3A3")),
            format!("GET {MODELS} {}", models("/assets/a1")),
            format!("GET {HISTORY} {below}"),
            format!("GET {HISTORY} {second}"),
            format!("GET {STORE} /c/a.bin{SIGNED}"),
            format!("GET {STORE} /c/b.txt{SIGNED}"),
        ]
    );
    for seen in plane::sent(&service) {
        let names = header_names(&seen);
        assert_eq!(
            names.contains(&"authorization"),
            seen.host != STORE,
            "{names:?}"
        );
        if seen.host == STORE {
            assert_eq!(seen.headers["range"], "bytes=0-4194303", "{names:?}");
        }
    }
}

#[tokio::test]
async fn artifact_is_downloaded_by_its_id() {
    let asset =
        json!({ "id": "a1", "artifacts": [{ "id": "ExperimentRun/dcid.e_1/outputs/m.pkl" }] });
    let mut service = with_asset(&asset).await;
    let one = artifacts("/contentinfo/ExperimentRun/dcid.e_1/outputs/m.pkl");
    service
        .on(
            "GET",
            &one,
            Reply::json(200, &json!({ "contentUri": signed("/c/m.pkl") })),
        )
        .await
        .on("GET", &format!("/c/m.pkl{SIGNED}"), blob("weights"))
        .await;
    let folder = tempfile::tempdir().unwrap();
    let files = download(&service, folder.path()).await.unwrap();
    assert_eq!(files, [folder.path().join("m.pkl")]);
    assert_eq!(plane::lines(&service)[2], format!("GET {HISTORY} {one}"));
}

#[tokio::test]
async fn answers_that_name_no_file_or_one_elsewhere_write_nothing() {
    let prefix = json!({ "id": "a1", "artifacts": [{ "prefix": "LocalUpload/c/m" }] });
    let content =
        |path: Value| json!({ "value": [{ "contentUri": signed("/c/x"), "path": path }] });
    let cases = [
        (prefix.clone(), content(json!("m/../../x"))),
        (prefix.clone(), content(json!("m/..\\x"))),
        (prefix.clone(), content(json!("m/\u{0}x"))),
        (prefix.clone(), content(json!("other"))),
        (prefix.clone(), content(json!(null))),
        (prefix.clone(), json!({ "value": [{ "path": "m/x" }] })),
        (
            prefix.clone(),
            json!({ "value": [{ "path": "m/x", "contentUri": "http://h/c/b" }] }),
        ),
        (prefix.clone(), json!({ "value": [] })),
        (prefix, json!({ "value": 7 })),
        (json!({ "id": "a1", "artifacts": [{}] }), json!(null)),
        (json!({ "id": "a1" }), json!(null)),
        (json!(null), json!(null)),
    ];
    for (asset, below) in cases {
        let mut service = with_asset(&asset).await;
        let target = artifacts("/prefix/contentinfo/LocalUpload/c/m");
        service.on("GET", &target, Reply::json(200, &below)).await;
        let folder = tempfile::tempdir().unwrap();
        let error = download(&service, folder.path()).await.unwrap_err();
        let expected = [ErrorKind::Protocol, ErrorKind::UntrustedUrl];
        assert!(expected.contains(&error.kind()), "{asset} {below}: {error}");
        assert!(
            error.to_string().contains("download model \"mymodel:3\""),
            "{error}"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{below}");
        assert!(plane::sent(&service).iter().all(|seen| seen.host != STORE));
    }
}

#[tokio::test]
async fn file_that_is_there_or_named_twice_is_refused_before_any_download() {
    let asset = json!({ "id": "a1", "artifacts": [{ "prefix": "LocalUpload/c/m" }] });
    let content = json!({ "contentUri": signed("/c/x"), "path": "m" });
    for (twice, kind) in [(false, ErrorKind::File), (true, ErrorKind::Protocol)] {
        let mut service = with_asset(&asset).await;
        let value = if twice {
            json!([content, content])
        } else {
            json!([content])
        };
        let target = artifacts("/prefix/contentinfo/LocalUpload/c/m");
        service
            .on("GET", &target, Reply::json(200, &json!({ "value": value })))
            .await;
        let folder = tempfile::tempdir().unwrap();
        if !twice {
            fs::write(folder.path().join("m"), "mine").unwrap();
        }
        let error = download(&service, folder.path()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(plane::sent(&service).iter().all(|seen| seen.host != STORE));
        if !twice {
            assert_eq!(fs::read(folder.path().join("m")).unwrap(), b"mine");
        }
    }
}
