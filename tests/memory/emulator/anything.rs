//! Requests of any sort, one after the other: each is answered, and the emulator goes on.

use azure_core::http::{Method, Request, Url};
use azureml_aks::emulator::Emulator;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::raw::*;
use crate::support::raw_services::*;

/// Bytes that are taken apart into choices; the first of all when there are no more.
struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    fn below(&mut self, end: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        usize::from(*first) % end
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

const METHODS: [Method; 6] = [
    Method::Get,
    Method::Put,
    Method::Post,
    Method::Patch,
    Method::Delete,
    Method::Head,
];

/// `{ws}` is the workspace, `{n}` any name.
const PATHS: [&str; 36] = [
    "/{ws}",
    "/{ws}/computes",
    "/{ws}/computes/{n}",
    "/{ws}/computes/{n}/listKeys",
    "/rp/workspaces/{ws}/computes/{n}",
    "/discovery",
    "/subscriptions/{n}/providers/Microsoft.MachineLearningServices/locations/{n}/vmSizes",
    "/subscriptions/{n}/providers/Microsoft.MachineLearningServices/locations/{n}/computeOperationsStatus/{n}",
    "/artifact/v2.0/{ws}/artifacts/batch/metadata/LocalUpload/{n}",
    "/artifact/v2.0/{ws}/artifacts/metadata/LocalUpload/{n}/{n}",
    "/artifact/v2.0/{ws}/artifacts/contentinfo/ExperimentRun/dcid.run/{n}",
    "/artifact/v2.0/{ws}/artifacts/write/LocalUpload/{n}/{n}",
    "/artifact/v2.0/{ws}/artifacts/prefix/contentinfo/ExperimentRun/dcid.run",
    "/artifact/v2.0/{ws}/artifacts/ExperimentRun/dcid.run/{n}",
    "/azureml/ExperimentRun/dcid.run/{n}",
    "/modelmanagement/v1.0/{ws}/assets",
    "/modelmanagement/v1.0/{ws}/assets/{n}",
    "/modelmanagement/v1.0/{ws}/models",
    "/modelmanagement/v1.0/{ws}/models/{n}",
    "/environment/v1.0/{ws}/environments",
    "/environment/v1.0/{ws}/environments/{n}",
    "/environment/v1.0/{ws}/environments/{n}/versions/{n}",
    "/modelmanagement/v1.0/{ws}/services/validate",
    "/modelmanagement/v1.0/{ws}/services/validate/resource",
    "/modelmanagement/v1.0/{ws}/services/validate/name/{n}",
    "/modelmanagement/v1.0/{ws}/services",
    "/modelmanagement/v1.0/{ws}/services/{n}",
    "/modelmanagement/v1.0/{ws}/services/{n}/listkeys",
    "/modelmanagement/v1.0/{ws}/services/{n}/regenerateKeys",
    "/modelmanagement/v1.0/{ws}/services/{n}/token",
    "/modelmanagement/v1.0/{ws}/services/{n}/logs",
    "/modelmanagement/v1.0/{ws}/operations/{n}",
    "/api/v1/service/{n}/score",
    "/api/v1/service/{n}/swagger.json",
    "/_emulator/advance",
    "/{n}",
];

const NAMES: [&str; 18] = [
    "myaks",
    "myservice",
    "mymodel:1",
    "mymodel",
    "model.pkl",
    "",
    "..",
    "%2e%2e",
    "a%20b",
    "%00",
    "%ff",
    "%",
    "%e2%80%ae",
    "fail-it",
    "-1",
    "18446744073709551616",
    "a%2fb",
    "Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

const QUERIES: [&str; 14] = [
    "",
    "api-version=2026-05-01",
    "api-version=2020-02-02",
    "api-version=9999-99-99",
    "api-version=",
    "count=1&$skipToken=18446744073709551615",
    "count=0",
    "tail=-1",
    "orderby=UpdatedAtAsc&tags=a=b",
    "expand=true",
    "underlyingResourceAction=Delete&api-version=2026-05-01",
    "comp=block&blockid=AAAA",
    "sv=1&sr=b&se=x&sp=rw&sig=%ff",
    "%ff=%&&==",
];

/// Values that a member of a document does not expect.
fn odd(choices: &mut Choices<'_>) -> Value {
    match choices.below(12) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(-1),
        3 => json!(u64::MAX),
        4 => json!(1e308),
        5 => json!(""),
        6 => json!("\u{0}\u{202e}'\"<"),
        7 => json!("x".repeat(3000)),
        8 => json!([]),
        9 => json!({}),
        10 => json!([[{ "a": [null] }]]),
        _ => json!({ "path": "/", "value": {}, "op": "remove" }),
    }
}

/// A document that is sent, with a member or two that are not as they should be.
fn document(choices: &mut Choices<'_>) -> String {
    fn change(value: &mut Value, choices: &mut Choices<'_>) {
        let members: Vec<&mut Value> = match value {
            Value::Array(items) => items.iter_mut().collect(),
            Value::Object(members) => members.values_mut().collect(),
            _ => Vec::new(),
        };
        let count = members.len();
        match members.into_iter().nth(choices.below(count + 1)) {
            Some(member) => change(member, choices),
            None => *value = odd(choices),
        }
    }
    let mut document = match choices.below(9) {
        0 => create_body(json!({ "agentCount": 3, "clusterPurpose": "DevTest" })),
        1 => no_code("myservice"),
        2 => {
            json!({ "name": "m", "artifacts": [{ "prefix": "ExperimentRun/dcid.run/model.pkl" }] })
        }
        3 => {
            json!({ "name": "m", "mimeType": "a/b", "framework": "Onnx", "url": "aml://asset/x", "kvTags": {} })
        }
        4 => json!([{ "op": "replace", "path": "/description", "value": "d" }]),
        5 => json!({ "paths": [{ "path": "a" }, { "path": "b/c" }] }),
        6 => json!({ "keyType": "Primary", "keyValue": "k" }),
        7 => json!({ "python": { "condaDependencies": {} }, "docker": { "enabled": true } }),
        _ => {
            return ["", "{", "[1e999]", "\u{feff}{}", "[[[[[[", "<BlockList/>"][choices.below(6)]
                .to_owned();
        }
    };
    for _ in 0..choices.below(3) {
        change(&mut document, choices);
    }
    document.to_string()
}

async fn send_anything(emulator: &Emulator, choices: &mut Choices<'_>) {
    let method = choices.of(&METHODS);
    let workspace = workspace_url(emulator).replacen(&format!("{HOST}/"), "", 1);
    let mut target = choices.of(&PATHS).replace("{ws}", &workspace);
    while target.contains("{n}") {
        target = target.replacen("{n}", choices.of(&NAMES), 1);
    }
    let query = choices.of(&QUERIES);
    let url = Url::parse(&format!("{HOST}{target}?{query}")).unwrap();
    let mut request = Request::new(url, method);
    request.insert_header(
        "authorization",
        choices.of(&["Bearer t", "Bearer", "", "Basic x"]),
    );
    request.insert_header(
        "content-type",
        choices.of(&[
            "application/json",
            "application/json-patch+json",
            "text/plain",
        ]),
    );
    request.set_body(document(choices).into_bytes());
    let answer = emulator.http_client().execute_request(&request).await;
    let status = u16::from(answer.unwrap().status());
    // No replica of a service answers before it is deployed.
    let scores = target.starts_with("/api/v1/service/");
    assert!(
        status < 500 || (scores && status == 503),
        "{method} {target}?{query}: {status}"
    );
}

/// As many cases as a test may take, or as `PROPTEST_CASES` says.
fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").map_or(100, |cases| cases.parse().unwrap());
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn request_of_any_sort_is_answered_and_the_emulator_goes_on(
        bytes in proptest::collection::vec(any::<u8>(), 300..600),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let emulator = with_compute(manual()).await;
            deploy(&emulator, no_code("myservice")).await;
            let mut choices = Choices(&bytes);
            while !choices.0.is_empty() {
                send_anything(&emulator, &mut choices).await;
            }
            emulator.finish_operations();
            let health = "http://127.0.0.1/_emulator/health";
            let health = try_send(&emulator, Method::Get, health, None, None).await.unwrap();
            assert_eq!(health.status, 200);
        });
    }
}
