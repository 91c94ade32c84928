//! Shared access signatures of the emulator's own making.
//!
//! They have the form of those of Azure Storage and are checked like them (signature, expiry,
//! permissions), but the signature is an HMAC over other lines, and its key is the id of the
//! workspace, which is public: the signature catches a URL that was altered, not a forger.

use azure_core::base64;
use azure_core::time::{OffsetDateTime, parse_rfc3339, to_rfc3339};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::emulator::error::ArmError;
use crate::emulator::http::Incoming;

/// The storage version that the URLs name; answers without a version in the request name it too.
pub(crate) const VERSION: &str = "2021-08-06";

/// The query parameters of a signature; every other belongs to the operation.
pub(crate) const PARAMETERS: [&str; 5] = ["sv", "sr", "se", "sp", "sig"];

fn signature(key: &str, blob: &str, [sv, sr, se, sp]: [&str; 4]) -> String {
    let text = [sp, se, blob, sr, sv].join("\n");
    let hmac = Hmac::<Sha256>::new_from_slice(key.as_bytes())
        .expect("HMAC takes a key of any length")
        .chain_update(text);
    base64::encode(hmac.finalize().into_bytes())
}

/// The query of a URL that allows this until then.
pub(crate) fn query(key: &str, blob: &str, permissions: &str, expiry: OffsetDateTime) -> String {
    let whole = expiry.replace_nanosecond(0).unwrap_or(expiry);
    let expiry = to_rfc3339(&whole);
    let sig = signature(key, blob, [VERSION, "b", &expiry, permissions]);
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("sv", VERSION),
            ("sr", "b"),
            ("se", &expiry),
            ("sp", permissions),
            ("sig", &sig),
        ])
        .finish()
}

/// Checks that the request's URL was signed here, is still valid and allows what is wanted.
pub(crate) fn check(
    key: &str,
    blob: &str,
    request: &Incoming,
    now: OffsetDateTime,
    wanted: char,
) -> Result<(), ArmError> {
    let refuse = |detail: &str| {
        Err(ArmError::new(
            403,
            "AuthenticationFailed",
            format!(
                "Server failed to authenticate the request. Make sure the value of Authorization \
                 header is formed correctly including the signature. {detail}"
            ),
        ))
    };
    let parameters = PARAMETERS.map(|name| request.parameter(name));
    let [Some(sv), Some(sr), Some(se), Some(sp), Some(sig)] = &parameters else {
        return refuse("The URL carries no complete shared access signature.");
    };
    if *sig != signature(key, blob, [sv, sr, se, sp]) {
        return refuse("Signature did not match.");
    }
    match parse_rfc3339(se) {
        Ok(expiry) if now < expiry => {}
        _ => return refuse(&format!("Signature not valid: it expired at {se}.")),
    }
    if !sp.contains(wanted) {
        return Err(ArmError::new(
            403,
            "AuthorizationPermissionMismatch",
            "This request is not authorized to perform this operation using this permission.",
        ));
    }
    Ok(())
}
