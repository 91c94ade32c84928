//! Properties that hold for any answer of a service.

use super::script::*;
use super::verbs::begin;
use crate::ErrorKind;
use crate::error::Error;
use crate::operation::step::Observation;
use crate::operation::{Machine, Step, WaitOptions};
use crate::token::{FinalStateVia, HttpVerb, MonitorKind, TokenResource};
use crate::transport::{Answer, TrustedOrigins};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::time::Duration;
use url::Url;

/// Above what a wait may take beyond its deadline to bring home a last read.
const LAST_READ: Duration = Duration::from_secs(6);

const WORDS: [&str; 12] = [
    "Succeeded",
    "succeeded",
    "Failed",
    "Canceled",
    "InProgress",
    "Creating",
    "Deleting",
    "Updating",
    "Unknown",
    "",
    "Completed",
    "😀",
];

const URLS: [&str; 9] = [
    "https://management.azure.com/op?api-version=1",
    "https://MANAGEMENT.azure.com:443/other",
    "/relative?x=%20",
    "https://evil.example/op",
    "http://management.azure.com/op",
    "https://user@management.azure.com/op",
    "//evil.example/op",
    "nonsense",
    "",
];

fn any_json() -> impl Strategy<Value = Value> {
    let keys = proptest::sample::select(vec![
        "status",
        "properties",
        "provisioningState",
        "provisioningErrors",
        "error",
        "code",
        "message",
        "details",
        "resourceLocation",
        "id",
        "type",
        "startTime",
        "percentComplete",
        "statusCode",
        "innererror",
        "x",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        proptest::sample::select(&WORDS[..]).prop_map(Value::from),
        proptest::sample::select(&URLS[..]).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((keys.clone(), inner), 0..5).prop_map(|members| {
                Value::Object(
                    members
                        .into_iter()
                        .map(|(key, value)| (key.to_owned(), value))
                        .collect(),
                )
            }),
        ]
    })
}

fn any_body() -> impl Strategy<Value = Vec<u8>> {
    let word = || proptest::sample::select(&WORDS[..]);
    prop_oneof![
        4 => word().prop_map(|word| json!({ "status": word }).to_string().into_bytes()),
        4 => word().prop_map(|word| {
            json!({ "properties": { "provisioningState": word } }).to_string().into_bytes()
        }),
        3 => any_json().prop_map(|json| json.to_string().into_bytes()),
        2 => Just(Vec::new()),
        1 => proptest::collection::vec(any::<u8>(), 0..32),
    ]
}

/// The states that the model management service may give an operation or a service.
#[cfg(feature = "services")]
fn any_service_body() -> impl Strategy<Value = Vec<u8>> {
    const STATES: [&str; 12] = [
        "NotStarted",
        "Running",
        "Succeeded",
        "Failed",
        "Cancelled",
        "TimedOut",
        "Transitioning",
        "Healthy",
        "Unhealthy",
        "Unschedulable",
        "",
        "New",
    ];
    let log = prop_oneof![
        "[0-9|#a-z ]{0,60}",
        Just("20200101000000|a#20200101000001|b#".to_owned()),
    ];
    let document = (proptest::sample::select(&STATES[..]), log, any_json()).prop_map(
        |(state, log, other)| {
            json!({ "state": state, "streamingOperationLog": log, "error": other, "operationId": "b" })
                .to_string()
                .into_bytes()
        },
    );
    prop_oneof![6 => document, 3 => any_body()]
}

fn any_headers() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let url = || {
        prop_oneof![
            proptest::sample::select(&URLS[..]).prop_map(str::to_owned),
            "[ -~]{0,24}",
        ]
    };
    let hint = prop_oneof![
        (0u32..90).prop_map(|hint| hint.to_string()),
        any::<f64>().prop_map(|hint| hint.to_string()),
        "[ -~]{0,12}",
        Just("Wed, 01 Jan 2020 00:00:05 GMT".to_owned()),
    ];
    let header = prop_oneof![
        2 => url().prop_map(|url| ("azure-asyncoperation", url)),
        1 => url().prop_map(|url| ("operation-location", url)),
        2 => url().prop_map(|url| ("location", url)),
        2 => hint.clone().prop_map(|hint| ("retry-after", hint)),
        1 => hint.prop_map(|hint| ("retry-after-ms", hint)),
    ];
    proptest::collection::vec(header, 0..4)
}

fn any_status() -> impl Strategy<Value = u16> {
    prop_oneof![
        6 => Just(200u16),
        2 => proptest::sample::select(vec![201u16, 202, 204]),
        3 => proptest::sample::select(vec![302u16, 400, 401, 403, 404, 409, 410]),
        3 => proptest::sample::select(vec![408u16, 429, 500, 502, 503, 504, 530]),
        1 => 200u16..600,
    ]
}

#[derive(Debug, Clone)]
enum Observed {
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    Reset,
    Truncated,
    Silence,
}

