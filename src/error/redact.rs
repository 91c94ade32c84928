//! A last line against secrets in texts of others, which nobody knows: it guesses by their form.
//!
//! Secrets of a request are hidden by [`Hidden`](super::Hidden), which knows them. Sentences are to be read:
//! behind `word:` a value is hidden only if it looks like a secret.

use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::ops::Range;
use url::Url;

const HIDDEN: &str = "[redacted]";

/// The ends of the names of secret values, in lower case, without `-` and `_` and without the endings of
/// [`SUFFIXES`]: `AccountKey`, `aadClientSecret`, `x-api-key`, `client-key-data`.
const SECRET_ENDINGS: &str = "assertion authorization cert connectionstring credential key kubeconfig \
    passcode passphrase passwd password pfx pwd secret sig token";
const SUFFIXES: [&str; 4] = ["value", "data", "hash", "s"];

/// Hides PEM blocks, JSON web tokens, bearer tokens, the users of URLs, and the values behind names that
/// end like a secret's.
pub(crate) fn redact(text: &str) -> String {
    let text = &without_pem(text);
    let lower = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let found = match c {
            ':' => user_of_url(text, at),
            _ if c.is_ascii_alphanumeric() => token(text, at).or_else(|| value(text, &lower, at)),
            _ => None,
        };
        let end = at + name_end(rest).max(c.len_utf8());
        let found = found.map(|hidden| (hidden.start, HIDDEN, hidden.end));
        let (shown, mark, next) = found.unwrap_or((end, "", end));
        out.push_str(&text[at..shown]);
        out.push_str(mark);
        at = next;
    }
    out
}

/// Returns a URL with the values of its query hidden: monitor URLs may be signed for one caller.
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

/// Returns scheme, host and port of a URL that must not be followed: the rest of it may hold anything.
pub(crate) fn place_of(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}"));
    let host = url.host_str().unwrap_or_default();
    format!("{}://{host}{}", url.scheme(), port.unwrap_or_default())
}

/// [`redact`] for the texts of transports, which quote the URL of the request: the values of its
/// query are hidden too. Not for the service's own messages, whose links are meant to be followed.
pub(crate) fn redact_cause(text: &str) -> String {
    let ends = |c: char| c.is_whitespace() || ")\"'<>".contains(c);
    let without_query = |piece: &str| {
        let start = piece.find("https://").or_else(|| piece.find("http://"))?;
        let (head, url) = piece.split_at(start);
        let (url, tail) = url.split_at(url.find(ends).unwrap_or(url.len()));
        let url = Url::parse(url).ok().filter(|url| url.query().is_some())?;
        Some(format!("{head}{}{tail}", redact_url(&url)))
    };
    let pieces = text.split_inclusive(ends);
    let shown = pieces.map(|piece| without_query(piece).map_or(piece.into(), Cow::Owned));
    redact(&shown.collect::<String>())
}

/// Returns the text without PEM blocks. Runs first, because they have many lines; an unfinished one is hidden to
/// the end.
fn without_pem(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let (mut out, mut at) = (String::new(), 0);
    while let Some(begin) = lower[at..].find("-----begin") {
        out = out + &text[at..at + begin] + HIDDEN;
        let behind = |at: usize, mark: &&str| Some(at + lower[at..].find(*mark)? + mark.len());
        let end = ["-----end", "-----"].iter().try_fold(at + begin, behind);
        at = end.unwrap_or(text.len());
    }
    out + &text[at..]
}

/// `user:password` or a token, in `://…@`.
fn user_of_url(text: &str, colon: usize) -> Option<Range<usize>> {
    let start = colon + 3;
    let rest = text[colon..].strip_prefix("://")?;
    let ends = |c: char| c.is_whitespace() || "/?#\\\"'<>".contains(c);
    let user = &rest[..rest.find(ends).unwrap_or(rest.len())];
    let user = &user[..user.rfind('@')?];
    (user.contains(':') || !is_ordinary(user)).then(|| start..start + user.len())
}

