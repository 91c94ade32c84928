//! Takes secrets out of texts that are not ours, before they become part of an error.

use url::Url;

const HIDDEN: &str = "[redacted]";

/// How the names of values that are never shown end, in lower case and without `-` and `_`:
/// `AccountKey`, `aadClientSecret`, `x-api-key`, `client-key-data` and the like.
const SECRET_ENDINGS: [&str; 19] = [
    "accountkeys",
    "authorization",
    "cert",
    "certdata",
    "connectionstring",
    "credential",
    "credentials",
    "key",
    "keydata",
    "keyvalue",
    "kubeconfig",
    "passphrase",
    "password",
    "passwd",
    "pfx",
    "pwd",
    "secret",
    "sig",
    "token",
];

/// Codes of errors that end like a secret's name: `InvalidAuthenticationToken: The access token …`
/// is what a person has to read.
const CODE_STARTS: [&str; 10] = [
    "bad",
    "duplicate",
    "expired",
    "incorrect",
    "invalid",
    "malformed",
    "missing",
    "unknown",
    "unsupported",
    "wrong",
];

/// Hides PEM blocks, bearer tokens, JSON web tokens, signatures of URLs and the values behind
/// names that end like a secret's.
pub(crate) fn redact(text: &str) -> String {
    if !suspicious(text) {
        return text.to_owned();
    }
    let text = pem_blocks(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    // Up to here names were looked at: the parts of a name end as the whole does.
    let mut looked = 0;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = hidden_token(rest, &mut out) {
            rest = after;
            continue;
        }
        let at = text.len() - rest.len();
        if c.is_ascii_alphanumeric() && at >= looked {
            let name = name_end(rest);
            looked = at + name;
            let (name, behind) = rest.split_at(name);
            if let Some((label, after)) = hidden_value(&text[..at], name, behind) {
                out.push_str(name);
                out.push_str(label);
                out.push_str(HIDDEN);
                rest = after;
                continue;
            }
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
    const MARKS: [&str; 15] = [
        "-----begin",
        "authorization",
        "bearer ",
        "cert",
        "connection",
        "credential",
        "eyj",
        "key",
        "kube",
        "pass",
        "pfx",
        "pwd",
        "secret",
        "sig",
        "token",
    ];
    let lower = text.to_ascii_lowercase();
    MARKS.iter().any(|mark| lower.contains(mark))
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
    None
}

/// Where the name that `text` starts with ends.
fn name_end(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-')
        .unwrap_or(text.len())
}

/// If `name` is a secret's and a value follows it: what stands between the two, and the text
/// behind the value.
fn hidden_value<'a>(before: &str, name: &str, behind: &'a str) -> Option<(&'a str, &'a str)> {
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    if !SECRET_ENDINGS.iter().any(|ending| plain.ends_with(ending)) {
        return None;
    }
    // `"name":`, `'name':`, also with the quotes escaped inside another string.
    let quoted = opening_quote(behind).map_or(0, |(_, length)| length);
    let blanks: &[char] = &[' ', '\t'];
    let space: &[char] = if quoted > 0 {
        &[' ', '\t', '\r', '\n']
    } else {
        blanks
    };
    let tail = behind[quoted..].trim_start_matches(space);
    let sets = tail.starts_with('=');
    if !sets && !tail.starts_with(':') {
        return None;
    }
    let is_code = !sets && quoted == 0 && CODE_STARTS.iter().any(|start| plain.starts_with(start));
    // `Token::parse` names a function, `key==` compares.
    let value = tail[1..].trim_start_matches(space);
    if is_code || value.starts_with([':', '\r', '\n']) || value.is_empty() {
        return None;
    }
    // Links are meant to be followed; what is secret in them is found by its own name.
    let holds_links = plain.ends_with("connectionstring");
    if !holds_links && (value.starts_with("https://") || value.starts_with("http://")) {
        return None;
    }
    // Hidden before, or nothing there.
    let literal = ["null", "true", "false"].iter().any(|literal| {
        let tail = value.strip_prefix(literal);
        tail.is_some_and(|tail| !tail.starts_with(|c: char| c.is_ascii_alphanumeric()))
    });
    if value.starts_with("[redacted") || value.starts_with("[not shown") || (quoted > 0 && literal)
    {
        return None;
    }
    let label = |value: &str| &behind[..behind.len() - value.len()];
    if let Some((quote, length)) = opening_quote(value) {
        let value = &value[length..];
        return Some((label(value), &value[closing_quote(value, quote, length)..]));
    }
    if value.starts_with(['[', '{']) {
        return Some((label(value), &value[closing_bracket(value)..]));
    }
    let lead = before.trim_end_matches([' ', '\t', '-']);
    // Also a line of a text that is itself quoted: `\n` with its backslash.
    let starts_line = lead.is_empty() || lead.ends_with(['\n', '\\']) || lead.ends_with("\\n");
    let yaml = !sets && starts_line && name.starts_with(|c: char| c.is_ascii_lowercase());
    let end = if yaml || holds_links || plain.ends_with("authorization") {
        // `Basic …`, two words, or members that may be secret themselves.
        line_end(value)
    } else {
        token_end(value)
    };
    (end > 0).then(|| (label(value), &value[end..]))
}

/// A quote of either kind and the backslashes before it: the quote, and the length of it all.
fn opening_quote(text: &str) -> Option<(char, usize)> {
    let bare = text.trim_start_matches('\\');
    let quote = bare.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    Some((quote, text.len() - bare.len() + 1))
}

fn strip_prefix_ignore_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix)
        .then(|| &text[prefix.len()..])
}

