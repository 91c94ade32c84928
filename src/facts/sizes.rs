//! Virtual machine sizes with their published facts.
//!
//! Source: `ListVMSizesResult.json`, the published example of the `vmSizes` list of
//! `Microsoft.MachineLearningServices` 2019-11-01 (Azure/azure-rest-api-specs). It is no complete
//! list: sizes are an open set, and one that is missing here is *unknown*, never wrong.

/// The size that the documentation names as the default of a new cluster (four vCPUs).
///
/// Source: `azureml-core` 1.61 and the command line reference. The default is the service's to apply:
/// it is never sent.
pub(crate) const DEFAULT_VM_SIZE: &str = "Standard_D3_v2";

/// One virtual machine size.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(
    dead_code,
    reason = "the table carries all published facts; readers pick"
)]
pub(crate) struct VmSize {
    pub(crate) name: &'static str,
    pub(crate) family: &'static str,
    pub(crate) vcpus: u32,
    pub(crate) memory_gb: f64,
    pub(crate) os_vhd_size_mb: u32,
    pub(crate) max_resource_volume_mb: u32,
    pub(crate) low_priority_capable: bool,
    pub(crate) premium_io: bool,
}

/// The facts of a size, if it is a known one. Azure compares size names without regard to case.
pub(crate) fn find(name: &str) -> Option<&'static VmSize> {
    KNOWN
        .iter()
        .find(|size| size.name.eq_ignore_ascii_case(name))
}

#[allow(clippy::too_many_arguments, reason = "a row of the table below")]
const fn size(
    name: &'static str,
    family: &'static str,
    vcpus: u32,
    memory_gb: f64,
    os_vhd_size_mb: u32,
    max_resource_volume_mb: u32,
    low_priority_capable: bool,
    premium_io: bool,
) -> VmSize {
    VmSize {
        name,
        family,
        vcpus,
        memory_gb,
        os_vhd_size_mb,
        max_resource_volume_mb,
        low_priority_capable,
        premium_io,
    }
}

