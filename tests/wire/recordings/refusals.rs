//! Recorded refusals: their codes, messages and remedies.

use super::cassette;
use azureml_aks::error::ServiceError;
use azureml_aks::internals::Seen;
use serde_json::Value;

/// The recording, the place in it, the most specific code, a part of what the error shows, and of its remedy.
pub(super) const ROWS: &[(&str, usize, &str, &str, &str)] = &[
    (
        "06",
        0,
        "UserError",
        "AmlCompute computes do not have any secrets",
        "",
    ),
    (
        "07",
        0,
        "NotFoundError",
        "Cannot find compute with name testresource7385xyz",
        "",
    ),
    (
        "11",
        0,
        "ResourceNotFound",
        "'Microsoft.MachineLearningServices/workspaces/e2etest_test_586476513351'",
        "",
    ),
    (
        "16",
        5,
        "ResourceNotFound",
        "'Microsoft.Network/virtualNetworks/vnet'",
        "",
    ),
    (
        "22",
        0,
        "NotFoundError",
        "Could not find datastore: test_350879160047.",
        "",
    ),
    (
        "22",
        1,
        "CancelPipelineRunInTerminalStatus",
        "The pipeline run 000000000000000000000 is in t",
        "",
    ),
    ("22", 2, "ServiceError", "InternalServerError", ""),
    (
        "22",
        3,
        "TransientError",
        "Service invocation timed out.",
        "",
    ),
    ("22", 4, "NoSuchEndpoint", "", ""),
    (
        "22",
        5,
        "ResourceNotFound",
        "The Resource 'Microsoft.MachineLearning",
        "",
    ),
    (
        "22",
        6,
        "UserAssignedIdentityNotFound",
        "User assigned identity",
        "",
    ),
    (
        "22",
        7,
        "UpdateComponentFailed",
        "Failed to update component test_150823768407",
        "",
    ),
    (
        "22",
        8,
        "NotFound",
        "/versions/non_existent, Message: Not found component",
        "",
    ),
    (
        "22b",
        0,
        "ResourceNotFound",
        "Microsoft.ContainerService",
        "",
    ),
    (
        "22b",
        1,
        "NotFound",
        "Could not find managed cluster resource",
        "",
    ),
    ("22b", 2, "GetVnetError", "Get virtual network failed", ""),
    (
        "22b",
        3,
        "BadGatewayConnection",
        "The network connectivity issue",
        "",
    ),
    (
        "22b",
        4,
        "FailedIdentityOperation",
        "Retry after 2 seconds",
        "",
    ),
    (
        "22c",
        0,
        "QuotaExceeded",
        "exceeding approved Total Regional Cores quota",
        "Microsoft.Compute",
    ),
    (
        "23",
        0,
        "ComputeResourceNotCreated",
        "",
        "detach that compute first",
    ),
    ("23", 1, "ServiceExists", "", ""),
];

/// Recordings that tests of their own replay.
pub(super) const ALONE: &[&str] = &["09"];

#[test]
fn recorded_refusals_keep_their_code_and_words() {
    for (name, at, code, shown, remedy) in ROWS {
        let Some(cassette) = cassette(name) else {
            return;
        };
        let label = format!("{} {at}", cassette.name);
        let exchange = &cassette.exchanges()[*at];
        assert!(exchange.status >= 400, "{label}");
        let error = Seen::new(exchange.status, &[], &exchange.body()).refusal();
        let text = error.to_string();
        assert_eq!(error.http_status(), Some(exchange.status), "{label}");
        assert!(error.code() == Some(code), "{label}: {text}");
        assert!(text.contains(shown), "{label}: {text}");
        assert!(!text.contains("[redacted]"), "{label}: {text}");
        let found = error.remedy().unwrap_or_default();
        assert!(found.contains(remedy), "{label}: {found}");
        let transient = matches!(exchange.status, 429 | 500..);
        assert_eq!(error.is_transient(), transient, "{label}");
    }
}

#[test]
fn errors_of_failed_operations_are_read_in_all_their_nestings() {
    let Some(cassette) = cassette("09") else {
        return;
    };
    let stories: Vec<Value> = serde_json::from_str(&cassette.text).unwrap();
    let errors = stories.iter().flat_map(|story| {
        let provisioning = story["provisioningErrors"].as_array();
        [&story["async_operation_error"]]
            .into_iter()
            .chain(provisioning.into_iter().flatten())
    });
    let errors: Vec<ServiceError> = errors
        .map(|error| serde_json::from_value(error.clone()).unwrap())
        .collect();
    let expected = [
        (None, "An internal server error occurred."),
        (
            Some("InternalServerError"),
            "Connection failed to establish",
        ),
        (None, "Conflict"),
        (
            Some("Conflict"),
            "SubDeployment: OperationId=A886E1117E76AA33",
        ),
        (Some("BadArgument"), "InvalidTemplateDeployment: Details"),
        (None, "An internal server error occurred."),
        (Some("InternalServerError"), ""),
    ];
    assert_eq!(errors.len(), expected.len());
    for (error, (code, message)) in errors.iter().zip(expected) {
        let (own_code, own_message) = error.innermost();
        assert_eq!(own_code, code, "{error:?}");
        assert!(
            own_message.unwrap_or_default().starts_with(message),
            "{error:?}"
        );
    }
}
