//! The server of single GETs and of lists: always the same compute, and lists of any
//! length, without looking at more than the path.

use super::BoxError;
use super::body::{self, PAGE};
use super::server::{Answers, Pieces};
use std::borrow::Cow;

/// The workspace whose list holds so many computes.
pub(crate) fn workspace(items: usize) -> String {
    format!("{WORKSPACE}{items}")
}

const WORKSPACE: &str = "holds-";

const START: &str = r#"{"value":["#;

pub(crate) struct Fixed {
    origin: String,
    compute: Vec<u8>,
    items: String,
}

impl Fixed {
    pub(crate) fn new(origin: String) -> Self {
        let compute = body::compute("scoring-00000");
        Self {
            origin,
            compute: [body::head(compute.len()), compute].concat().into_bytes(),
            items: body::items(PAGE),
        }
    }

    /// The head of a page, and what stands around its items.
    fn page(&self, path: &str) -> Option<(String, String)> {
        let total: usize = path
            .split_once(WORKSPACE)?
            .1
            .split('/')
            .next()?
            .parse()
            .ok()?;
        let (first, skipped) = match path.split_once("&$skiptoken=") {
            Some((first, skipped)) => (first, skipped.parse().ok()?),
            None => (path, 0),
        };
        let next = skipped + PAGE;
        let end = if next < total {
            format!(
                r#"],"nextLink":"{}{first}&$skiptoken={next}"}}"#,
                self.origin
            )
        } else {
            "]}".to_owned()
        };
        let length = START.len() + self.items.len() + end.len();
        Some((body::head(length) + START, end))
    }
}

impl Answers for Fixed {
    fn answer(&self, _method: &str, path: &str) -> Result<Pieces<'_>, BoxError> {
        if path.contains("/computes?") {
            let (start, end) = self.page(path).ok_or("no such list")?;
            Ok([
                Cow::Owned(start.into_bytes()),
                Cow::Borrowed(self.items.as_bytes()),
                Cow::Owned(end.into_bytes()),
            ])
        } else {
            Ok([Cow::Borrowed(&self.compute), Cow::default(), Cow::default()])
        }
    }
}
