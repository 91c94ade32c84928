//! Settings outside the command line: the files of `az configure`, and the environment.

use crate::failure::{Failure, Result};
use crate::output::Format;
use clap::ValueEnum;
use serde_json::Value;
use std::path::{Path, PathBuf};

fn variable(name: &str) -> Option<String> {
    std::env::var(name)
        .ok()
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
}

/// The variables of a workspace, as the library's `Workspace::builder_from_env` reads them.
pub(crate) fn subscription_of_environment() -> Option<String> {
    variable("AZUREML_SUBSCRIPTION_ID")
}

pub(crate) fn group_of_environment() -> Option<String> {
    variable("AZUREML_RESOURCE_GROUP")
}

pub(crate) fn workspace_of_environment() -> Option<String> {
    variable("AZUREML_WORKSPACE_NAME")
}

/// The format that the environment or `az configure` asks for.
pub(crate) fn output() -> Result<Option<Format>> {
    let Some(name) = variable("AZURE_CORE_OUTPUT").or_else(|| setting("core", "output")) else {
        return Ok(None);
    };
    let unknown = |_| {
        Failure::usage(format!(
            "{name:?}, the output format of AZURE_CORE_OUTPUT or the configuration of az, is unknown"
        ))
    };
    Format::from_str(&name, true).map(Some).map_err(unknown)
}

/// A default of `az configure --defaults`, such as `group`.
pub(crate) fn default(name: &str) -> Option<String> {
    variable(&format!("AZURE_DEFAULTS_{}", name.to_uppercase()))
        .or_else(|| setting("defaults", name))
}

/// The subscription that `az account set` chose.
pub(crate) fn active_subscription() -> Option<String> {
    if let Some(id) = variable("AZURE_SUBSCRIPTION_ID") {
        return Some(id);
    }
    let text = std::fs::read_to_string(az_folder()?.join("azureProfile.json")).ok()?;
    let profile: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    let all = profile["subscriptions"].as_array()?;
    let active = all
        .iter()
        .find(|subscription| subscription["isDefault"] == true)?;
    active["id"].as_str().map(str::to_owned)
}

pub(crate) fn home() -> Option<PathBuf> {
    variable("HOME")
        .or_else(|| variable("USERPROFILE"))
        .map(PathBuf::from)
}

fn az_folder() -> Option<PathBuf> {
    variable("AZURE_CONFIG_DIR")
        .map(PathBuf::from)
        .or_else(|| Some(home()?.join(".azure")))
}

/// The local file, of `az configure --scope local`, wins over that of the user.
fn setting(section: &str, key: &str) -> Option<String> {
    let here = Some(PathBuf::from(".azure/config"));
    let user = az_folder().map(|folder| folder.join("config"));
    [here, user]
        .into_iter()
        .flatten()
        .find_map(|file| read(&file, section, key))
}

fn read(file: &Path, section: &str, key: &str) -> Option<String> {
    find(&std::fs::read_to_string(file).ok()?, section, key)
}

fn find(text: &str, section: &str, key: &str) -> Option<String> {
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            inside = name.trim() == section;
        } else if let (true, Some((name, value))) = (inside, line.split_once('='))
            && name.trim().eq_ignore_ascii_case(key)
            && !value.trim().is_empty()
        {
            return Some(value.trim().to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn settings_are_found_in_their_section_alone() {
        let text = "[core]\noutput = table\n[defaults]\n# group = no\ngroup = mygroup\nempty =\n";
        assert_eq!(find(text, "defaults", "group").as_deref(), Some("mygroup"));
        assert_eq!(find(text, "core", "group"), None);
        assert_eq!(find(text, "defaults", "empty"), None);
        assert_eq!(find(text, "core", "output").as_deref(), Some("table"));
    }
}
