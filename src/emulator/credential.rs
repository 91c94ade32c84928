//! A credential for tests.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_core::time::OffsetDateTime;

/// Hands out one fixed token. The emulator accepts any that is not empty.
pub(crate) struct TestCredential;

impl fmt::Debug for TestCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TestCredential")
    }
}

#[async_trait]
impl TokenCredential for TestCredential {
    async fn get_token(
        &self,
        _scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        Ok(AccessToken {
            token: Secret::new("emulator-token"),
            expires_on: OffsetDateTime::now_utc() + Duration::from_secs(3600),
        })
    }
}