/// Returns the range of a token that needs no name: a JSON web token, or the text after the word `Bearer` or
/// `SharedKey`.
fn token(text: &str, at: usize) -> Option<Range<usize>> {
    let name = &text[at..at + name_end(&text[at..])];
    if let Some(jwt) = name.find("eyJ") {
        let start = at + jwt;
        let end = start + token_end(&text[start..]);
        return (end > start + 20).then_some(start..end);
    }
    // Behind `%20`.
    let scheme = name.trim_start_matches(|c: char| c.is_ascii_digit());
    let bearer = scheme.eq_ignore_ascii_case("bearer");
    if !bearer && !scheme.eq_ignore_ascii_case("sharedkey") {
        return None;
    }
    let rest = text[at + name.len()..].trim_start_matches([' ', '\t', ':', '=']);
    let rest = rest.strip_prefix("%20").unwrap_or(rest);
    let start = text.len() - rest.len();
    let token = &rest[..token_end(rest)];
    // `Bearer authentication` and `Bearer realm=…` are words.
    let word = token.trim_matches(|c: char| c.is_ascii_punctuation());
    let tail = word.trim_start_matches(char::is_uppercase);
    let is_word = word.len() - tail.len() <= 1 && tail.chars().all(char::is_lowercase);
    let hides = !token.is_empty()
        && if bearer {
            !is_word
        } else {
            !is_ordinary(token)
        };
    hides.then(|| start..start + token.len())
}

/// Returns whether a name is that of a secret; if so, `true` if it is one in any sentence, unlike the word `key`.
fn secret_name(before: &str, name: &str) -> Option<bool> {
    let letters = name.bytes().filter(u8::is_ascii_alphanumeric);
    let plain: String = letters
        .map(|b| char::from(b.to_ascii_lowercase()))
        .collect();
    let plain = plain.trim_end_matches(|c: char| c.is_ascii_digit());
    let base = SUFFIXES.iter().fold(plain, |base, suffix| {
        base.strip_suffix(suffix).unwrap_or(base)
    });
    match plain {
        "p" if before.ends_with('-') => return Some(false),
        "code" if before.ends_with(['?', '&']) => return Some(true),
        "pass" | "pat" => return Some(true),
        _ => {}
    }
    let is_weak =
        matches!(base, "cert" | "credential" | "key" | "token") || plain.ends_with("tokens");
    let ends = SECRET_ENDINGS
        .split(' ')
        .any(|ending| base.ends_with(ending));
    ends.then_some(!is_weak)
}

/// Returns the range of the value of the name that starts here, if both have the form of a secret.
fn value(text: &str, lower: &str, at: usize) -> Option<Range<usize>> {
    let before = &text[..at];
    let name = &text[at..at + name_end(&text[at..])];
    let behind = &text[at + name.len()..];
    if !behind.starts_with(|c: char| c.is_ascii_punctuation() || c.is_whitespace()) {
        return None;
    }
    let is_certain = secret_name(before, name)?;
    let quoted = quote(behind).map_or(0, str::len);
    let blanks: &[char] = match quoted {
        0 => &[' ', '\t'],
        _ => &[' ', '\t', '\r', '\n'],
    };
    let mut rest = behind[quoted..].trim_start_matches(blanks);
    if quoted > 0
        && let Some(value) = behind_value_of_pair(rest)
    {
        rest = value;
    }
    let at_rest = text.len() - rest.len();
    let is_tag = before.ends_with('<') && rest.starts_with('>');
    let is_flag = before.ends_with('-') && rest.len() < behind.len() && quoted == 0;
    let (sets, separator) = match rest.bytes().next() {
        Some(b'=') if rest[1..].starts_with('>') => (true, 2),
        Some(b'=') => (true, 1),
        Some(b'%') if lower[at_rest..].starts_with("%3d") => (true, 3),
        Some(b':') => (false, 1),
        _ if is_tag => (true, 1),
        _ if is_flag => (false, 0),
        _ => return None,
    };
    let value = rest[separator..].trim_start_matches(blanks);
    // Links are meant to be followed; what is secret in them is found by its own name.
    let is_link = value.starts_with("https://") || value.starts_with("http://");
    if is_link || value.starts_with("[redacted") || value.starts_with("[not shown") {
        return None;
    }
    let is_secret = |value: &str| value.split_whitespace().any(|word| !is_ordinary(word));
    let start = text.len() - value.len();
    if let Some(quote) = quote(value) {
        let value = &value[quote.len()..];
        let value = &value[..closing_quote(value, quote)];
        let start = start + quote.len();
        let hides = quoted > 0 || (sets && is_certain) || is_secret(value);
        return hides.then(|| start..start + value.len());
    }
    if value.starts_with(['[', '{']) {
        let hides = quoted > 0 || sets;
        return hides.then(|| start..start + json_end(value));
    }
    // Also a line of a text that is itself quoted: `\n` with its backslash.
    let lead = before.trim_end_matches([' ', '\t', '-']);
    let starts_line = lead.is_empty() || lead.ends_with(['\n', '\\']) || lead.ends_with("\\n");
    let is_yaml = !sets && starts_line && name.starts_with(|c: char| c.is_ascii_lowercase());
    // `Basic …`, two words, or members that may be secret themselves.
    let name = &lower[at..at + name.len()];
    let has_words = ["authorization", "connectionstring", "connection_string"];
    let is_line = has_words.iter().any(|ending| name.ends_with(ending));
    let end = match block_end(value).filter(|_| !sets) {
        Some(end) => end,
        None if is_line || (is_yaml && is_certain && !is_flag) => line_end(value),
        None => token_end(value),
    };
    let value = &value[..end];
    (!value.is_empty() && ((sets && is_certain) || is_secret(value))).then(|| start..start + end)
}

