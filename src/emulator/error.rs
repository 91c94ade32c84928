//! Answers that refuse, in the shapes that each host has.

use serde_json::{Value, json};

/// A refusal, before it has the shape of the host that was asked.
#[derive(Clone, Debug)]
pub(crate) struct ArmError {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    /// The member that is wrong, where the service names it.
    pub(crate) target: Option<String>,
    /// Whether the front door of Resource Manager refuses, before a service sees the request.
    pub(crate) front_door: bool,
}

impl ArmError {
    pub(crate) fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            target: None,
            front_door: false,
        }
    }

    pub(crate) fn front_door(
        status: u16,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            front_door: true,
            ..Self::new(status, code, message)
        }
    }

    /// An error of the body or the query.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// A request that the service may well serve, and the emulator does not: refused, never approximated.
    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::new(400, UNSUPPORTED, message)
    }

    /// A resource of a group, in the words of the front door.
    pub(crate) fn not_found(what: &str, group: &str) -> Self {
        Self::front_door(
            404,
            "ResourceNotFound",
            format!(
                "The Resource '{what}' under resource group '{group}' was not found. For more \
                 details please go to https://aka.ms/ARMResourceNotFoundFix"
            ),
        )
    }

    pub(crate) fn no_subscription(given: &str) -> Self {
        let message = format!("The subscription '{given}' could not be found.");
        Self::front_door(404, "SubscriptionNotFound", message)
    }

    pub(crate) fn no_group(given: &str) -> Self {
        let message = format!("Resource group '{given}' could not be found.");
        Self::front_door(404, "ResourceGroupNotFound", message)
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(409, "Conflict", message)
    }

    pub(crate) fn body(&self) -> Value {
        json!({ "error": { "code": self.code, "message": self.message } })
    }

    /// The same error about a member of the body.
    #[must_use]
    pub(crate) fn about(self, member: impl Into<String>) -> Self {
        let target = Some(member.into());
        Self { target, ..self }
    }

    /// As the container service refuses: without an envelope.
    pub(crate) fn of_clusters(&self) -> Value {
        let mut body = json!({
            "code": self.code, "details": null, "message": self.message, "subcode": "",
        });
        if let Some(target) = &self.target {
            body["target"] = json!(target);
        }
        body
    }

    /// The refusal of the service of computes: the outer code says whose fault it is, the inner one what
    /// is wrong.
    pub(crate) fn of_computes(&self, surroundings: &Surroundings) -> Value {
        let Surroundings {
            id,
            region,
            time,
            by_front_end,
        } = surroundings;
        let code = if self.status < 500 {
            "UserError"
        } else {
            "ServiceError"
        };
        let inner = json!({ "code": self.code, "innerError": null });
        let correlation = json!({ "operation": id.replace('-', ""), "request": &id[..8] });
        if *by_front_end {
            let more = [
                ("ComponentName", json!("managementfrontend")),
                ("Correlation", correlation),
                ("Environment", json!(region)),
                ("Location", json!(region)),
                ("Time", json!(time)),
                ("InnerError", inner),
            ];
            let more =
                more.map(|(kind, value)| json!({ "type": kind, "info": { "value": value } }));
            return json!({ "error": {
                "code": code, "message": self.message, "details": [], "additionalInfo": more,
            } });
        }
        json!({
            "error": {
                "code": code, "severity": null, "message": self.message, "messageFormat": null,
                "messageParameters": null, "referenceCode": null, "detailsUri": null,
                "target": null, "details": [], "innerError": inner, "debugInfo": null,
                "additionalInfo": null,
            },
            "correlation": correlation,
            "environment": region,
            "location": region,
            "time": time,
            "componentName": "account-rp",
        })
    }

    /// The same in the form of model management, without an envelope.
    pub(crate) fn model_management(&self, request_id: &str) -> Value {
        json!({
            "code": self.code,
            "statusCode": self.status,
            "message": self.message,
            "details": [{ "code": self.code, "message": self.message }],
            "correlation": { "RequestId": request_id },
        })
    }
}

/// The code of what the emulator does not do.
pub(crate) const UNSUPPORTED: &str = "UnsupportedByEmulator";

/// The context that the service of computes adds to a refusal.
pub(crate) struct Surroundings {
    pub(crate) id: String,
    pub(crate) region: String,
    pub(crate) time: String,
    /// Whether in the form of its front end.
    pub(crate) by_front_end: bool,
}

/// Refuses a request that does not fit, with 400.
pub(crate) fn require(fits: bool, message: impl Into<String>) -> Result<(), ArmError> {
    match fits {
        true => Ok(()),
        false => Err(ArmError::bad_request(message)),
    }
}
