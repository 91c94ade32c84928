//! The deviations and undescribed routes that are known, each with its source.
//!
//! The lists are held to: what is not in them fails, and so does an entry that no longer occurs.

use std::fmt::Write as _;

use super::{Deviation, Direction, Kind, Report, Undescribed};

/// A deviation that is meant to be there. `*` in `route` and `pointer` stands for any text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowed {
    pub(crate) id: &'static str,
    /// Where it was observed or read, so that a reader can judge it.
    pub(crate) source: &'static str,
    /// Method and path template, without regard to case: `PUT */computes/{computeName}`.
    pub(crate) route: &'static str,
    pub(crate) direction: Direction,
    pub(crate) pointer: &'static str,
    pub(crate) kind: Kind,
    /// The offending value, where only that one is meant.
    pub(crate) value: Option<&'static str>,
}

impl Allowed {
    pub(crate) fn matches(&self, deviation: &Deviation) -> bool {
        self.direction == deviation.direction
            && self.kind == deviation.kind
            && self.value.is_none_or(|value| value == deviation.value)
            && fits(self.pointer, &deviation.json_pointer)
            && fits(
                &self.route.to_ascii_lowercase(),
                &deviation.route.to_ascii_lowercase(),
            )
    }
}

/// A route that no description has. `*` in `path` stands for any text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownRoute {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) reason: &'static str,
}

impl KnownRoute {
    pub(crate) fn matches(&self, route: &Undescribed) -> bool {
        self.method == route.method
            && fits(
                &self.path.to_ascii_lowercase(),
                &route.path.to_ascii_lowercase(),
            )
    }
}

/// Members that this library sends or the service answers, and the descriptions do not know.
pub(crate) const LIBRARY: &[Allowed] = &[
    RENEW,
    Allowed {
        id: "null for what is absent",
        source: "recorded from 2021 to 2025: every read of a compute",
        route: "* */computes*",
        pointer: "/*",
        kind: Kind::Null,
        ..RECORDED
    },
    Allowed {
        id: "an update echoes the nulls that were read",
        source: "recorded from 2021 to 2025: every read of a compute",
        pointer: "/properties/*",
        kind: Kind::Null,
        ..RENEW
    },
    Allowed {
        id: "warnings beside the errors of a compute",
        source: "recorded in 2024 and 2025",
        route: "* */computes*",
        pointer: "*/properties/provisioningWarnings",
        ..RECORDED
    },
    Allowed {
        id: "members of a refusal",
        source: "recorded in 2021: 404 of a compute",
        pointer: "/error/*",
        ..RECORDED
    },
    Allowed {
        id: "what a refusal belongs to",
        source: "recorded in 2021: 404 of a compute",
        pointer: "/correlation",
        ..RECORDED
    },
    Allowed {
        id: "environment of a refusal",
        source: "recorded in 2021: 404 of a compute",
        pointer: "/environment",
        ..RECORDED
    },
    Allowed {
        id: "location of a refusal",
        source: "recorded in 2021: 404 of a compute",
        pointer: "/location",
        ..RECORDED
    },
    Allowed {
        id: "time of a refusal",
        source: "recorded in 2021: 404 of a compute",
        pointer: "/time",
        ..RECORDED
    },
    Allowed {
        id: "component of a refusal",
        source: "recorded in 2021: 404 of a compute",
        pointer: "/componentName",
        ..RECORDED
    },
    Allowed {
        id: "no Location beside Azure-AsyncOperation",
        source: "recorded from 2021 to 2025: every removal of a compute",
        route: "DELETE */computes/{computeName}",
        pointer: "header:Location",
        kind: Kind::Missing,
        ..RECORDED
    },
    Allowed {
        id: "null for no compute that builds images",
        source: "recorded in 2023: a workspace",
        route: "GET */workspaces/{workspaceName}",
        pointer: "/properties/imageBuildCompute",
        kind: Kind::Null,
        ..RECORDED
    },
    Allowed {
        id: "etag of a workspace",
        source: "recorded in 2023: a workspace",
        route: "GET */workspaces/{workspaceName}",
        pointer: "/etag",
        ..RECORDED
    },
];

