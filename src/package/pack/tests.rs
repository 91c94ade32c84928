use super::*;
use crate::{CondaDependencies, Environment, EnvironmentSource, InferenceConfiguration};
use flate2::read::GzDecoder;
use std::fs;
use tempfile::TempDir;

const SCRIPT: &str = "def init(): pass\ndef run(data): return data\n";

/// A folder `src` with these files, in a folder that is removed.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let outer = tempfile::tempdir().unwrap();
    fs::create_dir(outer.path().join("src")).unwrap();
    for (path, text) in files {
        let path = outer.path().join("src").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    outer
}

fn of_directory(folder: &TempDir, script: &str) -> InferenceConfiguration {
    let builder = InferenceConfiguration::builder().entry_script(script);
    builder
        .source_directory(folder.path().join("src"))
        .build()
        .unwrap()
}

fn of_file(path: impl AsRef<Path>) -> InferenceConfiguration {
    InferenceConfiguration::builder()
        .entry_script(path.as_ref())
        .build()
        .unwrap()
}

fn make(config: &InferenceConfiguration) -> Result<Package, Error> {
    make_now(config.script(), &Wanted::default())
}

fn refused(config: &InferenceConfiguration) -> String {
    let error = make(config).unwrap_err();
    assert_eq!(error.findings()[0].rule, "entry_script.file");
    error.to_string()
}

fn content(file: &PackFile) -> Vec<u8> {
    let content = match &file.content {
        Source::Bytes(bytes) => bytes.to_vec(),
        Source::Path(path, _) => fs::read(path).unwrap(),
        Source::File(file, _) => {
            let mut bytes = Vec::new();
            file.lock().unwrap().read_to_end(&mut bytes).unwrap();
            bytes
        }
    };
    assert_eq!(Some(content.len() as u64), file.content.size());
    content
}

fn urls() -> Vec<String> {
    ["a", "b"]
        .map(|name| format!("aml://artifact/LocalUpload/0/{name}"))
        .to_vec()
}

