use super::*;
use serde_json::{Value, json};

fn found(body: Value) -> ServiceError {
    ServiceError::find(&body, &Hidden::default()).unwrap()
}

#[test]
fn every_documented_shape_of_an_error_gives_code_and_message() {
    for body in [
        json!({"error": {"code": "C", "message": "M"}}),
        json!({"error": {"error": {"code": "C", "message": "M"}}}),
        json!({"code": "C", "message": "M"}),
        json!({"error": {}, "code": "C", "message": "M"}),
        json!({"error": null, "code": "C", "message": "M"}),
        json!({"status": "Failed", "error": {"code": "C", "message": "M", "details": null}}),
        json!({"error": {"code": "Outer", "message": "outer", "details": [{"code": "C", "message": "M"}]}}),
        json!({"error": {"code": "Outer", "innererror": {"code": "C", "message": "M"}}}),
    ] {
        assert_eq!(
            found(body.clone()).innermost(),
            (Some("C"), Some("M")),
            "{body}"
        );
    }
    let error = found(json!({"error": {"statusCode": 400, "message": "M"}}));
    assert_eq!(
        (error.status_code, error.innermost()),
        (Some(400), (None, Some("M")))
    );
}

#[test]
fn status_without_an_error_gives_none() {
    for body in [
        json!({"status": "Failed"}),
        json!({"error": null}),
        json!([]),
        json!("x"),
    ] {
        assert_eq!(
            ServiceError::find(&body, &Hidden::default()),
            None,
            "{body}"
        );
    }
}

#[test]
fn provisioning_errors_are_read_in_both_forms() {
    for errors in [
        json!([{"error": {"code": "C", "message": "M"}}]),
        json!([{"code": "C", "message": "M"}]),
        json!([{"code": "X", "message": "x", "error": {"code": "C", "message": "M"}}]),
    ] {
        let body = json!({"properties": {"provisioningErrors": errors}});
        let error = ServiceError::of_provisioning(&body, &Hidden::default()).unwrap();
        assert_eq!(error.innermost(), (Some("C"), Some("M")), "{body}");
    }
    for errors in [json!(null), json!([]), json!([null]), json!("x")] {
        let body = json!({"properties": {"provisioningErrors": errors}});
        assert_eq!(
            ServiceError::of_provisioning(&body, &Hidden::default()),
            None,
            "{body}"
        );
    }
}

#[test]
fn error_hidden_in_a_message_is_shown_and_kept() {
    let hidden = r#"Deployment failed: {"error":{"code":"Inner","message":"the reason"}}"#;
    let error = found(json!({"error": {"code": "Outer", "message": hidden}}));
    assert!(
        error.describe().contains("Inner: the reason"),
        "{}",
        error.describe()
    );
    assert_eq!(error.message.as_deref(), Some(hidden));
}

#[test]
fn deep_nesting_ends() {
    let mut body = json!({"code": "C"});
    for _ in 0..100 {
        body = json!({"error": body});
    }
    assert_eq!(ServiceError::find(&body, &Hidden::default()), None);
}

#[test]
fn display_holds_what_a_person_needs_in_one_text() {
    let error = Error::service(ResponseFacts {
        status: Some(409),
        error: Some(found(
            json!({"error": {"code": "QuotaExceeded", "message": "no cores left"}}),
        )),
        request_id: Some("r-1".into()),
        correlation_id: Some("c-1".into()),
        ..Default::default()
    })
    .with_context(|| "create compute \"myaks\"".into());
    let text = error.to_string();
    for part in [
        "create compute \"myaks\"",
        "QuotaExceeded",
        "no cores left",
        "409",
        "r-1",
        "c-1",
        "vCPUs",
    ] {
        assert!(text.contains(part), "{part} is missing from {text}");
    }
    assert_eq!(error.code(), Some("QuotaExceeded"));
    assert!(error.is_conflict() && !error.is_not_found());
}

#[test]
fn secrets_in_messages_of_the_service_are_hidden() {
    let error = Error::service(ResponseFacts {
        status: Some(400),
        error: Some(found(
            json!({"error": {"code": "C", "message": "bad \"key\":\"s3cr3t\""}}),
        )),
        ..Default::default()
    });
    assert!(!format!("{error} {error:?}").contains("s3cr3t"));
}

#[test]
fn innermost_message_of_azure_core_is_lifted_out() {
    use azure_core::error::ErrorKind as Core;
    let inner = azure_core::Error::with_message(Core::Other, "the true reason");
    let error = Error::from(inner.with_context("non-transport error occurred"));
    assert!(error.to_string().contains("the true reason"), "{error}");
}

