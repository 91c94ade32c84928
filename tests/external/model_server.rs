//! `examples/model_server`, from end to end: an entry script that the library deploys runs in
//! Microsoft's model server.
//!
//! It runs from a virtual environment that `examples/model_server/setup.sh` makes, in the folder that
//! `AZUREML_AKS_MODEL_SERVER` names (default `target/model-server-venv`). Where that is absent these
//! tests say so and pass, unless `REQUIRE_MODEL_SERVER` is set.

#[path = "../../examples/model_server/container.rs"]
mod container;
#[path = "../../examples/model_server/server.rs"]
mod server;
#[path = "../../examples/model_server/tour.rs"]
mod tour;

use container::Container;
use server::Server;
use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};

type Error = Box<dyn std::error::Error + Send + Sync>;

fn venv() -> Option<PathBuf> {
    let venv = server::default_venv();
    match server::interpreter(&venv) {
        Ok(_) => Some(venv),
        Err(error) => {
            assert!(
                std::env::var_os("REQUIRE_MODEL_SERVER").is_none(),
                "REQUIRE_MODEL_SERVER is set: {error}"
            );
            eprintln!("skipped: {error}");
            None
        }
    }
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/model_server/source")
}

#[tokio::test(flavor = "multi_thread")]
async fn deployed_entry_script_scores_and_fails_and_is_logged() {
    let Some(venv) = venv() else { return };
    let seen = tour::run(&venv, &source()).await.unwrap();

    // 0.5 + 2 x - y + z / 4
    assert_eq!(seen.result, [1.5, 20.5]);
    assert!(seen.version.starts_with("azmlinfsrv/"), "{}", seen.version);
    let swagger = seen.swagger.as_ref().unwrap();
    assert_eq!(swagger["info"]["title"], "linear-service");

    assert!(seen.failure.is_scoring_code_failure());
    assert_eq!(seen.failure.http_status(), Some(502));
    let text = seen.failure.to_string();
    assert!(text.contains("error occurred in scoring script"), "{text}");

    // It went through the driver program of the library, and its exception is told in the service's log.
    for part in [
        "Found driver script at",
        "loaded linear.json",
        "ValueError: a row has 3 numbers, not 2",
    ] {
        assert!(seen.log.contains(part), "{part:?} is not in\n{}", seen.log);
    }

    let address = seen.address.socket_addrs(|| None).unwrap();
    TcpStream::connect(&address[..]).expect_err("the server has ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn entry_script_that_cannot_begin_is_reported_with_its_log() {
    let Some(venv) = venv() else { return };
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(source().join("score.py")).unwrap();
    let text = text.replace("linear.json", "absent.json");
    fs::write(folder.path().join("score.py"), text).unwrap();
    fs::copy(source().join("linear.py"), folder.path().join("linear.py")).unwrap();

    let error = tour::run(&venv, folder.path()).await.err().unwrap();
    let text = error.to_string();
    assert!(text.starts_with("the model server ended"), "{text}");
    assert!(text.contains("FileNotFoundError"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn server_ends_in_order_when_its_input_ends() {
    let Some(venv) = venv() else { return };
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_owned();
    let driver = root.join("driver.py");
    fs::write(&driver, "def init(): pass\ndef run(data): return data\n").unwrap();
    let container = Container {
        service: "alone".to_owned(),
        app: root.clone(),
        models: root.clone(),
        variables: Vec::new(),
        root,
        driver,
    };
    let python = server::interpreter(&venv).unwrap();
    let server = Server::start(&python, &container).await.unwrap();
    let before = server.log().unwrap();
    drop(server);
    let after = fs::read_to_string(folder.path().join("container.log")).unwrap();
    // What a process that is killed does not write.
    let last = "Shutting down: Master";
    assert!(!before.contains(last) && after.contains(last), "{after}");
}

#[tokio::test]
async fn missing_virtual_environment_is_explained() {
    let error = tour::run(Path::new("/nowhere"), &source())
        .await
        .err()
        .unwrap();
    let text = error.to_string();
    assert!(
        text.contains("/nowhere") && text.contains("setup.sh"),
        "{text}"
    );
}
