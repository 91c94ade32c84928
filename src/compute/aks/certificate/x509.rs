//! Checks of the contents of a certificate, and of its key.

use super::{CERTIFICATE, KEY};
use crate::rules::{self, Findings};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use x509_cert::Certificate;
use x509_cert::der::asn1::AnyRef;
use x509_cert::der::{Decode, Tag, Tagged};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::spki::SubjectPublicKeyInfoRef;

/// Checks the parts that are there: certificate text, key text and host name may each be missing because
/// they were refused already.
pub(super) fn check(
    cname: Option<&str>,
    certificate: Option<&str>,
    key: Option<&str>,
    now: SystemTime,
    findings: &mut Findings,
) {
    let chain = certificate.and_then(|text| decode_chain(text, findings));
    let key = key.and_then(|text| decode_key(text, findings));
    let Some(chain) = chain else { return };
    let Some(leaf) = chain.first() else { return };

    if let Some(key) = &key {
        check_match(key, &chain, findings);
    }
    if let Some(cname) = cname {
        check_name(cname, leaf, findings);
    }
    check_dates(&chain, now, findings);
    check_links(&chain, findings);
}

fn decode_chain(text: &str, findings: &mut Findings) -> Option<Vec<Certificate>> {
    let chain = CertificateDer::pem_slice_iter(text.as_bytes())
        .map(|der| Certificate::from_der(der.ok()?.as_ref()).ok())
        .collect::<Option<Vec<_>>>()
        .filter(|chain| !chain.is_empty());
    if chain.is_none() {
        findings.refuse(
            rules::TLS_CERTIFICATE_SYNTAX,
            CERTIFICATE,
            None,
            "a certificate in this text cannot be decoded",
            "export the certificate and its chain as PEM again, unchanged",
        );
    }
    chain
}

/// Returns the public key that belongs to the private one, as the bits that a certificate carries.
fn decode_key(text: &str, findings: &mut Findings) -> Option<Vec<u8>> {
    let Ok(key) = PrivateKeyDer::from_pem_slice(text.as_bytes()) else {
        refuse_key(findings);
        return None;
    };
    let public = any_supported_type(&key).ok().and_then(|key| {
        let info = key.public_key()?;
        let info = SubjectPublicKeyInfoRef::from_der(info.as_ref()).ok()?;
        Some(info.subject_public_key.raw_bytes().to_vec())
    });
    if public.is_none() {
        let well_formed =
            AnyRef::from_der(key.secret_der()).is_ok_and(|any| any.tag() == Tag::Sequence);
        if well_formed {
            findings.unchecked(
                rules::TLS_NOT_CHECKED,
                KEY,
                "the private key is of a kind that cannot be compared with the certificate here",
                "make sure that the key belongs to the certificate, or use an RSA (2048 bits or more), ECDSA or Ed25519 key",
            );
        } else {
            refuse_key(findings);
        }
    }
    public
}

fn refuse_key(findings: &mut Findings) {
    findings.refuse(
        rules::TLS_KEY_SYNTAX,
        KEY,
        None,
        "the private key in this text cannot be decoded",
        "export the key as PEM again, unchanged",
    );
}

fn check_match(key: &[u8], chain: &[Certificate], findings: &mut Findings) {
    let owner = chain.iter().position(|certificate| {
        let info = &certificate.tbs_certificate.subject_public_key_info;
        info.subject_public_key.raw_bytes() == key
    });
    let (message, remedy) = match owner {
        Some(0) => return,
        Some(at) => (
            format!(
                "the private key belongs to certificate {} of the text, not to the first",
                at + 1
            ),
            "put your own certificate first, then the one that signed it, and so on",
        ),
        None => (
            "the private key does not belong to the certificate".to_owned(),
            "give the key that the certificate was requested with",
        ),
    };
    findings.refuse(rules::TLS_KEY_MISMATCH, KEY, None, message, remedy);
}

/// Clients check the subject alternative names only; the common name of the subject has not
/// counted for years (RFC 9525, section 2), so it does not count here.
fn check_name(cname: &str, leaf: &Certificate, findings: &mut Findings) {
    let names = dns_names(leaf);
    if names.iter().any(|name| covers(name, cname)) {
        return;
    }
    let seen = if names.is_empty() {
        "it has no DNS name among its subject alternative names, and its common name does not count"
            .to_owned()
    } else {
        format!("it covers {}", names.join(", "))
    };
    findings.refuse(
        rules::TLS_CNAME_NOT_COVERED,
        "tls.cname",
        Some(cname),
        format!("the certificate does not cover this name: {seen}"),
        "give a name that the certificate covers, or a certificate for this name",
    );
}

fn dns_names(leaf: &Certificate) -> Vec<String> {
    let Ok(Some((_, SubjectAltName(names)))) = leaf.tbs_certificate.get::<SubjectAltName>() else {
        return Vec::new();
    };
    names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DnsName(name) => Some(name.to_string()),
            _ => None,
        })
        .collect()
}