/// Where a value without quotes ends. Rather too late than too early: punctuation inside a word is
/// part of it.
fn token_end(text: &str) -> usize {
    text.char_indices()
        .find(|&(at, c)| {
            let tail = &text[at + c.len_utf8()..];
            match c {
                '&' | '"' | '\'' | ';' | '<' => true,
                ',' | ')' | '}' | ']' => !tail.starts_with(|c: char| c.is_ascii_alphanumeric()),
                '\\' => tail.starts_with(['n', 'r', 't', 'u', '"', '\'', '\\']),
                _ => c.is_whitespace(),
            }
        })
        .map_or(text.len(), |(at, _)| at)
}

/// Where a line ends, be it a line of a quoted text.
fn line_end(text: &str) -> usize {
    text.char_indices()
        .find(|&(at, c)| match c {
            '\n' | '\r' => true,
            '\\' => text[at + 1..].starts_with(['n', 'r']),
            _ => false,
        })
        .map_or(text.len(), |(at, _)| at)
}

/// Where a quoted value ends; quotes inside it, with more backslashes than the opening one, do not
/// end it.
fn closing_quote(value: &str, quote: char, opening: usize) -> usize {
    let level = opening - 1;
    value
        .match_indices(quote)
        .map(|(at, _)| {
            let head = &value[..at];
            (at, at - head.trim_end_matches('\\').len())
        })
        .find(|&(_, escapes)| escapes <= level || (level == 0 && escapes % 2 == 0))
        .map_or(value.len(), |(at, escapes)| at - escapes.min(level))
}