/// `{"name":"password","value":"…"}`: what follows `value"`, from what follows `password"`.
fn behind_value_of_pair(rest: &str) -> Option<&str> {
    let rest = rest.strip_prefix(',')?.trim_start();
    let rest = &rest[quote(rest)?.len()..];
    let name = rest
        .get(..5)
        .filter(|name| name.eq_ignore_ascii_case("value"))?;
    let rest = &rest[name.len()..];
    Some(rest[quote(rest)?.len()..].trim_start())
}

/// Returns whether a word is an ordinary word of a sentence: short, of letters, a number, a path, or made of such words.
fn is_ordinary(word: &str) -> bool {
    const SHORT: usize = 5;
    const LONGEST: usize = 300;
    let in_path = |c: char| c.is_ascii_alphanumeric() || "/_-.,;".contains(c);
    let is_path = word.starts_with('/') && word[1..].contains('/') && word.chars().all(in_path);
    let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
    let separates =
        |c: char| "_-./:'\"(),;<>[]{}?|\\`".contains(c) || !(c.is_ascii() || c.is_alphabetic());
    let is_plain = |part: &str| {
        let capitals = part.chars().filter(|c| c.is_uppercase()).count();
        part.len() <= SHORT
            || part.bytes().all(|b| b.is_ascii_digit())
            || (part.chars().all(char::is_alphabetic) && 3 * capitals <= part.len())
    };
    let is_size = word.starts_with("Standard_");
    word.len() <= LONGEST && (is_path || is_size || word.split(separates).all(is_plain))
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

/// Returns the end of the name that `text` starts with.
fn name_end(text: &str) -> usize {
    match text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        true => text.find(|c| !is_name(c)).unwrap_or(text.len()),
        false => 0,
    }
}

/// Returns the quote that a text starts with, with its backslashes, or as HTML, .NET and URLs write it.
fn quote(text: &str) -> Option<&str> {
    let bare = text.trim_start_matches('\\');
    let slashes = text.len() - bare.len();
    let forms: &[&str] = match slashes {
        0 => &["\"", "'", "&quot;", "&#34;", "&#39;", "%22"],
        _ => &["\"", "'", "u0022", "u0027"],
    };
    let form = forms.iter().find(|form| bare.starts_with(**form))?;
    Some(&text[..slashes + form.len()])
}

/// Returns the end of a quoted value; quotes inside it, with more backslashes than the opening one, do not
/// end it.
fn closing_quote(value: &str, opening: &str) -> usize {
    let level = opening.len() - opening.trim_start_matches('\\').len();
    let quote = &opening[level..];
    value
        .match_indices(quote)
        .map(|(at, _)| {
            let head = &value[..at];
            (at, at - head.trim_end_matches('\\').len())
        })
        .find(|&(_, escapes)| escapes <= level || (level == 0 && escapes % 2 == 0))
        .map_or(value.len(), |(at, escapes)| at - escapes.min(level))
}

