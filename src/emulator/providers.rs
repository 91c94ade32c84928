//! Whether a subscription has registered a resource provider.

use serde_json::json;

use super::call::Call;
use super::error::ArmError;
use super::http::Answer;
use super::routes::Reply;
use super::state::Config;

pub(crate) fn get(call: Call<'_>) -> Reply {
    let (subscription, namespace) = (call.name("of"), call.name("provider"));
    let state = match is_registered(call.config, namespace) {
        true => "Registered",
        false => "NotRegistered",
    };
    let document = json!({
        "id": format!("/subscriptions/{subscription}/providers/{namespace}"),
        "namespace": namespace,
        "registrationState": state,
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": [],
    });
    Ok(Answer::json(200, &document))
}

fn is_registered(config: &Config, namespace: &str) -> bool {
    let mut unregistered = config.unregistered.iter();
    !unregistered.any(|name| name.eq_ignore_ascii_case(namespace))
}

/// Refuses a write for a provider that the subscription has not registered.
pub(crate) fn check(call: &Call<'_>, namespace: &str) -> Result<(), ArmError> {
    match is_registered(call.config, namespace) {
        true => Ok(()),
        false => Err(ArmError::front_door(
            409,
            "MissingSubscriptionRegistration",
            format!("The subscription is not registered to use namespace '{namespace}'."),
        )),
    }
}
