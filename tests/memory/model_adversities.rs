//! Models under bad will: files that change, names that mislead, URLs that expire, answers that lie.

use crate::support::fixture::{builder, count};
use azure_core::http::{AsyncRawResponse, HttpClient, Method, Request, Transport};
use azureml_aks::emulator::{Emulator, Fault};
use azureml_aks::{ErrorKind, Model, ModelQuery, RunOutput, Workspace};
use futures::TryStreamExt;
use serde_json::json;
use std::fmt;
use std::fs;
use std::future::IntoFuture;
use std::future::poll_fn;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, SystemTime};

/// A line to the emulator on which something happens before each request.
struct Line {
    inner: Arc<dyn HttpClient>,
    before: Box<dyn Fn(&Request) -> Duration + Send + Sync>,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}

#[async_trait::async_trait]
impl HttpClient for Line {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let pause = (self.before)(request);
        tokio::time::sleep(pause).await;
        self.inner.execute_request(request).await
    }
}

/// The result of `before` is the duration of the request.
fn workspace(
    emulator: &Emulator,
    before: impl Fn(&Request) -> Duration + Send + Sync + 'static,
) -> Workspace {
    let line = Line {
        inner: emulator.http_client(),
        before: Box::new(before),
    };
    builder(emulator)
        .transport(Transport::new(Arc::new(line)))
        .build()
        .unwrap()
}

fn plain(emulator: &Emulator) -> Workspace {
    workspace(emulator, |_| Duration::ZERO)
}

/// Drops the future when it is woken for the `wakes`-th time; `None` then.
async fn dropped<F: Future>(future: F, wakes: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = wakes;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

async fn ids(workspace: &Workspace) -> Vec<String> {
    let models = Model::list(workspace, ModelQuery::new());
    let models: Vec<Model> = models.try_collect().await.unwrap();
    models.iter().map(|model| model.id().to_owned()).collect()
}

async fn contents(model: &Model) -> Vec<(String, Vec<u8>)> {
    let target = tempfile::tempdir().unwrap();
    let files = model.download(target.path()).await.unwrap();
    let below = |path: &Path| {
        let below = path.strip_prefix(target.path()).unwrap();
        below.to_str().unwrap().to_owned()
    };
    files
        .iter()
        .map(|path| (below(path), fs::read(path).unwrap()))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn file_that_changes_before_its_upload_harms_no_version_that_is_there() {
    let emulator = Emulator::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.pkl");
    fs::write(&path, "first").unwrap();
    let first = Model::register(&plain(&emulator), "m", &path)
        .await
        .unwrap();

    // Of the same size, after it was read for the name of its container and before its upload.
    let changing = path.clone();
    let workspace = workspace(&emulator, move |request| {
        if request.url().path().contains("/batch/metadata/") {
            fs::write(&changing, "other").unwrap();
            let file = fs::File::options().write(true).open(&changing).unwrap();
            file.set_modified(SystemTime::now() + Duration::from_secs(9))
                .unwrap();
        }
        Duration::ZERO
    });
    let error = Model::register(&workspace, "m", &path)
        .tag("a", "1")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File, "{error}");
    assert!(error.to_string().contains("changed"), "{error}");
    assert_eq!(
        contents(&first).await,
        [("model.pkl".to_owned(), b"first".to_vec())]
    );
    assert_eq!(ids(&workspace).await, ["m:1"]);
}

#[tokio::test(start_paused = true)]
async fn registered_files_are_not_uploaded_again() {
    let emulator = Emulator::new();
    let workspace = plain(&emulator);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.pkl");
    fs::write(&path, "first").unwrap();
    Model::register(&workspace, "m", &path).await.unwrap();
    emulator.clear_journal();
    let again = Model::register(&workspace, "m", &path).await.unwrap();
    assert_eq!(again.id(), "m:1");
    assert_eq!(count(&emulator, "PUT", ""), 0);
    assert_eq!(count(&emulator, "POST", ""), 0);
}

#[tokio::test(start_paused = true)]
async fn registration_dropped_anywhere_ends_in_one_version_when_it_is_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("a"), "a").unwrap();
    fs::write(path.join("b"), vec![1; 5_000_000]).unwrap();
    let mut wakes = 1;
    loop {
        let emulator = Emulator::new();
        let workspace = workspace(&emulator, |_| Duration::from_millis(10));
        let register = || Model::register(&workspace, "m", &path);
        let first = dropped(register().into_future(), wakes).await;
        let again = register().await.unwrap();
        assert_eq!(again.id(), "m:1", "{wakes}");
        assert_eq!(ids(&workspace).await, ["m:1"], "{wakes}");
        if first.is_some() {
            let contents = contents(&again).await;
            assert_eq!(contents[1].1.len(), 5_000_000);
            break;
        }
        wakes += 1;
    }
    assert!(wakes > 10, "{wakes}");
}

