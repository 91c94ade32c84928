//! The members that a wait reads while an operation runs, borrowed from the body.

use super::lenient::{Lenient, object, or_default};
use serde::Deserialize;
use serde::de::MapAccess;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The document of a status monitor, or a resource that is read in its place.
///
/// Read in place: a poll that finds an operation still running needs no tree of its answer.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct StatusDocument<'a> {
    #[serde(borrow, deserialize_with = "or_default")]
    pub(crate) id: Option<Cow<'a, str>>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) percent_complete: Option<f64>,
    #[serde(borrow, deserialize_with = "or_default")]
    properties: Option<StatusProperties<'a>>,
    #[serde(borrow, deserialize_with = "or_default")]
    status: Option<Cow<'a, str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct StatusProperties<'a> {
    #[serde(borrow, deserialize_with = "or_default")]
    modified_on: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "or_default")]
    provisioning_state: Option<Cow<'a, str>>,
    /// As some older services spell it.
    #[serde(borrow, rename = "ProvisioningState", deserialize_with = "or_default")]
    capital: Option<Cow<'a, str>>,
}

object!(&StatusDocument, StatusProperties);

impl<'a> StatusDocument<'a> {
    /// Reads a body; `None` where it is JSON and no object.
    pub(crate) fn read(body: &'a [u8]) -> serde_json::Result<Option<Self>> {
        let Lenient(document) = serde_json::from_slice(body)?;
        Ok(document)
    }

    /// Looks at what was read already.
    pub(crate) fn of(body: &'a Value) -> Option<Self> {
        let Lenient(document) = Lenient::deserialize(body).ok()?;
        document
    }

    /// `status`, where it says something.
    pub(crate) fn status(&self) -> Option<&str> {
        non_blank(self.status.as_ref())
    }

    /// `properties.provisioningState`, where it says something.
    pub(crate) fn provisioning_state(&self) -> Option<&str> {
        self.properties.as_ref()?.state()
    }

    /// `properties.modifiedOn`.
    pub(crate) fn modified_on(&self) -> Option<&str> {
        self.properties.as_ref()?.modified_on.as_deref()
    }
}

impl StatusProperties<'_> {
    fn state(&self) -> Option<&str> {
        non_blank(self.provisioning_state.as_ref().or(self.capital.as_ref()))
    }
}

fn non_blank<'a>(text: Option<&'a Cow<'_, str>>) -> Option<&'a str> {
    text.map(AsRef::as_ref)
        .filter(|text| !text.trim().is_empty())
}

/// A page of a list: the members that a wait for many operations reads.
#[derive(Debug, Deserialize)]
pub(crate) struct RowPage<'a> {
    // `null` is an empty list, as everywhere. A page without the member is none: its computes would
    // seem to be gone.
    #[serde(borrow, deserialize_with = "Option::deserialize")]
    value: Option<Vec<&'a RawValue>>,
    #[serde(borrow, rename = "nextLink", default)]
    pub(crate) next_link: Option<Cow<'a, str>>,
}

impl<'a> RowPage<'a> {
    /// Returns the rows that have a name; without one, rows cannot be matched with resources.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'a>> + '_ {
        self.value.iter().flatten().filter_map(|raw| Row::read(raw))
    }
}

/// A row of a list.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    pub(crate) name: Cow<'a, str>,
    properties: StatusProperties<'a>,
    /// The row in full, as it came.
    pub(crate) raw: &'a RawValue,
}

impl<'a> Row<'a> {
    pub(crate) fn read(raw: &'a RawValue) -> Option<Self> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Members<'a> {
            #[serde(borrow, deserialize_with = "or_default")]
            name: Option<Cow<'a, str>>,
            #[serde(borrow, deserialize_with = "or_default")]
            properties: Option<StatusProperties<'a>>,
        }
        object!(&Members);
        let Lenient(members) = serde_json::from_str::<Lenient<Members<'a>>>(raw.get()).ok()?;
        let members = members?;
        Some(Self {
            name: members.name?,
            properties: members.properties.unwrap_or_default(),
            raw,
        })
    }

    /// `properties.provisioningState`, where it says something.
    pub(crate) fn state(&self) -> Option<&str> {
        self.properties.state()
    }

    /// `properties.modifiedOn`.
    pub(crate) fn modified_on(&self) -> Option<&str> {
        self.properties.modified_on.as_deref()
    }
}