/// A wildcard stands for exactly one label, the first.
fn covers(pattern: &str, name: &str) -> bool {
    if let Some(parent) = pattern.strip_prefix("*.") {
        name.split_once('.')
            .is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent))
    } else {
        pattern.eq_ignore_ascii_case(name)
    }
}

fn check_dates(chain: &[Certificate], now: SystemTime, findings: &mut Findings) {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    for (at, certificate) in chain.iter().enumerate() {
        let validity = &certificate.tbs_certificate.validity;
        let begin = validity.not_before.to_unix_duration();
        let end = validity.not_after.to_unix_duration();
        if at > 0 {
            if end < now || now < begin {
                findings.advise(
                    rules::TLS_CHAIN_EXPIRED,
                    CERTIFICATE,
                    format!(
                        "certificate {} of the chain is valid from {} to {} only",
                        at + 1,
                        validity.not_before,
                        validity.not_after
                    ),
                    "fetch the current chain from the authority",
                );
            }
        } else if end < now {
            findings.refuse(
                rules::TLS_EXPIRED,
                CERTIFICATE,
                Some(&validity.not_after.to_string()),
                "the certificate has expired",
                "renew the certificate",
            );
        } else if now < begin {
            findings.refuse(
                rules::TLS_NOT_YET_VALID,
                CERTIFICATE,
                Some(&validity.not_before.to_string()),
                "the certificate is not valid yet",
                "wait until it is, or check the clock of this machine",
            );
        } else if end - now < SOON {
            findings.advise(
                rules::TLS_EXPIRES_SOON,
                CERTIFICATE,
                format!(
                    "the certificate expires at {}, in {} days",
                    validity.not_after,
                    (end - now).as_secs() / DAY
                ),
                "renew it soon, and update the cluster: nothing does so by itself",
            );
        }
    }
}

/// Compares names of issuers and subjects only: whether the signatures hold is for clients to see,
/// against authorities that are not known here.
fn check_links(chain: &[Certificate], findings: &mut Findings) {
    let Some(leaf) = chain.first() else { return };
    let leaf = &leaf.tbs_certificate;
    if leaf.issuer == leaf.subject {
        findings.advise(
            rules::TLS_SELF_SIGNED,
            CERTIFICATE,
            "the certificate is self-signed, so clients will not trust it by themselves",
            "use a certificate of an authority for anything but development",
        );
        return;
    }
    let broken = chain
        .windows(2)
        .position(|pair| pair[0].tbs_certificate.issuer != pair[1].tbs_certificate.subject);
    let message = match broken {
        Some(at) => format!(
            "certificate {} of the text is not signed by the next one: {} is missing, or not in its place",
            at + 1,
            chain[at].tbs_certificate.issuer
        ),
        None if chain.len() == 1 => {
            format!(
                "the text holds no chain: the certificate of {} is missing",
                leaf.issuer
            )
        }
        None => return,
    };
    findings.advise(
        rules::TLS_CHAIN_INCOMPLETE,
        CERTIFICATE,
        message,
        "give the full chain, your certificate first and each signed by the next; the root may be left out",
    );
}

const DAY: u64 = 24 * 60 * 60;
/// The time before its expiry in which a certificate gets a warning.
const SOON: Duration = Duration::from_secs(30 * DAY);

#[cfg(test)]
mod tests {
    use super::super::fixtures::{self, Authority, days_later, key_of, now, rsa_key};
    use super::*;

    const NAME: &str = "scoring.example.com";

    /// The rules that refuse, or else those that warn.
    fn outcome(
        cname: &str,
        certificate: &str,
        key: &str,
        now: SystemTime,
    ) -> Result<Vec<&'static str>, Vec<&'static str>> {
        let mut findings = Findings::default();
        check(
            Some(cname),
            Some(certificate),
            Some(key),
            now,
            &mut findings,
        );
        if findings.refused() {
            Err(findings
                .into_refusals()
                .iter()
                .map(|finding| finding.rule)
                .collect())
        } else {
            Ok(findings
                .finish("x")
                .unwrap()
                .iter()
                .map(|warning| warning.rule)
                .collect())
        }
    }

    #[test]
    fn certificate_with_chain_and_key_passes_for_every_kind_of_key() {
        let authority = Authority::new();
        for key in [
            key_of(&rcgen::PKCS_ECDSA_P256_SHA256),
            key_of(&rcgen::PKCS_ECDSA_P384_SHA384),
            key_of(&rcgen::PKCS_ED25519),
            rsa_key(),
        ] {
            let (leaf, key) = authority.leaf(&[NAME], &key);
            let chain = format!("{leaf}{}", authority.intermediate_pem);
            assert_eq!(outcome(NAME, &chain, &key, now()), Ok(vec![]));
            let (_, other) = authority.leaf(&[NAME], &rsa_key());
            assert_eq!(
                outcome(NAME, &chain, &other, now()),
                Err(vec!["tls.key_mismatch"])
            );
        }
    }

