//! What is protected stands in no text that comes back, wherever the service repeats it.

use super::*;
use azureml_aks::{Error, ExtensionTls, ExtensionUpdateConfiguration, Pem};

const SECRET: &str = "c4n4ry-of-a-connection";

fn pair() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["scoring.example.com".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

/// What the service may say: the setting, the key as it was sent, and a line of it.
fn sentences(key: &str) -> Vec<String> {
    let encoded = azure_core::base64::encode(key);
    let line = key.lines().nth(1).unwrap();
    [SECRET, &encoded, line]
        .iter()
        .map(|secret| format!("cannot apply {secret} here"))
        .collect()
}

fn shows(texts: &[String], key: &str) -> bool {
    let encoded = azure_core::base64::encode(key);
    let line = key.lines().nth(1).unwrap();
    texts.iter().any(|text| {
        [SECRET, &encoded, line]
            .iter()
            .any(|secret| text.contains(secret))
    })
}

fn told(error: &Error) -> Vec<String> {
    vec![
        error.to_string(),
        format!("{error:?} {:?}", error.service_error()),
        error
            .resume_token()
            .map(|token| token.expose())
            .unwrap_or_default(),
    ]
}

#[tokio::test(start_paused = true)]
async fn protected_settings_are_in_no_error_token_or_document() {
    let (certificate, key) = pair();
    let config = || {
        let tls = ExtensionTls::certificate(
            "scoring.example.com",
            Pem::text(&certificate),
            Pem::text(&key),
        );
        ExtensionConfiguration::builder()
            .inference(true)
            .router_service_type(RouterServiceType::LoadBalancer)
            .tls(tls)
            .protected_setting("own", SECRET)
            .build()
            .unwrap()
    };
    for sentence in sentences(&key) {
        let error =
            json!({ "code": "Bad", "message": sentence, "details": [{ "message": sentence }] });
        let script = Script::new();
        let workspace = workspace(&script);
        let install = || Extension::install(&workspace, managed(), "azureml", config());
        assert!(!shows(&[format!("{:?}", install())], &key));
        // Refused, refused without the form of ARM, and unclear.
        for (status, body) in [
            (400, json!({ "error": error })),
            (400, json!(sentence)),
            (500, json!({ "error": error })),
        ] {
            script.expect([absent(), cluster(3), reply(status).json(&body)]);
            let error = install().await.unwrap_err();
            assert!(!shows(&told(&error), &key), "{error}");
        }
        // The operation, and what the extension says of itself.
        let statuses = json!([{ "level": "Error", "code": "x", "message": sentence }]);
        let failed = with(
            "Failed",
            json!({ "statuses": statuses, "errorInfo": { "message": sentence } }),
        );
        script.expect([
            absent(),
            cluster(3),
            monitor(reply(201)).json(&extension("Creating")),
            reply(200).json(&json!({ "status": "Failed", "error": error })),
        ]);
        let mut installing = install().await.unwrap();
        let token = installing.resume_token().unwrap().expose();
        assert!(!shows(&[token, format!("{installing:?}")], &key));
        let error = installing.wait(Default::default()).await.unwrap_err();
        assert!(!shows(&told(&error), &key), "{error}");
        script.expect([
            absent(),
            cluster(3),
            monitor(reply(201)).json(&extension("Creating")),
            ended("Failed"),
            reply(200).json(&failed),
        ]);
        let error = install().await.unwrap().await.unwrap_err();
        assert!(!shows(&told(&error), &key), "{error}");

        // A healthy one that repeats it, now and when it is read again.
        let odd = with(
            "Succeeded",
            json!({ "statuses": statuses, "configurationProtectedSettings": { "own": SECRET } }),
        );
        script.expect([
            absent(),
            cluster(3),
            reply(200).json(&odd),
            reply(200).json(&odd),
        ]);
        let mut own = install().await.unwrap().await.unwrap();
        own.refresh().await.unwrap();
        let resource = own.resource();
        let texts = [
            format!("{own:?} {resource:?}"),
            serde_json::to_string(resource).unwrap(),
        ];
        assert!(!shows(&texts, &key), "{texts:?}");

        // What was secret in the install, in answers to what comes after it.
        let refused = json!({ "error": error_of(&sentence) });
        script.expect([reply(400).json(&refused)]);
        let error = own.refresh().await.unwrap_err();
        assert!(!shows(&told(&error), &key), "{error}");
        script.expect([
            reply(200).json(&extension("Succeeded")),
            reply(400).json(&refused),
            reply(400).json(&refused),
        ]);
        let train = ExtensionUpdateConfiguration::builder().release_train("preview");
        let error = own.update(train.build().unwrap()).await.unwrap_err();
        assert!(!shows(&told(&error), &key), "{error}");
        let error = own.delete().await.unwrap_err();
        assert!(!shows(&told(&error), &key), "{error}");

        let change = ExtensionUpdateConfiguration::builder()
            .protected_setting("own", SECRET)
            .tls(ExtensionTls::certificate(
                "scoring.example.com",
                Pem::text(&certificate),
                Pem::text(&key),
            ));
        let shown = format!("{change:?}");
        let change = change.build().unwrap();
        assert!(!shows(&[shown, format!("{change:?}")], &key));
        let plain = with(
            "Succeeded",
            json!({ "configurationSettings": {
            "enableInference": "True", "inferenceRouterServiceType": "LoadBalancer",
        } }),
        );
        script.expect([
            reply(200).json(&plain),
            reply(400).json(&json!({ "error": error_of(&sentence) })),
        ]);
        let error = own.update(change).await.unwrap_err();
        assert!(!shows(&told(&error), &key), "{error}");
        assert_eq!(script.unused(), 0);
    }
}

fn error_of(sentence: &str) -> Value {
    json!({ "code": "Bad", "message": sentence })
}
