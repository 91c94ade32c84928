//! Microsoft's Python clients against the emulator.
//!
//! They run from three virtual environments that `tests/python/setup.sh` makes, in the folder that
//! `AZUREML_AKS_PYTHON_VENVS` names (default `target/python-venvs`). Where they are absent these
//! tests say so and pass, unless `REQUIRE_PYTHON` is set.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use azureml_aks::emulator::{Clock, ConnectedCluster, Emulator, ExistingCluster, ServeOptions};

fn interpreter(client: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let venvs = std::env::var_os("AZUREML_AKS_PYTHON_VENVS")
        .map_or_else(|| root.join("target/python-venvs"), PathBuf::from);
    let python = venvs.join(client).join("bin/python");
    if python.exists() {
        return Some(python);
    }
    assert!(
        std::env::var_os("REQUIRE_PYTHON").is_none(),
        "REQUIRE_PYTHON is set and {} does not exist: run tests/python/setup.sh",
        python.display()
    );
    eprintln!(
        "skipped: {} does not exist (tests/python/setup.sh makes it)",
        python.display()
    );
    None
}

async fn run(client: &str, script: &str, https: bool) {
    let Some(python) = interpreter(client) else {
        return;
    };
    let emulator = Emulator::builder()
        .subscription("34adfa4f-cedf-4dc0-ba29-b6d1a69ab345")
        .resource_group("python-group")
        .workspace("python-workspace")
        .location("westeurope")
        .cluster(ExistingCluster::new("existing-group", "existing-one"))
        .cluster(ExistingCluster::new("existing-group", "existing-two"))
        .connected_cluster(ConnectedCluster::new("existing-group", "existing-edge"))
        .run_output("my-experiment", "run-1", "outputs/a.pkl", "output a")
        .run_output("my-experiment", "run-1", "outputs/b.pkl", "output b")
        .run_output("my-experiment", "run-1", "outputs/c.pkl", "output c")
        .clock(Clock::Manual)
        .retry_after(Some(Duration::from_secs(1)))
        .page_size(2)
        .build();
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = emulator
        .serve(ServeOptions::new().http(any).https(any))
        .await
        .unwrap();
    let url = if https {
        server.https_url()
    } else {
        server.http_url()
    }
    .unwrap();

    // A fresh home: azureml-core keeps the discovery document below it.
    let name = format!("{script}-{}-{}", url.scheme(), std::process::id());
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&home).unwrap();
    let ca = home.join("ca.pem");
    std::fs::write(&ca, server.ca_pem()).unwrap();
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python");
    let mut command = tokio::process::Command::new(python);
    command
        .arg("-B")
        .arg(scripts.join(script))
        .current_dir(&home)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", &home)
        .env("TMPDIR", &home)
        .env("EMULATOR_URL", url.as_str())
        .env("EMULATOR_SUBSCRIPTION", emulator.subscription())
        .env("EMULATOR_RESOURCE_GROUP", emulator.resource_group())
        .env("EMULATOR_WORKSPACE", emulator.workspace())
        .env("EMULATOR_LOCATION", emulator.location())
        .kill_on_drop(true);
    if https {
        command.env("REQUESTS_CA_BUNDLE", &ca);
    } else {
        // It costs the client's own five seconds, so once is enough.
        command.env("EMULATOR_REAL_WAIT", "1");
    }
    let output = tokio::time::timeout(Duration::from_secs(300), command.output())
        .await
        .expect("the script ends within five minutes")
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(
        output.status.success(),
        "{script} over {}:\n{out}\n{err}",
        url.scheme()
    );
    assert!(out.contains("all as expected"), "{out}\n{err}");

    let unsupported: Vec<_> = emulator
        .journal()
        .into_iter()
        .filter(|entry| entry.status == Some(405))
        .collect();
    assert!(unsupported.is_empty(), "{unsupported:?}");
    std::fs::remove_dir_all(&home).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn azureml_core_runs_over_http() {
    run("azureml-core", "compute_azureml_core.py", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn azureml_core_runs_over_https() {
    run("azureml-core", "compute_azureml_core.py", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn azureml_core_registers_models_over_http() {
    run("azureml-core", "models_azureml_core.py", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn azureml_core_registers_models_over_https() {
    run("azureml-core", "models_azureml_core.py", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn azureml_core_deploys_services_over_http() {
    run("azureml-core", "services_azureml_core.py", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn azureml_core_deploys_services_over_https() {
    run("azureml-core", "services_azureml_core.py", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn management_client_runs_over_http() {
    run("azure-mgmt", "compute_azure_mgmt.py", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn management_client_runs_over_https() {
    run("azure-mgmt", "compute_azure_mgmt.py", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_of_clusters_runs_over_http() {
    run("azure-mgmt", "clusters_azure_mgmt.py", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_of_clusters_runs_over_https() {
    run("azure-mgmt", "clusters_azure_mgmt.py", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn older_client_of_extensions_runs_over_http() {
    run("azure-mgmt", "extensions_azure_mgmt.py", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn older_client_of_extensions_runs_over_https() {
    run("azure-mgmt", "extensions_azure_mgmt.py", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn newest_client_of_extensions_runs_over_http() {
    run("azure-ai-ml", "extensions_azure_mgmt_extensions.py", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn newest_client_of_extensions_runs_over_https() {
    run("azure-ai-ml", "extensions_azure_mgmt_extensions.py", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn azure_ai_ml_attaches_kubernetes_over_http() {
    run("azure-ai-ml", "compute_azure_ai_ml.py", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn azure_ai_ml_attaches_kubernetes_over_https() {
    run("azure-ai-ml", "compute_azure_ai_ml.py", true).await;
}
