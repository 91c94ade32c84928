//! A request and its answer, as values.

use super::body::Collector;
use super::limits::{bodies, texts, throttle};
use crate::error::{Error, ErrorKind, Hidden, ResponseFacts, ServiceError, redact};
use azure_core::Bytes;
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, Method};
use azure_core::time::OffsetDateTime;
use futures::StreamExt;
use serde::de::DeserializeOwned;
use std::time::Duration;
use url::Url;

/// A request. Made without I/O, and cheap to make again.
#[derive(Debug, Clone)]
pub(crate) struct HttpRequest {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) body: Option<Bytes>,
    pub(crate) content_type: &'static str,
    pub(crate) client_request_id: String,
    /// Its secrets, and others that are known: hidden in every text of the answer.
    pub(crate) hidden: Hidden,
}

impl HttpRequest {
    pub(crate) fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            body: None,
            content_type: "application/json",
            client_request_id: azure_core::Uuid::new_v4().into(),
            hidden: Hidden::default(),
        }
    }

    pub(crate) fn get(url: Url) -> Self {
        Self::new(Method::Get, url)
    }

    /// Sets the body. What is secret in it is hidden in every text of the answer.
    #[must_use]
    pub(crate) fn json(mut self, body: &serde_json::Value) -> Self {
        self.hidden = self.hidden.and(&Hidden::in_body(body));
        // A `Value` has string keys only: writing it cannot fail.
        self.body = Some(serde_json::to_vec(body).unwrap_or_default().into());
        self
    }

    /// [`json`](Self::json), for the changes of an RFC 6902 patch.
    #[cfg(feature = "services")]
    #[must_use]
    pub(crate) fn json_patch(self, changes: &serde_json::Value) -> Self {
        Self {
            content_type: "application/json-patch+json",
            ..self.json(changes)
        }
    }

    /// Hides these secrets, too, in every text of the answer.
    #[must_use]
    pub(crate) fn hiding(mut self, hidden: &Hidden) -> Self {
        self.hidden = self.hidden.and(hidden);
        self
    }

    #[must_use]
    pub(crate) fn request_id(mut self, id: Option<String>) -> Self {
        if let Some(id) = id {
            self.client_request_id = id;
        }
        self
    }
}

/// How much of a body is read before the answer is refused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit(pub(super) usize);

impl Limit {
    pub(crate) const RESOURCE: Self = Self(bodies::RESOURCE);
    pub(crate) const PAGE: Self = Self(bodies::PAGE);
    pub(crate) const SIZES: Self = Self(bodies::SIZES);
    #[cfg(feature = "services")]
    pub(crate) const LOGS: Self = Self(bodies::LOGS);
}

const SHAPE: &str = "has an unexpected shape";

/// The answer to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: Bytes,
    /// The secrets of the request.
    pub(crate) hidden: Hidden,
}

impl Answer {
    pub(crate) async fn read(response: AsyncRawResponse, limit: Limit) -> Result<Self, Error> {
        let (status, headers, mut body) = response.deconstruct();
        let mut collector = Collector::new(limit.0);
        while let Some(piece) = body.next().await {
            collector.push(piece?)?;
        }
        Ok(Self {
            status: status.into(),
            headers,
            body: collector.finish(),
            hidden: Hidden::default(),
        })
    }

