//! Certificates and keys for tests, made at run time.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SignatureAlgorithm,
    date_time_ymd,
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// 2026-06-01: the "now" of these tests. Certificates are valid from 2026-01-01 to 2027-01-01.
pub(crate) fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_780_272_000)
}

/// Returns the same moment, some days later.
pub(crate) fn days_later(days: u64) -> SystemTime {
    now() + Duration::from_secs(days * 24 * 60 * 60)
}

/// A root, an intermediate and what the intermediate signs.
pub(crate) struct Authority {
    pub(crate) intermediate_pem: String,
    pub(crate) intermediate_key_pem: String,
    params: CertificateParams,
    key: KeyPair,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let root_key = KeyPair::generate().unwrap();
        let root = authority_params("test root");
        let key = KeyPair::generate().unwrap();
        let params = authority_params("test intermediate");
        let intermediate = params
            .signed_by(&key, &Issuer::new(root, &root_key))
            .unwrap();
        Self {
            intermediate_pem: intermediate.pem(),
            intermediate_key_pem: key.serialize_pem(),
            params,
            key,
        }
    }

    /// Certificate alone, and key.
    pub(crate) fn leaf(&self, names: &[&str], key: &KeyPair) -> (String, String) {
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = leaf_params(names).signed_by(key, &issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// Certificate with its chain, and key.
    pub(crate) fn chain(&self, names: &[&str]) -> (String, String) {
        let (leaf, key) = self.leaf(names, &KeyPair::generate().unwrap());
        (format!("{leaf}{}", self.intermediate_pem), key)
    }

    /// Certificate that outlives its chain, with the chain, and key.
    pub(crate) fn long_lived(&self, names: &[&str]) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = leaf_params(names);
        params.not_after = date_time_ymd(2030, 1, 1);
        let issuer = Issuer::from_params(&self.params, &self.key);
        let leaf = params.signed_by(&key, &issuer).unwrap();
        (
            format!("{}{}", leaf.pem(), self.intermediate_pem),
            key.serialize_pem(),
        )
    }
}

pub(crate) fn self_signed(names: &[&str]) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    (
        leaf_params(names).self_signed(&key).unwrap().pem(),
        key.serialize_pem(),
    )
}

pub(crate) fn key_of(algorithm: &'static SignatureAlgorithm) -> KeyPair {
    KeyPair::generate_for(algorithm).unwrap()
}

pub(crate) fn rsa_key() -> KeyPair {
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    use aws_lc_rs::rsa;
    let key = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
    KeyPair::try_from(der.as_ref()).unwrap()
}

/// DER as PEM, of any kind.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in der.chunks(3) {
        let group = (0..3).fold(0u32, |sum, i| {
            sum << 8 | u32::from(*chunk.get(i).unwrap_or(&0))
        });
        for i in 0..4 {
            let sextet = (group >> (18 - 6 * i)) & 63;
            text.push(if i <= chunk.len() {
                ALPHABET[sextet as usize] as char
            } else {
                '='
            });
        }
    }
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 6, 1);
    params
}

fn leaf_params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params
        .distinguished_name
        .push(DnType::CommonName, "common.example.com");
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params
}
