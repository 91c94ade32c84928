//! A kubeconfig that is merged into another, as `az aks get-credentials` does it.

use crate::failure::{Failure, Result};
use serde_json::{Map, Value, json};
use std::io::Write;
use std::path::Path;

/// Merges the kubeconfig into the file, and returns the name of the context, which becomes the current one.
///
/// The file is its owner's alone, as it holds credentials.
pub(crate) fn merge(
    path: &Path,
    text: &str,
    context: Option<&str>,
    overwrite: bool,
) -> Result<String> {
    let broken = |what: &str| Failure::new(format!("{what} is not a valid kubeconfig"));
    let mut added: Value =
        yaml_serde::from_str(text).map_err(|_| broken("the answer of the service"))?;
    if let Some(name) = context {
        rename(&mut added, name);
    }
    let mut merged: Value = match std::fs::read_to_string(path) {
        Ok(own) if own.trim().is_empty() => Value::Null,
        Ok(own) => yaml_serde::from_str(&own).map_err(|_| broken(&path.display().to_string()))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Value::Null,
        Err(error) => return Err(Failure::file(path, error)),
    };
    if merged.is_null() {
        merged = json!({ "apiVersion": "v1", "kind": "Config", "preferences": {} });
    }
    let object: &mut Map<String, Value> = merged
        .as_object_mut()
        .ok_or_else(|| broken(&path.display().to_string()))?;
    for list in ["clusters", "users", "contexts"] {
        let own = object.entry(list).or_insert_with(|| json!([]));
        if own.is_null() {
            *own = json!([]);
        }
        let own = own
            .as_array_mut()
            .ok_or_else(|| broken(&path.display().to_string()))?;
        for entry in added[list].as_array().into_iter().flatten() {
            match own.iter_mut().find(|other| other["name"] == entry["name"]) {
                Some(other) if other == entry => {}
                Some(other) if overwrite => other.clone_from(entry),
                Some(_) => {
                    let name = entry["name"].as_str().unwrap_or_default();
                    return Err(Failure::new(format!(
                        "{} has another entry {name} in {list}; --overwrite-existing replaces it",
                        path.display()
                    )));
                }
                None => own.push(entry.clone()),
            }
        }
    }
    let current = added["current-context"]
        .as_str()
        .ok_or_else(|| broken("the answer of the service"))?
        .to_owned();
    object.insert("current-context".to_owned(), current.clone().into());
    let text = yaml_serde::to_string(&merged).map_err(|error| Failure::file(path, error))?;
    write(path, &text).map_err(|error| Failure::file(path, error))?;
    Ok(current)
}

fn rename(config: &mut Value, name: &str) {
    if let Some(first) = config["contexts"].get_mut(0) {
        first["name"] = name.into();
        config["current-context"] = name.into();
    }
}

/// A file made anew belongs to its owner alone from the first moment on.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut newer = tempfile::NamedTempFile::new_in(folder)?;
    newer.write_all(text.as_bytes())?;
    newer.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "{clusters: [{name: c, cluster: {server: s}}], users: [{name: u, user: {token: t}}], \
                          contexts: [{name: c, context: {cluster: c, user: u}}], current-context: c}";

    #[test]
    fn entries_are_added_and_replaced_only_when_asked() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kube/config");
        assert_eq!(merge(&file, CONFIG, None, false).unwrap(), "c");
        assert_eq!(
            merge(&file, CONFIG, None, false).unwrap(),
            "c",
            "the same again changes nothing"
        );
        let other = CONFIG.replace("server: s", "server: other");
        let refused = merge(&file, &other, None, false).unwrap_err();
        assert!(
            refused.text.contains("--overwrite-existing"),
            "{}",
            refused.text
        );
        merge(&file, &other, Some("mine"), true).unwrap();
        let read: Value = yaml_serde::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        assert_eq!(read["current-context"], "mine");
        assert_eq!(
            read["clusters"],
            json!([{ "name": "c", "cluster": { "server": "other" } }])
        );
        assert_eq!(read["contexts"].as_array().unwrap().len(), 2);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
