//! The two pipelines of a service: ARM, or the hosts of a workspace.

use super::TrustedOrigins;
use super::decode::{self, Body};
use super::exchange::{Answer, HttpRequest, Limit};
use super::limits::reads;
use super::retry::{BoundedRetry, Sends};
use super::throttle::{Throttle, ThrottlePolicy, Throttled};
use crate::error::{Error, ErrorKind, ResponseFacts, in_runtime};
use azure_core::credentials::TokenCredential;
use azure_core::http::headers::{ACCEPT, CLIENT_REQUEST_ID, CONTENT_TYPE};
use azure_core::http::policies::Policy;
use azure_core::http::policies::auth::BearerTokenAuthorizationPolicy;
use azure_core::http::{
    AsyncRawResponse, ClientOptions, Context, Pipeline, PipelineStreamOptions, Request,
    RetryOptions,
};
use futures::TryFutureExt;
#[cfg(feature = "services")]
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;

/// The parts of the pipelines of all services of a workspace.
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
    /// Repeat a request by themselves: for reads. The `n`th sends it up to `n + 1` times, so that what was
    /// sent before is not sent again.
    reads: [Pipeline; reads::SENDS as usize],
    /// Never repeats a request: for writes, and for polls, where the operation engine decides what a
    /// failure means.
    once: Pipeline,
    origins: TrustedOrigins,
    timeout: Duration,
}

