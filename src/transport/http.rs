//! From a request of `azure_core` to one of `reqwest`, and back.

use async_trait::async_trait;
use azure_core::Bytes;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Request};
use futures::TryStreamExt;
use reqwest::header::{self, HeaderMap};
use std::collections::HashMap;

/// A client of `reqwest` as a transport.
///
/// # Design
///
/// `azure_core` has this for `reqwest` itself, and what it does is done here too. It copies the
/// name of every header of an answer twice, though, and grows the map as it goes; here the names
/// that ARM sends are known beforehand. That is a fifth of a request's allocations and a tenth of its work
/// (`docs/internals/performance.md`).
#[derive(Debug)]
pub(super) struct Http(pub(super) reqwest::Client);

#[async_trait]
impl HttpClient for Http {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let Body::Bytes(body) = request.body() else {
            // A stream, which this library never sends; one of its user's policies might.
            return self.0.execute_request(request).await;
        };
        let sent = self.0.execute(translate(request, body.clone())?);
        let answer = sent.await.map_err(|error| {
            let kind = if error.is_connect() {
                ErrorKind::Connection
            } else {
                ErrorKind::Io
            };
            Error::with_error(kind, error, "the request could not be sent")
        })?;
        let status = answer.status().as_u16().into();
        let headers = headers(answer.headers());
        let body = answer.bytes_stream().map_err(|error| {
            Error::with_error(ErrorKind::Io, error, "the body of the answer broke off")
        });
        Ok(AsyncRawResponse::new(status, headers, Box::pin(body)))
    }
}

fn translate(request: &Request, body: Bytes) -> azure_core::Result<reqwest::Request> {
    let refuse = |what: &str, error: BoxError| {
        Error::with_error(ErrorKind::Other, error, format!("the {what} is not valid"))
    };
    let method = reqwest::Method::from_bytes(request.method().as_str().as_bytes())
        .map_err(|error| refuse("method", error.into()))?;
    let mut own = reqwest::Request::new(method, request.url().clone());
    for (name, value) in request.headers().iter() {
        let mut value = header::HeaderValue::from_str(value.as_str())
            .map_err(|error| refuse(name.as_str(), error.into()))?;
        let name = header::HeaderName::from_bytes(name.as_str().as_bytes())
            .map_err(|error| refuse("name of a header", error.into()))?;
        value.set_sensitive(name == header::AUTHORIZATION);
        own.headers_mut().insert(name, value);
    }
    *own.body_mut() = Some(body.into());
    Ok(own)
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

pub(super) fn headers(map: &HeaderMap) -> Headers {
    let mut headers = HashMap::with_capacity(map.len());
    for (name, value) in map {
        match value.to_str() {
            Ok(value) => {
                headers.insert(own_name(name.as_str()), HeaderValue::from(value.to_owned()));
            }
            Err(_) => tracing::warn!(header = %name, "left out, because its value is not text"),
        }
    }
    headers.into()
}

fn own_name(name: &str) -> HeaderName {
    match KNOWN.iter().find(|known| known.as_str() == name) {
        Some(known) => known.clone(),
        None => HeaderName::from(name.to_owned()),
    }
}

/// The headers that ARM and the machine learning service send. Any other name works, and costs an allocation.
static KNOWN: [HeaderName; 30] = [
    HeaderName::from_static("cache-control"),
    HeaderName::from_static("pragma"),
    HeaderName::from_static("content-length"),
    HeaderName::from_static("content-type"),
    HeaderName::from_static("content-encoding"),
    HeaderName::from_static("transfer-encoding"),
    HeaderName::from_static("connection"),
    HeaderName::from_static("expires"),
    HeaderName::from_static("etag"),
    HeaderName::from_static("vary"),
    HeaderName::from_static("date"),
    HeaderName::from_static("server"),
    HeaderName::from_static("location"),
    HeaderName::from_static("retry-after"),
    HeaderName::from_static("request-context"),
    HeaderName::from_static("azure-asyncoperation"),
    HeaderName::from_static("strict-transport-security"),
    HeaderName::from_static("x-content-type-options"),
    HeaderName::from_static("x-cache"),
    HeaderName::from_static("x-msedge-ref"),
    HeaderName::from_static("x-request-time"),
    HeaderName::from_static("x-aml-cluster"),
    HeaderName::from_static("x-ms-response-type"),
    HeaderName::from_static("x-ms-request-id"),
    HeaderName::from_static("x-ms-client-request-id"),
    HeaderName::from_static("x-ms-correlation-request-id"),
    HeaderName::from_static("x-ms-routing-request-id"),
    HeaderName::from_static("x-ms-ratelimit-remaining-subscription-reads"),
    HeaderName::from_static("x-ms-ratelimit-remaining-subscription-writes"),
    HeaderName::from_static("x-ms-ratelimit-remaining-subscription-deletes"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use azure_core::http::Method;
    use azure_core::http::headers::{AUTHORIZATION, RETRY_AFTER};

    #[test]
    fn request_keeps_all_that_it_says() {
        let url = url::Url::parse("https://management.azure.com/a%20b?x=%2F").unwrap();
        for (method, name) in [
            (Method::Delete, "DELETE"),
            (Method::Get, "GET"),
            (Method::Head, "HEAD"),
            (Method::Patch, "PATCH"),
            (Method::Post, "POST"),
            (Method::Put, "PUT"),
        ] {
            let mut request = Request::new(url.clone(), method);
            request.insert_header(AUTHORIZATION, "Bearer s3cr3t");
            request.insert_header("x-own", "1");
            let own = translate(&request, Bytes::from_static(b"{}")).unwrap();
            assert_eq!(own.method().as_str(), name);
            assert_eq!(own.url(), &url);
            assert_eq!(own.headers()["authorization"], "Bearer s3cr3t");
            assert_eq!(own.headers()["x-own"], "1");
            assert_eq!(own.headers().len(), 2);
            assert_eq!(own.body().unwrap().as_bytes(), Some(&b"{}"[..]));
            assert!(!format!("{own:?}").contains("s3cr3t"));
        }
    }

    #[test]
    fn header_that_cannot_be_sent_is_named_and_not_quoted() {
        let url = url::Url::parse("https://management.azure.com").unwrap();
        let mut request = Request::new(url, Method::Get);
        request.insert_header(AUTHORIZATION, "Bearer s3cr3t\n");
        let error = translate(&request, Bytes::new()).unwrap_err().to_string();
        assert!(error.contains("authorization"), "{error}");
        assert!(!error.contains("s3cr3t"), "{error}");
    }

    #[test]
    fn headers_are_found_whether_their_names_are_known_or_not() {
        let mut map = HeaderMap::new();
        for (name, value) in [
            ("Retry-After", &b"7"[..]),
            ("x-ms-request-id", b"id"),
            ("x-never-seen", b"new"),
            ("x-not-text", b"\xff"),
        ] {
            map.insert(
                header::HeaderName::from_bytes(name.as_bytes()).unwrap(),
                header::HeaderValue::from_bytes(value).unwrap(),
            );
        }
        let headers = headers(&map);
        assert_eq!(headers.get_optional_str(&RETRY_AFTER), Some("7"));
        for (name, value) in [
            ("x-ms-request-id", Some("id")),
            ("x-never-seen", Some("new")),
            ("x-not-text", None),
        ] {
            assert_eq!(headers.get_optional_str(&HeaderName::from(name)), value);
        }
    }
}
