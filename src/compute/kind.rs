//! The kinds of compute, and which configuration makes which.

use crate::compute::ComputeResource;
use crate::error::{Error, Finding};
use crate::names::WorkspaceId;
use crate::rules;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt::Debug;

/// A kind of compute. Sealed: the service defines the kinds.
pub trait Kind: sealed::Sealed + Send + Sync + 'static {
    /// The kind's name in `computeType`, for example `AKS`; empty for [`AnyKind`].
    const COMPUTE_TYPE: &'static str;

    /// The properties that only this kind has: the members of `properties.properties`. Read leniently: a member that is
    /// absent or has another type than expected is the default.
    type Properties: DeserializeOwned + Default + Debug + Clone + Send + Sync;

    /// The fields in which a finished compute is compared with the request of its create: the path of the field in the
    /// configuration, and its places in the documents of both.
    #[doc(hidden)]
    const COMPARED: &'static [(&'static str, &'static str)] = &[];

    /// Whether a cluster can be attached more than once: a second attachment leaves the first one as it is.
    #[doc(hidden)]
    const SHARES_CLUSTERS: bool = false;

    /// Returns whether a compute of this `computeType` is of this kind.
    #[doc(hidden)]
    #[must_use]
    fn accepts(compute_type: &str) -> bool {
        compute_type.eq_ignore_ascii_case(Self::COMPUTE_TYPE)
    }
}

/// Every kind, also those that this library does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnyKind {}

impl sealed::Sealed for AnyKind {}

impl Kind for AnyKind {
    const COMPUTE_TYPE: &'static str = "";

    type Properties = Value;

    fn accepts(_: &str) -> bool {
        true
    }
}

/// A configuration with which a compute can be created. Sealed.
pub trait CreateWith: sealed::Sealed + Send + Sync + 'static {
    /// The kind that it makes.
    type Kind: Kind;

    #[doc(hidden)]
    fn body(&self, workspace: &WorkspaceId, location: &str) -> Value;
}

/// A configuration with which an existing cluster can be attached. Sealed.
pub trait AttachWith: sealed::Sealed + Send + Sync + 'static {
    /// The kind that it makes.
    type Kind: Kind;

    #[doc(hidden)]
    fn body(&self, workspace: &WorkspaceId, location: &str) -> Value;

    /// Returns the ARM id of the cluster.
    #[doc(hidden)]
    fn cluster_id(&self, workspace: &WorkspaceId) -> String;
}

/// A configuration with which a compute can be changed. Sealed.
pub trait UpdateWith: sealed::Sealed + Send + Sync + 'static {
    /// The kind that it changes.
    type Kind: Kind;

    /// Returns the body of the PUT that makes this change to a compute as it was read.
    #[doc(hidden)]
    fn apply(&self, current: Value) -> Result<Value, Error>;
}

/// Returns the differences between a finished compute and the request of its create.
pub(super) fn deviations<K: Kind>(requested: &Value, resource: &ComputeResource) -> Vec<Finding> {
    const COMMON: &[(&str, &str)] = &[
        ("cluster", "/properties/resourceId"),
        ("location", "/properties/computeLocation"),
    ];
    let document = resource.to_value();
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let mut found: Vec<Finding> = COMMON
        .iter()
        .chain(K::COMPARED)
        .filter_map(|(path, pointer)| {
            let asked = text(requested.pointer(pointer)?)?;
            let came = text(document.pointer(pointer)?)?;
            (!asked.eq_ignore_ascii_case(&came)).then(|| {
                deviation(
                    path,
                    format!("the request asked for {asked}, and the compute has {came}"),
                )
            })
        })
        .collect();
    let to_attach = requested.pointer("/properties/resourceId").is_some();
    if resource.properties.is_attached_compute == Some(!to_attach) {
        let way = |attached| if attached { "attached" } else { "created" };
        found.push(deviation(
            "cluster",
            format!(
                "the request asked for a compute that is {}, and it is {}",
                way(to_attach),
                way(!to_attach)
            ),
        ));
    }
    found
}

fn deviation(path: &str, message: String) -> Finding {
    rules::COMPUTE_DEVIATES.finding(
        path,
        message,
        "somebody else may have created it at the same moment: ask them before you change or delete it",
    )
}

/// Makes a kind of an uninhabited type: the conversions between its handle and
/// [`AnyCompute`](super::AnyCompute). The type implements [`Kind`] by itself.
macro_rules! kind {
    ($kind:ty) => {
        impl $crate::compute::kind::sealed::Sealed for $kind {}

        impl TryFrom<$crate::compute::AnyCompute> for $crate::compute::ComputeTarget<$kind> {
            type Error = $crate::error::Error;

            /// Fails with [`ErrorKind::Refused`](crate::ErrorKind::Refused) if the compute is of another
            /// kind.
            fn try_from(
                compute: $crate::compute::AnyCompute,
            ) -> ::std::result::Result<Self, $crate::error::Error> {
                compute.narrow()
            }
        }

        impl From<$crate::compute::ComputeTarget<$kind>> for $crate::compute::AnyCompute {
            fn from(compute: $crate::compute::ComputeTarget<$kind>) -> Self {
                compute.widen()
            }
        }
    };
}
pub(crate) use kind;

pub(crate) mod sealed {
    #![allow(
        unreachable_pub,
        reason = "a bound of public traits that nobody outside can name"
    )]

    pub trait Sealed {}
}