#[test]
fn cause_is_kept_unless_it_quotes_a_signed_url() {
    use azure_core::error::ErrorKind as Core;
    use std::error::Error as _;
    let of = |text: &str| {
        let inner = std::io::Error::other(text.to_owned());
        Error::from(azure_core::Error::with_error(Core::Io, inner, "outer"))
    };
    let kept = of("connection refused");
    assert!(kept.source().unwrap().is::<azure_core::Error>());

    let hidden = of("no answer from https://h/o?t=s3cr3t");
    let outer = hidden.source().unwrap();
    assert_eq!(outer.to_string(), "outer");
    let inner = outer.source().unwrap();
    assert_eq!(inner.to_string(), "no answer from https://h/o?t=[redacted]");
    assert!(inner.source().is_none());
    assert!(!format!("{hidden} {hidden:?} {outer:?}").contains("s3cr3t"));
}

#[test]
fn conversion_to_azure_core_keeps_status_and_text() {
    let ours = Error::service(ResponseFacts {
        status: Some(404),
        ..Default::default()
    });
    let theirs = azure_core::Error::from(ours);
    assert_eq!(theirs.http_status().map(u16::from), Some(404));
}

#[test]
fn error_is_small_and_can_cross_threads() {
    fn crosses<T: Send + Sync + 'static>() {}
    crosses::<Error>();
    assert_eq!(std::mem::size_of::<Error>(), std::mem::size_of::<usize>());
}

#[test]
fn control_characters_of_the_service_do_not_reach_the_terminal() {
    let error = Error::service(ResponseFacts {
        status: Some(400),
        error: Some(found(
            json!({"error": {"code": "X\u{7}", "message": "a\u{1b}[2Jb\nc\u{9b}\u{202e}d"}}),
        )),
        request_id: Some("r\u{1b}1".into()),
        correlation_id: Some("c\n1".into()),
        ..Default::default()
    })
    .with_context(|| "read \"m\ry\"".into());
    assert_eq!(
        error.to_string(),
        "read \"m y\": X: a[2Jb cd [status 400] [request id r1] [correlation id c 1]"
    );

    let findings = vec![
        Finding::new(
            Severity::Error,
            "r.one",
            "a\u{8}b",
            None,
            "wrong",
            "mend it",
        ),
        Finding::new(
            Severity::Error,
            "r.two",
            "c",
            Some("x\ny"),
            "wrong",
            "mend it",
        ),
    ];
    assert_eq!(
        Error::validation("thing", findings)
            .to_string()
            .lines()
            .count(),
        3
    );
}

#[test]
fn clone_shares_the_facts_until_one_of_the_two_is_changed() {
    use std::error::Error as _;
    let error = Error::service(ResponseFacts {
        status: Some(503),
        ..Default::default()
    })
    .with_source(std::io::Error::other("the cause"));
    let clone = error.clone();
    assert!(Arc::ptr_eq(&error.inner, &clone.inner));
    assert!(clone.source().unwrap().is::<std::io::Error>());

    let changed = clone.with_context(|| "read".to_owned());
    assert!(changed.to_string().starts_with("read: "));
    assert!(!error.to_string().contains("read"), "{error}");
    assert_eq!(changed.http_status(), Some(503));
    assert_eq!(changed.source().unwrap().to_string(), "the cause");
}

#[test]
fn result_without_a_value_is_as_small_as_a_pointer() {
    assert_eq!(
        std::mem::size_of::<Result<(), Error>>(),
        std::mem::size_of::<usize>()
    );
}

/// All kinds, with their words.
const KINDS: [(ErrorKind, &str); 23] = [
    (ErrorKind::AlreadyExists, "already_exists"),
    (ErrorKind::Configuration, "configuration"),
    (ErrorKind::Credential, "credential"),
    (ErrorKind::DeadlineExceeded, "deadline_exceeded"),
    (ErrorKind::File, "file"),
    (ErrorKind::NotStarted, "not_started"),
    (ErrorKind::OperationCanceled, "operation_canceled"),
    (ErrorKind::OperationFailed, "operation_failed"),
    (ErrorKind::OperationStatusLost, "operation_status_lost"),
    (ErrorKind::Protocol, "protocol"),
    (ErrorKind::Refused, "refused"),
    (ErrorKind::ResultUnavailable, "result_unavailable"),
    (ErrorKind::ResumeToken, "resume_token"),
    (ErrorKind::ScoringCodeFailed, "scoring_code_failed"),
    (
        ErrorKind::ScoringCredentialUnavailable,
        "scoring_credential_unavailable",
    ),
    (ErrorKind::ScoringOverloaded, "scoring_overloaded"),
    (ErrorKind::ScoringTimeout, "scoring_timeout"),
    (ErrorKind::ScoringUnauthorized, "scoring_unauthorized"),
    (ErrorKind::Service, "service"),
    (ErrorKind::Timeout, "timeout"),
    (ErrorKind::Transport, "transport"),
    (ErrorKind::UntrustedUrl, "untrusted_url"),
    (ErrorKind::Validation, "validation"),
];

