//! Keys and tokens.

use super::{AksWebservice, SUBJECT, post};
use super::{ServiceKeys, ServiceToken};
use crate::error::{Error, ErrorKind};
use crate::operation::request::{CallOptions, awaitable, call_options};
use crate::operation::{self, Driver, Prepared, Ticket, WaitOptions};
use crate::token::{HttpVerb, Verb};
use crate::transport::{Answer, HttpRequest};
use azure_core::credentials::Secret;
use azure_core::http::Method;
use futures::FutureExt;
use serde::Serialize;
use serde_json::json;
use std::fmt;

/// One of the two keys of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub enum KeyName {
    /// The primary key.
    Primary,
    /// The secondary key.
    Secondary,
}

impl KeyName {
    /// Returns the name as the service spells it, which is its form in JSON too.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "Primary",
            Self::Secondary => "Secondary",
        }
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl AksWebservice {
    /// Returns the keys of the service.
    ///
    /// Sends: POST for the keys.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Service`] with the service's code. Its texts are not shown, because they could
    /// quote a key.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn keys(&self) -> Result<ServiceKeys, Error> {
        let read = async {
            let (answer, id) = post(
                &self.workspace,
                &["services", self.name.as_str(), "listkeys"],
            )
            .await?;
            answer.successful_secret(&id)?.json(&id)
        };
        Box::pin(read)
            .await
            .map_err(|error: Error| error.with_context(|| self.doing("list the keys of")))
    }

    /// Makes a new key, waits until the service has it, and returns both keys. The other key stays valid
    /// meanwhile.
    ///
    /// Returns a request; `.await` sends it and waits. By default the service makes the key;
    /// [`value`](RegenerateKey::value) sets one.
    ///
    /// Sends: POST for the new key, GETs of the operation's status, POST for the keys.
    ///
    /// # Errors
    ///
    /// When it is awaited: [`ErrorKind::Validation`] for an empty value; [`ErrorKind::Service`] with the
    /// service's code, for example while another operation runs ([`Error::is_conflict`]); those of waiting.
    /// The service's texts are not shown, because they could quote a key.
    ///
    /// # Cancel safety
    ///
    /// If it is dropped after the first request was sent, the key may be new: read [`keys`](Self::keys).
    pub fn regenerate_key(&self, key: KeyName) -> RegenerateKey<'_> {
        RegenerateKey {
            service: self,
            key,
            value: None,
            options: CallOptions::default(),
        }
    }

    /// Returns a token for calls to the service, for services that require tokens. Each call fetches a new one;
    /// [`scoring_client`](Self::scoring_client) keeps one and replaces it in time.
    ///
    /// The token comes from the region of the *workspace*: while that region is down, no token is available,
    /// and the distance to the cluster adds time.
    ///
    /// Sends: POST for a token.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Service`] with the service's code, for example where the service does not require
    /// tokens. Its texts are not shown.
    ///
    /// # Cancel safety
    ///
    /// Safe: an unused token does no harm.
    pub async fn token(&self) -> Result<ServiceToken, Error> {
        let read = async {
            let (answer, id) =
                post(&self.workspace, &["services", self.name.as_str(), "token"]).await?;
            let answer = answer.successful_secret(&id).map_err(|error| {
                match (error.http_status(), error.remedy()) {
                    (Some(400), None) => error
                        .with_remedy("tokens are for services that are deployed with Auth::Token"),
                    _ => error,
                }
            })?;
            let token: ServiceToken = answer.json(&id)?;
            if token.access_token.secret().is_empty() {
                return Err(Error::new(
                    ErrorKind::Protocol,
                    "the service gave an empty token",
                ));
            }
            Ok(token)
        };
        Box::pin(read)
            .await
            .map_err(|error: Error| error.with_context(|| self.doing("get a token of")))
    }
}