/// Returns where a list or an object of JSON ends; text that is not valid JSON is hidden to its end.
fn json_end(text: &str) -> usize {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    let first = values.next();
    first
        .filter(Result::is_ok)
        .map_or(text.len(), |_| values.byte_offset())
}

/// Returns the end of the lines below a name in YAML, those of a text or of a list; the next name ends them.
fn block_end(value: &str) -> Option<usize> {
    let body = value.trim_start_matches(['|', '>', '-', '+', ' ', '\r']);
    let lines = body.strip_prefix('\n')?;
    let goes_on = |line: &&str| line.starts_with([' ', '-']) && !line.contains(':');
    let length = lines
        .split_inclusive('\n')
        .take_while(goes_on)
        .map(str::len)
        .sum::<usize>();
    let end = value.len() - lines.len() + length;
    Some(value[..end].trim_end().len())
}

/// Returns the end of a value without quotes. Rather too late than too early: punctuation inside a word is
/// part of it.
fn token_end(text: &str) -> usize {
    text.char_indices()
        .find(|&(at, c)| {
            let tail = &text[at + c.len_utf8()..];
            match c {
                '&' | '"' | '\'' | ';' | '<' => true,
                ',' | ')' | '}' | ']' => !tail.starts_with(|c: char| c.is_ascii_alphanumeric()),
                '\\' => tail.starts_with(['n', 'r', 't', 'u', '"', '\'', '\\']),
                '%' => tail.starts_with("26"),
                _ => c.is_whitespace(),
            }
        })
        .map_or(text.len(), |(at, _)| at)
}

