//! From a service to a client that calls it.

use super::AksWebservice;
use crate::error::{Error, ErrorKind};
use crate::scoring::{
    CredentialKind, CredentialSource, ScoringClient, ScoringClientBuilder, ScoringCredential,
};
use crate::transport::limits::scoring::SERVICE_TIMEOUT;
use async_trait::async_trait;
use azure_core::time::OffsetDateTime;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use url::Url;

impl AksWebservice {
    /// A client that calls the service: with its key, a token or nothing, as the service asks.
    ///
    /// A call may take 100 seconds, or 40 more than the service's own scoring timeout where that is
    /// longer, so that its answer is heard. Key or token are fetched at the first call, kept, and
    /// replaced in time; before it is replaced the service is read, and if its address is another one by
    /// then, the call ends with [`ErrorKind::UntrustedUrl`]: build a new client. Calls themselves go to the service alone, over connections of their own; a
    /// workspace that was built with a transport has its services called through it, too.
    ///
    /// Sends: GET of the service, if it was not healthy when it was last read.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Refused`] if the service has no address yet; otherwise those of reading it, and of
    /// [`ScoringClientBuilder::build`].
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn scoring_client(&self) -> Result<ScoringClient, Error> {
        self.scoring_client_builder().await?.build()
    }

    /// [`scoring_client`](Self::scoring_client), before it is built: to set timeout, retries or a proxy.
    ///
    /// # Errors
    ///
    /// As for [`scoring_client`](Self::scoring_client).
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn scoring_client_builder(&self) -> Result<ScoringClientBuilder, Error> {
        // Found now, so that the client needs nothing of ARM later.
        self.workspace.data_plane().await?;
        let mut service = self.clone();
        let known = service.resource.scoring_uri.is_some() && service.is_healthy();
        if !known {
            service.refresh_state().await?;
        }
        let uri = service.resource.scoring_uri.as_deref().unwrap_or_default();
        if uri.is_empty() {
            let state = service.state().map(|state| state.to_string());
            return Err(Error::new(
                ErrorKind::Refused,
                format!(
                    "the service cannot be called yet (state {})",
                    state.as_deref().unwrap_or("unknown")
                ),
            )
            .with_context(|| service.doing("call"))
            .with_remedy("wait for its deployment first"));
        }
        let mut builder = ScoringClient::builder(uri);
        if self.workspace.has_own_transport()
            && let Some(transport) = &self.workspace.settings().options.transport
        {
            builder = builder.transport(transport.clone());
        }
        let resource = &service.resource;
        let own = Duration::from_millis(resource.scoring_timeout_ms.unwrap_or_default());
        builder = builder.outlasts(own.min(SERVICE_TIMEOUT));
        let tokens = resource.token_auth_enabled == Some(true);
        // Keys are enabled unless the settings disable them.
        let keys = resource.auth_enabled != Some(false);
        let kind = match (tokens, keys) {
            (true, _) => CredentialKind::Token,
            (false, true) => CredentialKind::Key,
            (false, false) => return Ok(builder.anonymous()),
        };
        let source = Source {
            service,
            kind,
            fetched: AtomicBool::new(false),
        };
        Ok(builder.source(Arc::new(source)))
    }

    fn is_healthy(&self) -> bool {
        self.state() == Some(super::ServiceState::Healthy)
    }
}

/// Fetches what a service asks for.
#[derive(Debug)]
struct Source {
    service: AksWebservice,
    kind: CredentialKind,
    /// Whether there was a fetch: the address may have changed since.
    fetched: AtomicBool,
}

impl Source {
    /// Checks that the service still has the address that the client sends to.
    ///
    /// The old address may belong to somebody else by now, and a fresh key must not go there.
    async fn same_address(&self) -> Result<(), Error> {
        let mut now = self.service.clone();
        now.refresh_state().await?;
        let address = |service: &AksWebservice| {
            let text = service.resource.scoring_uri.as_deref()?;
            Url::parse(text.trim()).ok()
        };
        if address(&now) == address(&self.service) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::UntrustedUrl,
            "the service has another address now, and no fresh key or token was sent to the old one",
        )
        .with_remedy("build a new client with `scoring_client`"))
    }
}

#[async_trait]
impl CredentialSource for Source {
    async fn fetch(&self) -> Result<ScoringCredential, Error> {
        if self.fetched.swap(true, Ordering::Relaxed) {
            self.same_address().await?;
        }
        let kind = self.kind;
        match kind {
            CredentialKind::Key => {
                let keys = self.service.keys().await?;
                let secret = keys
                    .primary_key
                    .or(keys.secondary_key)
                    .ok_or_else(|| Error::new(ErrorKind::Protocol, "the answer contains no key"))?;
                Ok(ScoringCredential {
                    secret,
                    refresh_after: None,
                    expires_on: None,
                    kind,
                })
            }
            CredentialKind::Token => {
                let token = self.service.token().await?;
                Ok(ScoringCredential {
                    refresh_after: token.refresh_after().map(OffsetDateTime::from),
                    expires_on: token.expires_on().map(OffsetDateTime::from),
                    secret: token.access_token,
                    kind,
                })
            }
        }
    }
}