fn any_answer() -> impl Strategy<Value = Observed> {
    (any_status(), any_headers(), any_body())
        .prop_map(|(status, headers, body)| Observed::Answer(status, headers, body))
}

fn any_observed() -> impl Strategy<Value = Observed> {
    prop_oneof![
        12 => any_answer(),
        1 => Just(Observed::Reset),
        1 => Just(Observed::Truncated),
        1 => Just(Observed::Silence),
    ]
}

fn any_verb() -> impl Strategy<Value = HttpVerb> {
    proptest::sample::select(vec![
        HttpVerb::Delete,
        HttpVerb::Patch,
        HttpVerb::Post,
        HttpVerb::Put,
    ])
}

fn any_via() -> impl Strategy<Value = Option<FinalStateVia>> {
    proptest::sample::select(vec![
        None,
        Some(FinalStateVia::AzureAsyncOperation),
        Some(FinalStateVia::Location),
        Some(FinalStateVia::OriginalUri),
    ])
}

impl Observed {
    fn reply(&self) -> Reply {
        match self {
            Self::Answer(status, headers, body) => headers
                .iter()
                .fold(reply(*status), |reply, (name, value)| {
                    reply.header(name, value)
                })
                .text(body.clone()),
            Self::Reset => Reply::reset(),
            Self::Truncated => reply(200).text("{\"status\":\"Succeeded\"}").truncated(),
            Self::Silence => Reply::silence(),
        }
    }

    fn observation(&self) -> Result<Answer, Error> {
        match self {
            Self::Answer(status, headers, body) => {
                let headers: Vec<_> = headers
                    .iter()
                    .map(|(name, value)| (*name, value.as_str()))
                    .collect();
                Ok(Answer::of(*status, &headers, body))
            }
            Self::Reset => Err(Error::new(ErrorKind::Transport, "reset")),
            Self::Truncated => Err(Error::new(ErrorKind::Protocol, "too large")),
            Self::Silence => Err(Error::new(ErrorKind::Timeout, "silence")),
        }
    }
}

/// So many cases, or as many as `PROPTEST_CASES` says.
fn config(cases: u32) -> ProptestConfig {
    let said = std::env::var("PROPTEST_CASES");
    ProptestConfig {
        cases: said.map_or(cases, |said| said.parse().unwrap()),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(400))]

    /// The step itself: one end at most, and no URL of a foreign origin, whatever it is shown.
    #[test]
    fn the_step_ends_once_and_never_names_a_foreign_url(
        verb in any_verb(),
        via in any_via(),
        first in any_answer(),
        then in proptest::collection::vec(any_observed(), 0..40),
    ) {
        let endpoint = Url::parse("https://management.azure.com").unwrap();
        let origins = TrustedOrigins::new(endpoint);
        let url = Url::parse("https://management.azure.com/thing?api-version=1").unwrap();
        let first = first.observation().unwrap();
        let Ok((mut machine, mut step)) =
            Machine::start(verb, &url, "id", "1", &origins, via, &first)
        else {
            return Ok(());
        };
        let mut elapsed = Duration::ZERO;
        let mut end: Option<String> = None;
        for observed in &then {
            match (&step, &end) {
                (Step::Read(_), None) => {
                    let url = machine.url();
                    prop_assert!(origins.check(url).is_ok(), "{url}");
                    prop_assert!(machine.outcome().is_none());
                }
                (Step::Done, _) => {
                    let outcome = machine.outcome().map(|outcome| format!("{outcome:?}"));
                    prop_assert!(outcome.is_some());
                    prop_assert!(end.is_none() || end == outcome, "a second end");
                    end = outcome;
                }
                (Step::Read(_) | Step::Watch, _) => prop_assert!(false, "a request after the end"),
            }
            elapsed += Duration::from_secs(7);
            let observation = observed.observation();
            step = machine.observe(
                match &observation {
                    Ok(answer) => Observation::Answer(answer),
                    Err(error) => Observation::Unanswered(error),
                },
                elapsed,
            );
        }
    }

    /// A status never stops being a text that can be stored and read back.
    #[test]
    fn a_token_reads_back_whatever_the_service_said(body in any_body(), headers in any_headers()) {
        let url = Url::parse("https://management.azure.com/thing?api-version=1").unwrap();
        let origins = TrustedOrigins::new(url.clone());
        let first = Observed::Answer(202, headers, body).observation().unwrap();
        let begun = Machine::start(HttpVerb::Put, &url, "id", "1", &origins, None, &first);
        let (machine, _) = begun.unwrap();
        let mut token = crate::ResumeToken::of_request(
            TokenResource::Compute("AKS".into()),
            (crate::Verb::Create, HttpVerb::Put),
            url.as_str(),
            None,
            "id",
        );
        machine.write(token.parts_mut());
        let read = crate::ResumeToken::parse(&token.expose()).unwrap();
        prop_assert_eq!(&read, &token);
        let resumed = Machine::resume(read.parts(), &origins);
        prop_assert!(resumed.is_ok());
        let monitor = token.parts().monitor;
        prop_assert!(monitor.is_none() || monitor != Some(MonitorKind::Location)
            || token.parts().next_request_uri.is_some());
    }
}

