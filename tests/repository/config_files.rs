//! The files of the command line against what Microsoft's own readers do with them, case by case.
//!
//! The cases are beside the checkout (`../shared/cases`, or `AZURE_CONFIG_CASES`). Where they are absent the tests
//! say so and end, unless `REQUIRE_CASES` is set.

use azureml_aks::error::Finding;
use azureml_aks::{DeployConfiguration, InferenceConfiguration, Result};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The files of which this crate makes something else than Microsoft's readers do: the rule by which it refuses
/// them, or nothing where it reads them, and why.
const DIFFERENCES: [(&str, Option<&str>, &str); 17] = [
    (
        "dc/auth-text.json",
        Some("deploy_file.type"),
        "`\"True\"` in quotation marks is a text; so is `\"False\"`, which Python takes for true",
    ),
    (
        "dc/keys-empty.json",
        Some("deploy.keys.empty"),
        "an empty key would be no protection",
    ),
    (
        "dc/keys-number.json",
        Some("deploy_file.type"),
        "a key that is read as a number may lose the zeros at its beginning",
    ),
    (
        "dc/timeout-300001.json",
        Some("deploy.scoring_timeout.maximum"),
        "the service ends a request after 300 seconds",
    ),
    (
        "dc/util-101.json",
        Some("deploy.replicas.utilization"),
        "the target is a percentage",
    ),
    (
        "dc/util-float.json",
        Some("deploy_file.type"),
        "the target is a whole percentage: 0.7 would be less than one percent",
    ),
    (
        "dc/autoscale-null.json",
        None,
        "`null` counts as absent; Python ends in an AttributeError",
    ),
    (
        "dc/exp.json",
        None,
        "6e4 is a number in JSON; Python's YAML 1.1 reads a text",
    ),
    (
        "ic/deps-text.json",
        Some("conda.shape"),
        "the service would get the name of a file where packages belong",
    ),
    (
        "ic/dup-keys.json",
        Some("inference_file.syntax"),
        "a key that is there twice is a mistake; Python takes the last one",
    ),
    (
        "ic/steps-no-image.json",
        Some("inference_file.docker_steps"),
        "the image to build on was chosen by the older API for images; the request has no place for the steps",
    ),
    (
        "ic/cuda-number.json",
        None,
        "10.0 is read as the text 10.0; Python ends in an AttributeError",
    ),
    (
        "ic/docker-null.json",
        None,
        "`null` counts as absent; Python ends in an AttributeError",
    ),
    (
        "ic/env-empty.json",
        None,
        "an environment with nothing set is named after the service; Python ends in an AttributeError",
    ),
    (
        "ic/env-ref-date.json",
        None,
        "a name and a version are a reference; Python ends in an AttributeError",
    ),
    (
        "ic/env-ref-null-version.json",
        None,
        "a name alone is a reference; Python ends in an AttributeError",
    ),
    (
        "ic/env-ref-version-number.json",
        None,
        "a name and a version are a reference; Python ends in an AttributeError",
    ),
];

fn cases() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/cases");
    let folder = std::env::var_os("AZURE_CONFIG_CASES").map_or(beside, PathBuf::from);
    if folder.join("EXPECTED.tsv").is_file() {
        return Some(folder);
    }
    let required = std::env::var_os("REQUIRE_CASES").is_some_and(|value| !value.is_empty());
    assert!(
        !required,
        "REQUIRE_CASES is set, but {folder:?} has no EXPECTED.tsv"
    );
    // Not `eprintln`, which the harness keeps to itself when a test passes.
    let _ = writeln!(std::io::stderr(), "skipped: {folder:?} has no EXPECTED.tsv");
    None
}

/// Reads a file as far as a configuration; gives its warnings.
fn read(file: &Path) -> Result<Vec<Finding>> {
    Ok(
        match file.parent().is_some_and(|folder| folder.ends_with("dc")) {
            true => DeployConfiguration::builder_from_file(file)?
                .build()?
                .warnings()
                .to_vec(),
            false => InferenceConfiguration::builder_from_file(file)?
                .build()?
                .warnings()
                .to_vec(),
        },
    )
}

#[test]
fn each_case_is_read_as_microsofts_readers_do_but_for_the_stated_differences() {
    let Some(folder) = cases() else { return };
    let expected = std::fs::read_to_string(folder.join("EXPECTED.tsv")).unwrap();
    let mut differences = BTreeMap::new();
    let mut compared = 0;
    for line in expected.lines() {
        let (file, theirs) = line.split_once('\t').unwrap();
        let ours = read(&folder.join(file));
        if ours.is_ok() != theirs.starts_with("OK") {
            differences.insert(file, ours.err().map(|error| error.findings()[0].rule));
        }
        compared += 1;
    }
    assert!(compared > 90, "{compared} cases");
    let stated = DIFFERENCES.iter().map(|(file, rule, _)| (*file, *rule));
    assert_eq!(differences, stated.collect());
}

#[test]
fn case_of_two_folders_is_found_below_a_base() {
    let Some(folder) = cases() else { return };
    let base = folder.join("paths-config");
    for name in ["inference_config.json", "inference_config_env.json"] {
        let file = base.join("config").join(name);
        let text = std::fs::read_to_string(&file).unwrap();
        let config = InferenceConfiguration::builder_from_text(&text, &base)
            .unwrap()
            .build()
            .unwrap();
        assert_eq!(
            config.source_directory(),
            Some(&*base.join("code/deploy")),
            "{name}"
        );
        // The working directory of tests is the checkout, which has no such folder.
        let error = read(&file).unwrap_err();
        let found = &error.findings()[0];
        assert_eq!(
            (found.path.as_str(), error.findings().len()),
            ("sourceDirectory", 1),
            "{error}"
        );
        let beside = base.join("config/./code/deploy").display().to_string();
        assert!(
            found.message.contains(&beside) && found.message.contains("`./code/deploy`"),
            "{found}"
        );
    }
}
