//! Settings of services, from when an emulator is built and afterwards.

use std::future::Future;
use std::time::Duration;

use serde_json::Value;

use super::{Scorer, ScoringRequest, ScoringResponse};
use crate::emulator::Emulator;
use crate::emulator::builder::EmulatorBuilder;

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) deploy: Duration,
    pub(crate) update: Duration,
    pub(crate) delete: Duration,
    pub(crate) regenerate: Duration,
    pub(crate) token_lifetime: Duration,
    pub(crate) token_refresh: Duration,
    pub(crate) regenerates_at_once: bool,
    pub(crate) scorer: Scorer,
}

impl Default for Settings {
    fn default() -> Self {
        const MINUTE: Duration = Duration::from_secs(60);
        Self {
            deploy: 10 * MINUTE,
            update: 5 * MINUTE,
            delete: MINUTE,
            regenerate: Duration::from_secs(10),
            token_lifetime: 12 * 60 * MINUTE,
            token_refresh: 6 * 60 * MINUTE,
            regenerates_at_once: false,
            scorer: Scorer::default(),
        }
    }
}

/// Web services.
impl EmulatorBuilder {
    /// How long the deployment of a service takes. Default: 10 minutes.
    pub fn deploy_duration(mut self, duration: Duration) -> Self {
        self.services.deploy = duration;
        self
    }

    /// How long an update of a service takes that changes its containers. Default: 5 minutes.
    pub fn service_update_duration(mut self, duration: Duration) -> Self {
        self.services.update = duration;
        self
    }

    /// How long the removal of a service takes. Default: 1 minute.
    pub fn service_delete_duration(mut self, duration: Duration) -> Self {
        self.services.delete = duration;
        self
    }

    /// How long a new key of a service takes. Default: 10 seconds.
    pub fn regenerate_keys_duration(mut self, duration: Duration) -> Self {
        self.services.regenerate = duration;
        self
    }

    /// Whether a new key is answered at once with 200 and both keys, which the published
    /// description allows and `azureml-core` does not understand. Default: no, with 202 and an
    /// operation.
    pub fn regenerate_keys_at_once(mut self, at_once: bool) -> Self {
        self.services.regenerates_at_once = at_once;
        self
    }

    /// How long a token of a service is valid, and after how long a client should fetch another.
    /// Default: 12 hours and 6 hours.
    pub fn service_token_lifetime(mut self, lifetime: Duration, refresh_after: Duration) -> Self {
        self.services.token_lifetime = lifetime;
        self.services.token_refresh = refresh_after;
        self
    }

    /// Sets the function that answers scoring requests of every service. Default: the body comes back as it was.
    ///
    /// ```
    /// use azureml_aks::emulator::{Emulator, ScoringResponse};
    /// use serde_json::json;
    ///
    /// let emulator = Emulator::builder()
    ///     .score(|request| match request.json() {
    ///         Ok(body) => ScoringResponse::json(&json!({ "rows": body["data"] })),
    ///         Err(error) => ScoringResponse::failed(error.to_string()),
    ///     })
    ///     .build();
    /// # let _ = emulator;
    /// ```
    pub fn score<F>(mut self, score: F) -> Self
    where
        F: Fn(ScoringRequest) -> ScoringResponse + Send + Sync + 'static,
    {
        self.services.scorer = Scorer::new(score);
        self
    }

    /// Like [`EmulatorBuilder::score`], for an answer that is waited for: of a model server
    /// elsewhere, for example. Nothing of the emulator waits meanwhile.
    ///
    /// ```
    /// use azureml_aks::emulator::{Emulator, ScoringRequest, ScoringResponse};
    ///
    /// async fn ask_a_model_server(request: ScoringRequest) -> ScoringResponse {
    ///     // Send `request.body` on, and take over what comes back. `examples/model_server` does.
    ///     ScoringResponse::new("application/json", request.body).with_header("x-ms-run-fn-exec-ms", "0.1")
    /// }
    ///
    /// let emulator = Emulator::builder().score_async(ask_a_model_server).build();
    /// # let _ = emulator;
    /// ```
    pub fn score_async<F, A>(mut self, score: F) -> Self
    where
        F: Fn(ScoringRequest) -> A + Send + Sync + 'static,
        A: Future<Output = ScoringResponse> + Send + 'static,
    {
        self.services.scorer = Scorer::new_async(score);
        self
    }
}

/// Web services.
impl Emulator {
    /// Replaces the function that answers scoring requests of every service.
    pub fn on_score<F>(&self, score: F)
    where
        F: Fn(ScoringRequest) -> ScoringResponse + Send + Sync + 'static,
    {
        self.shared.state().services.scorer = Scorer::new(score);
    }

    /// Like [`Emulator::on_score`], for an answer that is waited for.
    pub fn on_score_async<F, A>(&self, score: F)
    where
        F: Fn(ScoringRequest) -> A + Send + Sync + 'static,
        A: Future<Output = ScoringResponse> + Send + 'static,
    {
        self.shared.state().services.scorer = Scorer::new_async(score);
    }

    /// Gives the service of this name, which need not exist yet, a Swagger document, as an entry
    /// script that declares a schema does.
    pub fn set_swagger(&self, service: impl Into<String>, document: Value) {
        let name = service.into().to_ascii_lowercase();
        self.shared.state().services.swagger.insert(name, document);
    }

    /// Says what the main container of the service of this name, which need not exist yet, wrote: a
    /// model server that scores for it, for example. Default: a few fixed lines that suit the state
    /// of the service.
    pub fn set_log(&self, service: impl Into<String>, text: impl Into<String>) {
        let name = service.into().to_ascii_lowercase();
        self.shared.state().services.logs.insert(name, text.into());
    }

    /// The settings of a service, with every key and `null` where there is nothing, and beside them
    /// `state`. Its keys are not in it.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<Value> {
        let state = self.shared.state();
        let service = state.services.get(name)?;
        let mut document = super::document::shown(&service.document, true);
        document["state"] = service.state_at(&state, state.time.now()).into();
        Some(document)
    }
}
