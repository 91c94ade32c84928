//! VM sizes that the emulator knows, with their cores.
//!
//! Plain data: name, family, vCPUs, memory in GB, GPUs. The published sizes of these families;
//! any other can be added with [`EmulatorBuilder::vm_size`](super::EmulatorBuilder::vm_size).

/// A VM size.
#[derive(Clone, Debug)]
pub(crate) struct VmSize {
    pub(crate) name: String,
    pub(crate) family: String,
    pub(crate) cores: u32,
    pub(crate) memory_gb: f64,
    pub(crate) gpus: u32,
}

type Row = (&'static str, &'static str, u32, f64, u32);

const SIZES: &[Row] = &[
    ("Standard_A2_v2", "standardAv2Family", 2, 4.0, 0),
    ("Standard_A4_v2", "standardAv2Family", 4, 8.0, 0),
    ("Standard_B2ms", "standardBSFamily", 2, 8.0, 0),
    ("Standard_B2s", "standardBSFamily", 2, 4.0, 0),
    ("Standard_B4ms", "standardBSFamily", 4, 16.0, 0),
    ("Standard_D1_v2", "standardDv2Family", 1, 3.5, 0),
    ("Standard_D2_v2", "standardDv2Family", 2, 7.0, 0),
    ("Standard_D3_v2", "standardDv2Family", 4, 14.0, 0),
    ("Standard_D4_v2", "standardDv2Family", 8, 28.0, 0),
    ("Standard_D5_v2", "standardDv2Family", 16, 56.0, 0),
    ("Standard_D11_v2", "standardDv2Family", 2, 14.0, 0),
    ("Standard_D12_v2", "standardDv2Family", 4, 28.0, 0),
    ("Standard_D13_v2", "standardDv2Family", 8, 56.0, 0),
    ("Standard_D14_v2", "standardDv2Family", 16, 112.0, 0),
    ("Standard_DS1_v2", "standardDSv2Family", 1, 3.5, 0),
    ("Standard_DS2_v2", "standardDSv2Family", 2, 7.0, 0),
    ("Standard_DS3_v2", "standardDSv2Family", 4, 14.0, 0),
    ("Standard_DS4_v2", "standardDSv2Family", 8, 28.0, 0),
    ("Standard_DS5_v2", "standardDSv2Family", 16, 56.0, 0),
    ("Standard_DS11_v2", "standardDSv2Family", 2, 14.0, 0),
    ("Standard_DS12_v2", "standardDSv2Family", 4, 28.0, 0),
    ("Standard_DS13_v2", "standardDSv2Family", 8, 56.0, 0),
    ("Standard_D2_v3", "standardDv3Family", 2, 8.0, 0),
    ("Standard_D4_v3", "standardDv3Family", 4, 16.0, 0),
    ("Standard_D8_v3", "standardDv3Family", 8, 32.0, 0),
    ("Standard_D16_v3", "standardDv3Family", 16, 64.0, 0),
    ("Standard_D2s_v3", "standardDSv3Family", 2, 8.0, 0),
    ("Standard_D4s_v3", "standardDSv3Family", 4, 16.0, 0),
    ("Standard_D8s_v3", "standardDSv3Family", 8, 32.0, 0),
    ("Standard_D16s_v3", "standardDSv3Family", 16, 64.0, 0),
    ("Standard_D2s_v4", "standardDSv4Family", 2, 8.0, 0),
    ("Standard_D4s_v4", "standardDSv4Family", 4, 16.0, 0),
    ("Standard_D8s_v4", "standardDSv4Family", 8, 32.0, 0),
    ("Standard_D2s_v5", "standardDSv5Family", 2, 8.0, 0),
    ("Standard_D4s_v5", "standardDSv5Family", 4, 16.0, 0),
    ("Standard_D8s_v5", "standardDSv5Family", 8, 32.0, 0),
    ("Standard_D16s_v5", "standardDSv5Family", 16, 64.0, 0),
    ("Standard_D2as_v5", "standardDASv5Family", 2, 8.0, 0),
    ("Standard_D4as_v5", "standardDASv5Family", 4, 16.0, 0),
    ("Standard_D8as_v5", "standardDASv5Family", 8, 32.0, 0),
    ("Standard_E2s_v3", "standardESv3Family", 2, 16.0, 0),
    ("Standard_E4s_v3", "standardESv3Family", 4, 32.0, 0),
    ("Standard_E8s_v3", "standardESv3Family", 8, 64.0, 0),
    ("Standard_E4s_v5", "standardESv5Family", 4, 32.0, 0),
    ("Standard_E8s_v5", "standardESv5Family", 8, 64.0, 0),
    ("Standard_F2s_v2", "standardFSv2Family", 2, 4.0, 0),
    ("Standard_F4s_v2", "standardFSv2Family", 4, 8.0, 0),
    ("Standard_F8s_v2", "standardFSv2Family", 8, 16.0, 0),
    ("Standard_F16s_v2", "standardFSv2Family", 16, 32.0, 0),
    ("Standard_F32s_v2", "standardFSv2Family", 32, 64.0, 0),
    ("Standard_NC6", "standardNCFamily", 6, 56.0, 1),
    ("Standard_NC12", "standardNCFamily", 12, 112.0, 2),
    ("Standard_NC24", "standardNCFamily", 24, 224.0, 4),
    ("Standard_NC6s_v2", "standardNCSv2Family", 6, 112.0, 1),
    ("Standard_NC6s_v3", "standardNCSv3Family", 6, 112.0, 1),
    ("Standard_NC12s_v3", "standardNCSv3Family", 12, 224.0, 2),
    ("Standard_NC24s_v3", "standardNCSv3Family", 24, 448.0, 4),
    (
        "Standard_NC4as_T4_v3",
        "standardNCASv3_T4Family",
        4,
        28.0,
        1,
    ),
    (
        "Standard_NC8as_T4_v3",
        "standardNCASv3_T4Family",
        8,
        56.0,
        1,
    ),
    (
        "Standard_NC16as_T4_v3",
        "standardNCASv3_T4Family",
        16,
        110.0,
        1,
    ),
    (
        "Standard_NC24ads_A100_v4",
        "StandardNCADSA100v4Family",
        24,
        220.0,
        1,
    ),
    ("Standard_NV6", "standardNVFamily", 6, 56.0, 1),
];

pub(crate) fn known() -> Vec<VmSize> {
    SIZES
        .iter()
        .map(|(name, family, cores, memory_gb, gpus)| VmSize {
            name: (*name).to_owned(),
            family: (*family).to_owned(),
            cores: *cores,
            memory_gb: *memory_gb,
            gpus: *gpus,
        })
        .collect()
}