/// Behind the bracket that closes the first one; brackets in quotes do not count.
fn closing_bracket(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if let Some((quote, length)) = opening_quote(&text[at..]) {
            at += length;
            at += closing_quote(&text[at..], quote, length);
            at += opening_quote(&text[at..]).map_or(0, |(_, length)| length);
            continue;
        }
        at += c.len_utf8();
        match c {
            // All of them at once: they were looked at for a quote behind them.
            '\\' => at = text.len() - text[at..].trim_start_matches('\\').len(),
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    at
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
            (
                "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=s3cr3tA==;EndpointSuffix=x",
                "s3cr3t",
            ),
            ("SharedAccessKey=s3cr3t", "s3cr3t"),
            ("clientSecret=s3cr3t", "s3cr3t"),
            ("api_key=s3cr3t", "s3cr3t"),
            ("key=  s3cr3t", "s3cr3t"),
            ("password=a,s3cr3t", "s3cr3t"),
            ("password=\"two s3cr3t\" x", "s3cr3t"),
            ("connectionString=AccountName=a;Other=s3cr3t", "s3cr3t"),
            (r#"{"clientSecret":"s3cr3t"}"#, "s3cr3t"),
            (r#"{"aadClientSecret" : "s3cr3t"}"#, "s3cr3t"),
            (r#"{"connectionString":"a=b;c=s3cr3t"}"#, "s3cr3t"),
            (r#"{"connectionString":"https://u:s3cr3t@h"}"#, "s3cr3t"),
            (r#"{"storageAccountKey":"s3cr3t"}"#, "s3cr3t"),
            (r#"{"adminKubeConfig":"s3cr3t"}"#, "s3cr3t"),
            ("{\"key\":\n\"s3cr3t\"}", "s3cr3t"),
            (r#""key": ["a]", "s3cr3t"]"#, "s3cr3t"),
            (r#""secret": {"value": ["s3cr3t"]}"#, "s3cr3t"),
            (r#"\\\"key\\\":\\\"a\\\\\\\"s3cr3t\\\""#, "s3cr3t"),
            ("{'password': 's3cr3t'}", "s3cr3t"),
            ("x-api-key: s3cr3t", "s3cr3t"),
            ("Authorization: Basic s3cr3t", "s3cr3t"),
            ("Authorization: Digest a=\"b\", c=\"s3cr3t\"", "s3cr3t"),
            ("users:\n- user:\n    client-key-data: s3cr3t\n", "s3cr3t"),
            ("users:\n- password: two s3cr3t\n  x: y", "s3cr3t"),
            (r"users:\n    password: two s3cr3t\n  x: y", "s3cr3t"),
            (r"users:\npassword: two s3cr3t\n  x: y", "s3cr3t"),
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
            "InvalidParameter: the agent count is too small",
            "InvalidAuthenticationToken: The access token is invalid",
            "ExpiredAuthenticationToken: The access token expiry is past",
            "Error code: 'X', see the docs on keys (https://aka.ms/key)",
            "get a token: https://aka.ms/token",
            "Token::parse",
            "which key:\nnone",
            r#"{"key":null,"token": true}"#,
        ] {
            assert_eq!(redact(text), text);
        }
    }

    #[test]
    fn what_stands_around_a_secret_stays() {
        for (text, expected) in [
            ("a AccountKey=x;End=y", "a AccountKey=[redacted];End=y"),
            (
                r#"{"clientSecret": "x", "b": 1}"#,
                r#"{"clientSecret": "[redacted]", "b": 1}"#,
            ),
            (r#"\"key\":\"x\",\"b\""#, r#"\"key\":\"[redacted]\",\"b\""#),
            (r#""key": ["x"], "b""#, r#""key": [redacted], "b""#),
            ("(api_key=x) y", "(api_key=[redacted]) y"),
            ("bad password: x y", "bad password: [redacted] y"),
            ("password: x y\nz: 1", "password: [redacted]\nz: 1"),
            ("C: {'token': 'x'} y", "C: {'token': '[redacted]'} y"),
        ] {
            assert_eq!(redact(text), expected);
            assert_eq!(redact(expected), expected, "a second time");
        }
    }

    #[test]
    fn long_texts_of_any_form_are_walked_once() {
        // Each took minutes if parts of it were looked at again and again.
        for part in [
            "key:[]",
            "key:[redacted",
            "key: x\n",
            "key-",
            "a-",
            "key:",
            "\"key\":[",
            "key=\\",
            "- ",
            "[\"'",
        ] {
            let text = format!("key {}", part.repeat(200_000));
            assert!(redact(&text).len() <= 8 * text.len());
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