#[tokio::test]
async fn script_by_itself_goes_beside_the_driver_program() {
    let folder = folder(&[("score.py", SCRIPT)]);
    let config = of_file(folder.path().join("src/score.py"));
    let package = config.package().await.unwrap();
    assert!(package.warnings.is_empty());
    let driver = String::from_utf8(content(&package.files[0])).unwrap();
    assert!(
        driver.contains(r#"os.path.join(_here, "score.py")"#),
        "{driver}"
    );
    assert_eq!(content(&package.files[1]), SCRIPT.as_bytes());

    let environment = Environment::builder().name("myenv").build().unwrap();
    assert_eq!(
        package.environment_image_request(
            &urls(),
            &["m:1".into()],
            Some(environment.value("myservice"))
        ),
        json!({
            "driverProgram": "azureml_aks_driver.py",
            "assets": [
                {
                    "id": "azureml_aks_driver.py",
                    "mimeType": "application/x-python",
                    "url": "aml://artifact/LocalUpload/0/a",
                },
                {
                    "id": "score.py",
                    "mimeType": "application/octet-stream",
                    "url": "aml://artifact/LocalUpload/0/b",
                },
            ],
            "modelIds": ["m:1"],
            "environment": {
                "name": "myenv",
                "environmentVariables": { "AZUREML_ENTRY_SCRIPT": "score.py" },
            },
        })
    );
}

#[tokio::test]
async fn source_directory_goes_as_one_archive_under_its_own_name() {
    let folder = folder(&[("app/score.py", SCRIPT), ("helper.py", "x = 1\n")]);
    let config = of_directory(&folder, "./app/score.py");
    let package = config.package().await.unwrap();
    let driver = String::from_utf8(content(&package.files[0])).unwrap();
    assert!(
        driver.contains(r#"os.path.join(_here, "src/app/score.py")"#),
        "{driver}"
    );
    assert!(
        driver.contains(r#"os.path.join(_here, "src"))"#),
        "{driver}"
    );

    let name = package.files[1].name.clone();
    let hex = name.strip_suffix(".tar.gz").unwrap();
    assert!(
        hex.len() == 8 && hex.chars().all(|c| c.is_ascii_hexdigit()),
        "{name}"
    );
    let packed = content(&package.files[1]);
    let mut archive = tar::Archive::new(GzDecoder::new(&packed[..]));
    let unpacked = tempfile::tempdir().unwrap();
    archive.unpack(unpacked.path()).unwrap();
    let script = fs::read_to_string(unpacked.path().join("src/app/score.py")).unwrap();
    assert_eq!(script, SCRIPT);

    let request = package.environment_image_request(&urls(), &[], Some(json!({ "name": "e" })));
    assert_eq!(
        request["assets"][1],
        json!({
            "id": name,
            "mimeType": "application/octet-stream",
            "url": "aml://artifact/LocalUpload/0/b",
            "unpack": true,
        })
    );
    assert_eq!(
        request["environment"]["environmentVariables"],
        json!({
            "AZUREML_ENTRY_SCRIPT": "src/app/score.py",
            "AZUREML_SOURCE_DIRECTORY": "src",
        })
    );
    assert_eq!(request["modelIds"], json!([]));
}

#[test]
fn environment_of_the_service_keeps_its_spelling_and_its_variables() {
    let folder = folder(&[("score.py", SCRIPT)]);
    let package = make(&of_file(folder.path().join("src/score.py"))).unwrap();
    let with = |environment: Value| {
        package.environment_image_request(&urls(), &[], Some(environment))["environment"].clone()
    };
    assert_eq!(
        with(
            json!({ "name": "e", "EnvironmentVariables": { "A": "1", "AZUREML_ENTRY_SCRIPT": "x" } })
        ),
        json!({ "name": "e", "EnvironmentVariables": { "A": "1", "AZUREML_ENTRY_SCRIPT": "score.py" } })
    );
    assert_eq!(
        with(json!({ "environmentVariables": null })),
        json!({ "environmentVariables": { "AZUREML_ENTRY_SCRIPT": "score.py" } })
    );
    assert_eq!(with(json!("garbage")), json!("garbage"));
    let without = package.environment_image_request(&urls(), &[], None);
    assert_eq!(without.get("environment"), None);
}

#[test]
fn definition_that_was_given_is_the_one_that_is_sent() {
    let environment = Environment::builder()
        .conda_dependencies(CondaDependencies::new().pip_package("azureml-defaults"))
        .build()
        .unwrap();
    let config = InferenceConfiguration::builder()
        .entry_script("score.py")
        .environment(environment)
        .build()
        .unwrap();
    let Some(EnvironmentSource::Definition(environment)) = config.environment() else {
        panic!("a definition was given");
    };
    assert_eq!(
        environment.value("myservice"),
        json!({
            "name": "myservice-env",
            "python": {
                "condaDependencies": { "dependencies": [{ "pip": ["azureml-defaults"] }] },
            },
        })
    );
}

#[test]
fn script_named_like_the_driver_program_does_not_meet_it() {
    let folder = folder(&[("azureml_aks_driver.py", SCRIPT)]);
    let package = make(&of_file(folder.path().join("src/azureml_aks_driver.py"))).unwrap();
    assert_ne!(package.files[0].name, package.files[1].name);
    let request = package.environment_image_request(&urls(), &[], None);
    assert_eq!(request["driverProgram"], request["assets"][0]["id"]);
}

#[test]
fn script_that_cannot_be_packed_reports_the_reason() {
    let folder = folder(&[
        ("empty.py", ""),
        ("folder.py/x", "1"),
        ("ignored.py", SCRIPT),
        ("sub/ignored_too.py", SCRIPT),
        (".amlignore", "ignored.py\nsub/\n"),
    ]);
    for (script, expected) in [
        ("absent.py", "it cannot be read"),
        ("empty.py", "it is empty"),
        ("folder.py", "it is a folder"),
    ] {
        for config in [
            of_directory(&folder, script),
            of_file(folder.path().join("src").join(script)),
        ] {
            let text = refused(&config);
            assert!(text.contains(expected) && text.contains(script), "{text}");
        }
    }
    for (script, line) in [("ignored.py", 1), ("sub/ignored_too.py", 2)] {
        let text = refused(&of_directory(&folder, script));
        let expected = format!("not packed: .amlignore:{line} leaves it out");
        assert!(text.contains(&expected), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn script_behind_a_link_is_taken_only_where_the_link_is() {
    use std::os::unix::fs::symlink;

    let folder = folder(&[("real/score.py", SCRIPT)]);
    fs::write(folder.path().join("outside.py"), SCRIPT).unwrap();
    let src = folder.path().join("src");
    symlink("real", src.join("link")).unwrap();
    symlink("../outside.py", src.join("out.py")).unwrap();
    assert!(make(&of_directory(&folder, "link/score.py")).is_ok());
    assert!(refused(&of_directory(&folder, "out.py")).contains("is not packed"));
    // By itself it is the file that was named, wherever it is.
    assert!(make(&of_file(src.join("out.py"))).is_ok());
}

#[test]
fn script_without_its_functions_is_a_warning() {
    for (text, expected) in [
        (
            "def initialise(): pass\ndef running(): pass\n",
            Some("init and run"),
        ),
        ("def run(x): pass\n", Some("does not name init")),
        ("from base import init, run\n", None),
    ] {
        let folder = folder(&[("score.py", text)]);
        let package = make(&of_directory(&folder, "score.py")).unwrap();
        match expected {
            None => assert!(package.warnings.is_empty()),
            Some(expected) => {
                let warning = &package.warnings[0];
                assert_eq!(warning.rule, "entry_script.functions");
                assert!(warning.message.contains(expected), "{warning}");
            }
        }
    }
}

/// The files that an ignore file at the top excludes beside this script.
fn dropped_imports(script: &str, ignore: &str, files: &[&str]) -> Vec<String> {
    let text = format!("{SCRIPT}import json\nimport absent.part\n{script}\n");
    let mut all = vec![("app/score.py", text.as_str()), (".gitignore", ignore)];
    all.extend(files.iter().map(|file| (*file, "")));
    let folder = folder(&all);
    let package = make(&of_directory(&folder, "app/score.py")).unwrap();
    let told = package
        .warnings
        .iter()
        .filter(|found| found.rule == "entry_script.import");
    told.map(|found| found.message.clone()).collect()
}

#[test]
fn module_that_an_ignore_file_leaves_out_is_reported_where_the_script_imports_it() {
    let lib = ["lib/__init__.py", "lib/utils.py"];
    let told = |module: &str, line: usize| {
        vec![format!(
            "the entry script imports {module}, which .gitignore:{line} leaves out"
        )]
    };
    for (script, module) in [
        ("import lib", "lib"),
        ("  import os, lib.utils as u  # of ours", "lib.utils"),
        ("from lib.utils import (", "lib.utils"),
    ] {
        let found = dropped_imports(script, "*.log\nlib/\n", &lib);
        assert_eq!(found, told(module, 2), "{script}");
    }
    let found = dropped_imports("from lib import utils", "utils.py\n", &lib);
    assert_eq!(found, told("lib.utils", 1));
    let found = dropped_imports("import near", "near.py\n", &["app/near.py"]);
    assert_eq!(found, told("near", 1));
    // Found all the same, or not imported.
    for (script, ignore, files) in [
        ("import lib", "/lib/\n", &["lib/a.py", "app/lib.py"][..]),
        ("import lib", "*.csv\n", &["lib/a.csv", "lib/a.py"]),
        ("# import lib\nlib = 'import lib'", "lib/\n", &["lib/a.py"]),
    ] {
        let found = dropped_imports(script, ignore, files);
        assert_eq!(found, [""; 0], "{script}");
    }
}

#[test]
fn container_has_the_same_name_only_for_the_same_files() {
    let container = |files: &[(&str, &str)], script: &str, alone: bool| {
        let folder = folder(files);
        let package = make(&match alone {
            true => of_file(folder.path().join("src").join(script)),
            false => of_directory(&folder, script),
        });
        package.unwrap().container()
    };
    let files = [("score.py", SCRIPT), ("a/x.py", "1"), ("b.py", SCRIPT)];
    let first = container(&files, "score.py", false);
    assert_eq!(first.len(), Fingerprint::LENGTH);
    assert_eq!(first, container(&files, "score.py", false));
    let alone = container(&files, "score.py", true);
    assert_eq!(alone, container(&files[..1], "score.py", true));
    let other = [("score.py", SCRIPT), ("a/x.py", "2"), ("b.py", SCRIPT)];
    let changed = [("score.py", "def init(): run\n")];
    let all = [
        first,
        alone,
        container(&files, "b.py", false),
        container(&files, "b.py", true),
        container(&other, "score.py", false),
        container(&changed, "score.py", true),
    ];
    assert_eq!(BTreeSet::from(all).len(), 6);
}

#[test]
fn nothing_is_left_in_the_folder_for_temporary_files() {
    let folder = folder(&[("score.py", SCRIPT)]);
    let config = of_directory(&folder, "score.py");
    let package = make(&config).unwrap();
    // Made before the check, so that only the content of the package is checked.
    let size = content(&package.files[1]).len();
    let names = fs::read_dir(std::env::temp_dir()).unwrap();
    let left = names.flatten().any(|entry| {
        entry
            .file_name()
            .to_string_lossy()
            .contains(&package.files[1].name)
            || entry
                .file_name()
                .to_string_lossy()
                .contains(&package.files[0].name)
    });
    assert!(!left && size > 0);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let Source::File(file, _) = &package.files[1].content else {
            panic!("an archive is an open file");
        };
        let links = file.lock().unwrap().metadata().unwrap().nlink();
        assert_eq!(links, 0, "the archive has no name");
    }
}

#[tokio::test]
async fn dropped_packing_stops() {
    let folder = folder(&[("score.py", SCRIPT)]);
    let config = of_directory(&folder, "score.py");
    let error = make_now(config.script(), &Wanted::no_more()).unwrap_err();
    assert_eq!(error.findings()[0].rule, "source_directory.unreadable");
    // Dropped before it was asked for anything, nothing happens at all.
    drop(config.package());
}
