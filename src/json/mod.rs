//! Reading JSON: leniently, page by page, as a status, or with the whole document kept; and the files that
//! users write.
//!
//! Nothing is required that some version of the service leaves out, and what is not known here survives.

mod document;
#[cfg(feature = "services")]
pub(crate) mod file;
pub(crate) mod lenient;
mod page;
mod status;
#[cfg(feature = "services")]
pub(crate) mod text_file;
#[cfg(feature = "services")]
pub(crate) mod yaml;

pub(crate) use document::{Document, kept, twin};
pub(crate) use page::{Item, Page, leading};
pub(crate) use status::{Row, RowPage, StatusDocument};

#[cfg(feature = "services")]
use std::fmt;

/// The names of what a document holds beside the members that are known: their values may be secret.
#[cfg(feature = "services")]
pub(crate) struct Names<'a>(pub(crate) &'a std::collections::BTreeMap<String, serde_json::Value>);

#[cfg(feature = "services")]
impl fmt::Debug for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