#[tokio::test(start_paused = true)]
async fn download_dropped_anywhere_leaves_no_part_of_a_file() {
    let emulator = Emulator::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.bin");
    fs::write(&path, vec![1; 5_000_000]).unwrap();
    Model::register(&plain(&emulator), "m", &path)
        .await
        .unwrap();
    let workspace = workspace(&emulator, |_| Duration::from_millis(10));
    let mut wakes = 1;
    loop {
        let target = tempfile::tempdir().unwrap();
        let model = Model::get(&workspace, "m").await.unwrap();
        let first = dropped(model.download(target.path()).into_future(), wakes).await;
        // A thread that still writes to the disk ends soon, on a busy machine within seconds.
        tokio::task::spawn_blocking(|| {}).await.unwrap();
        std::thread::sleep(Duration::from_millis(20));
        for _ in 0..500 {
            let mut there = fs::read_dir(target.path()).unwrap();
            if there.all(|file| file.unwrap().file_name() == "model.bin") {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let there: Vec<_> = fs::read_dir(target.path()).unwrap().collect();
        for file in &there {
            let file = file.as_ref().unwrap();
            assert_eq!(file.file_name(), "model.bin", "{wakes}");
            assert_eq!(file.metadata().unwrap().len(), 5_000_000, "{wakes}");
        }
        if first.is_some() {
            assert_eq!(there.len(), 1);
            break;
        }
        wakes += 1;
    }
    assert!(wakes > 5, "{wakes}");
}

#[tokio::test(start_paused = true)]
async fn signed_urls_that_expire_on_the_way_are_asked_for_anew() {
    let emulator = Emulator::builder()
        .sas_duration(Duration::from_secs(100))
        .build();
    // A slow line to the store: the last files come when the URLs of their batch have expired.
    let workspace = workspace(&emulator, |request| {
        let host = request.url().host_str().unwrap_or_default();
        Duration::from_secs(if host.contains("blob") { 30 } else { 0 })
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    fs::create_dir(&path).unwrap();
    for number in 0..9 {
        fs::write(path.join(number.to_string()), vec![number; 5_000_000]).unwrap();
    }
    let model = Model::register(&workspace, "m", &path).await.unwrap();
    assert!(count(&emulator, "GET", "/artifacts/write/") > 0);
    let files = contents(&model).await;
    assert_eq!(files.len(), 9);
    for (number, (name, bytes)) in (0_u8..).zip(files) {
        assert_eq!(name, format!("model/{number}"));
        assert!(bytes == vec![number; 5_000_000], "{number}");
    }
    assert!(count(&emulator, "GET", "/artifacts/contentinfo/") > 0);
}

#[tokio::test(start_paused = true)]
async fn urls_that_expire_before_anything_arrives_are_not_asked_for_without_end() {
    let emulator = Emulator::builder()
        .sas_duration(Duration::from_secs(1))
        .build();
    let workspace = workspace(&emulator, |request| {
        let host = request.url().host_str().unwrap_or_default();
        Duration::from_secs(if host.contains("blob") { 61 } else { 0 })
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    fs::write(&path, vec![1; 1_000_000]).unwrap();
    let error = Model::register(&workspace, "m", &path).await.unwrap_err();
    assert!(error.remedy().is_some(), "{error}");
    assert_eq!(error.http_status(), Some(403), "{error}");
    assert_eq!(count(&emulator, "GET", "/artifacts/write/"), 1);
}

#[tokio::test(start_paused = true)]
async fn url_that_is_refused_at_once_is_an_error() {
    let emulator = Emulator::builder().sas_duration(Duration::ZERO).build();
    let workspace = plain(&emulator);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.pkl");
    fs::write(&path, "first").unwrap();
    let error = Model::register(&workspace, "m", &path).await.unwrap_err();
    assert_eq!(error.http_status(), Some(403), "{error}");
    assert!(!format!("{error:?}").contains("sig="), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn names_of_all_sorts_go_there_and_back() {
    let emulator = Emulator::new();
    let workspace = plain(&emulator);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my model #1 100%");
    let long = "x".repeat(255);
    let names = [
        " a b ",
        "#",
        "%",
        "%2e%2e",
        "%2F",
        "+",
        "?q=1",
        "&",
        "a=b",
        "\u{e9}\u{1f600}",
        "a:b",
        "..a",
        "...",
        "~",
        "[x]",
        "'\"",
        ";",
        &long,
    ];
    fs::create_dir(&path).unwrap();
    for name in names {
        fs::create_dir(path.join(name)).unwrap();
        fs::write(path.join(name).join(name), name).unwrap();
    }
    let model = Model::register(&workspace, "m", &path).await.unwrap();
    let mut expected: Vec<(String, Vec<u8>)> = names
        .iter()
        .map(|name| {
            let path = format!("my model #1 100%/{name}/{name}");
            (path, name.as_bytes().to_vec())
        })
        .collect();
    expected.sort();
    let mut found = contents(&model).await;
    found.sort();
    assert_eq!(found, expected);

    let alone = path.join("%").join("%");
    let model = Model::register(&workspace, "n", &alone).await.unwrap();
    assert_eq!(contents(&model).await, [("%".to_owned(), b"%".to_vec())]);
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn name_that_divides_folders_elsewhere_is_refused() {
    let emulator = Emulator::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("a\\b"), "x").unwrap();
    let error = Model::register(&plain(&emulator), "m", &path)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    assert!(error.to_string().contains("backslash"), "{error}");
    assert!(emulator.journal().is_empty());
}

#[tokio::test(start_paused = true)]
async fn folder_of_very_many_files_is_one_model() {
    let emulator = Emulator::new();
    let workspace = plain(&emulator);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    fs::create_dir(&path).unwrap();
    for number in 0..2_001 {
        fs::write(path.join(format!("{number:05}")), number.to_string()).unwrap();
    }
    let model = Model::register(&workspace, "m", &path).await.unwrap();
    assert_eq!(count(&emulator, "POST", "/batch/metadata/"), 41);
    let found = contents(&model).await;
    assert_eq!(found.len(), 2_001);
    assert_eq!(found[1_234], ("model/01234".to_owned(), b"1234".to_vec()));
}

#[tokio::test(start_paused = true)]
async fn output_that_only_begins_like_another_is_not_it() {
    let emulator = Emulator::builder()
        .run_output("e", "e_1", "outputs/model2", "weights")
        .run_output("e", "e_1", "outputs/model.pkl.bak", "weights")
        .run_output("e", "e_1", "outputs/folder/a", "weights")
        .build();
    let workspace = plain(&emulator);
    let register =
        |path: &str| Model::register_from_run(&workspace, "m", RunOutput::new("e", "e_1", path));
    for path in ["outputs/model", "outputs/model.pkl", "outputs/fold"] {
        let error = register(path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::File, "{path}: {error}");
    }
    for path in [".", "./.", "outputs/./folder", "outputs/folder/."] {
        let error = register(path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Validation, "{path}: {error}");
    }
    assert_eq!(register("./outputs/folder/").await.unwrap().id(), "m:1");
    let whole = register("outputs").await.unwrap();
    assert_eq!(contents(&whole).await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn new_version_that_may_have_been_made_is_reported_so() {
    let emulator = Emulator::new();
    let workspace = plain(&emulator);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.pkl");
    fs::write(&path, "first").unwrap();
    emulator.inject(Fault::response_lost().on(Method::Post, "/models").times(1));
    let error = Model::register(&workspace, "m", &path)
        .always_new()
        .await
        .unwrap_err();
    let remedy = error.remedy().unwrap();
    assert!(remedy.contains("may have been made"), "{error}");
    assert!(!remedy.contains("finds it"), "{error}");
    emulator.inject(
        Fault::server_error(400)
            .on(Method::Post, "/models")
            .times(1),
    );
    let error = Model::register(&workspace, "n", &path).await.unwrap_err();
    assert!(
        error.remedy().unwrap().contains("nothing is registered"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn service_cannot_write_outside_the_folder() {
    let emulator = Emulator::new();
    let workspace = plain(&emulator);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.pkl");
    fs::write(&path, "first").unwrap();
    let model = Model::register(&workspace, "m", &path).await.unwrap();
    let url = "https://emulatorstorage.blob.core.windows.net/c/b?sig=c4n4ry";
    let target = folder.path().join("target");
    fs::create_dir(&target).unwrap();
    for name in [
        "model.pkl/../../x",
        "model.pkl/..",
        "model.pkl/\\..\\..\\x",
        "model.pkl/C:\\x",
        "model.pkl/a\0b",
        "model.pkl/\u{1b}[2Ja",
    ] {
        let page = json!({ "value": [{ "path": name, "contentUri": url }] });
        emulator.inject(
            Fault::response_override(200, &[], page.to_string()).on_path("/prefix/contentinfo/"),
        );
        let error = model.download(&target).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{name}: {error}");
        assert!(!format!("{error:?}").contains("c4n4ry"));
        emulator.clear_faults();
    }
    // Of files that the model does not have.
    let page = json!({ "value": [{ "path": "other.pkl", "contentUri": url }, { "path": "../x", "contentUri": url }] });
    emulator.inject(
        Fault::response_override(200, &[], page.to_string()).on_path("/prefix/contentinfo/"),
    );
    let error = model.download(&target).await.unwrap_err();
    assert!(
        error.to_string().contains("no file of the model"),
        "{error}"
    );
    assert_eq!(fs::read_dir(&target).unwrap().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn download_of_more_files_than_a_model_has_is_refused() {
    const MOST: usize = 100_000;
    let emulator = Emulator::new();
    let workspace = plain(&emulator);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m");
    fs::write(&path, "first").unwrap();
    let model = Model::register(&workspace, "m", &path).await.unwrap();
    let target = folder.path().join("target");
    fs::create_dir(&target).unwrap();
    let files = (0..=MOST)
        .map(|file| json!({ "path": format!("m/{file}"), "contentUri": "https://a/b/c?sig=d" }));
    let page = json!({ "value": files.collect::<Vec<_>>() });
    emulator.inject(
        Fault::response_override(200, &[], page.to_string()).on_path("/prefix/contentinfo/"),
    );
    let error = model.download(&target).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    assert!(
        error.to_string().contains("more than 100000 files"),
        "{error}"
    );
    assert_eq!(fs::read_dir(&target).unwrap().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn ids_of_the_service_cannot_change_the_path_of_a_request() {
    let emulator = Emulator::new();
    let workspace = plain(&emulator);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.pkl");
    fs::write(&path, "first").unwrap();
    let model = Model::register(&workspace, "m", &path).await.unwrap();
    let answered = |path: &str, body: serde_json::Value| {
        let fault = Fault::response_override(200, &[], body.to_string());
        emulator.inject(fault.on(Method::Get, path));
    };
    for id in [".", "..", "a/b", "m:1/..", "m?x"] {
        answered("/models/m", json!({ "id": id, "name": "m", "version": 1 }));
        let error = Model::get(&workspace, "m:1").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{id}: {error}");
        emulator.clear_faults();
    }
    let url = "aml://asset/..";
    answered(
        "/models/m",
        json!({ "id": "m:1", "name": "m", "version": 1, "url": url }),
    );
    let odd = Model::get(&workspace, "m:1").await.unwrap();
    emulator.clear_faults();
    let before = emulator.journal().len();
    let error = odd.download(folder.path()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    assert_eq!(emulator.journal().len(), before);
    for artifact in [
        json!({ "id": "LocalUpload/c/../../x" }),
        json!({ "prefix": "LocalUpload/./m" }),
    ] {
        answered("/assets/", json!({ "id": "a", "artifacts": [artifact] }));
        let before = emulator.journal().len();
        let error = model.download(folder.path()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{artifact}: {error}");
        assert_eq!(emulator.journal().len(), before + 1, "{artifact}");
        emulator.clear_faults();
    }
}

#[tokio::test(start_paused = true)]
async fn content_that_an_earlier_try_uploaded_is_not_sent_again() {
    let emulator = Emulator::new();
    let workspace = plain(&emulator);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    fs::create_dir(&path).unwrap();
    for name in ["a", "b", "empty"] {
        fs::write(path.join(name), if name == "empty" { "" } else { name }).unwrap();
    }
    emulator.inject(
        Fault::server_error(400)
            .on(Method::Post, "/assets")
            .times(1),
    );
    emulator.inject(
        Fault::server_error(400)
            .on(Method::Put, "/model/b")
            .times(1),
    );
    Model::register(&workspace, "m", &path).await.unwrap_err();
    emulator.clear_journal();
    Model::register(&workspace, "m", &path).await.unwrap_err();
    assert_eq!(count(&emulator, "PUT", "/model/b"), 1);
    emulator.clear_journal();
    let model = Model::register(&workspace, "m", &path).await.unwrap();
    assert_eq!(count(&emulator, "PUT", ""), 0);
    assert_eq!(contents(&model).await.len(), 3);
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn link_in_the_target_is_not_followed_by_a_file() {
    let emulator = Emulator::new();
    let workspace = plain(&emulator);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.pkl");
    fs::write(&path, "first").unwrap();
    let model = Model::register(&workspace, "m", &path).await.unwrap();
    let target = folder.path().join("target");
    fs::create_dir(&target).unwrap();
    let elsewhere = folder.path().join("elsewhere");
    std::os::unix::fs::symlink(&elsewhere, target.join("model.pkl")).unwrap();
    // A link to nowhere is there all the same.
    let error = model.download(&target).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File, "{error}");
    fs::write(&elsewhere, "untouched").unwrap();
    model.download(&target).overwrite(true).await.unwrap();
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "untouched");
    assert_eq!(
        fs::read_to_string(target.join("model.pkl")).unwrap(),
        "first"
    );
}

#[tokio::test(start_paused = true)]
async fn model_whose_files_are_elsewhere_is_reported() {
    let emulator = Emulator::new();
    let workspace = plain(&emulator);
    let folder = tempfile::tempdir().unwrap();
    for (url, what) in [
        (
            json!("https://a.blob.core.windows.net/c/b?sig=c4n4ry"),
            "\"https\"",
        ),
        (json!("azureml://datastores/x/paths/c4n4ry"), "\"azureml\""),
        (json!("aml://asset/"), "does not say"),
        (json!(null), "does not say"),
    ] {
        let model = json!({ "id": "m:1", "name": "m", "version": 1, "url": url });
        emulator.inject(
            Fault::response_override(200, &[], model.to_string()).on(Method::Get, "/models/m"),
        );
        let model = Model::get(&workspace, "m:1").await.unwrap();
        let error = model.download(folder.path()).await.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains(what) && !text.contains("c4n4ry"), "{text}");
        emulator.clear_faults();
    }
}

#[tokio::test(start_paused = true)]
async fn signed_urls_in_odd_answers_are_not_shown() {
    let emulator = Emulator::new();
    let workspace = plain(&emulator);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.pkl");
    fs::write(&path, "first").unwrap();
    let url = "https://a.blob.core.windows.net/c/b?sv=1&sig=c4n4ry%3D";
    for (status, answer) in [
        (
            200,
            json!({ "artifactContentInformation": { "model.pkl": { "contentUri": [url] } } }),
        ),
        (
            200,
            json!({ "artifactContentInformation": { "model.pkl": { "contentUri": url } }, "errors": 7 }),
        ),
        (
            200,
            json!({ "errors": { "model.pkl": { "code": "Odd", "message": url } } }),
        ),
        (
            200,
            json!({ "errors": { "model.pkl": { "error": { "message": format!("at {url}: no") } } } }),
        ),
        (
            400,
            json!({ "error": { "code": "Odd", "message": format!("at {url}") } }),
        ),
        (500, json!({ "said": url })),
        (500, json!(url)),
    ] {
        emulator.inject(
            Fault::response_override(status, &[], answer.to_string())
                .on(Method::Post, "/batch/metadata"),
        );
        let error = Model::register(&workspace, "m", &path).await.unwrap_err();
        let text = format!("{error} {error:?} {:?}", error.service_error());
        assert!(!text.contains("c4n4ry"), "{answer}: {text}");
        emulator.clear_faults();
    }
}

#[tokio::test(start_paused = true)]
async fn list_that_goes_round_in_a_circle_ends() {
    let emulator = Emulator::new();
    let workspace = plain(&emulator);
    let page = json!({
        "value": [{ "id": "m:1", "name": "m", "version": 1 }, { "name": 7 }, null, { "id": "x:2" }],
        "nextLink": "https://elsewhere.example/models?$skipToken=1",
    });
    emulator
        .inject(Fault::response_override(200, &[], page.to_string()).on(Method::Get, "/models"));
    let mut models = Model::list(&workspace, ModelQuery::new());
    let (mut good, mut bad) = (0, 0);
    loop {
        match futures::StreamExt::next(&mut models).await {
            Some(Ok(_)) => good += 1,
            Some(Err(error)) => {
                assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
                bad += 1;
            }
            None => break,
        }
        assert!(good + bad < 50);
    }
    assert!(good >= 2 && bad > good, "{good} {bad}");
    // And the latest is not looked for without end.
    assert!(Model::latest(&workspace, "m").await.is_err());
}
