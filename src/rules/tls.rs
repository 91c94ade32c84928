//! Rules for TLS.

use super::{Advice, Refusal, Unchecked, registry};

registry! {
    section "TLS" {
        Refusal TLS_LEAF_DOMAIN_LABEL = "tls.leaf_domain_label": "a leaf domain label is one DNS label with room for the suffix that the service appends",
            broken by "`my.service`, 58 characters",
            remedy "give the first label only, without the six characters",
            source "RFC 1035: 63 characters; `how-to-secure-web-service`, 2021-03: six are appended";
        Refusal TLS_LEAF_DOMAIN_INTERNAL = "tls.leaf_domain_with_internal_load_balancer": "a leaf domain label needs a public load balancer",
            broken by "both in one configuration, or one beside what the cluster has",
            remedy "use your own certificate, or a public load balancer",
            source "`how-to-secure-web-service`, 2021-03";
        Refusal TLS_OVERWRITE_WITHOUT_LABEL = "tls.overwrite_without_leaf_domain": "only a leaf domain label overwrites an existing domain",
            broken by "`Tls::certificate(..).overwrite_existing_domain(true)`",
            remedy "leave it out",
            source "`azureml-core` 1.61 ignores the setting silently";
        Refusal TLS_CNAME_SYNTAX = "tls.cname.syntax": "a CNAME is a host name",
            broken by "`https://a.example.com`, `*.example.com`, `10.0.0.1`",
            remedy "give the host name that clients call",
            source "RFC 1035, RFC 1123";
        Refusal TLS_FILE_UNREADABLE = "tls.file_unreadable": "a PEM file can be read as text",
            broken by "a path that does not exist, a folder, a PKCS #12 file",
            remedy "give the path of a PEM file",
            source "this crate; messages show the path and never the content";
        Refusal TLS_CERTIFICATE_MISSING = "tls.certificate_missing": "the certificate text holds a certificate",
            broken by "key and certificate exchanged",
            remedy "give the PEM text of the chain",
            source "`how-to-secure-web-service`, 2021-03";
        Refusal TLS_KEY_MISSING = "tls.key_missing": "the key text holds a private key",
            broken by "a certificate in place of the key",
            remedy "give the PEM text of the key",
            source "`how-to-secure-web-service`, 2021-03";
        Refusal TLS_KEY_ENCRYPTED = "tls.key_encrypted": "the private key has no passphrase",
            broken by "a key that begins with `-----BEGIN ENCRYPTED PRIVATE KEY-----`",
            remedy "remove the passphrase",
            source "the request has no field for it";
        Unchecked TLS_NOT_CHECKED = "tls.not_checked": "the certificate and the key can be checked",
            broken by "a build without the feature `tls_checks`; a key of a kind that cannot be compared",
            remedy "build with the feature; use RSA (2048 bits or more), ECDSA or Ed25519",
            source "this crate: a check that cannot be made is reported";
    }

    section "Certificates and keys" needs "tls_checks" {
        Refusal TLS_CNAME_NOT_COVERED = "tls.cname.not_covered": "the certificate covers the CNAME",
            broken by "`b.example.com` with a certificate for `a.example.com`",
            remedy "give a name that the certificate covers",
            source "RFC 9525: alternative names only, `*` is one label; the common name does not count";
        Refusal TLS_CERTIFICATE_SYNTAX = "tls.certificate_syntax": "every certificate can be decoded",
            broken by "a truncated file",
            remedy "export it again",
            source "RFC 5280, RFC 7468";
        Refusal TLS_KEY_SYNTAX = "tls.key_syntax": "the private key can be decoded",
            broken by "a truncated file",
            remedy "export it again",
            source "RFC 5958, RFC 7468";
        Refusal TLS_KEY_MISMATCH = "tls.key_mismatch": "the private key belongs to the first certificate",
            broken by "the key of last year's certificate",
            remedy "give the key of this certificate; put your own certificate first",
            source "this crate compares the public keys";
        Refusal TLS_EXPIRED = "tls.expired": "the certificate has not expired",
            broken by "a certificate of yesterday",
            remedy "renew it",
            source "RFC 5280; the first certificate of the text";
        Refusal TLS_NOT_YET_VALID = "tls.not_yet_valid": "the certificate is already valid",
            broken by "a certificate of tomorrow",
            remedy "wait, or check the clock",
            source "RFC 5280; the first certificate of the text";
        Advice TLS_EXPIRES_SOON = "tls.expires_soon": "the certificate stays valid for at least 30 days",
            broken by "a certificate with ten days left",
            remedy "renew it, then update the cluster",
            source "this crate; nothing renews a certificate automatically any more";
        Advice TLS_SELF_SIGNED = "tls.self_signed": "the certificate is signed by an authority",
            broken by "a certificate whose subject and issuer are the same",
            remedy "use it for development only",
            source "`how-to-secure-web-service`, 2021-03";
        Advice TLS_CHAIN_INCOMPLETE = "tls.chain_incomplete": "the certificate comes with its chain, in order",
            broken by "your own certificate alone",
            remedy "append the certificates of the authorities; the root may be left out",
            source r#"`how-to-secure-web-service`, 2021-03: "full chain"; names are compared, signatures are not"#;
        Advice TLS_CHAIN_EXPIRED = "tls.chain_expired": "every certificate of the chain is valid now",
            broken by "an intermediate certificate of last year",
            remedy "fetch the current chain",
            source "this crate; clients may know another path, so it stays a warning";
    }
}
