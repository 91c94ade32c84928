//! Secrets of a request stand in no text that comes back, wherever the service repeats them.
//!
//! Tables of secrets and of the places where a service may quote them.

mod computes;
mod sentences;
#[cfg(all(feature = "emulator", feature = "services"))]
mod services;

use azureml_aks::Error;
use serde_json::{Value, json};
use std::error::Error as _;
use std::fmt::Debug;

/// A secret in one of its spellings, and what of it must not be seen.
struct Quoted {
    form: String,
    text: String,
    pieces: Vec<String>,
}

impl Quoted {
    fn new(form: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let pieces = vec![text.clone()];
        let form = form.into();
        Self { form, text, pieces }
    }

    /// A text that every service and every log could contain.
    fn sentence(&self) -> String {
        format!("the service got {} and cannot use it", self.text)
    }

    fn refusal(&self) -> Value {
        json!({ "error": {
            "code": "Bad", "message": self.sentence(), "target": self.sentence(),
            "details": [{ "code": "Worse", "message": self.sentence() }],
        } })
    }
}

/// A secret of one line, as it is and as others write it.
fn spellings(form: &str, secret: &str) -> Vec<Quoted> {
    let escaped = Value::from(secret).to_string();
    vec![
        Quoted::new(form, secret),
        Quoted::new(format!("{form} in JSON"), &escaped[1..escaped.len() - 1]),
        Quoted::new(
            format!("{form} in base64"),
            azure_core::base64::encode(secret),
        ),
    ]
}

/// The texts that were shown, each with its place.
#[derive(Default)]
struct Shown(Vec<(&'static str, String)>);

impl Shown {
    fn show(&mut self, place: &'static str, what: &dyn Debug) {
        self.0.push((place, format!("{what:?}\n{what:#?}")));
    }

    /// An error in all its texts.
    fn error(&mut self, place: &'static str, error: &Error) {
        self.show(place, error);
        self.show(place, &error.to_string());
        self.show(place, &error.service_error());
        self.show(place, &error.findings());
        self.show(place, &error.last_status());
        self.show(place, &error.request_id());
        self.show(place, &error.container_logs());
        self.show(place, &error.resume_token());
        let mut source = error.source();
        while let Some(cause) = source {
            self.show(place, cause);
            self.show(place, &cause.to_string());
            source = cause.source();
        }
    }

    fn json(&mut self, place: &'static str, what: impl serde::Serialize) {
        // As a tree, in which nothing is escaped.
        let tree = serde_json::to_value(&what).unwrap();
        self.0.push((place, texts(&tree).join("\n")));
    }

    /// The places that show the secret. `Debug` escapes texts: both forms are looked for.
    fn leaks(&self, secret: &Quoted) -> Vec<&'static str> {
        let leaks = |text: &str| {
            secret.pieces.iter().any(|piece| {
                let escaped = format!("{piece:?}");
                text.contains(piece) || text.contains(escaped.trim_matches('"'))
            })
        };
        let mut places: Vec<_> = self
            .0
            .iter()
            .filter(|(_, text)| leaks(text))
            .map(|(place, _)| *place)
            .collect();
        places.dedup();
        places
    }
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(members) => members.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}
