//! Models on the emulator, in process and under a paused clock.

use crate::support::fixture::{builder, count, workspace};
use azure_core::http::Method;
use azureml_aks::emulator::{Emulator, Fault};
use azureml_aks::{
    AksWebservice, Error, ErrorKind, Model, ModelQuery, ResourceNeeds, RunOutput, ServiceQuery,
    Workspace, models::TransferProgress,
};
use futures::TryStreamExt;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// `model/a.bin` and `model/sub/b.txt`.
fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    fs::create_dir_all(model.join("sub")).unwrap();
    fs::write(model.join("a.bin"), [7; 1000]).unwrap();
    fs::write(model.join("sub/b.txt"), "text").unwrap();
    (folder, model)
}

/// More than one block.
fn large(folder: &Path) -> PathBuf {
    let path = folder.join("large.bin");
    let content: Vec<u8> = (0..12_000_000_u32).map(|at| (at / 977) as u8).collect();
    fs::write(&path, content).unwrap();
    path
}

async fn ids(workspace: &Workspace, query: ModelQuery) -> Vec<String> {
    let models: Vec<Model> = Model::list(workspace, query).try_collect().await.unwrap();
    models.iter().map(|model| model.id().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn folder_is_registered_read_and_downloaded_again() {
    let emulator = Emulator::new();
    let workspace = workspace(&emulator);
    let (folder, path) = folder();
    let told = Arc::new(Mutex::new(BTreeMap::new()));
    let seen = told.clone();
    let model = Model::register(&workspace, "mymodel", &path)
        .description("d")
        .tag("area", "digits")
        .property("origin", "here")
        .framework("ScikitLearn")
        .framework_version("0.22")
        .resource_needs(ResourceNeeds::new().cpu(0.5).memory_gb(1.0))
        .on_progress(move |progress: TransferProgress| {
            let mut seen = seen.lock().unwrap();
            seen.insert(progress.file, (progress.bytes, progress.total));
        })
        .await
        .unwrap();
    assert_eq!((model.id(), model.version()), ("mymodel:1", Some(1)));
    let expected = BTreeMap::from([
        ("model/a.bin".to_owned(), (1000, 1000)),
        ("model/sub/b.txt".to_owned(), (4, 4)),
    ]);
    assert_eq!(*told.lock().unwrap(), expected);

    let read = Model::get(&workspace, "mymodel:1").await.unwrap();
    let resource = read.resource();
    assert_eq!(resource.description.as_deref(), Some("d"));
    assert_eq!(resource.tags["area"], "digits");
    assert_eq!(resource.properties["origin"], "here");
    assert_eq!(resource.framework.as_deref(), Some("ScikitLearn"));
    assert_eq!(resource.framework_version.as_deref(), Some("0.22"));
    assert_eq!(
        resource.resource_requirements,
        Some(ResourceNeeds::new().cpu(0.5).memory_gb(1.0))
    );

    let target = folder.path().join("out");
    let files = read.download(&target).await.unwrap();
    assert_eq!(
        files,
        [target.join("model/a.bin"), target.join("model/sub/b.txt")]
    );
    assert_eq!(fs::read(&files[0]).unwrap(), [7; 1000]);
    assert_eq!(fs::read(&files[1]).unwrap(), b"text");

    let error = read.download(&target).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    read.download(&target).overwrite(true).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn empty_files_are_registered_and_downloaded() {
    let emulator = Emulator::new();
    let workspace = workspace(&emulator);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("marker");
    fs::write(&path, "").unwrap();
    let model = Model::register(&workspace, "m", &path).await.unwrap();
    assert!(model.warnings().is_empty());
    let files = model.download(folder.path().join("out")).await.unwrap();
    assert_eq!(fs::read(&files[0]).unwrap(), b"");
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn links_that_lead_out_of_a_model_or_round_in_it_are_reported() {
    let emulator = Emulator::new();
    let workspace = workspace(&emulator);
    let (folder, path) = folder();
    fs::write(folder.path().join("outside"), "secret").unwrap();
    std::os::unix::fs::symlink("../outside", path.join("out")).unwrap();
    std::os::unix::fs::symlink("..", path.join("sub/round")).unwrap();
    // The second finds the version that is there.
    for _ in 0..2 {
        let model = Model::register(&workspace, "m", &path).await.unwrap();
        assert_eq!(model.id(), "m:1");
        let told: Vec<&str> = model.warnings().iter().map(|found| found.rule).collect();
        assert_eq!(told, ["model.link"; 2]);
        assert!(model.warnings()[0].message.contains("outside"));
        let target = tempfile::tempdir().unwrap();
        assert_eq!(model.download(target.path()).await.unwrap().len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn filters_that_a_request_cannot_carry_are_refused() {
    let emulator = Emulator::new();
    let workspace = workspace(&emulator);
    let models = ModelQuery::new().tag("colours", "red,green");
    let services = ServiceQuery::new().has_property("a=b");
    let models = Model::list(&workspace, models).try_next().await.err();
    let services = AksWebservice::list(&workspace, services).try_next().await;
    for error in [models.unwrap(), services.err().unwrap()] {
        assert_eq!(error.kind(), ErrorKind::Validation);
        assert_eq!(error.findings()[0].rule, "query.pair");
    }
    assert_eq!(count(&emulator, "GET", "/modelmanagement/"), 0);
}

#[tokio::test(start_paused = true)]
async fn services_of_a_workspace_are_found_once_and_without_a_token() {
    let emulator = Emulator::new();
    let workspace = workspace(&emulator);
    for _ in 0..3 {
        assert!(ids(&workspace, ModelQuery::new()).await.is_empty());
        assert!(ids(&workspace.clone(), ModelQuery::new()).await.is_empty());
    }
    assert_eq!(count(&emulator, "GET", "/discovery"), 1);
    let journal = emulator.journal();
    let discovery = journal
        .iter()
        .find(|entry| entry.path.contains("/discovery"));
    assert!(!discovery.unwrap().authorized);
}

#[tokio::test(start_paused = true)]
async fn same_again_is_one_version_and_something_else_another() {
    let emulator = Emulator::new();
    let workspace = workspace(&emulator);
    let (_folder, path) = folder();
    let register = || Model::register(&workspace, "m", &path).tag("a", "1");
    assert_eq!(register().await.unwrap().id(), "m:1");
    assert_eq!(register().await.unwrap().id(), "m:1");
    assert_eq!(register().tag("b", "2").await.unwrap().id(), "m:2");
    assert_eq!(register().always_new().await.unwrap().id(), "m:3");
    fs::write(path.join("a.bin"), [8; 1000]).unwrap();
    assert_eq!(register().await.unwrap().id(), "m:4");
    // The older version keeps its files.
    let target = tempfile::tempdir().unwrap();
    let first = Model::get(&workspace, "m:1").await.unwrap();
    let files = first.download(target.path()).await.unwrap();
    assert_eq!(fs::read(&files[0]).unwrap(), [7; 1000]);
}

#[tokio::test(start_paused = true)]
async fn upload_that_breaks_off_goes_on_where_it_stopped() {
    let emulator = Emulator::new();
    let workspace = builder(&emulator)
        .retry(azure_core::http::RetryOptions::none())
        .build()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = large(folder.path());
    // The third block finds the store refusing.
    emulator.inject(
        Fault::server_error(400)
            .on_path("large.bin")
            .on(Method::Put, "large.bin")
            .after(2),
    );
    let error = Model::register(&workspace, "m", &path).await.unwrap_err();
    assert!(
        error.to_string().contains("upload \"large.bin\""),
        "{error}"
    );
    assert!(error.remedy().unwrap().contains("nothing is registered"));
    assert!(ids(&workspace, ModelQuery::new()).await.is_empty());
    emulator.clear_faults();
    emulator.clear_journal();

    let model = Model::register(&workspace, "m", &path).await.unwrap();
    assert_eq!(model.id(), "m:1");
    // Three blocks in all, of which two had arrived; and the list of them.
    assert_eq!(count(&emulator, "PUT", "large.bin"), 1 + 1);
    let target = tempfile::tempdir().unwrap();
    let files = model.download(target.path()).await.unwrap();
    assert_eq!(fs::read(&files[0]).unwrap(), fs::read(&path).unwrap());
}

#[tokio::test(start_paused = true)]
async fn registration_whose_answer_is_lost_is_found() {
    let emulator = Emulator::new();
    let workspace = workspace(&emulator);
    let (_folder, path) = folder();
    emulator.inject(Fault::response_lost().on(Method::Post, "/models").times(1));
    let model = Model::register(&workspace, "m", &path).await.unwrap();
    assert_eq!(model.id(), "m:1");
    assert_eq!(ids(&workspace, ModelQuery::new()).await, ["m:1"]);

    // Where it did not arrive it is run again.
    emulator.inject(
        Fault::connection_dropped()
            .on(Method::Post, "/models")
            .times(1),
    );
    let error = Model::register(&workspace, "n", &path).await.unwrap_err();
    assert!(
        error
            .remedy()
            .unwrap()
            .contains("run the registration again")
    );
    assert_eq!(
        Model::register(&workspace, "n", &path).await.unwrap().id(),
        "n:1"
    );
}

#[tokio::test(start_paused = true)]
async fn asset_without_a_model_is_no_version() {
    let emulator = Emulator::new();
    let workspace = workspace(&emulator);
    let (_folder, path) = folder();
    emulator.inject(
        Fault::server_error(400)
            .on(Method::Post, "/models")
            .times(1),
    );
    assert!(Model::register(&workspace, "m", &path).await.is_err());
    assert_eq!(
        Model::register(&workspace, "m", &path).await.unwrap().id(),
        "m:1"
    );
    assert_eq!(ids(&workspace, ModelQuery::new()).await, ["m:1"]);
}

#[tokio::test(start_paused = true)]
async fn outputs_of_a_run_are_registered_without_an_upload() {
    let emulator = Emulator::builder()
        .run_output("e", "e_1", "outputs/model.pkl", "weights")
        .build();
    let workspace = workspace(&emulator);
    let output = RunOutput::new("e", "e_1", "outputs/model.pkl");
    let model = Model::register_from_run(&workspace, "m", output.clone())
        .await
        .unwrap();
    let resource = model.resource();
    assert_eq!(resource.experiment_name.as_deref(), Some("e"));
    assert_eq!(resource.run_id.as_deref(), Some("e_1"));
    assert_eq!(count(&emulator, "PUT", "model.pkl"), 0);
    let again = Model::register_from_run(&workspace, "m", output)
        .await
        .unwrap();
    assert_eq!(again.id(), "m:1");
    let target = tempfile::tempdir().unwrap();
    let files = model.download(target.path()).await.unwrap();
    assert_eq!(files, [target.path().join("model.pkl")]);

    let missing = RunOutput::new("e", "e_1", "outputs/other.pkl");
    let error = Model::register_from_run(&workspace, "m", missing)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    assert!(error.to_string().contains("outputs/other.pkl"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn models_are_listed_by_pages_and_filters_and_deleted() {
    let emulator = Emulator::builder().page_size(2).build();
    let workspace = workspace(&emulator);
    let (_folder, path) = folder();
    for (name, tag) in [("a", "x"), ("a", "y"), ("b", "x"), ("c", "x")] {
        Model::register(&workspace, name, &path)
            .tag("t", tag)
            .framework("Onnx")
            .await
            .unwrap();
    }
    let all = ids(&workspace, ModelQuery::new()).await;
    assert_eq!(all, ["c:1", "b:1", "a:2", "a:1"]);
    let latest = ids(&workspace, ModelQuery::new().latest_only()).await;
    assert_eq!(latest, ["c:1", "b:1", "a:2"]);
    let tagged = ids(&workspace, ModelQuery::new().tag("t", "x")).await;
    assert_eq!(tagged, ["c:1", "b:1", "a:1"]);
    let named = ids(&workspace, ModelQuery::new().name("a").has_tag("t")).await;
    assert_eq!(named, ["a:2", "a:1"]);
    assert!(
        ids(&workspace, ModelQuery::new().framework("x"))
            .await
            .is_empty()
    );

    assert_eq!(Model::get(&workspace, "a").await.unwrap().id(), "a:2");
    let model = Model::get(&workspace, "a:2").await.unwrap();
    model.delete().await.unwrap();
    model.delete().await.unwrap();
    assert_eq!(Model::latest(&workspace, "a").await.unwrap().id(), "a:1");
    let missing = |result: Result<Model, Error>| result.unwrap_err().is_not_found();
    assert!(missing(Model::get(&workspace, "a:2").await));
    assert!(missing(Model::latest(&workspace, "z").await));
    assert!(Model::get_opt(&workspace, "a:2").await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn update_changes_what_it_sets_and_keeps_the_rest() {
    let emulator = Emulator::new();
    let workspace = workspace(&emulator);
    let (_folder, path) = folder();
    let mut model = Model::register(&workspace, "m", &path)
        .tag("a", "1")
        .tag("b", "2")
        .property("p", "1")
        .resource_needs(ResourceNeeds::new().cpu(1.0))
        .sample_input_dataset("d1")
        .await
        .unwrap();
    let change = model
        .update()
        .tag("c", "3")
        .remove_tag("a")
        .property("q/r", "2")
        .resource_needs(ResourceNeeds::new().memory_gb(2.0))
        .sample_output_dataset("d2");
    change.description("new").await.unwrap();
    let resource = Model::get(&workspace, "m:1")
        .await
        .unwrap()
        .resource()
        .clone();
    assert_eq!(*model.resource(), resource);
    let tags: Vec<(&str, &str)> = resource
        .tags
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    assert_eq!(tags, [("b", "2"), ("c", "3")]);
    assert_eq!(resource.properties["q/r"], "2");
    assert_eq!(resource.description.as_deref(), Some("new"));
    assert_eq!(
        resource.resource_requirements,
        Some(ResourceNeeds::new().memory_gb(2.0)),
        "in place of those that were set"
    );
    assert_eq!(resource.other["sampleInputData"], "aml://dataset/d1");
    assert_eq!(resource.other["sampleOutputData"], "aml://dataset/d2");
    for (change, rule) in [
        (
            model
                .clone()
                .update()
                .resource_needs(ResourceNeeds::new().cpu(-1.0))
                .await,
            "model.resource_needs.positive",
        ),
        (
            model.clone().update().property("p", "9").await,
            "model.property",
        ),
        (model.clone().update().await, "model.update_nothing"),
        (
            model.clone().update().tag("b", "2").await,
            "model.update_nothing",
        ),
    ] {
        assert_eq!(change.unwrap_err().findings()[0].rule, rule);
    }
}

#[tokio::test(start_paused = true)]
async fn metadata_files_name_a_model_of_their_workspace() {
    let emulator = Emulator::new();
    let workspace = workspace(&emulator);
    let (folder, path) = folder();
    let model = Model::register(&workspace, "m", &path).await.unwrap();
    let file = folder.path().join("modelinfo.json");
    model.write_metadata(&file).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    let written: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        written,
        serde_json::json!({
            "modelId": "m:1",
            "resourceGroupName": emulator.resource_group(),
            "workspaceName": emulator.workspace(),
        })
    );
    let read = Model::from_metadata(&workspace, &file).await.unwrap();
    assert_eq!(read.id(), "m:1");

    for (text, kind) in [
        (r#"{"modelId":"m:1"}"#, None),
        (
            r#"{"modelId":"m:1","workspaceName":"other"}"#,
            Some(ErrorKind::Configuration),
        ),
        (r#"{"modelId":7}"#, Some(ErrorKind::File)),
        ("{", Some(ErrorKind::File)),
        (r#"{"modelId":"../x"}"#, Some(ErrorKind::Validation)),
    ] {
        fs::write(&file, text).unwrap();
        let read = Model::from_metadata(&workspace, &file).await;
        assert_eq!(read.err().map(|error| error.kind()), kind, "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn invalid_registration_is_refused_before_anything_is_sent() {
    let emulator = Emulator::new();
    let workspace = workspace(&emulator);
    let (folder, path) = folder();
    let error = Model::register(&workspace, "_a:b", &path)
        .framework_version("1")
        .resource_needs(ResourceNeeds::new().cpu(-1.0).memory_gb(f64::NAN))
        .await
        .unwrap_err();
    let rules: Vec<&str> = error.findings().iter().map(|found| found.rule).collect();
    assert_eq!(
        rules,
        [
            "model.name.characters",
            "model.name.start",
            "model.framework_missing",
            "model.resource_needs.positive",
            "model.resource_needs.positive",
        ]
    );
    let output = RunOutput::new("e/f", "", "../x").container("a/b");
    let error = Model::register_from_run(&workspace, "m", output)
        .await
        .unwrap_err();
    let rules: Vec<&str> = error.findings().iter().map(|found| found.rule).collect();
    assert_eq!(rules, ["model.run_output"; 4], "{error}");
    let error = Model::get(&workspace, "mymodel:x").await.unwrap_err();
    assert_eq!(error.findings()[0].rule, "model.version");
    let missing = folder.path().join("missing");
    let error = Model::register(&workspace, "m", &missing)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    assert!(emulator.journal().is_empty());
}

#[tokio::test(start_paused = true)]
async fn service_that_answers_with_garbage_gives_clear_errors() {
    let emulator = Emulator::new();
    let workspace = workspace(&emulator);
    let (_folder, path) = folder();
    let answers = [
        ("/models", r#"{"name":"m"}"#),
        ("/models", "[]"),
        ("/assets", r#"{"id":""}"#),
        (
            "/batch/metadata",
            r#"{"artifactContentInformation":{"model/a.bin":{}}}"#,
        ),
        (
            "/batch/metadata",
            r#"{"artifactContentInformation":{"model/a.bin":{"contentUri":"http://evil.example/c/b?sig=s3cr3t"}}}"#,
        ),
    ];
    for (path_part, body) in answers {
        emulator.inject(
            Fault::response_override(200, &[], body)
                .on(Method::Post, path_part)
                .times(1),
        );
        let error = Model::register(&workspace, "m", &path)
            .always_new()
            .await
            .unwrap_err();
        let expected = [ErrorKind::Protocol, ErrorKind::UntrustedUrl];
        assert!(expected.contains(&error.kind()), "{body}: {error}");
        assert!(!format!("{error:?}").contains("s3cr3t"), "{error:?}");
        emulator.clear_faults();
    }
}