/// Returns the end of a line, which may be a line of a quoted text.
fn line_end(text: &str) -> usize {
    text.char_indices()
        .find(|&(at, c)| match c {
            '\n' | '\r' => true,
            '\\' => text[at + 1..].starts_with(['n', 'r']),
            _ => false,
        })
        .map_or(text.len(), |(at, _)| at)
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
            (
                "Authorization: -----BEGIN A-----\ns3cr3t\n-----END A-----",
                "s3cr3t",
            ),
            ("Authorization: Digest a=\"b\", c=\"s3cr3t\"", "s3cr3t"),
            ("users:\n- user:\n    client-key-data: s3cr3t\n", "s3cr3t"),
            ("users:\n- password: two s3cr3t\n  x: y", "s3cr3t"),
            (r"users:\n    password: two s3cr3t\n  x: y", "s3cr3t"),
            (r"users:\npassword: two s3cr3t\n  x: y", "s3cr3t"),
            // Of URLs and command lines.
            ("git clone https://user:s3cr3t@host/x", "s3cr3t"),
            ("--index-url https://user:s3cr3t@pypi/simple", "s3cr3t"),
            ("https://s3cr3t@host/x", "s3cr3t"),
            ("https://h/api?code=s3cr3t", "s3cr3t"),
            ("docker login -u me -p s3cr3t r.example", "s3cr3t"),
            ("docker login --password s3cr3t", "s3cr3t"),
            ("form: password%3Ds3cr3t%26x%3D1", "s3cr3t"),
            ("u=https%3A%2F%2Fh%3Fa%3D1%26sig%3Ds3cr3t", "s3cr3t"),
            // Of JSON: pairs, lists, and JSON within other texts.
            (r#"{"name":"password","value":"s3cr3t"}"#, "s3cr3t"),
            (r#"{"name": "STORAGE_KEY", "value": "s3cr3t"}"#, "s3cr3t"),
            (
                r#"{"passwords":[{"name":"one","value":"s3cr3t"}]}"#,
                "s3cr3t",
            ),
            (
                r#"{"kubeconfigs":[{"name":"a","value":"s3cr3t"}]}"#,
                "s3cr3t",
            ),
            (r#"{"keys":["s3cr3t"]}"#, "s3cr3t"),
            (r#"{\u0022password\u0022:\u0022s3cr3t\u0022}"#, "s3cr3t"),
            (
                r#"{\\u0022password\\u0022:\\u0022two s3cr3t\\u0022}"#,
                "s3cr3t",
            ),
            ("{&quot;password&quot;:&quot;two s3cr3t&quot;}", "s3cr3t"),
            ("<PrimaryKey>s3cr3t</PrimaryKey>", "s3cr3t"),
            ("'password' => 's3cr3t'", "s3cr3t"),
            // Of YAML.
            (
                "  client-key-data: |\n    c2hvcnQ=\n    s3cr3t\n  x: y",
                "s3cr3t",
            ),
            ("keys:\n  - one\n  - s3cr3t\n", "s3cr3t"),
            // Of headers.
            ("Bearer  s3cr3t", "s3cr3t"),
            ("Bearer: s3cr3t", "s3cr3t"),
            ("authorization%3A%20Bearer%20s3cr3t", "s3cr3t"),
            ("SharedKey account:s3cr3tA==", "s3cr3t"),
            // Other names.
            ("client_assertion=s3cr3t", "s3cr3t"),
            ("pat=s3cr3t", "s3cr3t"),
            ("passcode=s3cr3t", "s3cr3t"),
            ("pass: s3cr3t", "s3cr3t"),
            ("key1: s3cr3t", "s3cr3t"),
            ("primaryKey2=s3cr3t", "s3cr3t"),
            ("SECRET_1=s3cr3t", "s3cr3t"),
            ("MY_SECRET_VALUE=s3cr3t", "s3cr3t"),
            ("passwordHash: s3cr3t", "s3cr3t"),
            (
                "-----begin private key-----\ns3cr3t\n-----end private key-----",
                "s3cr3t",
            ),
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
            "no credential: call `credential`, or `default_credential` with the feature `identity`",
            "/home/me/token: no JSON: EOF while parsing",
            "Invalid value for key: Standard_NC24ads_A100_v4. Allowed: Standard_D3_v2",
            "Invalid value for key: agentVmSize. Allowed: 'vmSize'",
            "Parameter key=agentCount is not supported",
            "No access token: run az login first",
            "Password: must be at least 12 characters",
            "password: must be at least 12 characters",
            "The token: it expired at 2020-01-01T00:00:00Z",
            "key: /subscriptions/00000000-0000-4000-8000-000000000101/resourceGroups/g1-test2/versions/x, Message: no",
            "the bearer token was not given; Bearer authentication: required",
            "WWW-Authenticate: Bearer realm=\"x\", error=\"invalid_token\"",
            "Authorization: The caller may not read 'Microsoft.Compute/disks'",
            "the secret: container registry aks-01.azurecr.io",
            "mkdir -p /var/lib/a1b2c3 && run -p 8080:80",
            "ssh://git@host/x and mail://host",
            "use --password to set one",
            "which keys:\n  - one\n  - two",
        ] {
            assert_eq!(redact(text), text);
        }
    }

    #[test]
    fn text_around_a_secret_stays() {
        for (text, expected) in [
            ("a AccountKey=x;End=y", "a AccountKey=[redacted];End=y"),
            (
                r#"{"clientSecret": "x", "b": 1}"#,
                r#"{"clientSecret": "[redacted]", "b": 1}"#,
            ),
            (r#"\"key\":\"x\",\"b\""#, r#"\"key\":\"[redacted]\",\"b\""#),
            (r#""key": ["x"], "b""#, r#""key": [redacted], "b""#),
            ("(api_key=x) y", "(api_key=[redacted]) y"),
            ("bad password: s3cr3t y", "bad password: [redacted] y"),
            ("password: x s3cr3t\nz: 1", "password: [redacted]\nz: 1"),
            ("https://u:x@h/p", "https://[redacted]@h/p"),
            ("-p s3cr3t host", "-p [redacted] host"),
            (
                "<PrimaryKey>x</PrimaryKey>",
                "<PrimaryKey>[redacted]</PrimaryKey>",
            ),
            ("key: |\n  s3cr3t\n  more\nz: 1", "key: [redacted]\nz: 1"),
            (
                "x -----BEGIN A-----\nx\n-----END A----- y",
                "x [redacted] y",
            ),
            ("got Bearer s3cr3t.", "got Bearer [redacted]"),
            ("C: {'token': 'x'} y", "C: {'token': '[redacted]'} y"),
        ] {
            assert_eq!(redact(text), expected);
            assert_eq!(redact(expected), expected, "a second time");
        }
    }

    #[test]
    fn long_texts_of_any_form_are_walked_once() {
        // Each would take minutes if parts of it were read again and again.
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
            "key:|\n",
            "://a@",
            "-----begin",
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
