//! The resources of a replica.

use super::numbers;
use crate::rules::{self, Findings};
use serde_json::Value;

/// The resources that a replica requests, and their limits.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Resources {
    pub(super) cpu_cores: Option<f64>,
    pub(super) cpu_cores_limit: Option<f64>,
    pub(super) memory_gb: Option<f64>,
    pub(super) memory_gb_limit: Option<f64>,
    pub(super) gpu_cores: Option<u32>,
    pub(super) fpga_devices: Option<u32>,
}

impl Resources {
    pub(super) fn check(&self, findings: &mut Findings) {
        for (path, amount) in [
            ("cpu_cores", self.cpu_cores),
            ("cpu_cores_limit", self.cpu_cores_limit),
            ("memory_gb", self.memory_gb),
            ("memory_gb_limit", self.memory_gb_limit),
        ] {
            if let Some(amount) = amount
                && !is_amount(amount)
            {
                findings.refuse(
                    rules::DEPLOY_AMOUNT,
                    path,
                    Some(&amount.to_string()),
                    "this is not a valid amount",
                    "give a finite number above zero, or leave it out for the service's default",
                );
            }
        }
        for (path, limit, request) in self.limits() {
            if let (Some(limit), Some(request)) = (limit, request)
                && is_amount(limit)
                && is_amount(request)
                && limit < request
            {
                findings.refuse(
                    rules::DEPLOY_LIMIT_BELOW_REQUEST,
                    path,
                    Some(&limit.to_string()),
                    format!("the limit is below the {request} that a replica asks for"),
                    "raise the limit, ask for less, or leave the limit out",
                );
            }
        }
        numbers::check_fits("gpu_cores", self.gpu_cores, findings);
        numbers::check_fits("fpga_devices", self.fpga_devices, findings);
        if let Some(devices) = self.fpga_devices
            && devices % 2 != 0
        {
            findings.refuse(
                rules::DEPLOY_FPGA_PAIRS,
                "fpga_devices",
                Some(&devices.to_string()),
                "the number of FPGA devices is odd",
                "give a multiple of 2",
            );
        }
    }

    /// Path, limit and request of each resource that has both.
    pub(super) fn limits(&self) -> [(&'static str, Option<f64>, Option<f64>); 2] {
        [
            ("cpu_cores_limit", self.cpu_cores_limit, self.cpu_cores),
            ("memory_gb_limit", self.memory_gb_limit, self.memory_gb),
        ]
    }

    /// Returns the members of the service's `containerResourceRequirements`.
    pub(super) fn leaves(&self) -> impl Iterator<Item = (&'static str, Value)> {
        [
            (
                "/containerResourceRequirements/cpu",
                self.cpu_cores.map(Value::from),
            ),
            (
                "/containerResourceRequirements/cpuLimit",
                self.cpu_cores_limit.map(Value::from),
            ),
            (
                "/containerResourceRequirements/memoryInGB",
                self.memory_gb.map(Value::from),
            ),
            (
                "/containerResourceRequirements/memoryInGBLimit",
                self.memory_gb_limit.map(Value::from),
            ),
            (
                "/containerResourceRequirements/gpu",
                self.gpu_cores.map(Value::from),
            ),
            (
                "/containerResourceRequirements/fpga",
                self.fpga_devices.map(Value::from),
            ),
        ]
        .into_iter()
        .filter_map(|(path, value)| Some((path, value?)))
    }
}

fn is_amount(amount: f64) -> bool {
    amount.is_finite() && amount > 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(resources: &Resources) -> Vec<(String, &'static str)> {
        let mut findings = Findings::default();
        resources.check(&mut findings);
        let found = findings.into_refusals();
        found
            .into_iter()
            .map(|found| (found.path, found.rule))
            .collect()
    }

    #[test]
    fn amounts_are_finite_and_above_zero() {
        for amount in [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let all = Resources {
                cpu_cores: Some(amount),
                cpu_cores_limit: Some(amount),
                memory_gb: Some(amount),
                memory_gb_limit: Some(amount),
                ..Resources::default()
            };
            let found = rules(&all);
            assert_eq!(found.len(), 4, "{amount}: {found:?}");
            assert!(
                found
                    .iter()
                    .all(|(_, rule)| *rule == "deploy.resources.amount")
            );
        }
    }

    #[test]
    fn limit_may_equal_the_request_and_may_stand_alone() {
        let with = |cpu, limit| Resources {
            cpu_cores: cpu,
            cpu_cores_limit: limit,
            ..Resources::default()
        };
        assert!(rules(&with(Some(0.5), Some(0.5))).is_empty());
        assert!(rules(&with(None, Some(0.5))).is_empty());
        assert_eq!(
            rules(&with(Some(0.5), Some(0.4))),
            [("cpu_cores_limit".to_owned(), "deploy.resources.limit")]
        );
        let memory = Resources {
            memory_gb: Some(2.0),
            memory_gb_limit: Some(1.0),
            ..Resources::default()
        };
        assert_eq!(
            rules(&memory),
            [("memory_gb_limit".to_owned(), "deploy.resources.limit")]
        );
    }

    #[test]
    fn fpga_devices_come_in_pairs_and_gpus_do_not() {
        for (devices, fits) in [(0, true), (1, false), (2, true), (3, false)] {
            let resources = Resources {
                gpu_cores: Some(devices),
                fpga_devices: Some(devices),
                ..Resources::default()
            };
            assert_eq!(rules(&resources).is_empty(), fits, "{devices}");
        }
    }
}
