//! Checks of a certificate and its key before they are sent.
//!
//! Nothing here quotes what it reads: a misplaced key would end up in an error message.

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(feature = "tls_checks")]
mod x509;

use crate::rules::{self, Findings};
use std::time::SystemTime;

/// Checks certificate and key, and that they belong together and cover `cname`.
///
/// Without the feature `tls_checks` only the shape of the PEM text is checked, and a warning says
/// so.
pub(crate) fn check(
    cname: Option<&str>,
    certificate: &str,
    key: &str,
    now: SystemTime,
    findings: &mut Findings,
) {
    let has_certificate = certificate.contains("-----BEGIN CERTIFICATE-----");
    if !has_certificate {
        findings.refuse(
            rules::TLS_CERTIFICATE_MISSING,
            CERTIFICATE,
            None,
            if is_key(certificate) {
                "this is a private key, not a certificate"
            } else {
                "there is no PEM certificate in this text"
            },
            "give the PEM text of the certificate and its chain, whose first line is BEGIN CERTIFICATE in dashes",
        );
    }
    let has_key = check_key_text(key, findings);

    #[cfg(feature = "tls_checks")]
    x509::check(
        cname,
        has_certificate.then_some(certificate),
        has_key.then_some(key),
        now,
        findings,
    );
    #[cfg(not(feature = "tls_checks"))]
    {
        let _ = (cname, has_key, now);
        findings.unchecked(
            rules::TLS_NOT_CHECKED,
            "tls",
            "match of certificate and key, host name, expiry and chain were not checked: this program was built without the feature `tls_checks`",
            "build with the feature `tls_checks`",
        );
    }
}

/// Returns whether there is a key that can be read without a pass-phrase.
fn check_key_text(key: &str, findings: &mut Findings) -> bool {
    if key.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----")
        || key.contains("Proc-Type: 4,ENCRYPTED")
    {
        findings.refuse(
            rules::TLS_KEY_ENCRYPTED,
            KEY,
            None,
            "the private key has a pass-phrase, which the service has no way to ask for",
            "remove the pass-phrase, for example with `openssl pkey -in key.pem -out plain.pem`",
        );
        return false;
    }
    if !is_key(key) {
        findings.refuse(
            rules::TLS_KEY_MISSING,
            KEY,
            None,
            if key.contains("-----BEGIN CERTIFICATE-----") {
                "this is a certificate, not a private key"
            } else {
                "there is no PEM private key in this text"
            },
            "give the PEM text of the key, whose first line is BEGIN PRIVATE KEY, BEGIN RSA PRIVATE KEY or BEGIN EC PRIVATE KEY in dashes",
        );
        return false;
    }
    true
}

fn is_key(text: &str) -> bool {
    ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"]
        .iter()
        .any(|label| text.contains(&format!("-----BEGIN {label}-----")))
}

const CERTIFICATE: &str = "tls.certificate";
const KEY: &str = "tls.key";

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(certificate: &str, key: &str) -> Vec<&'static str> {
        let mut findings = Findings::default();
        check(
            Some("a.example.com"),
            certificate,
            key,
            fixtures::now(),
            &mut findings,
        );
        let found = findings.into_refusals();
        assert!(
            found.iter().all(|finding| finding.value.is_none()),
            "a value is quoted"
        );
        assert!(
            found
                .iter()
                .all(|finding| !finding.to_string().contains("CANARY"))
        );
        found.iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn texts_that_hold_something_else_are_refused_without_the_feature_too() {
        assert_eq!(
            rules("CANARY", ""),
            ["tls.certificate_missing", "tls.key_missing"]
        );
        let (certificate, key) = fixtures::self_signed(&["a.example.com"]);
        assert_eq!(
            rules(&key, &certificate),
            ["tls.certificate_missing", "tls.key_missing"]
        );
    }

    #[test]
    fn key_with_a_pass_phrase_is_refused_in_both_forms() {
        let (certificate, key) = fixtures::self_signed(&["a.example.com"]);
        for key in [
            key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,CANARY\n\nCANARY\n-----END RSA PRIVATE KEY-----\n".to_owned(),
        ] {
            assert_eq!(rules(&certificate, &key), ["tls.key_encrypted"]);
        }
    }
}
