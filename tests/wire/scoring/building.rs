//! Settings from which no client can be made.

use super::support::{KEY, ORIGIN, Script};
use azure_core::http::Transport;
use azureml_aks::{ErrorKind, ScoringClient, ScoringClientBuilder};

fn refusal(builder: ScoringClientBuilder) -> String {
    let error = builder.build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let text = format!("{error} {error:?}");
    assert!(!text.contains("CANARY"), "{text}");
    text
}

#[test]
fn invalid_scoring_uri_is_refused_and_not_quoted() {
    for (uri, why) in [
        ("", "empty"),
        ("  ", "empty"),
        ("20.61.114.201/score", "not a valid URL"),
        ("CANARY", "not a valid URL"),
        ("http://", "not a valid URL"),
        ("https://[CANARY", "not a valid URL"),
        ("ftp://host/CANARY", "not an http"),
        ("file:///CANARY", "not an http"),
        ("data:text/plain,CANARY", "not an http"),
        ("https://CANARY@host/score", "password"),
        ("https://u:CANARY@host/score", "password"),
    ] {
        let text = refusal(ScoringClient::builder(uri).key(KEY));
        assert!(text.contains(why), "{uri}: {text}");
    }
}

#[test]
fn client_without_a_credential_is_refused() {
    let text = refusal(ScoringClient::builder(ORIGIN));
    assert!(
        text.contains("`key`") && text.contains("`anonymous`"),
        "{text}"
    );
    for key in ["", " CANARY", "CANARY\n", "CAN\u{e4}RY"] {
        let text = refusal(ScoringClient::builder(ORIGIN).key(key));
        assert!(text.contains("the key is empty"), "{text}");
    }
}

#[test]
fn all_errors_are_reported_at_once() {
    let text = refusal(
        ScoringClient::builder("")
            .key("")
            .proxy("CANARY:9")
            .extra_ca("CANARY")
            .transport(Transport::new(Script::new([]))),
    );
    for why in ["scoring URI", "the key", "the proxy", "extra CA"] {
        assert!(text.contains(why), "{why}: {text}");
    }
}

#[test]
fn invalid_authority_is_refused() {
    for pem in ["no certificate", ""] {
        let text = refusal(ScoringClient::builder(ORIGIN).key(KEY).extra_ca(pem));
        assert!(text.contains("extra CA"), "{text}");
    }
}

#[test]
fn client_reports_its_address_and_whether_it_is_encrypted() {
    let client = |uri: &str| ScoringClient::builder(uri).anonymous().build().unwrap();
    let plain = client(" http://20.61.114.201:80/api/v1/service/s/score#x ");
    assert!(!plain.is_encrypted());
    assert_eq!(
        plain.scoring_uri().as_str(),
        "http://20.61.114.201/api/v1/service/s/score"
    );
    assert!(client("HTTPS://host/score").is_encrypted());
}
