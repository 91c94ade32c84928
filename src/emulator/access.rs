//! The permissions of the caller, and the denials of policies.

use serde_json::{Value, json};

use super::call::Call;
use super::error::{ArmError, require};
use super::http::Answer;
use super::routes::Reply;

/// The resource type that a policy denies, where the builder sets it.
const PUBLIC_ADDRESSES: &str = "Microsoft.Network/publicIPAddresses";

/// The permissions of the caller, the same at every scope.
pub(crate) fn permissions(call: Call<'_>) -> Reply {
    match call.name("of") {
        "" => call.check_scope()?,
        _ => call.check_place()?,
    }
    let (actions, not_actions) = &call.config.permissions;
    Ok(Answer::json(
        200,
        &json!({
            "value": [{
                "actions": actions,
                "notActions": not_actions,
                "dataActions": [],
                "notDataActions": [],
            }],
        }),
    ))
}

/// Evaluates policies for a resource that is not made.
pub(crate) fn check_policies(call: Call<'_>) -> Reply {
    call.check_scope()?;
    let body = call.body()?;
    let kind = body
        .pointer("/resourceDetails/resourceContent/type")
        .and_then(Value::as_str);
    require(
        kind.is_some(),
        "resourceDetails.resourceContent.type is required.",
    )?;
    let denied = call.config.deny_public_addresses
        && kind.is_some_and(|kind| kind.eq_ignore_ascii_case(PUBLIC_ADDRESSES));
    let authorization = format!(
        "/subscriptions/{}/providers/Microsoft.Authorization",
        call.config.subscription
    );
    let evaluation = json!({
        "policyInfo": {
            "policyDefinitionId": format!("{authorization}/policyDefinitions/no-public-ip"),
            "policyAssignmentId": format!("{authorization}/policyAssignments/no-public-ip"),
        },
        "evaluationResult": "NonCompliant",
        "effectDetails": { "policyEffect": "Deny" },
    });
    let evaluations: Vec<Value> = denied.then_some(evaluation).into_iter().collect();
    Ok(Answer::json(
        200,
        &json!({
            "fieldRestrictions": [],
            "contentEvaluationResult": { "policyEvaluations": evaluations },
        }),
    ))
}

/// Refuses what needs a public address where a policy denies those.
pub(crate) fn check_public_address(call: &Call<'_>, name: &str) -> Result<(), ArmError> {
    match call.config.deny_public_addresses {
        true => Err(super::faults::policy_denied(name)),
        false => Ok(()),
    }
}
