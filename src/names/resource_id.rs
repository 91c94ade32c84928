//! Ids of Azure resources, as far as a configuration names one.

use crate::names::segment;
use crate::rules::{self, Findings};

/// The type that an id has to be of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ResourceType {
    /// The provider, for example `Microsoft.Network`.
    pub(crate) provider: &'static str,
    /// The types below it, for example `virtualNetworks` and `subnets`.
    pub(crate) types: &'static [&'static str],
}

impl ResourceType {
    /// Returns the shape of an id of this type, for messages.
    fn shape(self) -> String {
        let mut shape = format!(
            "/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{}",
            self.provider
        );
        for name in self.types {
            shape.push_str(&format!("/{name}/{{name}}"));
        }
        shape
    }
}

/// Returns an id without the quotation marks in which `az … --query id` prints it.
pub(crate) fn unquoted(id: &str) -> &str {
    let id = id.trim();
    id.strip_prefix('"')
        .and_then(|id| id.strip_suffix('"'))
        .unwrap_or(id)
}

/// Returns whether two ids name one resource: services change their case.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one.trim_matches('/')
        .eq_ignore_ascii_case(other.trim_matches('/'))
}

/// Checks that `id` is the id of a resource of type `expected` and gives the name at its end.
///
/// Azure compares the words of an id without regard to case, and prints them in several.
pub(crate) fn check<'a>(
    path: &str,
    id: &'a str,
    expected: ResourceType,
    findings: &mut Findings,
) -> Option<&'a str> {
    let (name, _) = check_any(path, id, &[expected], findings)?;
    Some(name)
}

/// Like [`check`] for a resource of any of these types; gives which one it is, too.
pub(crate) fn check_any<'a>(
    path: &str,
    id: &'a str,
    expected: &[ResourceType],
    findings: &mut Findings,
) -> Option<(&'a str, usize)> {
    let list = |text: &dyn Fn(ResourceType) -> String| {
        let texts: Vec<String> = expected.iter().map(|one| text(*one)).collect();
        texts.join(" or ")
    };
    let remedy = || format!("give the full id: {}", list(&ResourceType::shape));
    let mut refuse_shape = |message: &str| {
        findings.refuse(rules::RESOURCE_ID_SHAPE, path, Some(id), message, remedy());
    };

    let id = unquoted(id);
    let Some(rest) = id.strip_prefix('/') else {
        refuse_shape("a resource id starts with a slash");
        return None;
    };
    let parts: Vec<&str> = rest.split('/').collect();
    let word = |at: usize, expected: &str| {
        parts
            .get(at)
            .is_some_and(|part: &&str| part.eq_ignore_ascii_case(expected))
    };
    if !(word(0, "subscriptions") && word(2, "resourceGroups") && word(4, "providers")) {
        refuse_shape("this is not the id of a resource in a resource group");
        return None;
    }
    if parts.len() < 8 || !parts.len().is_multiple_of(2) {
        refuse_shape("the resource id has parts missing, or too many");
        return None;
    }
    if parts.iter().any(|part| segment(path, part).is_some()) {
        refuse_shape("the resource id has an empty part, or one with characters that no name has");
        return None;
    }

    let of_type = expected.iter().position(|expected| {
        word(5, expected.provider)
            && parts.len() == 6 + 2 * expected.types.len()
            && expected
                .types
                .iter()
                .enumerate()
                .all(|(i, name)| word(6 + 2 * i, name))
    });
    let Some(of_type) = of_type else {
        let types = list(&|one| format!("{}/{}", one.provider, one.types.join("/")));
        findings.refuse(
            rules::RESOURCE_ID_TYPE,
            path,
            Some(id),
            format!("this is the id of another kind of resource, not of {types}"),
            remedy(),
        );
        return None;
    };
    Some((parts.last().copied()?, of_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBNET: ResourceType = ResourceType {
        provider: "Microsoft.Network",
        types: &["virtualNetworks", "subnets"],
    };

    fn rule(id: &str) -> Option<&'static str> {
        let mut findings = Findings::default();
        let name = check("id", id, SUBNET, &mut findings);
        let found = findings.into_refusals();
        assert_eq!(name.is_none(), !found.is_empty());
        assert!(found.len() <= 1);
        found.first().map(|finding| finding.rule)
    }

    #[test]
    fn ids_are_read_without_regard_to_case() {
        for id in [
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/n",
            "\"/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/n\"\n",
            "/SUBSCRIPTIONS/s/resourcegroups/g/Providers/microsoft.network/virtualnetworks/v/SUBNETS/n",
        ] {
            assert_eq!(rule(id), None, "{id}");
        }
    }

    #[test]
    fn broken_shapes_and_other_types_are_distinguished() {
        for id in [
            "",
            "/",
            "mynetwork",
            "subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/n",
            "/subscriptions/s/resourceGroups/g",
            "\"/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/n",
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks",
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/n/",
            "/subscriptions//resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/n",
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/..",
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/n?x",
            "https://portal.azure.com/#resource/subscriptions/s",
        ] {
            assert_eq!(rule(id), Some("resource_id.shape"), "{id}");
        }
        for id in [
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v",
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualNetworks/v/subnets/n",
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/subnets/v/virtualNetworks/n",
        ] {
            assert_eq!(rule(id), Some("resource_id.type"), "{id}");
        }
    }
}
