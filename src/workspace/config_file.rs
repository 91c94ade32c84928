//! The `config.json` of a workspace, found as the Python SDK finds it.

use crate::error::{Error, ErrorKind};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The members of the file. Others, such as `workspace_id`, are not needed here.
#[derive(Debug, Deserialize)]
pub(super) struct ConfigFile {
    pub(super) subscription_id: String,
    pub(super) resource_group: String,
    pub(super) workspace_name: String,
}

/// The places that `azureml-core` 1.61 searches, in its order: for each place the folder and then every folder
/// above it. So a `.azureml` far above wins over a `config.json` near by.
const PLACES: [&str; 6] = [
    ".azureml/config.json",
    ".azureml/project.json",
    "aml_config/config.json",
    "aml_config/project.json",
    "config.json",
    "project.json",
];

pub(super) fn find(path: &Path) -> Result<ConfigFile, Error> {
    let file = locate(path)?;
    let refuse = |why: String| {
        Error::new(
            ErrorKind::Configuration,
            format!("{}: {why}", file.display()),
        )
    };
    let text = std::fs::read(&file).map_err(|error| refuse(format!("cannot be read: {error}")))?;
    let found = parse(&text).map_err(refuse)?;
    for (name, value) in [
        ("subscription_id", &found.subscription_id),
        ("resource_group", &found.resource_group),
        ("workspace_name", &found.workspace_name),
    ] {
        // The documentation's template has placeholders in angle brackets.
        if value.trim().is_empty() || value.starts_with('<') {
            return Err(refuse(format!("{name} is {value:?}: fill it in")));
        }
    }
    Ok(found)
}

fn parse(text: &[u8]) -> Result<ConfigFile, String> {
    // Editors on Windows begin the file with a byte order mark.
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let expected = "it needs subscription_id, resource_group and workspace_name, as text";
    let value: serde_json::Value =
        serde_json::from_slice(text).map_err(|error| format!("is not valid JSON: {error}"))?;
    let scope = value.get("Scope").and_then(serde_json::Value::as_str);
    // An empty one gives way, as for the Python SDK.
    if let Some(scope) = scope.filter(|scope| !scope.trim().is_empty()) {
        let parts: Vec<&str> = scope.split('/').collect();
        let part = |at: usize| {
            parts
                .get(at)
                .map_or_else(String::new, |part| (*part).to_owned())
        };
        return Ok(ConfigFile {
            subscription_id: part(2),
            resource_group: part(4),
            workspace_name: part(8),
        });
    }
    serde_json::from_value(value)
        .map_err(|_| format!("is not a workspace configuration: {expected}"))
}

fn locate(path: &Path) -> Result<PathBuf, Error> {
    if path.is_file() {
        return Ok(path.to_owned());
    }
    let refuse = |why: String| Error::new(ErrorKind::Configuration, why);
    let start = std::path::absolute(path).map_err(|error| {
        refuse(format!(
            "{} is not a readable path: {error}",
            path.display()
        ))
    })?;
    if !start.is_dir() {
        return Err(refuse(format!(
            "{} is neither a file nor a folder",
            path.display()
        )));
    }
    PLACES
        .iter()
        .flat_map(|place| start.ancestors().map(move |folder| folder.join(place)))
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| {
            refuse(format!(
                "no config.json in {} or a folder above it; download it from the portal, or use \
                 Workspace::builder",
                start.display()
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str =
        r#"{"subscription_id":"s","resource_group":"g","workspace_name":"w","extra":1}"#;

    /// A folder of its own for each test, removed at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir()
                .join(format!("azureml-aks-config-{name}-{}", std::process::id()));
            let _ = std::fs::remove_dir_all(&path);
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn write(&self, place: &str, text: &str) -> PathBuf {
            let file = self.0.join(place);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, text).unwrap();
            file
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn file_is_found_in_the_folder_below_and_above() {
        for place in PLACES {
            let folder = Folder::new(&place.replace(['/', '.'], "-"));
            let file = folder.write(place, CONFIG);
            let below = folder.0.join("a/b");
            std::fs::create_dir_all(&below).unwrap();
            for path in [&file, &folder.0, &below] {
                assert_eq!(
                    find(path).unwrap().workspace_name,
                    "w",
                    "{}",
                    path.display()
                );
            }
        }
    }

    #[test]
    fn places_are_searched_in_the_order_of_the_python_sdk() {
        let folder = Folder::new("order");
        folder.write("below/config.json", &CONFIG.replace("\"w\"", "\"near\""));
        let below = folder.0.join("below");
        assert_eq!(find(&below).unwrap().workspace_name, "near");
        folder.write("config.json", CONFIG);
        assert_eq!(find(&below).unwrap().workspace_name, "near");
        assert_eq!(find(&folder.0).unwrap().workspace_name, "w");
        folder.write(
            ".azureml/config.json",
            &CONFIG.replace("\"w\"", "\"hidden\""),
        );
        assert_eq!(
            find(&below).unwrap().workspace_name,
            "hidden",
            "also from below"
        );
    }

    #[test]
    fn older_form_has_a_resource_id() {
        let folder = Folder::new("scope");
        let scope = "/subscriptions/s/resourceGroups/g/providers/p/workspaces/w";
        folder.write(
            "aml_config/project.json",
            &format!(r#"{{"Id":"x","Scope":"{scope}"}}"#),
        );
        let found = find(&folder.0).unwrap();
        let parts = [
            found.subscription_id,
            found.resource_group,
            found.workspace_name,
        ];
        assert_eq!(parts, ["s", "g", "w"]);
        // An empty one gives way to the three names.
        for scope in ["", " "] {
            let text = CONFIG.replacen('{', &format!(r#"{{"Scope":"{scope}","#), 1);
            folder.write("aml_config/project.json", &text);
            assert_eq!(find(&folder.0).unwrap().workspace_name, "w");
        }
        folder.write("aml_config/project.json", r#"{"Scope":"/subscriptions/s"}"#);
        assert!(
            find(&folder.0)
                .unwrap_err()
                .to_string()
                .contains("resource_group")
        );
    }

    #[test]
    fn byte_order_mark_is_accepted() {
        let folder = Folder::new("bom");
        folder.write("config.json", &format!("\u{feff}{CONFIG}"));
        assert_eq!(find(&folder.0).unwrap().subscription_id, "s");
    }

    #[test]
    fn incomplete_files_are_refused_with_their_name() {
        let folder = Folder::new("bad");
        for (text, expected) in [
            ("{}", "subscription_id"),
            ("[]", "not a workspace configuration"),
            ("not json", "not valid JSON"),
            (&CONFIG.replace("\"g\"", "\" \""), "resource_group"),
            (
                &CONFIG.replace("\"w\"", "\"<workspace-name>\""),
                "workspace_name",
            ),
        ] {
            let file = folder.write("config.json", text);
            let error = find(&folder.0).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            let text = error.to_string();
            assert!(
                text.contains(expected) && text.contains(file.to_str().unwrap()),
                "{text}"
            );
        }
        assert!(find(&folder.0.join("absent")).is_err());
    }
}