    /// One that no service gave, for tests, benches and fuzz targets.
    #[cfg(any(test, feature = "internals"))]
    pub(crate) fn of(status: u16, headers: &[(&'static str, &str)], body: &[u8]) -> Self {
        let mut all = Headers::new();
        for (name, value) in headers {
            all.insert(*name, (*value).to_owned());
        }
        Self {
            status,
            headers: all,
            body: body.to_vec().into(),
            hidden: Hidden::default(),
        }
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The answer if the service agreed, its refusal as an error if not.
    pub(crate) fn successful(self, client_request_id: &str) -> Result<Self, Error> {
        if self.is_success() {
            Ok(self)
        } else {
            Err(self.refusal(client_request_id))
        }
    }

    pub(crate) fn refusal(&self, client_request_id: &str) -> Error {
        Error::service(self.facts(client_request_id))
    }

    /// [`successful`](Self::successful) for answers that may hold secrets: of a refusal only codes are shown, of one
    /// that is not an ARM error nothing. One that the service itself marks as an error is its words about the request,
    /// and holds none of what was asked for.
    pub(crate) fn successful_secret(self, client_request_id: &str) -> Result<Self, Error> {
        if self.is_success() {
            return Ok(self);
        }
        let refusal = self.refusal(client_request_id);
        let is_marked =
            self.header("x-ms-response-type") == Some("error") && refusal.service_error().is_some();
        Err(match is_marked {
            true => refusal,
            false => refusal.without_texts(),
        })
    }

    /// Reads the body as JSON of a known shape. All documents of the services are objects.
    pub(crate) fn json<T: DeserializeOwned>(&self, client_request_id: &str) -> Result<T, Error> {
        // serde takes a list for a struct, one member after the other: an empty list would pass for an
        // empty object.
        if self.text().trim_ascii_start().starts_with(b"[") {
            return Err(self.garbled(SHAPE, (1, 1), client_request_id));
        }
        serde_json::from_slice(self.text())
            .map_err(|error| self.undecodable(&error, client_request_id))
    }

    /// Says where the body is not JSON of the wanted shape. serde's message may quote values, and is left out.
    pub(crate) fn undecodable(&self, error: &serde_json::Error, client_request_id: &str) -> Error {
        let what = match error.is_data() {
            true => SHAPE,
            false => "is not valid JSON",
        };
        self.garbled(what, (error.line(), error.column()), client_request_id)
    }

    fn garbled(
        &self,
        what: &str,
        (line, column): (usize, usize),
        client_request_id: &str,
    ) -> Error {
        let facts = ResponseFacts {
            error: None,
            ..self.facts(client_request_id)
        };
        Error::new(
            ErrorKind::Protocol,
            format!("the answer {what} at line {line} column {column}"),
        )
        .with_response(facts)
    }

    /// The body without a byte order mark.
    pub(crate) fn text(&self) -> &[u8] {
        self.body
            .strip_prefix(b"\xEF\xBB\xBF")
            .unwrap_or(&self.body)
    }

    /// A header that is there and not blank.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// See [`retry_after`].
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.headers)
    }

    /// Returns the parts of this answer that an error keeps.
    pub(crate) fn facts(&self, client_request_id: &str) -> ResponseFacts {
        let body: Option<serde_json::Value> = serde_json::from_slice(self.text()).ok();
        let find = |body| ServiceError::find(body, &self.hidden);
        let own = |name: &str| Some(redact(&self.hidden.text(self.header(name)?)));
        let error = body.as_ref().and_then(find).or_else(|| {
            // A HEAD-like answer may carry its code in a header only.
            Some(ServiceError {
                code: Some(own("x-ms-error-code")?),
                ..ServiceError::default()
            })
        });
        ResponseFacts {
            status: Some(self.status),
            excerpt: if error.is_none() && !self.is_success() {
                self.excerpt()
            } else {
                None
            },
            error,
            request_id: own("x-ms-request-id"),
            correlation_id: own("x-ms-correlation-request-id"),
            client_request_id: Some(client_request_id.to_owned()),
            retry_after: self.retry_after(),
        }
    }

    /// The start of a body that is not an ARM error, in one line.
    fn excerpt(&self) -> Option<String> {
        let text = self.text();
        let text = String::from_utf8_lossy(text);
        // Before anything is cut: a part of a secret would not be found.
        let text = self.hidden.text(&text);
        let end = text.char_indices().nth(4 * texts::EXCERPT);
        let text = &text[..end.map_or(text.len(), |(end, _)| end)];
        let text = redact(text.trim());
        let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let cut: String = line.chars().take(texts::EXCERPT).collect();
        (!cut.is_empty()).then_some(cut)
    }
}

/// A header that is there and not blank.
///
/// By a walk, because a miss in `azure_core`'s lookup makes an error with a captured backtrace.
pub(super) fn header<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(own, _)| own.as_str().eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str().trim())
        .filter(|value| !value.is_empty())
}

