//! Sentences of services are to be read: the guess at secrets in them changes none.

use crate::support::recordings;
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
    let Some(cassettes) = recordings::cassettes() else {
        return;
    };
    let mut found = BTreeSet::new();
    for cassette in cassettes {
        messages(&serde_json::from_str(&cassette.text).unwrap(), &mut found);
    }
    assert!(found.len() > 20, "{found:?}");
    for message in found.iter().filter(|message| !message.trim().is_empty()) {
        assert_eq!(shown(message).as_deref(), Some(message.as_str()));
    }
    assert_ne!(
        shown("password: s3cr3t").as_deref(),
        Some("password: s3cr3t")
    );
}

/// The texts in quotes of a source, without its comments and tests.
fn literals(source: &str) -> Vec<String> {
    let source = source
        .split("#[cfg(test)]\nmod tests")
        .next()
        .unwrap_or_default();
    let code = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let code = code.collect::<Vec<_>>().join("\n");
    // Quotes as characters would begin a text, and so would escaped ones.
    let code = code.replace("'\"'", "' '").replace("\\\"", "'");
    let texts = code.split('"').skip(1).step_by(2);
    texts
        .map(|text| text.replace("\\\n", "").replace("\\n", "\n"))
        .collect()
}

fn sources(folder: PathBuf, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => sources(path, found),
            false => found.push(path),
        }
    }
}

#[test]
fn texts_of_the_library_stay_as_they_are() {
    let mut files = Vec::new();
    sources(
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut files,
    );
    // Tests; and texts that play the service.
    let left_out = |path: &PathBuf| {
        let path = path.to_string_lossy();
        let parts = ["/tests", "/emulator", "/error/redact.rs", "_tests.rs"];
        parts.iter().any(|part| path.contains(part)) || !path.ends_with(".rs")
    };
    files.retain(|path| !left_out(path));
    let (mut count, mut changed) = (0, Vec::new());
    for file in files {
        for text in literals(&std::fs::read_to_string(&file).unwrap()) {
            // Sentences, and not the armour of keys.
            if !text.trim().contains(' ') || text.contains("-----BEGIN") {
                continue;
            }
            count += 1;
            let shown = shown(&text).unwrap_or_default();
            if shown != text {
                changed.push(format!("{}: {text} became {shown}", file.display()));
            }
        }
    }
    assert!(changed.is_empty(), "{changed:#?}");
    assert!(count > 500, "{count} texts");
}
