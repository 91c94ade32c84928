//! Checks of a certificate and its key before they are sent.

use crate::rules::{self, Findings};
use std::time::SystemTime;

pub(crate) fn check(
    cname: Option<&str>,
    certificate: &str,
    key: &str,
    now: SystemTime,
    findings: &mut Findings,
) {
    let _ = (cname, certificate, key, now);
    findings.advise(
        rules::TLS_NOT_CHECKED,
        "tls",
        "certificate and key were not checked",
        "todo",
    );
}