/// How long the service asks to wait: milliseconds headers first, then `Retry-After` as seconds or
/// as a date. Zero, negative, past and unreadable values count as absent.
pub(super) fn retry_after(headers: &Headers) -> Option<Duration> {
    let millis = |name| {
        let value: f64 = header(headers, name)?.parse().ok()?;
        duration(value / 1000.0)
    };
    millis("retry-after-ms")
        .or_else(|| millis("x-ms-retry-after-ms"))
        .or_else(|| {
            let text = header(headers, "retry-after")?;
            if let Ok(seconds) = text.parse::<f64>() {
                return duration(seconds);
            }
            let at = azure_core::time::parse_rfc7231(text).ok()?;
            // Against the service's own clock where it tells it: ours may be skewed.
            let now = header(headers, "date")
                .and_then(|date| azure_core::time::parse_rfc7231(date).ok())
                .unwrap_or_else(OffsetDateTime::now_utc);
            duration((at - now).as_seconds_f64())
        })
}

/// Returns a positive number of seconds, limited to [`throttle::LONGEST`]: callers add a hint to a point in
/// time or sleep for it.
fn duration(seconds: f64) -> Option<Duration> {
    // Not a number is not greater either.
    (seconds > 0.0).then(|| {
        Duration::try_from_secs_f64(seconds)
            .unwrap_or(throttle::LONGEST)
            .min(throttle::LONGEST)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hint_to_wait_is_an_hour_at_most() {
        for (text, expected) in [
            ("10", Some(10)),
            ("1e300", Some(3600)),
            ("inf", Some(3600)),
            ("7200", Some(3600)),
            ("-1", None),
            ("NaN", None),
        ] {
            let answer = Answer::of(429, &[("retry-after", text)], b"");
            assert_eq!(
                answer.retry_after(),
                expected.map(Duration::from_secs),
                "{text}"
            );
        }
    }

    #[test]
    fn empty_list_is_refused_as_an_object() {
        #[derive(Debug, serde::Deserialize)]
        struct Anything {
            #[serde(default)]
            text: Option<String>,
        }
        let read = |body: &str| Answer::of(200, &[], body.as_bytes()).json::<Anything>("id");
        assert_eq!(read("{}").unwrap().text, None);
        for body in ["[]", " \r\n[\"x\"]", "[["] {
            let error = read(body).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol);
        }
    }

    #[test]
    fn code_and_ids_in_headers_pass_the_redaction() {
        for name in [
            "x-ms-error-code",
            "x-ms-request-id",
            "x-ms-correlation-request-id",
        ] {
            let headers = [(name, "password=s3cr3t-Value1")];
            let error = Answer::of(404, &headers, b"").refusal("id");
            let shown = format!("{error} {error:?} {:?}", error.service_error());
            assert!(!shown.contains("s3cr3t"), "{name}: {shown}");
            assert!(shown.contains("password="), "{name}: {shown}");
        }
    }

    #[test]
    fn refusal_of_secrets_shows_codes_and_no_texts() {
        let body = r#"{"error":{"code":"Outer","message":"adminKubeConfig s3cr3t","target":"s3cr3t",
            "details":[{"code":"Inner","message":"s3cr3t"},{"code":"it is s3cr3t"},"s3cr3t"]}}"#;
        let error = Answer::of(400, &[], body.as_bytes())
            .successful_secret("id")
            .unwrap_err();
        let shown = format!("{error} {error:?} {:?}", error.service_error());
        assert!(!shown.contains("s3cr3t"), "{shown}");
        assert_eq!(error.code(), Some("Inner"));
        assert_eq!(error.http_status(), Some(400));
    }
}
