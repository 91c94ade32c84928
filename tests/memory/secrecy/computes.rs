//! The private key and the certificate of a compute.

use super::{Quoted, Shown};
use crate::operations::script::{Credential, Lifetime, Reply, Script, reply};
use azure_core::credentials::Secret;
use azure_core::http::Transport;
use azureml_aks::{
    AksCompute, AnyCompute, ComputeTarget, Error, Pem, Resumed, Tls, WaitOptions, Workspace,
    models::Progress, wait_all,
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const MONITOR: &str = "https://management.azure.com/subscriptions/s/operations/1?api-version=1";

struct Pair {
    certificate: String,
    key: String,
}

/// All forms of key and certificate.
fn forms(pair: &Pair) -> Vec<Quoted> {
    let mut all = Vec::new();
    for (name, pem) in [("key", &pair.key), ("certificate", &pair.certificate)] {
        let lines: Vec<&str> = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let base64 = azure_core::base64::encode(pem);
        let own = |form: &str, text: String| {
            let whole = lines.iter().filter(|line| line.len() >= 16);
            let mut pieces: Vec<String> = whole.map(|line| (*line).to_owned()).collect();
            pieces.push(base64[..40].to_owned());
            let form = format!("{name}, {form}");
            Quoted { form, text, pieces }
        };
        let escaped = Value::from(pem.as_str()).to_string();
        all.extend([
            own("as it is", pem.clone()),
            own("in JSON", escaped.clone()),
            own("in JSON in JSON", Value::from(escaped).to_string()),
            own("a line", lines[0].to_owned()),
            own("lines without armour", lines.join("\n")),
            own("lines in one", lines.join(" ")),
            own("the body joined", lines.concat()),
            own("base64", base64.clone()),
        ]);
    }
    all
}

fn tls(pair: &Pair) -> Tls {
    let (certificate, key) = (pair.certificate.clone(), pair.key.clone());
    Tls::certificate("x.example.com", Pem::text(certificate), Pem::text(key))
}

/// A compute that has failed, or not.
fn resource(state: &str, secret: Option<&Quoted>) -> Value {
    let errors = secret.map(|secret| json!([secret.refusal()]));
    json!({
        "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/computes/myaks",
        "name": "myaks",
        "properties": {
            "computeType": "AKS", "isAttachedCompute": false, "provisioningState": state,
            "provisioningErrors": errors,
        },
    })
}

fn created() -> Reply {
    let begun = reply(201).header("Azure-AsyncOperation", MONITOR);
    begun.json(&resource("Creating", None))
}

struct Stage {
    script: Arc<Script>,
    workspace: Workspace,
}

impl Stage {
    fn new() -> Self {
        let script = Script::new();
        let workspace = Workspace::builder("s", "g", "w")
            .credential(Credential::new(Lifetime::Moment))
            .transport(Transport::new(script.clone()))
            .location("eastus")
            .build()
            .unwrap();
        Self { script, workspace }
    }

    async fn create(&self, pair: &Pair, put: Reply) -> Result<AksCompute, Error> {
        self.script.expect([reply(404), put]);
        let config = AksCompute::provisioning_configuration().tls(tls(pair));
        let config = config.build().unwrap();
        ComputeTarget::create(&self.workspace, "myaks", config).await
    }
}

/// Waits to the end, which is a failure, and shows all that is told meanwhile.
macro_rules! wait {
    ($shown:expr, $place:literal, $compute:expr) => {{
        let seen = Arc::new(Mutex::new(Vec::<Progress>::new()));
        let told = seen.clone();
        let options =
            WaitOptions::new().on_progress(move |now| told.lock().unwrap().push(now.clone()));
        let error = $compute.wait_for_completion(options).await.unwrap_err();
        $shown.error($place, &error);
        $shown.json($place, &*seen.lock().unwrap());
        error
    }};
}

macro_rules! show {
    ($shown:expr, $place:literal, $compute:expr) => {{
        $shown.show($place, &$compute);
        $shown.show($place, &$compute.provisioning_errors());
        $shown.show($place, &$compute.resource());
        $shown.json($place, $compute.provisioning_errors());
        $shown.json($place, $compute.resource());
        $shown.show($place, &$compute.status());
    }};
}

/// Everything that a compute can go through, where the service repeats this secret each time.
async fn everywhere(pair: &Pair, secret: &Quoted) -> Shown {
    let mut shown = Shown::default();
    let refused = |status: u16| reply(status).json(&secret.refusal());
    let running = || reply(200).json(&json!({ "status": "InProgress" }));
    let failed = || {
        let mut body = secret.refusal();
        body["status"] = json!("Failed");
        reply(200).json(&body)
    };
    let resource_failed = || reply(200).json(&resource("Failed", Some(secret)));

    let stage = Stage::new();
    let error = stage.create(pair, refused(400)).await.unwrap_err();
    shown.error("refused PUT", &error);
    let odd = reply(400).text(secret.sentence());
    let error = stage.create(pair, odd).await.unwrap_err();
    shown.error("refused PUT without JSON", &error);
    let odd = reply(400)
        .header("x-ms-error-code", &secret.text.replace('\n', " "))
        .header("x-ms-request-id", &secret.text.replace('\n', " "));
    let error = stage.create(pair, odd).await.unwrap_err();
    shown.error("headers of a refused PUT", &error);
    let throttled = refused(429).header("retry-after", "100");
    let error = stage.create(pair, throttled).await.unwrap_err();
    shown.error("throttled PUT", &error);

    let stage = Stage::new();
    let error = stage.create(pair, refused(500)).await.unwrap_err();
    assert!(error.resume_token().is_some());
    shown.error("uncertain PUT", &error);

    // The monitor has the reason; or only the resource has it.
    let stage = Stage::new();
    let mut compute = stage.create(pair, created()).await.unwrap();
    let odd = json!({ "status": secret.text, "percentComplete": 1 });
    let again = refused(503);
    let expected = [running(), again, reply(200).json(&odd), failed()];
    stage.script.expect(expected);
    wait!(shown, "failed operation", compute);
    show!(shown, "handle of a failed operation", compute);
    let mut clone = compute.clone();
    show!(shown, "clone", clone);

    stage.script.expect([resource_failed()]);
    compute.refresh_state().await.unwrap();
    show!(shown, "refreshed handle", compute);
    stage.script.expect([resource_failed()]);
    wait!(shown, "wait with nothing pending", compute);
    show!(shown, "handle after that wait", compute);
    stage.script.expect([resource_failed()]);
    clone.refresh_state().await.unwrap();
    show!(shown, "refreshed clone", clone);
    stage.script.expect([refused(409)]);
    shown.error("refused DELETE", &compute.delete().await.unwrap_err());
    stage.script.expect([refused(409)]);
    shown.error("refused read", &compute.refresh_state().await.unwrap_err());
    let mut wide: AnyCompute = clone.into();
    stage.script.expect([resource_failed()]);
    wait!(shown, "compute of any kind", wide);
    show!(shown, "handle of any kind", wide);

    let stage = Stage::new();
    let mut compute = stage.create(pair, created()).await.unwrap();
    let token = compute.resume_token().unwrap().clone();
    let bare = reply(200).json(&json!({ "status": "Failed" }));
    stage.script.expect([bare.clone(), resource_failed()]);
    wait!(shown, "reason of the resource", compute);

    // Many at once, and nothing that the list says.
    let mut compute = Stage::create(&stage, pair, created()).await.unwrap();
    let mut other = compute.clone();
    stage.script.otherwise({
        let (list, own) = (refused(403), failed());
        move |sent| match sent.url.contains("/computes?") {
            true => list.clone(),
            false => own.clone(),
        }
    });
    let both = [&mut compute, &mut other];
    for result in wait_all(both, WaitOptions::new()).await {
        shown.error("many at once", &result.unwrap_err());
    }

    // Another process knows nothing, until it is told.
    let stage = Stage::new();
    stage
        .script
        .expect([reply(200).json(&resource("Creating", None))]);
    let Resumed::Compute(mut resumed) = stage.workspace.resume(&token).await.unwrap() else {
        unreachable!("the token is that of a create");
    };
    stage.script.expect([failed()]);
    let unknown = resumed.wait_for_completion(WaitOptions::new()).await;
    let mut before = Shown::default();
    before.error("before it was told", &unknown.unwrap_err());
    show!(before, "before it was told", resumed);
    // The guess at secrets in foreign texts knows the armour.
    let guessed = secret.text.contains("-----BEGIN");
    assert_eq!(before.leaks(secret).is_empty(), guessed, "{}", secret.form);
    let secrets = [&pair.key, &pair.certificate].map(|pem| Secret::new(pem.clone()));
    resumed.hide(&secrets);
    show!(shown, "resumed handle that was told late", resumed);
    wait!(shown, "resumed handle that was told late", resumed);
    shown
}

#[tokio::test(start_paused = true)]
async fn keys_and_certificates_of_computes_are_hidden_wherever_a_service_repeats_them() {
    let made = rcgen::generate_simple_self_signed(vec!["x.example.com".to_owned()]).unwrap();
    let pair = Pair {
        certificate: made.cert.pem(),
        key: made.signing_key.serialize_pem(),
    };
    let mut leaks = Vec::new();
    for secret in forms(&pair) {
        let places = everywhere(&pair, &secret).await.leaks(&secret);
        leaks.extend(
            places
                .iter()
                .map(|place| format!("{place}: {}", secret.form)),
        );
    }
    assert!(leaks.is_empty(), "{leaks:#?}");
}

#[tokio::test(start_paused = true)]
async fn secret_that_straddles_the_cut_of_a_long_text_leaves_no_part() {
    let made = rcgen::generate_simple_self_signed(vec!["x.example.com".to_owned()]).unwrap();
    let pair = Pair {
        certificate: made.cert.pem(),
        key: made.signing_key.serialize_pem(),
    };
    let line = pair.key.lines().nth(1).unwrap();
    let head = &line[..12];
    // 4 kB, with two bytes for each character before the secret.
    for before in (4_096 - 100..4_096).step_by(5) {
        let said = format!(
            "{}{line} {}",
            "\u{e9}".repeat(before / 2),
            "z ".repeat(4_000)
        );
        let refusal = json!({ "error": { "code": "Bad", "message": said } });
        let failed = json!({ "status": "Failed", "error": refusal["error"] });
        let stage = Stage::new();
        let refused = reply(400).json(&refusal);
        let mut errors = vec![stage.create(&pair, refused).await.unwrap_err()];
        let mut compute = stage.create(&pair, created()).await.unwrap();
        stage.script.expect([reply(200).json(&failed)]);
        let waited = compute.wait_for_completion(WaitOptions::new()).await;
        errors.push(waited.unwrap_err());
        let throttled = reply(429).header("retry-after", "100").json(&refusal);
        stage.script.expect([throttled]);
        errors.push(compute.refresh_state().await.unwrap_err());
        for error in errors {
            let message = error.service_error().unwrap().message.clone().unwrap();
            assert!(message.len() <= 4_096 + '…'.len_utf8(), "{}", message.len());
            assert!(message.ends_with('…'), "{message}");
            let shown = format!("{error} {error:?} {message}");
            assert!(!shown.contains(head), "{before}: {}", error.kind());
        }
    }
}