#[test]
fn every_kind_has_one_word_for_display_and_serialisation() {
    for (kind, word) in KINDS {
        assert_eq!(kind.to_string(), word);
        assert_eq!(serde_json::to_value(kind).unwrap(), word);
        let snake: String = format!("{kind:?}")
            .chars()
            .enumerate()
            .flat_map(|(at, c)| {
                let bar = (at > 0 && c.is_uppercase()).then_some('_');
                bar.into_iter().chain(c.to_lowercase())
            })
            .collect();
        assert_eq!(snake, word);
    }
}

fn answered(kind: ErrorKind, status: u16) -> Error {
    Error::of_response(
        kind,
        ResponseFacts {
            status: Some(status),
            ..Default::default()
        },
    )
}

#[test]
fn only_failures_that_may_pass_are_transient() {
    const PASSING: [u16; 7] = [408, 429, 500, 502, 503, 504, 530];
    for (kind, _) in KINDS {
        let always = matches!(kind, ErrorKind::Transport | ErrorKind::Timeout);
        let by_status = matches!(kind, ErrorKind::Service | ErrorKind::ScoringOverloaded);
        assert_eq!(Error::new(kind, "x").is_transient(), always, "{kind}");
        for status in PASSING {
            let expected = always || by_status;
            assert_eq!(
                answered(kind, status).is_transient(),
                expected,
                "{kind} {status}"
            );
        }
        for status in [200, 400, 401, 403, 404, 409, 412, 413, 501, 505] {
            assert_eq!(
                answered(kind, status).is_transient(),
                always,
                "{kind} {status}"
            );
        }
    }
}

#[test]
fn failure_of_a_credential_is_transient_where_its_own_request_failed_so() {
    use azure_core::error::ErrorKind as Core;
    let response = |status: u16| Core::HttpResponse {
        status: status.into(),
        error_code: None,
        raw_response: None,
    };
    for (cause, transient) in [
        (Core::Io, true),
        (Core::Connection, true),
        (response(503), true),
        (response(429), true),
        (response(400), false),
        (response(401), false),
        (Core::Credential, false),
        (Core::DataConversion, false),
        (Core::Other, false),
    ] {
        // What is hidden takes the types of the chain with it.
        for text in ["no answer", "no answer from https://h/o?sig=s3cr3t"] {
            let what = format!("{cause:?} {text}");
            let inner = azure_core::Error::with_message(cause.clone(), text);
            let outer = azure_core::Error::with_error(Core::Credential, inner, "no token");
            let error = Error::from(outer);
            assert_eq!(error.kind(), ErrorKind::Credential);
            assert_eq!(error.is_transient(), transient, "{what}");
        }
    }
}

#[cfg(feature = "services")]
#[test]
fn missing_scoring_credential_is_transient_where_its_cause_is() {
    let recast = |cause: Error| cause.recast(ErrorKind::ScoringCredentialUnavailable, "no key");
    assert!(recast(answered(ErrorKind::Service, 503)).is_transient());
    assert!(recast(Error::new(ErrorKind::Timeout, "late")).is_transient());
    assert!(!recast(answered(ErrorKind::Service, 403)).is_transient());
}

#[test]
fn error_of_the_service_reads_back_as_it_was_written() {
    let error = found(json!({"error": {
        "code": "Outer", "message": "outer", "statusCode": 409,
        "details": [{"code": "C", "message": "M", "target": "t"}],
    }}));
    let written = serde_json::to_value(&error).unwrap();
    assert_eq!(
        written,
        json!({
            "code": "Outer", "message": "outer", "statusCode": 409,
            "details": [{"code": "C", "message": "M", "target": "t"}],
        })
    );
    assert_eq!(
        serde_json::from_value::<ServiceError>(written).unwrap(),
        error
    );
}
