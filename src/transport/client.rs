//! The two pipelines of a service: ARM, or the hosts of a workspace.

use super::TrustedOrigins;
use super::exchange::{Answer, HttpRequest, Limit};
use super::retry::BoundedRetry;
use super::throttle::{Brake, ThrottlePolicy, Throttled};
use crate::error::{Error, ErrorKind, ResponseFacts};
use azure_core::credentials::TokenCredential;
use azure_core::http::headers::{ACCEPT, CLIENT_REQUEST_ID, CONTENT_TYPE};
use azure_core::http::policies::Policy;
use azure_core::http::policies::auth::BearerTokenAuthorizationPolicy;
use azure_core::http::{
    AsyncRawResponse, ClientOptions, Context, Pipeline, PipelineStreamOptions, Request,
    RetryOptions,
};
#[cfg(feature = "services")]
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;

/// What the pipelines of all services of a workspace are made of.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) credential: Arc<dyn TokenCredential>,
    /// With a transport in it.
    pub(crate) options: ClientOptions,
    /// Whether `options.retry` was set by the caller.
    pub(crate) own_retry: bool,
    pub(crate) timeout: Duration,
}

/// Sends requests to one service.
#[derive(Debug)]
pub(crate) struct ServiceClient {
    /// Tries again by itself: for reads.
    read: Pipeline,
    /// Never tries again by itself: for writes, and for polls, where the operation engine decides
    /// what a failure means.
    once: Pipeline,
    origins: TrustedOrigins,
    timeout: Duration,
}

/// Through which pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    Retried,
    Once,
}

impl ServiceClient {
    /// A client that sends tokens of `scope` to `origins`, and to nobody else.
    pub(crate) fn new(settings: &Settings, origins: TrustedOrigins, scope: &str) -> Self {
        let bearer = BearerTokenAuthorizationPolicy::new(settings.credential.clone(), [scope]);
        Self::with(settings, origins, Some(Arc::new(bearer)))
    }

    /// A client that sends no token.
    #[cfg(feature = "services")]
    pub(crate) fn anonymous(settings: &Settings, origins: TrustedOrigins) -> Self {
        Self::with(settings, origins, None)
    }

    fn with(settings: &Settings, origins: TrustedOrigins, bearer: Option<Arc<dyn Policy>>) -> Self {
        let brake = Arc::new(Brake::default());
        let pipeline = |retry: RetryOptions, impatient| {
            let options = ClientOptions {
                retry,
                ..settings.options.clone()
            };
            let throttle = Arc::new(ThrottlePolicy {
                brake: brake.clone(),
                impatient,
            });
            let per_try: Vec<Arc<dyn Policy>> = std::iter::once(throttle as Arc<dyn Policy>)
                .chain(bearer.clone())
                .collect();
            Pipeline::new(
                option_env!("CARGO_PKG_NAME"),
                option_env!("CARGO_PKG_VERSION"),
                options,
                Vec::new(),
                per_try,
                None,
            )
        };
        let read = if settings.own_retry {
            settings.options.retry.clone()
        } else {
            BoundedRetry::of_reads()
        };
        Self {
            read: pipeline(read, true),
            once: pipeline(RetryOptions::none(), false),
            origins,
            timeout: settings.timeout,
        }
    }

    pub(crate) fn origins(&self) -> &TrustedOrigins {
        &self.origins
    }

    /// How long a call may take where nothing else is said.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Sends a request and reads the whole answer, whatever its status.
    ///
    /// A 401 drops the cached token, and the request is sent once more: the first one had no
    /// effect.
    pub(crate) async fn send(
        &self,
        request: &HttpRequest,
        sending: Sending,
        limit: Limit,
        timeout: Option<Duration>,
    ) -> Result<Answer, Error> {
        self.origins.check(&request.url)?;
        let timeout = timeout.unwrap_or(self.timeout);
        let exchange = async {
            let answer = self.whole(request, sending, limit).await?;
            if answer.status != 401 {
                return Ok(answer);
            }
            self.whole(request, sending, limit).await
        };
        let exchange = async {
            let answer = exchange
                .await
                .map_err(|error| error.hiding(&request.hidden));
            answer.map(|answer| Answer {
                hidden: request.hidden.clone(),
                ..answer
            })
        };
        match tokio::time::timeout(timeout, exchange).await {
            Ok(result) => result.map_err(|error| {
                let facts = ResponseFacts {
                    client_request_id: Some(request.client_request_id.clone()),
                    ..error.response().cloned().unwrap_or_default()
                };
                error.with_response(facts)
            }),
            Err(_) => Err(Error::new(
                ErrorKind::Timeout,
                format!("no answer within the call's own timeout of {timeout:.0?}"),
            )
            .with_response(ResponseFacts {
                client_request_id: Some(request.client_request_id.clone()),
                ..ResponseFacts::default()
            })),
        }
    }

    /// Sends a request that must succeed, and reads the answer as JSON of a known shape.
    #[cfg(feature = "services")]
    pub(crate) async fn decoded<T: DeserializeOwned>(
        &self,
        request: &HttpRequest,
        sending: Sending,
    ) -> Result<T, Error> {
        let id = &request.client_request_id;
        self.send(request, sending, Limit::RESOURCE, None)
            .await?
            .successful(id)?
            .json(id)
    }

    /// One exchange; a read whose body broke off is begun again, because the pipeline's own retry
    /// ends with the headers.
    async fn whole(
        &self,
        request: &HttpRequest,
        sending: Sending,
        limit: Limit,
    ) -> Result<Answer, Error> {
        const BODIES: usize = 3;
        let mut tries = 1;
        loop {
            let response = self.exchange(request, sending).await?;
            match Answer::read(response, limit).await {
                Err(error)
                    if sending == Sending::Retried
                        && error.kind() == ErrorKind::Transport
                        && tries < BODIES =>
                {
                    tries += 1;
                }
                result => return result,
            }
        }
    }

    async fn exchange(
        &self,
        request: &HttpRequest,
        sending: Sending,
    ) -> Result<AsyncRawResponse, Error> {
        let mut sent = Request::new(request.url.clone(), request.method);
        // Set here, so that `azure_core` need not look for it in vain (docs/performance.md).
        sent.insert_header(CLIENT_REQUEST_ID, request.client_request_id.clone());
        sent.insert_header(ACCEPT, "application/json");
        if let Some(body) = &request.body {
            sent.insert_header(CONTENT_TYPE, request.content_type);
            sent.set_body(body.clone());
        }
        let pipeline = match sending {
            Sending::Retried => &self.read,
            Sending::Once => &self.once,
        };
        let options = PipelineStreamOptions {
            skip_checks: true,
            ..Default::default()
        };
        pipeline
            .stream(&Context::new(), &mut sent, Some(options))
            .await
            .map_err(|error| match throttled(&error) {
                Some(Throttled {
                    answered: Some(facts),
                    ..
                }) => Error::service(*facts),
                Some(throttled) => Error::new(ErrorKind::Service, throttled.to_string())
                    .with_response(ResponseFacts {
                        status: Some(throttled.status),
                        retry_after: Some(throttled.retry_after),
                        ..ResponseFacts::default()
                    }),
                None => Error::from(error),
            })
    }
}

/// What our own brake said, somewhere down the chain of contexts.
fn throttled(error: &azure_core::Error) -> Option<Throttled> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(throttled) = error.downcast_ref::<Throttled>() {
            return Some(throttled.clone());
        }
        cause = error.source();
    }
    None
}
