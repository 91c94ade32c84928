//! Takes secrets out of texts that are not ours, before they become part of an error.

use url::Url;

const HIDDEN: &str = "[redacted]";

/// JSON members and query parameters whose values are never shown.
const SECRET_NAMES: [&str; 16] = [
    "access_token",
    "accesstoken",
    "adminkubeconfig",
    "authorization",
    "cert",
    "client_secret",
    "key",
    "keyvalue",
    "password",
    "primarykey",
    "refresh_token",
    "secondarykey",
    "secret",
    "sig",
    "token",
    "userkubeconfig",
];

/// Hides PEM blocks, bearer tokens, JSON web tokens, signatures of URLs and the values of members
/// with a secret's name.
pub(crate) fn redact(text: &str) -> String {
    if !suspicious(text) {
        return text.to_owned();
    }
    let text = pem_blocks(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        if let Some(after) = hidden_token(rest, &mut out) {
            rest = after;
            continue;
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
        // Tokens start at the start of a word.
        if c.is_ascii_alphanumeric() {
            let word = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let (head, tail) = rest.split_at(word.unwrap_or(rest.len()));
            out.push_str(head);
            rest = tail;
        }
    }
    out
}

/// A URL with the values of its query hidden: monitor URLs may be signed for one caller.
pub(crate) fn redact_url(url: &Url) -> String {
    let mut shown = url.clone();
    if !url.username().is_empty() || url.password().is_some() {
        // Fails only for URLs that cannot have a user at all.
        let _ = shown.set_username("");
        let _ = shown.set_password(None);
    }
    shown.set_fragment(None);
    if url.query().is_none() {
        return shown.into();
    }
    shown.set_query(None);
    let names = url.query_pairs().map(|(name, value)| {
        if name.eq_ignore_ascii_case("api-version") {
            format!("{name}={value}")
        } else {
            format!("{name}={HIDDEN}")
        }
    });
    format!("{shown}?{}", names.collect::<Vec<_>>().join("&"))
}

/// [`redact`] for the texts of transports, which quote the URL of the request: the values of its
/// query are hidden too. Not for the service's own messages, whose links are meant to be followed.
pub(crate) fn redact_cause(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = ["https://", "http://"]
        .iter()
        .filter_map(|scheme| rest.find(scheme))
        .min()
    {
        let (head, tail) = rest.split_at(start);
        out.push_str(head);
        let end = tail
            .find(|c: char| c.is_whitespace() || matches!(c, ')' | '"' | '\'' | '<' | '>'))
            .unwrap_or(tail.len());
        let (url, tail) = tail.split_at(end);
        match Url::parse(url) {
            Ok(parsed) if parsed.query().is_some() => out.push_str(&redact_url(&parsed)),
            _ => out.push_str(url),
        }
        rest = tail;
    }
    out.push_str(rest);
    redact(&out)
}

/// Most texts hold nothing of the kind, and are not worth a walk.
fn suspicious(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["-----begin", "bearer ", "eyj"]
        .iter()
        .any(|mark| lower.contains(mark))
        || SECRET_NAMES.iter().any(|name| lower.contains(name))
}

fn pem_blocks(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("-----BEGIN") {
        out.push_str(&rest[..start]);
        out.push_str("[redacted PEM]");
        // An unfinished block is hidden to the end.
        rest = match rest[start..].find("-----END") {
            Some(end) => {
                let tail = &rest[start + end + "-----END".len()..];
                tail.find("-----").map_or("", |close| &tail[close + 5..])
            }
            None => "",
        };
    }
    out.push_str(rest);
    out
}

/// If a secret starts here, writes its replacement and gives the text behind it.
fn hidden_token<'a>(rest: &'a str, out: &mut String) -> Option<&'a str> {
    if let Some(after) = strip_prefix_ignore_case(rest, "bearer ") {
        out.push_str(&rest[..7]);
        out.push_str(HIDDEN);
        return Some(&after[token_end(after)..]);
    }
    if rest.starts_with("eyJ") {
        let end = token_end(rest);
        if end > 20 {
            out.push_str(HIDDEN);
            return Some(&rest[end..]);
        }
    }
    for name in SECRET_NAMES {
        let Some(after) = strip_prefix_ignore_case(rest, name) else {
            continue;
        };
        let label = &rest[..name.len()];
        // `name=value`, as in a query.
        if let Some(value) = after.strip_prefix('=') {
            out.push_str(label);
            out.push('=');
            out.push_str(HIDDEN);
            return Some(&value[token_end(value)..]);
        }
        // `"name": "value"`, also with the quotes escaped inside another string.
        for quote in ["\"", "\\\""] {
            let Some(tail) = after.strip_prefix(quote) else {
                continue;
            };
            let Some(tail) = tail.trim_start().strip_prefix(':') else {
                continue;
            };
            let Some(value) = tail.trim_start().strip_prefix(quote) else {
                continue;
            };
            let end = value_end(value, quote);
            out.push_str(label);
            out.push_str(quote);
            out.push(':');
            out.push_str(quote);
            out.push_str(HIDDEN);
            return Some(&value[end..]);
        }
    }
    None
}