/// The known sizes, in the order of their source.
#[rustfmt::skip]
pub(crate) const KNOWN: &[VmSize] = &[
    size("Standard_F2s_v2", "standardFSv2Family", 2, 4.0, 1047552, 16384, true, true),
    size("Standard_F4s_v2", "standardFSv2Family", 4, 8.0, 1047552, 32768, true, true),
    size("Standard_F8s_v2", "standardFSv2Family", 8, 16.0, 1047552, 65536, true, true),
    size("Standard_F16s_v2", "standardFSv2Family", 16, 32.0, 1047552, 131072, true, true),
    size("Standard_F32s_v2", "standardFSv2Family", 32, 64.0, 1047552, 262144, true, true),
    size("Standard_F64s_v2", "standardFSv2Family", 64, 128.0, 1047552, 524288, true, true),
    size("Standard_F72s_v2", "standardFSv2Family", 72, 144.0, 1047552, 589824, true, true),
    size("Standard_D1_v2", "standardDv2Family", 1, 3.5, 1047552, 51200, true, false),
    size("Standard_D2_v2", "standardDv2Family", 2, 7.0, 1047552, 102400, true, false),
    size("Standard_D3_v2", "standardDv2Family", 4, 14.0, 1047552, 204800, true, false),
    size("Standard_D4_v2", "standardDv2Family", 8, 28.0, 1047552, 409600, true, false),
    size("Standard_D11_v2", "standardDv2Family", 2, 14.0, 1047552, 102400, true, false),
    size("Standard_D12_v2", "standardDv2Family", 4, 28.0, 1047552, 204800, true, false),
    size("Standard_D13_v2", "standardDv2Family", 8, 56.0, 1047552, 409600, true, false),
    size("Standard_D14_v2", "standardDv2Family", 16, 112.0, 1047552, 819200, true, false),
    size("Standard_DS1_v2", "standardDSv2Family", 1, 3.5, 1047552, 7168, true, true),
    size("Standard_DS2_v2", "standardDSv2Family", 2, 7.0, 1047552, 14336, true, true),
    size("Standard_DS3_v2", "standardDSv2Family", 4, 14.0, 1047552, 28672, true, true),
    size("Standard_DS4_v2", "standardDSv2Family", 8, 28.0, 1047552, 57344, true, true),
    size("Standard_DS5_v2", "standardDSv2Family", 16, 56.0, 1047552, 114688, true, true),
    size("Standard_DS11_v2", "standardDSv2Family", 2, 14.0, 1047552, 28672, true, true),
    size("Standard_DS12_v2", "standardDSv2Family", 4, 28.0, 1047552, 57344, true, true),
    size("Standard_DS13_v2", "standardDSv2Family", 8, 56.0, 1047552, 114688, true, true),
    size("Standard_DS14_v2", "standardDSv2Family", 16, 112.0, 1047552, 229376, true, true),
    size("Standard_DS15_v2", "standardDSv2Family", 20, 140.0, 1047552, 286720, true, true),
    size("Standard_NC6s_v2", "standardNCSv2Family", 6, 112.0, 1047552, 344064, true, true),
    size("Standard_NC12s_v2", "standardNCSv2Family", 12, 224.0, 1047552, 688128, true, true),
    size("Standard_NC24rs_v2", "standardNCSv2Family", 24, 448.0, 1047552, 1376256, true, true),
    size("Standard_NC24s_v2", "standardNCSv2Family", 24, 448.0, 1047552, 1376256, true, true),
    size("Standard_NC6s_v3", "standardNCSv3Family", 6, 112.0, 1047552, 344064, true, true),
    size("Standard_NC12s_v3", "standardNCSv3Family", 12, 224.0, 1047552, 688128, true, true),
    size("Standard_NC24rs_v3", "standardNCSv3Family", 24, 448.0, 1047552, 1376256, true, true),
    size("Standard_NC24s_v3", "standardNCSv3Family", 24, 448.0, 1047552, 1376256, true, true),
    size("Standard_NC6", "standardNCFamily", 6, 56.0, 1047552, 389120, true, false),
    size("Standard_NC12", "standardNCFamily", 12, 112.0, 1047552, 696320, true, false),
    size("Standard_NC24", "standardNCFamily", 24, 224.0, 1047552, 1474560, true, false),
    size("Standard_NC24r", "standardNCFamily", 24, 224.0, 1047552, 1474560, true, false),
    size("Standard_NV6", "standardNVFamily", 6, 56.0, 1047552, 389120, true, false),
    size("Standard_NV12", "standardNVFamily", 12, 112.0, 1047552, 696320, true, false),
    size("Standard_NV24", "standardNVFamily", 24, 224.0, 1047552, 1474560, true, false),
    size("Standard_ND6s", "standardNDSFamily", 6, 112.0, 1047552, 344064, true, true),
    size("Standard_ND12s", "standardNDSFamily", 12, 224.0, 1047552, 688128, true, true),
    size("Standard_ND24rs", "standardNDSFamily", 24, 448.0, 1047552, 1376256, true, true),
    size("Standard_ND24s", "standardNDSFamily", 24, 448.0, 1047552, 1376256, true, true),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_size_is_known_and_has_four_vcpus() {
        assert_eq!(find(DEFAULT_VM_SIZE).unwrap().vcpus, 4);
    }

    #[test]
    fn sizes_are_found_in_any_case_and_listed_once() {
        assert_eq!(find("standard_d2_V2").unwrap().vcpus, 2);
        assert!(find("Standard_D99_v9").is_none());
        for (i, a) in KNOWN.iter().enumerate() {
            assert!(
                KNOWN[i + 1..]
                    .iter()
                    .all(|b| !a.name.eq_ignore_ascii_case(b.name)),
                "{} is listed twice",
                a.name
            );
        }
    }
}
