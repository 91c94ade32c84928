//! Sentences of services are to be read: the guess at secrets in them changes none.

use azureml_aks::error::ServiceError;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// All texts under `message`, also those of JSON within texts.
fn messages(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if let ("message", Some(text)) = (name.as_str(), value.as_str()) {
                    found.insert(text.to_owned());
                }
                messages(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| messages(item, found)),
        Value::String(text) => {
            if let Ok(inner @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text) {
                messages(&inner, found);
            }
        }
        _ => {}
    }
}

fn shown(message: &str) -> Option<String> {
    let error: ServiceError = serde_json::from_value(json!({ "message": message })).unwrap();
    error.message
}

#[test]
fn messages_of_recorded_traffic_stay_as_they_are() {
    let folder = std::env::var_os("AZURE_RECORDINGS")
        .map_or_else(|| "../shared/recordings/cassettes".into(), PathBuf::from);
    let Ok(files) = std::fs::read_dir(&folder) else {
        let required = std::env::var_os("REQUIRE_RECORDINGS").is_some();
        assert!(
            !required,
            "REQUIRE_RECORDINGS is set, and {folder:?} cannot be read"
        );
        eprintln!("skipped: there are no recordings in {folder:?}");
        return;
    };
    let mut found = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        messages(&serde_json::from_str(&text).unwrap(), &mut found);
    }
    assert!(
        found.len() > 20,
        "{folder:?} holds {} messages",
        found.len()
    );
    for message in found.iter().filter(|message| !message.trim().is_empty()) {
        assert_eq!(shown(message).as_deref(), Some(message.as_str()));
    }
    assert_ne!(
        shown("password: s3cr3t").as_deref(),
        Some("password: s3cr3t")
    );
}
