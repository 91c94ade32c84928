//! The checks of a registration that need no service.

use super::{Origin, RegisterModel};
use crate::error::{Error, Finding};
use crate::names::ModelName;
use crate::rules;

impl RegisterModel {
    /// Returns the name, or an error with all broken rules.
    pub(super) fn check(&self) -> Result<ModelName, Error> {
        let mut found: Vec<Finding> = Vec::new();
        let name = ModelName::parse("name", &self.name)
            .map_err(|findings| found.extend(findings))
            .ok();
        if self.framework.is_none() && self.framework_version.is_some() {
            found.push(rules::MODEL_FRAMEWORK_MISSING.finding(
                "framework_version",
                self.framework_version.as_deref(),
                "the version of a framework is given without the framework",
                "name the framework, too",
            ));
        }
        if let Some(needs) = &self.needs {
            found.extend(needs.broken());
        }
        if let Origin::Run(output) = &self.origin {
            for (field, value) in [
                ("experiment", Some(&output.experiment)),
                ("run_id", Some(&output.run_id)),
                ("path", Some(&output.path)),
                ("container", output.container.as_ref()),
            ] {
                let Some(value) = value else { continue };
                let value = value.trim_matches('/');
                // A URL loses a part that is a dot.
                let parts = match field {
                    "path" => value.strip_prefix("./").unwrap_or(value),
                    _ => value,
                };
                let parts = parts.split('/');
                let unsafe_part =
                    |part: &str| matches!(part, "" | "." | "..") || part.contains(char::is_control);
                let one = field == "path" || !value.contains('/');
                if !one || parts.clone().any(unsafe_part) {
                    found.push(rules::MODEL_RUN_OUTPUT.finding(
                        format!("output.{field}"),
                        Some(value),
                        "the text does not name an output of a run",
                        "give the experiment, the run and a path among its outputs",
                    ));
                }
            }
        }
        match name {
            Some(name) if found.is_empty() => Ok(name),
            _ => Err(Error::validation("model registration", found)),
        }
    }
}
