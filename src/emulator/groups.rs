//! Resource groups: that of the workspace, and those of the clusters.

use serde_json::json;

use super::call::Call;
use super::error::ArmError;
use super::http::Answer;
use super::routes::Reply;
use super::state::State;

/// A resource group, which stays when its last resource goes.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) subscription: String,
    pub(crate) name: String,
    pub(crate) location: String,
}

impl Group {
    fn is(&self, subscription: &str, name: &str) -> bool {
        self.subscription.eq_ignore_ascii_case(subscription) && self.name.eq_ignore_ascii_case(name)
    }
}

impl State {
    /// Adds a group, unless there is one of that name.
    pub(crate) fn add_group(&mut self, group: Group) {
        if self.group(&group.subscription, &group.name).is_none() {
            self.groups.push(group);
        }
    }

    pub(crate) fn group(&self, subscription: &str, name: &str) -> Option<&Group> {
        let mut groups = self.groups.iter();
        groups.find(|group| group.is(subscription, name))
    }
}

impl Call<'_> {
    /// Refuses a subscription or a group that does not exist. The path calls them `of` and `in`, and may
    /// name no group.
    pub(crate) fn check_place(&self) -> Result<(), ArmError> {
        let (of, group) = (self.name("of"), self.name("in"));
        let mut groups = self.state.groups.iter();
        if !groups.any(|known| known.subscription.eq_ignore_ascii_case(of)) {
            return Err(ArmError::no_subscription(of));
        }
        if group.is_empty() || self.state.group(of, group).is_some() {
            return Ok(());
        }
        Err(ArmError::no_group(group))
    }
}

pub(crate) fn get(call: Call<'_>) -> Reply {
    call.check_place()?;
    let group = call.state.group(call.name("of"), call.name("in"));
    let group = group.ok_or_else(|| ArmError::no_group(call.name("in")))?;
    Ok(Answer::json(
        200,
        &json!({
            "id": format!("/subscriptions/{}/resourceGroups/{}", group.subscription, group.name),
            "name": group.name,
            "type": "Microsoft.Resources/resourceGroups",
            "location": group.location,
            "properties": { "provisioningState": "Succeeded" },
        }),
    ))
}
