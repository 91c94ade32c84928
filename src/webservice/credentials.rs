//! Keys and tokens of a web service.

use crate::error::Shown;
use azure_core::credentials::Secret;
use serde::Deserialize;
use std::fmt;
use std::time::{Duration, SystemTime};

/// The two keys of a web service. Each of them is accepted.
///
/// `Debug` shows which ones are there, never their content.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ServiceKeys {
    /// The primary key.
    #[serde(default)]
    pub primary_key: Option<Secret>,
    /// The secondary key.
    #[serde(default)]
    pub secondary_key: Option<Secret>,
}

impl fmt::Debug for ServiceKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceKeys")
            .field("primary_key", &Shown(&self.primary_key))
            .field("secondary_key", &Shown(&self.secondary_key))
            .finish()
    }
}

/// A token for calls to a web service, and its time of expiry.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ServiceToken {
    /// The token.
    pub access_token: Secret,
    /// `Bearer`.
    #[serde(default)]
    pub token_type: Option<String>,
    /// The time from which a new one should be fetched, in seconds since 1970.
    #[serde(default)]
    refresh_after: Option<u64>,
    /// The time at which it expires, in seconds since 1970.
    #[serde(default)]
    expiry_on: Option<u64>,
}

/// The end of the year 9999: later times cannot be calculated with.
const LATEST: u64 = 253_402_300_799;

impl ServiceToken {
    /// Returns the time from which a new token should be fetched.
    #[must_use]
    pub fn refresh_after(&self) -> Option<SystemTime> {
        self.refresh_after.map(moment)
    }

    /// Returns the time at which the token expires.
    #[must_use]
    pub fn expires_on(&self) -> Option<SystemTime> {
        self.expiry_on.map(moment)
    }
}

fn moment(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.min(LATEST))
}

impl fmt::Debug for ServiceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceToken")
            .field("token_type", &self.token_type)
            .field("refresh_after", &self.refresh_after)
            .field("expires_on", &self.expiry_on)
            .finish_non_exhaustive()
    }
}