fn strip_prefix_ignore_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix)
        .then(|| &text[prefix.len()..])
}

fn token_end(text: &str) -> usize {
    text.find(|c: char| {
        c.is_whitespace() || matches!(c, '&' | '"' | '\'' | ',' | ';' | ')' | '}' | '<' | '\\')
    })
    .unwrap_or(text.len())
}

/// Where a quoted value ends; escaped quotes inside it do not end it.
fn value_end(value: &str, quote: &str) -> usize {
    let mut from = 0;
    while let Some(found) = value[from..].find(quote) {
        let at = from + found;
        if quote == "\"" && value[..at].ends_with('\\') {
            from = at + 1;
            continue;
        }
        return at;
    }
    value.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_leave_every_form_of_text() {
        let cases = [
            ("Authorization: Bearer abc.def-ghi", "abc.def"),
            ("got eyJhbGciOiJub25lIn0.eyJ4IjoxfQ.sig back", "eyJhbGci"),
            ("https://x.blob/y?sv=1&sig=s3cr3t%3D&se=2", "s3cr3t"),
            (r#"{"primaryKey": "s3cr3t", "x": 1}"#, "s3cr3t"),
            (r#"{"message":"{\"password\":\"s3cr3t\"}"}"#, "s3cr3t"),
            (r#"{"key":"a\"s3cr3t"}"#, "s3cr3t"),
            (
                "x -----BEGIN PRIVATE KEY-----\ns3cr3t\n-----END PRIVATE KEY----- y",
                "s3cr3t",
            ),
            ("cut off -----BEGIN PRIVATE KEY-----\ns3cr3t", "s3cr3t"),
        ];
        for (text, secret) in cases {
            let shown = redact(text);
            assert!(!shown.contains(secret), "{text} became {shown}");
            assert!(shown.contains("redacted"), "{text} became {shown}");
        }
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in [
            "QuotaExceeded: Operation could not be completed (needs 12 cores)",
            "the key vault is monkeyed with: tokens of appreciation",
            "",
            "schlüssel=groß",
        ] {
            assert_eq!(redact(text), text);
        }
    }

    #[test]
    fn urls_that_a_transport_quotes_lose_the_values_of_their_query() {
        for (text, expected) in [
            (
                "error sending request for url (https://h/o?api-version=1&t=s3cr3t): refused",
                "error sending request for url (https://h/o?api-version=1&t=[redacted]): refused",
            ),
            (
                "\"http://h/?c=s3cr3t\" and https://h/b",
                "\"http://h/?c=[redacted]\" and https://h/b",
            ),
            ("https://h/ä?x=s3cr3t", "https://h/%C3%A4?x=[redacted]"),
            ("no URL: https://", "no URL: https://"),
        ] {
            assert_eq!(redact_cause(text), expected);
        }
    }

    #[test]
    fn query_values_of_urls_are_hidden_except_the_api_version() {
        let url = Url::parse("https://u:p@h/a%20b?api-version=1&c=secret&t=2#f").unwrap();
        assert_eq!(
            redact_url(&url),
            "https://h/a%20b?api-version=1&c=[redacted]&t=[redacted]"
        );
    }
}
