//! Virtual machine sizes and their vCPUs.
//!
//! Sources: `ListVMSizesResult.json`, the published example of the `vmSizes` list of
//! `Microsoft.MachineLearningServices` 2019-11-01 (Azure/azure-rest-api-specs); the pages of the A and B series; and for
//! the third and later versions of a series the naming convention
//! (<https://learn.microsoft.com/azure/virtual-machines/vm-naming-conventions>). Sizes are an open set: one that is not
//! known here is *unknown*, never wrong.

/// The size that the documentation names as the default of a new cluster (four vCPUs).
///
/// Source: `azureml-core` 1.61 and the command line reference. The default is the service's to apply:
/// it is never sent.
pub(crate) const DEFAULT_VM_SIZE: &str = "Standard_D3_v2";

/// Returns the vCPUs of a size, if they are known. Azure compares size names without regard to case.
pub(crate) fn vcpus(name: &str) -> Option<u32> {
    let listed = KNOWN
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, vcpus)| *vcpus);
    listed.or_else(|| by_convention(&name.to_ascii_lowercase()))
}

/// `standard_d4s_v5` has four vCPUs, `standard_e8-4s_v5` has four of eight. Names of the first two versions follow other
/// rules.
fn by_convention(name: &str) -> Option<u32> {
    let name = name.strip_prefix("standard_")?;
    let (size, version) = name.rsplit_once("_v")?;
    let version: u32 = version.parse().ok()?;
    let digits = size.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let is_number = |c: char| c.is_ascii_digit() || c == '-';
    let numbers = &digits[..digits.find(|c| !is_number(c)).unwrap_or(digits.len())];
    let vcpus = numbers.rsplit('-').next()?.parse().ok()?;
    (version >= 3 && digits.len() < size.len() && vcpus > 0).then_some(vcpus)
}

/// Sizes whose names do not tell their vCPUs, or not by the convention.
#[rustfmt::skip]
const KNOWN: &[(&str, u32)] = &[
    ("Standard_F2s_v2", 2),
    ("Standard_F4s_v2", 4),
    ("Standard_F8s_v2", 8),
    ("Standard_F16s_v2", 16),
    ("Standard_F32s_v2", 32),
    ("Standard_F64s_v2", 64),
    ("Standard_F72s_v2", 72),
    ("Standard_D1_v2", 1),
    ("Standard_D2_v2", 2),
    ("Standard_D3_v2", 4),
    ("Standard_D4_v2", 8),
    ("Standard_D11_v2", 2),
    ("Standard_D12_v2", 4),
    ("Standard_D13_v2", 8),
    ("Standard_D14_v2", 16),
    ("Standard_DS1_v2", 1),
    ("Standard_DS2_v2", 2),
    ("Standard_DS3_v2", 4),
    ("Standard_DS4_v2", 8),
    ("Standard_DS5_v2", 16),
    ("Standard_DS11_v2", 2),
    ("Standard_DS12_v2", 4),
    ("Standard_DS13_v2", 8),
    ("Standard_DS14_v2", 16),
    ("Standard_DS15_v2", 20),
    ("Standard_NC6s_v2", 6),
    ("Standard_NC12s_v2", 12),
    ("Standard_NC24rs_v2", 24),
    ("Standard_NC24s_v2", 24),
    ("Standard_NC6", 6),
    ("Standard_NC12", 12),
    ("Standard_NC24", 24),
    ("Standard_NC24r", 24),
    ("Standard_NV6", 6),
    ("Standard_NV12", 12),
    ("Standard_NV24", 24),
    ("Standard_ND6s", 6),
    ("Standard_ND12s", 12),
    ("Standard_ND24rs", 24),
    ("Standard_ND24s", 24),
    ("Standard_A2_v2", 2),
    ("Standard_A4_v2", 4),
    ("Standard_B2ms", 2),
    ("Standard_B2s", 2),
    ("Standard_B4ms", 4),
    ("Standard_D5_v2", 16),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_size_is_known_and_has_four_vcpus() {
        assert_eq!(vcpus(DEFAULT_VM_SIZE), Some(4));
    }

    #[test]
    fn listed_sizes_are_found_in_any_case_and_listed_once() {
        assert_eq!(vcpus("standard_d2_V2"), Some(2));
        for (i, (name, _)) in KNOWN.iter().enumerate() {
            let rest = &KNOWN[i + 1..];
            let twice = rest
                .iter()
                .any(|(other, _)| other.eq_ignore_ascii_case(name));
            assert!(!twice, "{name} is listed twice");
            assert_eq!(by_convention(&name.to_ascii_lowercase()), None, "{name}");
        }
    }

    #[test]
    fn sizes_of_the_third_and_later_versions_have_known_vcpus() {
        for (name, expected) in [
            ("Standard_D2s_v3", Some(2)),
            ("Standard_D16as_v4", Some(16)),
            ("STANDARD_D4PDS_V5", Some(4)),
            ("Standard_D8ads_v6", Some(8)),
            ("Standard_E8-4s_v5", Some(4)),
            ("Standard_NC4as_T4_v3", Some(4)),
            ("Standard_NC24ads_A100_v4", Some(24)),
            ("Standard_ND96asr_v4", Some(96)),
            ("Standard_D99_v2", None),
            ("Standard_D_v5", None),
            ("Standard_4_v5", None),
            ("Standard_D0_v5", None),
            ("Standard_D4s_vX", None),
            ("Basic_D4s_v5", None),
            ("", None),
        ] {
            assert_eq!(vcpus(name), expected, "{name}");
        }
    }

    #[test]
    fn sizes_of_recorded_clusters_are_known() {
        for (name, expected) in [
            ("Standard_DS2_v2", 2),
            ("standard_d4pds_v5", 4),
            ("Standard_D2s_v3", 2),
        ] {
            assert_eq!(vcpus(name), Some(expected), "{name}");
        }
    }
}
