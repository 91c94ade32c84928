//! What the fuzz targets show the library, and what must hold whatever that is. `tests/memory/fuzz.rs` walks the same
//! code for as long as a test may take.

use super::resealed::resealed;
use azureml_aks::internals::{Input, Seen, Stepper, Wish, resumed_at};
use azureml_aks::{ErrorKind, ResumeToken};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Bytes that are taken apart into choices.
pub(crate) struct Choices<'a>(pub(crate) &'a [u8]);

impl<'a> Choices<'a> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        Some(all[usize::from(self.next()?) % all.len()])
    }

    fn bytes(&mut self) -> &'a [u8] {
        let length = usize::from(self.next().unwrap_or_default()).min(self.0.len());
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        bytes
    }

    pub(crate) fn answer(&mut self) -> Option<Seen> {
        let status = self.of(&[
            200, 200, 200, 201, 202, 204, 302, 400, 401, 403, 404, 410, 429, 503,
        ])?;
        let texts = [
            "https://management.azure.com/op?api-version=1",
            "https://management.azure.com/other?c=1&h=2",
            "/relative",
            "https://evil.example/op",
            "//evil.example/op",
            "nonsense",
            "17",
            "-1",
            "1e400",
        ];
        let names = [
            "azure-asyncoperation",
            "operation-location",
            "location",
            "retry-after",
            "retry-after-ms",
        ];
        let mut headers = Vec::new();
        for _ in 0..self.next()? % 4 {
            headers.push((self.of(&names)?, self.of(&texts)?));
        }
        let word = self.of(&WORDS)?;
        let body = match self.next()? % 5 {
            0 => Vec::new(),
            1 => json!({ "status": word }).to_string().into_bytes(),
            2 => json!({ "properties": { "provisioningState": word } })
                .to_string()
                .into_bytes(),
            3 => json!({
                "status": word,
                "error": { "code": "C" },
                "resourceLocation": self.of(&texts)?,
            })
            .to_string()
            .into_bytes(),
            _ => self.bytes().to_vec(),
        };
        Some(Seen::new(status, &headers, &body))
    }
}

const WORDS: [&str; 9] = [
    "Succeeded",
    "Failed",
    "Canceled",
    "InProgress",
    "Creating",
    "Deleting",
    "Updating",
    "",
    "Unheard-Of",
];

/// Shows the step whatever these bytes stand for.
pub(crate) fn fuzz_step(bytes: &[u8]) {
    let _ = walk(&mut Choices(bytes));
}

fn walk(choices: &mut Choices<'_>) -> Option<()> {
    let method = choices.of(&["DELETE", "PATCH", "POST", "PUT"])?;
    let via = choices.of(&[
        None,
        Some("azure-async-operation"),
        Some("location"),
        Some("original-uri"),
    ])?;
    let first = choices.answer()?;
    let mut stepper = Stepper::begin(method, via, &first)?;
    if choices.next()? % 2 == 0 {
        stepper = stepper.made_here();
    }
    loop {
        match choices.next()? % 6 {
            0 => step(&mut stepper, &Input::NoRow),
            1 => {
                let kind = choices.of(&[
                    ErrorKind::Protocol,
                    ErrorKind::Timeout,
                    ErrorKind::Transport,
                    ErrorKind::UntrustedUrl,
                ])?;
                step(&mut stepper, &Input::Unanswered(kind));
            }
            2 | 3 => {
                let row = json!({
                    "name": "myaks",
                    "properties": {
                        "provisioningState": choices.of(&WORDS)?,
                        "modifiedOn": choices.of(&["t0", "t1"])?,
                    },
                });
                step(&mut stepper, &Input::Row(&row.to_string()));
            }
            _ => {
                let answer = choices.answer()?;
                step(&mut stepper, &Input::Answer(&answer));
            }
        }
    }
}

/// Shows the step anything, and holds what must hold whatever it was shown.
pub(crate) fn step(stepper: &mut Stepper, sight: &Input<'_>) {
    let before = stepper.end();
    let wish = stepper.step(sight, Duration::from_secs(7));
    let end = stepper.end();
    assert!(
        before.is_none() || before == end,
        "a second end: {end:?} after {before:?}"
    );
    assert_eq!(wish == Wish::Done, end.is_some(), "{wish:?}");
    let answers = matches!(sight, Input::Answer(_) | Input::Unanswered(_));
    assert!(!answers || wish != Wish::Watch, "an answer is not ignored");
    assert!(wish == Wish::Done || stepper.is_trusted(), "a foreign URL");
}

/// Reads these bytes as a token, and resumes from it if it is one.
pub(crate) fn fuzz_token(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    resume_from(text);
    // The checksum refuses nearly everything: what lies behind it is tried, too.
    let members: Option<Map<String, Value>> = serde_json::from_str(text).ok();
    if members.is_some_and(|members| members.contains_key("checksum")) {
        resume_from(&resealed(text));
    }
}

fn resume_from(text: &str) {
    let Ok(token) = ResumeToken::parse(text) else {
        return;
    };
    assert_eq!(
        ResumeToken::parse(&token.expose()).ok().as_ref(),
        Some(&token)
    );
    let endpoint: url::Url = "https://management.azure.com".parse().unwrap();
    if let Some(url) = resumed_at(&token, endpoint.clone()) {
        assert_eq!(url.origin(), endpoint.origin(), "a foreign URL: {url}");
    }
}