    #[test]
    fn key_of_another_certificate_of_the_chain_is_distinguished() {
        let authority = Authority::new();
        let (chain, _) = authority.chain(&[NAME]);
        let mut findings = Findings::default();
        let key = &authority.intermediate_key_pem;
        check(Some(NAME), Some(&chain), Some(key), now(), &mut findings);
        let found = findings.into_refusals();
        assert!(
            found[0].message.contains("certificate 2"),
            "{}",
            found[0].message
        );
    }

    #[test]
    fn host_name_has_to_be_covered_by_an_alternative_name() {
        let authority = Authority::new();
        for (names, cname, covered) in [
            (vec![NAME], "SCORING.example.COM", true),
            (vec!["other.example.com", NAME], NAME, true),
            (vec!["*.example.com"], NAME, true),
            (vec!["*.example.com"], "a.b.example.com", false),
            (vec!["*.example.com"], "example.com", false),
            (vec!["example.com"], NAME, false),
            (vec!["10.0.0.1"], NAME, false),
            (vec![], "common.example.com", false),
        ] {
            let (chain, key) = authority.chain(&names);
            let expected = if covered {
                Ok(vec![])
            } else {
                Err(vec!["tls.cname.not_covered"])
            };
            assert_eq!(
                outcome(cname, &chain, &key, now()),
                expected,
                "{names:?} {cname}"
            );
        }
    }

    #[test]
    fn expiry_is_seen_on_the_day() {
        let (chain, key) = Authority::new().chain(&[NAME]);
        let at = |days: u64| outcome(NAME, &chain, &key, days_later(days));
        // 2026-06-01 and 214 days are 2027-01-01, when the certificate ends.
        assert_eq!(at(183), Ok(vec![]));
        assert_eq!(at(185), Ok(vec!["tls.expires_soon"]));
        assert_eq!(at(213), Ok(vec!["tls.expires_soon"]));
        assert_eq!(at(215), Err(vec!["tls.expired"]));
        assert_eq!(
            outcome(NAME, &chain, &key, UNIX_EPOCH),
            Err(vec!["tls.not_yet_valid"])
        );
    }

    #[test]
    fn expired_certificate_of_the_chain_is_a_warning() {
        let (chain, key) = Authority::new().long_lived(&[NAME]);
        assert_eq!(outcome(NAME, &chain, &key, days_later(300)), Ok(vec![]));
        assert_eq!(
            outcome(NAME, &chain, &key, days_later(600)),
            Ok(vec!["tls.chain_expired"])
        );
    }

    #[test]
    fn missing_chain_and_a_self_signed_certificate_are_warnings() {
        let authority = Authority::new();
        let (leaf, key) = authority.leaf(&[NAME], &key_of(&rcgen::PKCS_ECDSA_P256_SHA256));
        assert_eq!(
            outcome(NAME, &leaf, &key, now()),
            Ok(vec!["tls.chain_incomplete"])
        );
        let stranger = Authority::new().leaf(&["x.example.com"], &rsa_key()).0;
        let mixed = format!("{leaf}{stranger}");
        assert_eq!(
            outcome(NAME, &mixed, &key, now()),
            Ok(vec!["tls.chain_incomplete"])
        );
        let (certificate, key) = fixtures::self_signed(&[NAME]);
        assert_eq!(
            outcome(NAME, &certificate, &key, now()),
            Ok(vec!["tls.self_signed"])
        );
    }

    #[test]
    fn text_that_cannot_be_decoded_is_refused_and_never_panics() {
        let (chain, key) = Authority::new().chain(&[NAME]);
        let cut = |text: &str, at: usize| format!("{}{}", &text[..at], &text[at + 4..]);
        for certificate in [
            cut(&chain, 200),
            chain.replace("-----END", "----END"),
            fixtures::pem("CERTIFICATE", b"no certificate"),
            fixtures::pem("CERTIFICATE", b""),
            format!("{chain}{}", fixtures::pem("CERTIFICATE", &[0x30, 0x00])),
        ] {
            assert_eq!(
                outcome(NAME, &certificate, &key, now()),
                Err(vec!["tls.certificate_syntax"])
            );
        }
        for key in [
            cut(&key, 60),
            key.replace("-----END", "----END"),
            fixtures::pem("PRIVATE KEY", b"no key"),
            fixtures::pem("RSA PRIVATE KEY", b""),
        ] {
            assert_eq!(
                outcome(NAME, &chain, &key, now()),
                Err(vec!["tls.key_syntax"])
            );
        }
    }

    #[test]
    fn key_of_an_unknown_kind_is_reported_as_not_checked() {
        let (chain, _) = Authority::new().chain(&[NAME]);
        // PKCS #8 of an algorithm that nobody has registered (1.2.3).
        let der = [
            0x30, 0x0c, 0x02, 0x01, 0x00, 0x30, 0x04, 0x06, 0x02, 0x2a, 0x03, 0x04, 0x01, 0x00,
        ];
        let key = fixtures::pem("PRIVATE KEY", &der);
        assert_eq!(
            outcome(NAME, &chain, &key, now()),
            Ok(vec!["tls.not_checked"])
        );
    }
}