/// A request for a new key, returned by [`AksWebservice::regenerate_key`]. `.await` sends it.
#[must_use = "a request sends nothing before it is awaited"]
pub struct RegenerateKey<'a> {
    service: &'a AksWebservice,
    key: KeyName,
    value: Option<Secret>,
    options: CallOptions,
}

impl<'a> RegenerateKey<'a> {
    /// Sets the new key. By default the service makes one.
    pub fn value(mut self, value: impl Into<Secret>) -> Self {
        self.value = Some(value.into());
        self
    }

    call_options!();

    /// Returns the resume token before the request is sent. A token whose request was accepted resumes as
    /// [`Resumed::NotStarted`](crate::Resumed::NotStarted), because a service does not show when its keys
    /// were made: read [`keys`](AksWebservice::keys).
    ///
    /// Sends: GET of the workspace and of its hosts (once per workspace).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`] for an empty value; [`ErrorKind::Configuration`] for a client request id
    /// that cannot be sent; those of reading the workspace.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn prepare(self) -> Result<Prepared<'a, ServiceKeys>, Error> {
        let Self {
            service,
            key,
            value,
            options,
        } = self;
        let empty = |value: &Secret| value.secret().trim().is_empty();
        if value.as_ref().is_some_and(empty) {
            let violation = crate::rules::DEPLOY_KEY_EMPTY.finding(
                "value",
                None,
                "the key is empty",
                "give a key, or leave it out and the service makes one",
            );
            return Err(Error::validation("key", vec![violation]));
        }
        let plane = service.workspace.data_plane().await?;
        let of = (Verb::RegenerateKey, HttpVerb::Post);
        let token = service.token_of(plane, of, false, &options)?;
        let target = service.doing("").trim_start().to_owned();
        Ok(Prepared::new(
            target,
            token,
            options.timeout,
            move |ticket| {
                async move {
                    let keys = service.regenerate(key, value, ticket).await;
                    keys.map_err(Error::without_texts)
                }
                .boxed()
            },
        ))
    }
}

awaitable!(['a] RegenerateKey<'a> => ServiceKeys, 'a, |request| {
    async move {
        let context = request.service.doing("regenerate a key of");
        let keys = operation::prepare_and_send(request.options.clone(), request.prepare()).await;
        keys.map_err(|error| error.with_context(|| context))
    }
    .boxed()
});

impl fmt::Debug for RegenerateKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegenerateKey")
            .field("service", &self.service)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl AksWebservice {
    async fn regenerate(
        &self,
        key: KeyName,
        value: Option<Secret>,
        ticket: Ticket,
    ) -> Result<ServiceKeys, Error> {
        let plane = self.workspace.data_plane().await?;
        let path = ["services", self.name.as_str(), "regenerateKeys"];
        // A word, as Microsoft's client sends it, although the description of the service has a number.
        let mut body = json!({ "keyType": key.to_string() });
        if let Some(value) = &value {
            body["keyValue"] = json!(value.secret());
        }
        let token = &ticket.token;
        let request = HttpRequest::new(Method::Post, plane.model_management(&path))
            .json(&body)
            .hiding(&self.hidden.get());
        // The service may repeat the new key later.
        self.hidden.add(&request.hidden);
        let answer = operation::write_secret(plane.client(), request, token).await?;
        if answer.status == 200
            && let Some(keys) = keys_of(&answer, token.id())
        {
            return Ok(keys);
        }
        let begun = operation::begin_service(
            plane.client(),
            token,
            &plane.model_management(&["operations"]),
            &answer,
        )?;
        let client = plane.client().clone();
        let mut driver = Driver::of(client, &SUBJECT, ticket, begun);
        driver.run(&WaitOptions::new()).await?;
        self.keys().await
    }
}

/// Keys in the answer at once.
fn keys_of(answer: &Answer, client_request_id: &str) -> Option<ServiceKeys> {
    let keys: ServiceKeys = answer.json(client_request_id).ok()?;
    (keys.primary_key.is_some() || keys.secondary_key.is_some()).then_some(keys)
}
