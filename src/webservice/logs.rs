//! The logs of the containers of a service.

use super::AksWebservice;
use crate::error::{ContainerLogs, Error};
use crate::transport::limits::services;
use crate::transport::{HttpRequest, Limit, Sending};
use serde::Deserialize;

/// The options for reading a log: by default the last 5,000 lines of the container that scores, as
/// `azureml-core` asks for.
///
/// ```
/// use azureml_aks::LogOptions;
///
/// let options = LogOptions::new().tail(100).init();
/// # let _ = options;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct LogOptions {
    tail: u32,
    init: bool,
}

impl LogOptions {
    /// Returns the default options.
    pub fn new() -> Self {
        Self {
            tail: services::LINES,
            init: false,
        }
    }

    /// Sets the number of lines, counted from the end of the log.
    pub fn tail(mut self, lines: u32) -> Self {
        self.tail = lines;
        self
    }

    /// Selects the container that prepares the models, which runs before the one that scores.
    pub fn init(mut self) -> Self {
        self.init = true;
        self
    }
}

impl Default for LogOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl AksWebservice {
    /// Returns the log of a container of the service. The service stores no logs: the log of a container that
    /// no longer exists is lost, unless the cluster collects logs (Container Insights).
    ///
    /// Sends: GET of the service's logs.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Service`](crate::ErrorKind::Service) with the service's reason.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn logs(&self, options: LogOptions) -> Result<String, Error> {
        #[derive(Deserialize)]
        struct Logs {
            #[serde(default)]
            content: Option<String>,
        }
        let read = async {
            let plane = self.workspace.data_plane().await?;
            let mut url = plane.model_management(&["services", self.name.as_str(), "logs"]);
            url.query_pairs_mut()
                .append_pair("tail", &options.tail.to_string())
                .append_pair("init", if options.init { "true" } else { "false" });
            let request = HttpRequest::get(url).hiding(&self.hidden.get());
            let id = &request.client_request_id;
            let logs: Logs = plane
                .client()
                .send(&request, Sending::Retried, Limit::LOGS, None)
                .await?
                .successful(id)?
                .json(id)?;
            let content = logs.content.unwrap_or_default();
            Ok(request.hidden.text(&content).into_owned())
        };
        Box::pin(read)
            .await
            .map_err(|error: Error| error.with_context(|| self.doing("read the logs of")))
    }

    /// Reads the ends of both logs, as far as they arrive within the time limit: the failure is reported in any case.
    pub(super) async fn last_logs(&self) -> ContainerLogs {
        let options = LogOptions::new().tail(services::LAST_LINES);
        let read = async |options| {
            let logs = tokio::time::timeout(services::LAST_LOGS, self.logs(options)).await;
            let logs = logs.ok()?.inspect_err(|error| {
                tracing::debug!(%error, "the logs of a failed deployment cannot be read");
            });
            logs.ok().filter(|logs| !logs.trim().is_empty())
        };
        let (main, init) = futures::join!(read(options), read(options.init()));
        ContainerLogs::new(main, init)
    }
}
