//! `inferenceconfig.json`, in its form of 2019 and in that of 2020.

use super::configuration::{EnvironmentSource, InferenceConfigurationBuilder, WHAT};
use crate::environment::{EnvironmentBuilder, EnvironmentRef, FLAT_KEYS};
use crate::error::Error;
use crate::json::file::{Kind, Members};
use crate::rules;
use serde_json::Value;
use std::path::{Path, PathBuf};

const KIND: Kind = Kind {
    what: WHAT,
    unreadable: rules::INFERENCE_FILE_UNREADABLE,
    syntax: rules::INFERENCE_FILE_SYNTAX,
    wrong_type: rules::INFERENCE_FILE_TYPE,
    unknown_key: rules::INFERENCE_FILE_UNKNOWN_KEY,
};

pub(super) fn from_file(path: &Path) -> Result<InferenceConfigurationBuilder, Error> {
    Ok(read(Members::of_file(KIND, path)?))
}

pub(super) fn from_text(text: &str, base: PathBuf) -> Result<InferenceConfigurationBuilder, Error> {
    Ok(read(Members::of_text(KIND, text, vec![base])?))
}

fn read(mut file: Members) -> InferenceConfigurationBuilder {
    // Known, and of no effect: a request for a service has no place for it.
    file.skip(&["description"]);
    let directory = file.text("sourceDirectory", "source_directory");
    let source = directory.map(|path| {
        let found = file.find(rules::SOURCE_DIRECTORY, "sourceDirectory", &path);
        // Files of a folder that does not exist are not reported as missing too: they are not searched for.
        file.folders = found.iter().cloned().collect();
        found.unwrap_or(path.into())
    });
    let script = file.text("entryScript", "entry_script").map(|path| {
        let found = file.find(rules::ENTRY_SCRIPT_FILE, "entryScript", &path);
        found.filter(|_| source.is_none()).unwrap_or(path.into())
    });
    InferenceConfigurationBuilder {
        entry_script: script,
        source_directory: source,
        environment: environment(&mut file),
        file: file.finish(),
        ..InferenceConfigurationBuilder::default()
    }
}

fn environment(file: &mut Members) -> Option<EnvironmentSource> {
    let Some(document) = file.get("environment") else {
        return match FLAT_KEYS.iter().any(|key| file.get(key).is_some()) {
            true => definition(EnvironmentBuilder::of_flat_keys, file),
            false => None,
        };
    };
    let is_reference = document.as_object().is_some_and(|members| {
        let given = members.iter().filter(|(_, value)| !value.is_null());
        let mut keys = given.map(|(key, _)| key.as_str());
        members.contains_key("name") && keys.all(|key| ["name", "version"].contains(&key))
    });
    for key in FLAT_KEYS {
        let value: Option<Value> = file.take(key, "");
        if value.is_some_and(|value| value != false && value != "") {
            let message = "this key is ignored beside environment";
            let remedy = "move it into environment, or leave it out";
            file.note([rules::INFERENCE_FILE_IGNORED_KEY.finding(key, message, remedy)]);
        }
    }
    if !is_reference {
        return definition(EnvironmentBuilder::of_document, file);
    }
    let name = file.text("environment.name", "")?;
    let version = file.text("environment.version", "");
    let reference = match version {
        Some(version) => EnvironmentRef::version(name, version),
        None => EnvironmentRef::latest(name),
    };
    Some(reference.into())
}

fn definition(
    read: fn(&mut Members) -> EnvironmentBuilder,
    file: &mut Members,
) -> Option<EnvironmentSource> {
    match read(file).build() {
        Ok(mut environment) => {
            file.note(environment.take_warnings());
            Some(environment.into())
        }
        Err(error) => {
            file.note(error.findings().iter().cloned());
            None
        }
    }
}

#[cfg(test)]
mod tests;
