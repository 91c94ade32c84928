//! A module uses modules of a lower rank only: `docs/internals/architecture.md` lists them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The ranks, as the page gives them.
fn ranks() -> BTreeMap<String, u32> {
    let page = include_str!("../../docs/internals/architecture.md");
    page.lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split(" | ");
            let module = cells.next()?.trim_end_matches('`').to_owned();
            Some((module, cells.next()?.trim().parse().ok()?))
        })
        .collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => vec![path],
        })
        .collect()
}

/// The modules of the crate that the code of a file names, without its tests and comments.
fn uses(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap();
    let code: Vec<&str> = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code.join("\n");
    let names = code.split("crate::").skip(1).flat_map(|rest| {
        let inner = rest
            .strip_prefix('{')
            .map_or(rest, |list| list.split("};").next().unwrap());
        let list = if rest.starts_with('{') {
            inner.split(',').collect()
        } else {
            vec![inner]
        };
        list.into_iter()
            .map(|name| {
                let name = name.trim_start();
                let end = name.find(|c: char| !c.is_alphanumeric() && c != '_');
                name[..end.unwrap_or(name.len())].to_owned()
            })
            .collect::<Vec<_>>()
    });
    names.collect()
}

#[test]
fn modules_use_lower_ranks_only() {
    let ranks = ranks();
    assert!(ranks.len() >= 10, "the page has lost its table: {ranks:?}");
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = 0;
    for file in files(&src) {
        let inside = file.strip_prefix(&src).unwrap();
        let first = inside
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_str()
            .unwrap();
        let module = first.trim_end_matches(".rs");
        let is_test = inside.components().any(|part| part.as_os_str() == "tests")
            || inside.file_name().is_some_and(|name| name == "tests.rs");
        // The program is a crate of its own: its `crate::` is itself, and the compiler shows it the public items alone.
        if ["lib", "bin"].contains(&module) || is_test {
            continue;
        }
        for used in uses(&std::fs::read_to_string(&file).unwrap()) {
            if used == module
                || !src.join(&used).exists() && !src.join(format!("{used}.rs")).exists()
            {
                continue;
            }
            seen += 1;
            let allowed = match (ranks.get(module), ranks.get(&used)) {
                // The judge shares constants, and nothing else.
                (None, _) => module == "emulator" && used == "facts",
                (_, None) => false,
                (Some(0), Some(0)) => true,
                (Some(own), Some(other)) => other < own,
            };
            assert!(allowed, "{} uses {used}", inside.display());
        }
    }
    assert!(seen > 50, "the check sees the code");
}

/// Items that are neither private nor part of the API are out of the program's reach, too.
#[test]
fn program_uses_no_internals() {
    let files = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin"));
    assert!(files.len() > 10, "the check sees the program: {files:?}");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for inside in ["azureml_aks::internals", "#[path", "include!("] {
            assert!(!text.contains(inside), "{} has {inside}", file.display());
        }
    }
}

#[test]
fn each_outside_client_is_named_where_it_is_used_and_nowhere_else() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (name, homes) in [
        (
            "reqwest::",
            &[
                // Asks an emulator for its encrypted address.
                "bin/azureml-aks/connect.rs",
                "transport/default_client.rs",
                "transport/direct/client.rs",
                "transport/http.rs",
            ][..],
        ),
        (
            "azure_identity::",
            &["bin/azureml-aks/connect.rs", "workspace/identity.rs"][..],
        ),
    ] {
        let mut found: Vec<PathBuf> = files(&src)
            .into_iter()
            .filter(|file| {
                let text = std::fs::read_to_string(file).unwrap();
                text.lines()
                    .any(|line| !line.trim_start().starts_with("//") && line.contains(name))
            })
            .collect();
        found.sort();
        let homes: Vec<PathBuf> = homes.iter().map(|home| src.join(home)).collect();
        assert_eq!(found, homes, "{name}");
    }
}

#[test]
fn api_versions_are_written_in_one_place() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    // The emulator answers versions that the library does not send, and signs as a store does.
    let homes = [
        "facts/arm.rs",
        "emulator/versions.rs",
        "emulator/artifacts/sas.rs",
    ];
    let is_version = |text: &[u8]| {
        let shape = b"20dd-dd-dd";
        text.len() >= shape.len()
            && shape.iter().zip(text).all(|(shape, byte)| match shape {
                b'd' => byte.is_ascii_digit(),
                other => byte == other,
            })
    };
    let mut found: Vec<String> = Vec::new();
    for file in files(&src) {
        let inside = file.strip_prefix(&src).unwrap();
        let is_test = inside.components().any(|part| part.as_os_str() == "tests")
            || matches!(
                inside.file_name().and_then(|name| name.to_str()),
                Some("tests.rs" | "fixtures.rs")
            );
        if is_test {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
        for line in code.lines() {
            // A comment names the version that a fact was read in, and so does the source of a rule.
            let start = line.trim_start();
            let is_source = inside.starts_with("rules") && start.starts_with("source ");
            if is_source || start.starts_with("//") {
                continue;
            }
            let bytes = line.as_bytes();
            if (0..bytes.len()).any(|at| is_version(&bytes[at..])) {
                found.push(inside.display().to_string());
            }
        }
    }
    found.dedup();
    found.sort();
    found.dedup();
    assert!(
        found.contains(&homes[0].to_owned()),
        "the check sees the code"
    );
    found.retain(|file| !homes.contains(&file.as_str()));
    assert_eq!(found, [""; 0]);
}
