//! The emulator's own reading of names and identifiers. Nothing of the library's.

use super::error::ArmError;
use super::versions;

/// Checks the name of a compute: 3 to 24 letters, digits and hyphens, a letter first, no hyphen
/// last; and from 2025-12-01 on no `-<digits>` at the end (the pattern of the types).
pub(crate) fn check_compute(name: &str, api_version: &str) -> Result<(), ArmError> {
    let refuse = |rule: &str| {
        Err(ArmError::new(
            400,
            "InvalidComputeName",
            format!("The compute name '{name}' is invalid: {rule}."),
        ))
    };
    if !(3..=24).contains(&name.chars().count()) {
        return refuse("it must have 3 to 24 characters");
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return refuse("it may contain only letters, digits and hyphens");
    }
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return refuse("it must start with a letter");
    }
    if name.ends_with('-') {
        return refuse("it must end with a letter or a digit");
    }
    let tail = name.rsplit_once('-').map(|(_, tail)| tail);
    if api_version >= versions::NAME_PATTERN_SINCE
        && tail.is_some_and(|tail| tail.bytes().all(|b| b.is_ascii_digit()))
    {
        return refuse("it must not end with a hyphen and digits");
    }
    Ok(())
}

/// An ARM id of the shape `/subscriptions/{}/resourceGroups/{}/providers/{provider}/{}/{}…`, its
/// segments after checking that the fixed ones are as they should be, without case.
fn id_parts<'id>(id: &'id str, shape: &[&str]) -> Option<Vec<&'id str>> {
    let parts: Vec<&str> = id.strip_prefix('/')?.split('/').collect();
    let fits = parts.len() == shape.len()
        && parts.iter().zip(shape).all(|(part, expected)| {
            if *expected == "*" {
                !part.is_empty()
            } else {
                part.eq_ignore_ascii_case(expected)
            }
        });
    fits.then_some(parts)
}

/// Whether it is the id of a resource of this type.
fn is_id_of(id: &str, provider: &str, kind: &str) -> bool {
    let shape = [
        "subscriptions",
        "*",
        "resourceGroups",
        "*",
        "providers",
        provider,
        kind,
        "*",
    ];
    id_parts(id, &shape).is_some()
}

pub(crate) fn is_cluster_id(id: &str) -> bool {
    is_id_of(id, "Microsoft.ContainerService", "managedClusters")
}

/// Whether it is the id of an Arc-connected cluster.
pub(crate) fn is_connected_cluster_id(id: &str) -> bool {
    is_id_of(id, "Microsoft.Kubernetes", "connectedClusters")
}

pub(crate) fn is_user_assigned_identity_id(id: &str) -> bool {
    is_id_of(id, "Microsoft.ManagedIdentity", "userAssignedIdentities")
}

/// Whether it is the id of a subnet. `None` in place of a name is what a client sends that formats
/// an absent value, so it is refused.
pub(crate) fn is_subnet_id(id: &str) -> bool {
    subnet(id).is_some_and(|names| !names.contains(&"None"))
}

/// Subscription, group, network and name of a subnet, by its id.
pub(crate) fn subnet(id: &str) -> Option<[&str; 4]> {
    let shape = [
        "subscriptions",
        "*",
        "resourceGroups",
        "*",
        "providers",
        "Microsoft.Network",
        "virtualNetworks",
        "*",
        "subnets",
        "*",
    ];
    let parts = id_parts(id, &shape)?;
    Some([parts[1], parts[3], parts[7], parts[9]])
}

/// A region as ARM compares it: `West US 2` is `westus2`.
pub(crate) fn region(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_whitespace())
        .collect::<String>()
        .to_ascii_lowercase()
}

/// Whether it can be a DNS label once six characters are appended to it.
pub(crate) fn is_leaf_label(label: &str) -> bool {
    (1..=57).contains(&label.len())
        && label
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && label.starts_with(|c: char| c.is_ascii_lowercase())
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compute_names_follow_the_rule_of_their_version() {
        for good in ["abc", "my-aks", "a23", "aks-1a", "abcdefghijklmnopqrstuvwx"] {
            assert!(check_compute(good, "2026-05-01").is_ok(), "{good}");
        }
        for bad in [
            "",
            "ab",
            "1abc",
            "-abc",
            "abc-",
            "my_aks",
            "aks-1",
            "añb",
            &"a".repeat(25),
        ] {
            assert!(check_compute(bad, "2026-05-01").is_err(), "{bad}");
        }
        assert!(check_compute("aks-1", "2020-02-02").is_ok());
    }

    #[test]
    fn ids_are_compared_without_case_but_by_shape() {
        assert!(is_cluster_id(
            "/subscriptions/s/resourcegroups/g/providers/microsoft.containerservice/managedclusters/c"
        ));
        assert!(!is_cluster_id(
            "/subscriptions/s/resourceGroups//providers/Microsoft.ContainerService/managedClusters/c"
        ));
        assert!(!is_subnet_id(
            "/subscriptions/s/resourceGroups/None/providers/Microsoft.Network/virtualNetworks/v/subnets/n"
        ));
    }
}
