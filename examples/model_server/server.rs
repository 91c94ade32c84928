//! Microsoft's model server as a process of its own, and the way of a request to it.

use super::Error;
use super::container::Container;
use azureml_aks::emulator::{ScoringRequest, ScoringResponse};
use futures::future::BoxFuture;
use reqwest::{Client, Method, Response, Url};
use serde_json::Value;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The longest time until the server is ready. A machine that has just installed it needs a few seconds.
const START: Duration = Duration::from_secs(60);
/// The longest time of one request that asks whether it is ready.
const ASKING: Duration = Duration::from_secs(1);
/// The longest time until it has ended.
const END: Duration = Duration::from_secs(10);
/// The header with the version of the server.
const VERSION: &str = "x-ms-server-version";
/// The header that tells whether `run()` has raised: `True` or `False`.
const RUN_FAILED: &str = "x-ms-run-function-failed";
/// The headers that belong to one connection, not to the message that is forwarded.
const OF_A_CONNECTION: [&str; 4] = ["host", "connection", "content-length", "transfer-encoding"];

/// Returns the folder into which `setup.sh` installs it.
pub(crate) fn default_venv() -> PathBuf {
    std::env::var_os("AZUREML_AKS_MODEL_SERVER").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/model-server-venv"),
        PathBuf::from,
    )
}

/// The Python of a virtual environment that has the model server.
pub(crate) fn interpreter(venv: &Path) -> Result<PathBuf, Error> {
    // The process will have another working folder.
    let bin = std::path::absolute(venv)?.join("bin");
    if bin.join("azmlinfsrv").exists() {
        return Ok(bin.join("python"));
    }
    Err(format!(
        "{} has no azmlinfsrv: run examples/model_server/setup.sh, which needs Python 3.9 or newer",
        bin.display()
    )
    .into())
}

/// A model server that is ready. It ends when this is dropped, or when this process ends.
pub(crate) struct Server {
    process: Child,
    client: Client,
    address: Url,
    version: String,
    log: PathBuf,
}

impl Server {
    /// Starts it, and waits until it is ready.
    pub(crate) async fn start(python: &Path, container: &Container) -> Result<Self, Error> {
        // Free a moment ago: the server takes no listener, and no port 0.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let address = Url::parse(&format!("http://127.0.0.1:{port}/"))?;
        let log = container.root.join("container.log");
        let output = File::create(&log)?;
        let mut command = Command::new(python);
        command
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/model_server/serve.py"))
            .arg("--entry_script")
            .arg(&container.driver)
            .args(["--port", &port.to_string()])
            .current_dir(&container.app)
            // Nothing of this process is the entry script's business.
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &container.root)
            .env("PYTHONUNBUFFERED", "1")
            .envs(container.variables.clone())
            .env("SERVICE_NAME", &container.service)
            .env("AML_APP_ROOT", &container.app)
            .env("AZUREML_MODEL_DIR", &container.models)
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output);
        // From here on it ends with `server`, also if it does not become ready.
        let mut server = Self {
            process: command.spawn()?,
            client: Client::builder().no_proxy().build()?,
            address,
            version: String::new(),
            log,
        };
        server.version = server.ready().await?;
        Ok(server)
    }

    /// Waits until it answers, and gives its version.
    async fn ready(&mut self) -> Result<String, Error> {
        let end = Instant::now() + START;
        loop {
            if let Some(version) = is_healthy(&self.client, &self.address).await {
                return Ok(version);
            }
            if let Some(status) = self.process.try_wait()? {
                return Err(format!("the model server ended ({status}):\n{}", self.log()?).into());
            }
            if Instant::now() > end {
                let log = self.log()?;
                return Err(format!("the model server does not become ready:\n{log}").into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) fn address(&self) -> &Url {
        &self.address
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Returns the log so far.
    pub(crate) fn log(&self) -> Result<String, Error> {
        Ok(fs::read_to_string(&self.log)?)
    }

    /// Returns its description (Swagger) of the entry script's input and output.
    pub(crate) async fn swagger(&self) -> Result<Value, Error> {
        let answer = self.client.get(self.address.join("swagger.json")?).send();
        let body = answer.await?.error_for_status()?.bytes().await?;
        Ok(serde_json::from_slice(&body)?)
    }

    /// Hands scoring requests on to it.
    pub(crate) fn scorer(
        &self,
    ) -> impl Fn(ScoringRequest) -> BoxFuture<'static, ScoringResponse> + Send + Sync + 'static
    {
        let (client, address) = (self.client.clone(), self.address.clone());
        move |request| {
            let (client, address) = (client.clone(), address.clone());
            Box::pin(async move {
                match forward(&client, &address, request).await {
                    Ok(response) => response,
                    // As where the process behind the router has ended.
                    Err(error) => ScoringResponse::failed(format!("no answer: {error}")),
                }
            })
        }
    }
}

impl Drop for Server {
    /// The end of its input tells it to end, and its workers with it.
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let end = Instant::now() + END;
        while let Ok(None) = self.process.try_wait() {
            if Instant::now() > end {
                let _ = self.process.kill();
                let _ = self.process.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

async fn is_healthy(client: &Client, address: &Url) -> Option<String> {
    let request = client.get(address.clone()).timeout(ASKING);
    let answer = request.send().await.ok()?;
    // Another one may have been faster at the port.
    let version = answer.headers().get(VERSION)?.to_str().ok()?;
    answer.status().is_success().then(|| version.to_owned())
}

async fn forward(
    client: &Client,
    address: &Url,
    request: ScoringRequest,
) -> Result<ScoringResponse, Error> {
    let mut url = address.join("score")?;
    url.set_query(request.query.as_deref());
    let mut sent = client.request(Method::POST, url).body(request.body);
    for (name, value) in &request.headers {
        if !OF_A_CONNECTION.contains(&name.as_str()) {
            sent = sent.header(name, value);
        }
    }
    answer(sent.send().await?).await
}

/// The answer as the router in front of a service gives it: it says 502 where the server says 500
/// because `run()` has raised.
async fn answer(answer: Response) -> Result<ScoringResponse, Error> {
    let headers = answer.headers().clone();
    let header = |name: &str| headers.get(name)?.to_str().ok();
    let status = match header(RUN_FAILED) {
        Some("True") => 502,
        _ => answer.status().as_u16(),
    };
    let content_type = header("content-type").unwrap_or("application/octet-stream");
    let mut response =
        ScoringResponse::new(content_type, answer.bytes().await?).with_status(status);
    for (name, value) in &headers {
        let name = name.as_str();
        if let Ok(value) = value.to_str()
            && name != "content-type"
            && !OF_A_CONNECTION.contains(&name)
        {
            response = response.with_header(name, value);
        }
    }
    Ok(response)
}