/// Requests of this library that no description covers.
pub(crate) const LIBRARY_ROUTES: &[KnownRoute] = &[OPERATION_STATUS];

/// Members about clusters and node pools that this library sends or the emulator answers, and the descriptions do not know.
pub(crate) const OWN_CLUSTERS: &[Allowed] = &[Allowed {
    id: "the type of a cluster in the service's spelling",
    source: "recorded from 2022 to 2024: every read of a cluster",
    route: "* */managedClusters/{resourceName}",
    pointer: "/type",
    kind: Kind::NotListed,
    value: Some("Microsoft.ContainerService/ManagedClusters"),
    ..RECORDED
}];

pub(crate) const OWN_CLUSTERS_ROUTES: &[KnownRoute] = &[KnownRoute {
    path: "/subscriptions/*/providers/Microsoft.ContainerService/locations/*/operations/*",
    ..OPERATION_STATUS
}];

/// Members that the emulator answers about extensions, and the published types do not know.
pub(crate) const EXTENSIONS: &[Allowed] = &[Allowed {
    id: "null for what is absent in an extension",
    source: "recorded: every answer about an extension; `version` is assumed",
    route: "* */extensions*",
    pointer: "*",
    kind: Kind::Null,
    ..RECORDED
}];

pub(crate) const EXTENSIONS_ROUTES: &[KnownRoute] = &[KnownRoute {
    path: "/subscriptions/*/extensions/*/operations/*",
    ..OPERATION_STATUS
}];

/// Members that `azureml-core` 1.61 was recorded to send, and the descriptions do not know.
pub(crate) const PYTHON: &[Allowed] = &[
    RENEW,
    Allowed {
        id: "compute API version 2020-02-02",
        source: "azureml-core 1.61, recorded; in no published description",
        route: "* */computes*",
        pointer: "query:api-version",
        kind: Kind::ApiVersion,
        value: Some("2020-02-02"),
        direction: Direction::Request,
    },
    Allowed {
        id: "null for no load balancer subnet",
        source: "azureml-core 1.61, recorded: every attach",
        pointer: "/properties/properties/loadBalancerSubnet",
        kind: Kind::Null,
        ..RENEW
    },
    Allowed {
        id: "an update echoes what is read-only",
        source: "azureml-core 1.61, recorded: read, change, write back",
        pointer: "/*",
        kind: Kind::ReadOnly,
        ..RENEW
    },
    Allowed {
        id: "an update echoes the name",
        source: "azureml-core 1.61, recorded: read, change, write back",
        pointer: "/name",
        kind: Kind::AddressOnly,
        ..RENEW
    },
    Allowed {
        id: "the action of a removal in lower case",
        source: "azureml-core 1.61, recorded: delete and detach",
        route: "DELETE */computes/{computeName}",
        pointer: "query:underlyingResourceAction",
        kind: Kind::NotListed,
        ..RENEW
    },
    Allowed {
        id: "a POST to services/validate",
        source: "azureml-core 1.61, recorded; the descriptions take \"validate\" for a service's name",
        route: "POST */services/{id}",
        pointer: "",
        kind: Kind::Method,
        ..RENEW
    },
    Allowed {
        id: "keyType is a string",
        source: "azureml-core 1.61, recorded; the description says int32 with two words to choose",
        route: "POST */services/{id}/regenerateKeys",
        pointer: "/keyType",
        kind: Kind::WrongType,
        ..RENEW
    },
    Allowed {
        id: "keyValue is always sent",
        source: "azureml-core 1.61, recorded",
        route: "POST */services/{id}/regenerateKeys",
        pointer: "/keyValue",
        kind: Kind::Null,
        ..RENEW
    },
    Allowed {
        id: "the value of a patch is whatever is replaced",
        source: "azureml-core 1.61, recorded; RFC 6902; the description says object",
        route: "PATCH */services/{id}",
        pointer: "/*/value",
        kind: Kind::WrongType,
        ..RENEW
    },
];

