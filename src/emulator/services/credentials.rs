//! Keys and tokens of a service.

use std::time::Duration;

use azure_core::base64;
use serde_json::{Value, json};

use super::Service;
use crate::emulator::state::{Config, State};

/// A token that was handed out.
#[derive(Clone)]
pub(crate) struct Token {
    value: String,
    expires: Duration,
}

impl State {
    /// A new key: 32 letters and digits.
    pub(crate) fn service_key(&mut self) -> String {
        self.uuid().replace('-', "")
    }

    /// A new token for a service, as the answer shows it: times in seconds of the epoch.
    pub(crate) fn service_token(&mut self, config: &Config, name: &str) -> Value {
        let now = self.time.now();
        let settings = &config.services;
        let (expires, refresh) = (
            now.saturating_add(settings.token_lifetime),
            now.saturating_add(settings.token_refresh.min(settings.token_lifetime)),
        );
        let (id, expiry) = (self.uuid(), self.time.epoch_seconds(expires));
        let value = jwt(&json!({ "jti": id, "service": name, "exp": expiry }));
        let answer = json!({
            "accessToken": value,
            "tokenType": "Bearer",
            "expiryOn": expiry,
            "refreshAfter": self.time.epoch_seconds(refresh),
        });
        if let Some(service) = self.services.get_mut(name) {
            service.tokens.retain(|token| token.expires > now);
            service.tokens.push(Token { value, expires });
        }
        answer
    }
}

impl Service {
    /// Whether a scoring request with this bearer value, if any, is let in.
    pub(crate) fn admits(&self, bearer: Option<&str>, now: Duration) -> bool {
        if self.flag("authEnabled") {
            return bearer.is_some_and(|bearer| bearer == self.primary || bearer == self.secondary);
        }
        if self.flag("aadAuthEnabled") {
            return bearer.is_some_and(|bearer| {
                self.tokens
                    .iter()
                    .any(|token| token.value == bearer && token.expires > now)
            });
        }
        true
    }
}

/// A JSON Web Token with these claims, and a signature that signs nothing.
fn jwt(claims: &Value) -> String {
    let part = |part: &[u8]| {
        base64::encode_url_safe(part)
            .trim_end_matches('=')
            .to_owned()
    };
    let header = json!({ "alg": "RS256", "typ": "JWT" });
    format!(
        "{}.{}.{}",
        part(header.to_string().as_bytes()),
        part(claims.to_string().as_bytes()),
        part(&[7; 256])
    )
}
