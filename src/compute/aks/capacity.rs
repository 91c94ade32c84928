//! The check that a cluster is large enough for its purpose.

use super::purpose::ClusterPurpose;
use crate::facts::purposes::{
    DEFAULT_DEV_TEST_NODES, DEFAULT_PRODUCTION_NODES, DEV_TEST_VCPUS, PRODUCTION_NODES,
    PRODUCTION_VCPUS,
};
use crate::facts::sizes::{self, DEFAULT_VM_SIZE};
use crate::rules::{self, Findings};

/// Checks nodes × vCPUs against the minimum of the purpose, as far as they are known.
///
/// A setting that was left out counts as its documented default, and a purpose that this crate does not know as
/// production: the message then says so. For a size that is not known, it says that nothing was checked.
pub(crate) fn check(
    purpose: Option<&ClusterPurpose>,
    vm_size: Option<&str>,
    agent_count: Option<u32>,
    findings: &mut Findings,
) {
    if agent_count == Some(0) {
        findings.refuse(
            rules::AGENT_COUNT_ZERO,
            "agent_count",
            Some("0"),
            "a cluster has at least one node",
            "give 3 or more nodes for production, 1 or more for development and tests, or leave the count out",
        );
        return;
    }
    let production = purpose != Some(&ClusterPurpose::DevTest);
    let default_count = if production {
        DEFAULT_PRODUCTION_NODES
    } else {
        DEFAULT_DEV_TEST_NODES
    };
    let count = agent_count.unwrap_or(default_count);
    let size = vm_size.unwrap_or(DEFAULT_VM_SIZE);

    let mut assumed = Vec::new();
    match purpose {
        None => assumed.push("no purpose is given, which counts as FastProd".to_owned()),
        Some(ClusterPurpose::UnknownValue(purpose)) => assumed.push(format!(
            "the purpose {purpose:?} is not known, which counts as production"
        )),
        Some(_) => {}
    }
    if vm_size.is_none() {
        assumed.push(format!(
            "no size is given, which counts as {DEFAULT_VM_SIZE}"
        ));
    }
    if agent_count.is_none() {
        assumed.push(format!(
            "no node count is given, which counts as {default_count}"
        ));
    }
    let assumed = if assumed.is_empty() {
        String::new()
    } else {
        format!(" ({})", assumed.join("; "))
    };

    if let Some(of_one) = sizes::vcpus(size).map(u64::from) {
        let vcpus = of_one * u64::from(count);
        let product = format!("{count} x {size} = {vcpus} vCPUs");
        if production && vcpus < PRODUCTION_VCPUS {
            let enough = PRODUCTION_VCPUS.div_ceil(of_one);
            findings.refuse(
                rules::CAPACITY_PRODUCTION_MINIMUM,
                "agent_count",
                Some(&product),
                format!("a production cluster needs at least {PRODUCTION_VCPUS} vCPUs over all nodes{assumed}"),
                format!(
                    "use {} nodes of this size, a larger size, or `ClusterPurpose::DevTest` if this is not for production",
                    enough.max(u64::from(PRODUCTION_NODES))
                ),
            );
        }
        if !production && vcpus < DEV_TEST_VCPUS {
            findings.advise(
                rules::CAPACITY_DEV_TEST_MINIMUM,
                "agent_count",
                format!("{product}, and at least {DEV_TEST_VCPUS} are recommended{assumed}"),
                "use a larger size or a second node",
            );
        }
    } else if !size.trim().is_empty() {
        let least = if production {
            PRODUCTION_VCPUS
        } else {
            DEV_TEST_VCPUS
        };
        // Each node has one at least.
        if u64::from(count) < least {
            findings.unchecked(
                rules::CAPACITY_NOT_CHECKED,
                "vm_size",
                format!("the vCPUs of {size:?} are not known here, so it was not checked that {count} nodes have {least} in total{assumed}"),
                "run the preflight, which asks the region, or multiply the vCPUs of the size (`az vm list-sizes`) by the number of nodes",
            );
        }
    }
    if production && count < PRODUCTION_NODES {
        findings.advise(
            rules::CAPACITY_PRODUCTION_NODES,
            "agent_count",
            format!("{count} nodes for production, where the documentation asks for {PRODUCTION_NODES}{assumed}"),
            "use three nodes or more: the service may refuse fewer",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(
        purpose: Option<ClusterPurpose>,
        size: Option<&str>,
        count: Option<u32>,
    ) -> Result<Vec<&'static str>, Vec<&'static str>> {
        let mut findings = Findings::default();
        check(purpose.as_ref(), size, count, &mut findings);
        if findings.refused() {
            Err(findings.into_refusals().iter().map(|v| v.rule).collect())
        } else {
            Ok(findings
                .finish("x")
                .unwrap()
                .iter()
                .map(|w| w.rule)
                .collect())
        }
    }

    const MINIMUM: &str = "capacity.production_minimum";
    const NODES: &str = "capacity.production_nodes";
    const UNKNOWN: &str = "capacity.not_checked";

    #[test]
    fn production_needs_twelve_vcpus_where_the_size_is_known() {
        use ClusterPurpose::{DenseProd, DevTest, FastProd};
        let unknown = || ClusterPurpose::from("EdgeProd");
        for (purpose, size, count, expected) in [
            (None, None, None, Ok(vec![])),
            (Some(FastProd), Some("Standard_D3_v2"), Some(3), Ok(vec![])),
            (
                Some(FastProd),
                Some("Standard_D2_v2"),
                Some(3),
                Err(vec![MINIMUM]),
            ),
            (
                Some(FastProd),
                Some("standard_d2_V2"),
                Some(3),
                Err(vec![MINIMUM]),
            ),
            (
                Some(DenseProd),
                Some("Standard_D2_v2"),
                Some(5),
                Err(vec![MINIMUM]),
            ),
            (Some(DenseProd), Some("Standard_D2_v2"), Some(6), Ok(vec![])),
            (None, Some("Standard_D2_v2"), None, Err(vec![MINIMUM])),
            (None, None, Some(2), Err(vec![MINIMUM])),
            (None, Some("Standard_D4_v2"), Some(2), Ok(vec![NODES])),
            (
                None,
                Some("Standard_D99_v2"),
                Some(1),
                Ok(vec![UNKNOWN, NODES]),
            ),
            (None, Some("Standard_D99_v2"), Some(12), Ok(vec![])),
            (
                Some(DevTest),
                Some("Standard_D99_v2"),
                Some(1),
                Ok(vec![UNKNOWN]),
            ),
            (Some(DevTest), Some("Standard_D99_v2"), Some(2), Ok(vec![])),
            (None, Some("Standard_D2s_v5"), Some(5), Err(vec![MINIMUM])),
            (None, Some("Standard_D4ds_v6"), Some(3), Ok(vec![])),
            (None, Some(" "), Some(3), Ok(vec![])),
            (None, Some("Standard_D1_v2"), Some(u32::MAX), Ok(vec![])),
            (
                Some(DevTest),
                Some("Standard_D1_v2"),
                Some(1),
                Ok(vec!["capacity.dev_test_minimum"]),
            ),
            (Some(DevTest), Some("Standard_D1_v2"), Some(2), Ok(vec![])),
            (Some(DevTest), None, None, Ok(vec![])),
            (
                Some(unknown()),
                Some("Standard_D2_v2"),
                Some(3),
                Err(vec![MINIMUM]),
            ),
            (Some(unknown()), Some("Standard_D4_v2"), Some(3), Ok(vec![])),
            (
                Some(unknown()),
                None,
                Some(0),
                Err(vec!["agent_count.zero"]),
            ),
            (
                None,
                Some("Standard_D2_v2"),
                Some(0),
                Err(vec!["agent_count.zero"]),
            ),
        ] {
            let label = format!("{purpose:?} {size:?} {count:?}");
            assert_eq!(outcome(purpose, size, count), expected, "{label}");
        }
    }

    #[test]
    fn message_states_the_assumption() {
        let mut findings = Findings::default();
        check(None, None, Some(2), &mut findings);
        let finding = findings.into_refusals().remove(0);
        assert_eq!(
            finding.value.as_deref(),
            Some("2 x Standard_D3_v2 = 8 vCPUs")
        );
        assert!(
            finding.message.contains("counts as FastProd"),
            "{}",
            finding.message
        );
        assert!(
            finding.message.contains("counts as Standard_D3_v2"),
            "{}",
            finding.message
        );
        assert!(
            !finding.message.contains("node count"),
            "{}",
            finding.message
        );
        assert!(finding.remedy.contains("3 nodes"), "{}", finding.remedy);
    }
}