/// How often a request may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    /// Up to [`reads::SENDS`] times, for all reasons together.
    Retried,
    /// Once; and once more after a 401, because a request that was refused for its token had no effect.
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
        let throttle = Arc::new(Throttle::default());
        let pipeline = |retry: RetryOptions, impatient| {
            let options = ClientOptions {
                retry,
                ..settings.options.clone()
            };
            let throttle = Arc::new(ThrottlePolicy {
                throttle: throttle.clone(),
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
        let read = |left| {
            let retry = if settings.own_retry {
                settings.options.retry.clone()
            } else {
                BoundedRetry::options(left, reads::FIRST_PAUSE)
            };
            pipeline(retry, true)
        };
        Self {
            reads: [read(1), read(2), read(3), read(4)],
            once: pipeline(RetryOptions::none(), false),
            origins,
            timeout: settings.timeout,
        }
    }

    pub(crate) fn origins(&self) -> &TrustedOrigins {
        &self.origins
    }

    /// How long a call may take by default.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Sends a request and reads the whole answer, whatever its status.
    ///
    /// A read is repeated after a passing status, a broken connection and a body that broke off, and any
    /// request once after a 401, which drops the cached token. All of it counts towards the limit of
    /// [`Sending`]. A caller's own `RetryOptions` decide for themselves how often one exchange sends; after it,
    /// the limit decides whether there is another one.
    pub(crate) async fn send(
        &self,
        request: &HttpRequest,
        sending: Sending,
        limit: Limit,
        timeout: Option<Duration>,
    ) -> Result<Answer, Error> {
        let read = |response| Answer::read(response, limit).map_ok(|answer| (answer, ()));
        Ok(self.send_and(request, sending, timeout, read).await?.0)
    }

    /// Sends a read that must succeed, and decodes the answer while it arrives: the body is never in memory as
    /// a whole. A read that is repeated is decoded anew.
    pub(crate) async fn decode<T: Send + 'static>(
        &self,
        request: &HttpRequest,
        limit: Limit,
        decode: impl Fn(Body) -> serde_json::Result<T> + Clone + Send + Sync + 'static,
    ) -> Result<T, Error> {
        let read = |response| decode::read(response, limit, decode.clone());
        let sent = self.send_and(request, Sending::Retried, None, read);
        let (answer, decoded) = sent.await?;
        let id = &request.client_request_id;
        match decoded {
            Some(decoded) => decoded.map_err(|error| answer.undecodable(&error, id)),
            None => Err(answer.refusal(id)),
        }
    }

    /// Sends a request, reads the answer by `read`, and gives it with what else that made of it.
    async fn send_and<T, F>(
        &self,
        request: &HttpRequest,
        sending: Sending,
        timeout: Option<Duration>,
        read: impl Fn(AsyncRawResponse) -> F,
    ) -> Result<(Answer, T), Error>
    where
        F: Future<Output = Result<(Answer, T), Error>>,
    {
        in_runtime()?;
        let trusted = self.origins.check(&request.url);
        trusted.map_err(|error| error.hiding(&request.hidden))?;
        let timeout = timeout.unwrap_or(self.timeout);
        let exchange = async {
            let answer = self.within(request, sending, read).await;
            let (answer, more) = answer.map_err(|error| error.hiding(&request.hidden))?;
            let answer = Answer {
                hidden: request.hidden.clone(),
                ..answer
            };
            Ok::<_, Error>((answer, more))
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

    /// Sends a request as often as `sending` allows.
    async fn within<T, F>(
        &self,
        request: &HttpRequest,
        sending: Sending,
        read: impl Fn(AsyncRawResponse) -> F,
    ) -> Result<(Answer, T), Error>
    where
        F: Future<Output = Result<(Answer, T), Error>>,
    {
        let sends = Sends::default();
        let mut left = reads::SENDS;
        let mut refused = false;
        let mut bodies = 1;
        loop {
            let response = match sending {
                Sending::Retried => {
                    let pipeline = &self.reads[(left - 1) as usize];
                    exchange(pipeline, request, &sends.context()).await?
                }
                Sending::Once => exchange(&self.once, request, &Context::new()).await?,
            };
            left = sends.left(reads::SENDS);
            match read(response).await {
                Ok((answer, _)) if answer.status == 401 && !refused && left > 0 => refused = true,
                // The pipeline's own repetitions end with the headers.
                Err(error)
                    if sending == Sending::Retried
                        && error.kind() == ErrorKind::Transport
                        && bodies < reads::BODIES
                        && left > 0 =>
                {
                    bodies += 1;
                }
                result => return result,
            }
        }
    }
}

/// Sends a request through a pipeline, up to the headers of the answer.
async fn exchange(
    pipeline: &Pipeline,
    request: &HttpRequest,
    ctx: &Context<'_>,
) -> Result<AsyncRawResponse, Error> {
    let mut sent = Request::new(request.url.clone(), request.method);
    // Set here, because a failed lookup by `azure_core` is expensive (docs/internals/performance.md).
    sent.insert_header(CLIENT_REQUEST_ID, request.client_request_id.clone());
    sent.insert_header(ACCEPT, "application/json");
    if let Some(body) = &request.body {
        sent.insert_header(CONTENT_TYPE, request.content_type);
        sent.set_body(body.clone());
    }
    let ctx = ctx.clone().with_value(request.hidden.clone());
    let options = PipelineStreamOptions {
        skip_checks: true,
        ..Default::default()
    };
    pipeline
        .stream(&ctx, &mut sent, Some(options))
        .await
        .map_err(|error| match throttled(&error) {
            Some(Throttled {
                answered: Some(facts),
                ..
            }) => Error::service(*facts),
            Some(throttled) => {
                Error::new(ErrorKind::Service, throttled.to_string()).with_response(ResponseFacts {
                    status: Some(throttled.status),
                    retry_after: Some(throttled.retry_after),
                    ..ResponseFacts::default()
                })
            }
            None => Error::from(error),
        })
}

/// The refusal by our own throttle, somewhere down the chain of contexts.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Workspace;
    use crate::operation::tests::script::{Credential, Lifetime, Reply, Script, reply};
    use azure_core::http::{ExponentialRetryOptions, Transport};
    use futures::FutureExt;
    use tokio::time::Instant;
    use url::Url;

    fn good() -> Reply {
        reply(200).text("{}")
    }

    fn truncated() -> Reply {
        good().truncated()
    }

    /// One call: what it sent, and how it ended.
    struct Run {
        sends: usize,
        tokens: usize,
        took: Duration,
        result: Result<Answer, Error>,
    }

    impl Run {
        fn status(&self) -> Option<u16> {
            self.result.as_ref().ok().map(|answer| answer.status)
        }
    }

    /// Answers the first requests with `first` and all others with `then`.
    async fn run(
        sending: Sending,
        first: impl IntoIterator<Item = Reply>,
        then: Reply,
        retry: Option<RetryOptions>,
    ) -> Run {
        let script = Script::new();
        script.expect(first);
        script.otherwise(move |_| then.clone());
        let credential = Credential::new(Lifetime::Long);
        let mut builder = Workspace::builder("s", "g", "w")
            .credential(credential.clone())
            .transport(Transport::new(script.clone()));
        if let Some(retry) = retry {
            builder = builder.retry(retry);
        }
        let workspace = builder.build().unwrap();
        let url = Url::parse("https://management.azure.com/thing?api-version=1").unwrap();
        let request = HttpRequest::get(url);
        let start = Instant::now();
        let result = workspace
            .client()
            .send(&request, sending, Limit::RESOURCE, None)
            .await;
        let sent = script.sent();
        let own = &request.client_request_id;
        assert!(sent.iter().all(|sent| sent.request_id == *own));
        Run {
            sends: sent.len(),
            tokens: credential.tokens(),
            took: start.elapsed(),
            result,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn read_after_one_failure_of_any_kind_is_good() {
        for (failure, pause) in [
            (reply(503), 400),
            (reply(500), 400),
            (Reply::reset(), 400),
            (truncated(), 0),
            (reply(401), 0),
        ] {
            let run = run(Sending::Retried, [failure.clone()], good(), None).await;
            assert_eq!((run.status(), run.sends), (Some(200), 2), "{failure:?}");
            assert_eq!(run.took, Duration::from_millis(pause), "{failure:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn read_goes_out_no_more_often_than_the_limit_whatever_the_reasons() {
        const ALL: usize = reads::SENDS as usize;
        const BODIES: usize = reads::BODIES as usize;
        for (name, first, then, sends, status) in [
            ("all 503", vec![], reply(503), ALL, Some(503)),
            ("all broken connections", vec![], Reply::reset(), ALL, None),
            ("all truncated", vec![], truncated(), BODIES, None),
            ("all 401", vec![], reply(401), 2, Some(401)),
            (
                "401, then 503",
                vec![reply(401)],
                reply(503),
                ALL,
                Some(503),
            ),
            (
                "401, then truncated",
                vec![reply(401)],
                truncated(),
                ALL,
                None,
            ),
            (
                "503, 401, truncated, then 503",
                vec![reply(503), reply(401), truncated()],
                reply(503),
                ALL,
                Some(503),
            ),
            (
                "503 until the last one, then truncated",
                vec![reply(503); ALL - 1],
                truncated(),
                ALL,
                None,
            ),
            (
                "503 until the last one, then 401",
                vec![reply(503); ALL - 1],
                reply(401),
                ALL,
                Some(401),
            ),
            (
                "truncated, 401, then 401",
                vec![truncated()],
                reply(401),
                3,
                Some(401),
            ),
        ] {
            let run = run(Sending::Retried, first, then, None).await;
            assert_eq!(run.sends, sends, "{name}");
            assert_eq!(run.status(), status, "{name}");
            // The longest of them are those that only one reason repeats.
            assert!(
                run.took <= Duration::from_millis(2800),
                "{name}: {:?}",
                run.took
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn read_that_is_good_at_the_last_send_is_good() {
        for first in [
            [reply(401), reply(503), truncated()],
            [truncated(), truncated(), reply(401)],
            [Reply::reset(), truncated(), reply(503)],
        ] {
            let run = run(Sending::Retried, first, good(), None).await;
            assert_eq!((run.status(), run.sends), (Some(200), 4));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn request_sent_once_goes_out_again_after_a_401_only() {
        for (failure, sends, status) in [
            (reply(503), 1, Some(503)),
            (reply(429), 1, Some(429)),
            (Reply::reset(), 1, None),
            (truncated(), 1, None),
            (reply(401), 2, Some(401)),
        ] {
            let run = run(Sending::Once, [], failure.clone(), None).await;
            assert_eq!((run.sends, run.status()), (sends, status), "{failure:?}");
            assert_eq!(run.tokens, sends, "{failure:?}");
        }
        for failure in [reply(503), truncated()] {
            let run = run(Sending::Once, [reply(401)], failure, None).await;
            assert_eq!((run.sends, run.tokens), (2, 2));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn callers_own_retries_replace_the_limit_within_one_exchange() {
        let patient = RetryOptions::exponential(ExponentialRetryOptions {
            max_retries: 6,
            ..Default::default()
        });
        let own =
            |first: Vec<Reply>, then| run(Sending::Retried, first, then, Some(patient.clone()));
        assert_eq!(own(vec![], reply(503)).await.sends, 7);
        // After so many sends nothing is repeated on top.
        assert_eq!(own(vec![reply(503); 6], truncated()).await.sends, 7);
        assert_eq!(own(vec![], truncated()).await.sends, 3);

        let none = || Some(RetryOptions::none());
        assert_eq!(run(Sending::Retried, [], reply(503), none()).await.sends, 1);
        assert_eq!(
            run(Sending::Retried, [], truncated(), none()).await.sends,
            3
        );
        assert_eq!(run(Sending::Retried, [], reply(401), none()).await.sends, 2);
    }

    #[test]
    fn call_without_a_runtime_or_its_clock_is_an_error() {
        let script = Script::new();
        let workspace = Workspace::builder("s", "g", "w")
            .credential(Credential::new(Lifetime::Long))
            .transport(Transport::new(script.clone()))
            .build()
            .unwrap();
        let call = || workspace.location();
        let outside = call().now_or_never().unwrap().unwrap_err();
        assert_eq!(outside.kind(), ErrorKind::Configuration);

        let mut builder = tokio::runtime::Builder::new_current_thread();
        let without = builder.build().unwrap().block_on(call()).unwrap_err();
        assert_eq!(without.kind(), ErrorKind::Configuration);
        assert_eq!(script.sent().len(), 0);
        script.expect([good()]);
        let whole = builder.enable_time().build().unwrap();
        let reached = whole.block_on(call()).unwrap_err();
        assert_ne!(reached.kind(), ErrorKind::Configuration, "{reached}");
        assert_eq!(script.sent().len(), 1);
    }

    /// Answers by itself, before anything is sent.
    #[derive(Debug)]
    struct Answers;

    #[async_trait::async_trait]
    impl Policy for Answers {
        async fn send(
            &self,
            _: &Context,
            _: &mut Request,
            _: &[Arc<dyn Policy>],
        ) -> azure_core::http::policies::PolicyResult {
            let broken =
                azure_core::Error::with_message(azure_core::error::ErrorKind::Io, "broken");
            let body = futures::stream::iter([Err(broken)]);
            Ok(AsyncRawResponse::new(
                azure_core::http::StatusCode::Ok,
                Default::default(),
                Box::pin(body),
            ))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn read_that_a_policy_of_the_caller_answers_ends_too() {
        let mut options = ClientOptions::default();
        options.per_call_policies.push(Arc::new(Answers));
        let script = Script::new();
        let workspace = Workspace::builder("s", "g", "w")
            .credential(Credential::new(Lifetime::Long))
            .client_options(options)
            .transport(Transport::new(script.clone()))
            .build()
            .unwrap();
        let error = workspace.location().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport);
        assert_eq!(script.sent().len(), 0);
    }
}