#[cfg(feature = "services")]
proptest! {
    #![proptest_config(config(400))]

    /// The step of services: one end at most, no URL but that of the service and those below our own
    /// base, and a token that reads back, whatever it is shown.
    #[test]
    fn the_step_of_a_service_ends_once_and_stays_below_its_base(
        verb in any_verb(),
        result in any::<bool>(),
        first in (any_status(), any_headers(), any_service_body()),
        then in proptest::collection::vec((any_status(), any_headers(), any_service_body()), 0..40),
    ) {
        const SERVICE: &str = "https://management.azure.com/services/s?expand=true";
        const BASE: &str = "https://management.azure.com/operations";
        let answered = |(status, headers, body)| Observed::Answer(status, headers, body).observation();
        let service = Url::parse(SERVICE).unwrap();
        let base = Url::parse(BASE).unwrap();
        let origins = TrustedOrigins::new(service.clone());
        let first = answered(first).unwrap();
        let begun = Machine::start_service(verb, &service, "id", &origins, &base, result, &first);
        let Ok((mut machine, mut step)) = begun else {
            return Ok(());
        };
        let mut elapsed = Duration::ZERO;
        let mut end: Option<String> = None;
        for shown in then {
            match step {
                Step::Done => {
                    let outcome = machine.outcome().map(|outcome| format!("{outcome:?}"));
                    prop_assert!(outcome.is_some());
                    prop_assert!(end.is_none() || end == outcome, "a second end");
                    end = outcome;
                }
                _ => {
                    prop_assert!(end.is_none(), "a request after the end");
                    let url = machine.url();
                    let own = url.as_str() == SERVICE
                        || url.path().strip_prefix("/operations/").is_some_and(|id| !id.contains('/'));
                    prop_assert!(own && origins.check(url).is_ok(), "{url}");
                    let mut token = crate::ResumeToken::of_request(
                        TokenResource::Service,
                        (crate::Verb::Deploy, verb),
                        SERVICE,
                        result.then_some(FinalStateVia::OriginalUri),
                        "id",
                    );
                    machine.write(token.parts_mut());
                    let read = crate::ResumeToken::parse(&token.expose()).unwrap();
                    prop_assert!(Machine::resume(read.parts(), &origins).is_ok());
                }
            }
            elapsed += Duration::from_secs(7);
            let answer = answered(shown).unwrap();
            step = machine.observe(Observation::Answer(&answer), elapsed);
        }
    }
}

proptest! {
    #![proptest_config(config(100))]

    /// The whole wait, on a service that answers at random: it ends by its deadline, sends to its
    /// own origin only and nothing after the end, and gives a token wherever the end is none.
    #[test]
    fn a_wait_ends_by_its_deadline_and_loses_no_token(
        verb in any_verb(),
        via in any_via(),
        first in any_answer(),
        then in proptest::collection::vec(any_observed(), 1..30),
        limit in 0u64..900,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async move {
            let script = Script::new();
            let mut at = 0;
            script.otherwise(move |_| {
                at += 1;
                then[at % then.len()].reply()
            });
            let Ok(mut driver) = begin(&script, verb, via, first.reply()).await else {
                return Ok(());
            };
            let begun = tokio::time::Instant::now();
            let deadline = Duration::from_secs(limit);
            let result = driver.run(&WaitOptions::new().deadline(deadline)).await;
            prop_assert!(begun.elapsed() <= deadline + LAST_READ, "{:?}", begun.elapsed());
            let sent = script.sent();
            prop_assert!(sent.iter().all(|sent| sent.url.starts_with("https://management.azure.com/")));
            // A poll a second, with its probe or repetition, is the most that there can be.
            prop_assert!(sent.len() as u64 <= 3 * limit + 8, "{} requests", sent.len());
            let ended = match &result {
                Ok(_) => true,
                // `Service` is the kind of a resource that was deleted during the wait.
                Err(error) => matches!(
                    error.kind(),
                    ErrorKind::OperationFailed
                        | ErrorKind::OperationCanceled
                        | ErrorKind::ResultUnavailable
                        | ErrorKind::Service
                ),
            };
            prop_assert_eq!(driver.token().is_none(), ended, "{:?}", result);
            if let Err(error) = &result {
                prop_assert_eq!(error.resume_token().is_none(), ended, "{:?}", error);
            }
            tokio::time::sleep(Duration::from_secs(7200)).await;
            prop_assert_eq!(script.sent().len(), sent.len(), "a request after the end");
            Ok(())
        })?;
    }
}