/// Requests of `azureml-core` 1.61 that no description covers.
pub(crate) const PYTHON_ROUTES: &[KnownRoute] = &[
    OPERATION_STATUS,
    KnownRoute {
        method: "GET",
        path: "/rp/workspaces/subscriptions/*/computes*",
        reason: "azureml-core 1.61 reads computes at the regional host, not at ARM",
    },
    KnownRoute {
        method: "GET",
        path: "/discovery",
        reason: "the workspace's discoveryUrl; its answer is a map of hosts",
    },
    KnownRoute {
        method: "POST",
        path: "/modelmanagement/v1.0/*/services/validate/*",
        reason: "azureml-core 1.61 asks before it deploys; published nowhere",
    },
    KnownRoute {
        method: "GET",
        path: "/modelmanagement/v1.0/*/services/*/logs",
        reason: "azureml-core 1.61; left out of the published 2019-09-30 description",
    },
];

/// `renew` asks for a new certificate of a leaf domain.
const RENEW: Allowed = Allowed {
    id: "sslConfiguration.renew",
    source: "azureml-core 1.61, recorded; in no published description",
    route: "PUT */computes/{computeName}",
    direction: Direction::Request,
    pointer: "/properties/properties/sslConfiguration/renew",
    kind: Kind::Unknown,
    value: None,
};

/// Members that the live service was recorded to answer.
const RECORDED: Allowed = Allowed {
    id: "recorded",
    source: "recorded",
    route: "* */computes/{computeName}",
    direction: Direction::Response,
    pointer: "",
    kind: Kind::Unknown,
    value: None,
};

const OPERATION_STATUS: KnownRoute = KnownRoute {
    method: "GET",
    path: "/subscriptions/*/providers/Microsoft.MachineLearningServices/locations/*\
           /computeOperationsStatus/*",
    reason: "named only by the Azure-AsyncOperation header, which the service fills in",
};

/// Says everything that is wrong with the reports of a run: deviations and undescribed routes that
/// are not in the lists, entries of the lists that did not occur, and a run that checked nothing.
pub(crate) fn verdict(
    reports: &[Report],
    allowed: &[Allowed],
    routes: &[KnownRoute],
) -> Result<(), String> {
    let mut wrong = String::new();
    let mut say = |line: String| writeln!(wrong, "{line}").expect("a string takes any text");
    let deviations: Vec<_> = reports
        .iter()
        .flat_map(|report| &report.deviations)
        .collect();
    let undescribed: Vec<_> = reports
        .iter()
        .flat_map(|report| &report.undescribed)
        .collect();
    if reports.len() == undescribed.len() {
        say("no exchange was checked against a description".into());
    }
    for deviation in &deviations {
        if !allowed.iter().any(|entry| entry.matches(deviation)) {
            say(format!("not allowed: {deviation}"));
        }
    }
    for route in &undescribed {
        if !routes.iter().any(|entry| entry.matches(route)) {
            say(format!(
                "no description, and not listed: {} {}",
                route.method, route.path
            ));
        }
    }
    for entry in allowed {
        if !deviations.iter().any(|deviation| entry.matches(deviation)) {
            say(format!(
                "listed, but does not occur: {} (from {})",
                entry.id, entry.source
            ));
        }
    }
    for entry in routes {
        if !undescribed.iter().any(|route| entry.matches(route)) {
            let KnownRoute {
                method,
                path,
                reason,
            } = entry;
            say(format!(
                "listed as undescribed, but does not occur: {method} {path} ({reason})"
            ));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// Whether `text` is `pattern`, in which `*` stands for any text.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|text| {
            (0..=text.len())
                .filter(|&at| text.is_char_boundary(at))
                .any(|at| fits(rest, &text[at..]))
        }),
    }
}
