//! Takes known secrets out of what a service said: services repeat what they were sent.

use super::{Error, ServiceError};
use azure_core::credentials::Secret;

const HIDDEN: &str = "[redacted]";

/// What is shorter is found in any text, and is no secret.
const SHORTEST: usize = 4;

impl Error {
    /// The same, without these secrets in any text that came from the service.
    pub(crate) fn hiding(mut self, secrets: &[Secret]) -> Self {
        let inner = self.inner_mut();
        inner.message = without(&inner.message, secrets);
        for finding in &mut inner.findings {
            finding.message = without(&finding.message, secrets);
        }
        if let Some(response) = &mut inner.response {
            response.excerpt = response.excerpt.take().map(|text| without(&text, secrets));
            response.error = response.error.take().map(|error| error.hiding(secrets));
        }
        self
    }
}

impl ServiceError {
    /// The same, without these secrets.
    pub(crate) fn hiding(self, secrets: &[Secret]) -> Self {
        let hidden = |text: Option<String>| text.map(|text| without(&text, secrets));
        Self {
            code: hidden(self.code),
            message: hidden(self.message),
            target: hidden(self.target),
            status_code: self.status_code,
            details: self
                .details
                .into_iter()
                .map(|detail| detail.hiding(secrets))
                .collect(),
        }
    }
}

/// A text in which none of the secrets stands, in any spelling that JSON has for it.
fn without(text: &str, secrets: &[Secret]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().map(Secret::secret) {
        if secret.chars().count() < SHORTEST {
            continue;
        }
        for spelling in [secret.to_owned(), escaped(secret), escaped_more(secret)] {
            if text.contains(&spelling) {
                text = text.replace(&spelling, HIDDEN);
            }
        }
    }
    text
}

/// As it stands within a JSON text.
fn escaped(secret: &str) -> String {
    let text = serde_json::Value::from(secret).to_string();
    text.trim_start_matches('"')
        .strip_suffix('"')
        .unwrap_or(&text)
        .to_owned()
}

/// As .NET writes it there, which escapes more than it must.
fn escaped_more(secret: &str) -> String {
    let mut out = String::new();
    for unit in secret.encode_utf16() {
        match u8::try_from(unit).map(char::from) {
            Ok('\\') => out.push_str("\\\\"),
            Ok(c)
                if c.is_ascii_graphic()
                    && !matches!(c, '"' | '\'' | '&' | '+' | '<' | '>' | '`') =>
            {
                out.push(c);
            }
            Ok(' ') => out.push(' '),
            _ => out.push_str(&format!("\\u{unit:04X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_in_every_spelling_of_it() {
        let secrets = [Secret::new("a+b\"c/\u{e9}"), Secret::new("abc")];
        for text in [
            "a+b\"c/\u{e9}",
            "a+b\\\"c/\u{e9}",
            "a\\u002Bb\\u0022c/\\u00E9",
        ] {
            let said = format!("x {text} abc y");
            assert_eq!(without(&said, &secrets), "x [redacted] abc y", "{text}");
        }
    }
}
