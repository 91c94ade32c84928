//! The default sender: `reqwest`, with nothing around it.

use super::{AGENT, Body, DirectRequest, Reply, ReplyHeaders, Undelivered};
use crate::transport::http;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::Headers;
use reqwest::header::{self, HeaderMap, HeaderName};

/// For the headers of every call, and one of the client.
const ROOM: usize = 8;

static CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");

/// A client of `reqwest`.
#[derive(Debug)]
pub(crate) struct Client(reqwest::Client);

impl Client {
    pub(super) fn new(client: reqwest::Client) -> Self {
        Self(client)
    }

    pub(super) async fn send(
        &self,
        request: DirectRequest<'_>,
        limit: usize,
    ) -> Result<Reply, Undelivered> {
        let sent = self.0.execute(translate(request)?);
        let mut answer = sent.await.map_err(|error| {
            let kind = if error.is_connect() {
                ErrorKind::Connection
            } else {
                ErrorKind::Io
            };
            Error::with_error(kind, error.without_url(), "the request could not be sent")
        })?;
        let status = answer.status().as_u16();
        let mut body = Body::of(status, limit);
        while let Some(piece) = answer.chunk().await.map_err(|error| {
            let error = error.without_url();
            Error::with_error(ErrorKind::Io, error, "the body of the answer broke off")
        })? {
            if !body.push(piece)? {
                break;
            }
        }
        let headers = std::mem::take(answer.headers_mut());
        Ok(Reply {
            status,
            headers: ReplyHeaders::Default(AnswerHeaders(headers)),
            body: body.finish(),
        })
    }
}

fn translate(request: DirectRequest<'_>) -> azure_core::Result<reqwest::Request> {
    let method = reqwest::Method::from_bytes(request.method.as_str().as_bytes())
        .map_err(|error| Error::with_error(ErrorKind::Other, error, "the method is not valid"))?;
    let mut own = reqwest::Request::new(method, request.url.clone());
    // Of its own accord the map grows three times.
    *own.headers_mut() = HeaderMap::with_capacity(ROOM + request.headers.len());
    let headers = own.headers_mut();
    for (name, value) in request.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| {
            Error::with_error(ErrorKind::Other, error, "the name of a header is not valid")
        })?;
        headers.insert(name, text(value)?);
    }
    headers.insert(header::USER_AGENT, header::HeaderValue::from_static(AGENT));
    headers.insert(
        header::ACCEPT,
        header::HeaderValue::from_static(request.accept),
    );
    headers.insert(CLIENT_REQUEST_ID.clone(), text(request.client_request_id)?);
    if let Some(content_type) = request.content_type {
        headers.insert(header::CONTENT_TYPE, text(content_type)?);
        if request.body.is_empty() {
            // `reqwest` would leave it out, and some servers insist on it.
            headers.insert(
                header::CONTENT_LENGTH,
                header::HeaderValue::from_static("0"),
            );
        }
        *own.body_mut() = Some(request.body.into());
    }
    if let Some(bearer) = request.bearer {
        own.headers_mut()
            .insert(header::AUTHORIZATION, bearer.value.0.clone());
    }
    Ok(own)
}

fn text(value: &str) -> azure_core::Result<header::HeaderValue> {
    header::HeaderValue::from_str(value).map_err(|error| {
        Error::with_error(
            ErrorKind::Other,
            error,
            "the value of a header is not valid",
        )
    })
}

/// The headers of an answer, as they came.
#[derive(Debug)]
pub(super) struct AnswerHeaders(HeaderMap);

impl AnswerHeaders {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name)?.to_str().ok()?.trim();
        (!value.is_empty()).then_some(value)
    }

    pub(super) fn into_headers(self) -> Headers {
        http::headers(&self.0)
    }
}

/// The value of a header that is checked once and sent often.
pub(super) struct HeaderValue(header::HeaderValue);

impl HeaderValue {
    pub(super) fn secret(text: &str) -> Option<Self> {
        let mut value = header::HeaderValue::from_str(text).ok()?;
        value.set_sensitive(true);
        Some(Self(value))
    }
}
