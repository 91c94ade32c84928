//! The parts of the program by themselves: the command line, the formats against recorded calls of the real `az`, the schemas.

use crate::args::{Cli, modern};
use crate::output::{Columns, Format, Shown};
use crate::query::Query;
use crate::schema;
use azureml_aks::error::Severity;
use azureml_aks::{DeployConfiguration, Error, InferenceConfiguration};
use clap::{CommandFactory, Parser};
use serde_json::{Map, Value, json};
use std::ffi::OsString;
use std::path::Path;

#[test]
fn command_line_is_consistent() {
    Cli::command().debug_assert();
}

fn leaves(command: &clap::Command, path: &str, each: &mut dyn FnMut(&str, &clap::Command)) {
    let path = format!("{path} {}", command.get_name());
    match command.get_subcommands().next() {
        Some(_) => command
            .get_subcommands()
            .for_each(|inner| leaves(inner, &path, each)),
        None => each(&path, command),
    }
}

#[test]
fn every_command_has_an_example_that_the_parser_takes_and_every_option_a_text() {
    let mut seen = 0;
    leaves(&Cli::command(), "", &mut |path, command| {
        let help = command
            .get_after_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        let lines = help
            .lines()
            .filter(|line| line.trim_start().starts_with("azureml-aks "));
        let mut lines = lines.peekable();
        assert!(lines.peek().is_some(), "{path} has no example");
        for line in lines {
            let line = line.split(" >").next().unwrap().replace(
                "$(azureml-aks aks show -n mycluster -g myresourcegroup --query id -o tsv)",
                "ID",
            );
            let words = words(&line).into_iter().map(OsString::from);
            let parsed = Cli::try_parse_from(modern(words));
            assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
        }
        for argument in command.get_arguments() {
            assert!(
                argument.get_help().is_some(),
                "{path}: {} has no text",
                argument.get_id()
            );
        }
        seen += 1;
    });
    assert!(seen > 40, "{seen}");
}

/// Splits at spaces, but not within single quotes.
fn words(line: &str) -> Vec<String> {
    let mut all = Vec::new();
    for (at, part) in line.split('\'').enumerate() {
        match at % 2 {
            0 => all.extend(part.split_whitespace().map(str::to_owned)),
            _ => all.push(part.to_owned()),
        }
    }
    all
}

#[test]
fn old_flags_and_the_first_word_are_rewritten_and_nothing_else() {
    for (given, taken) in [
        (
            "p ml model deploy -ct a -ic b -dc c",
            "p model deploy --ct a --ic b --dc c",
        ),
        (
            "p model deploy -ct=a -ic=b -dc=c",
            "p model deploy --ct=a --ic=b --dc=c",
        ),
        (
            "p model deploy --ct a -ctx -n ml",
            "p model deploy --ct a -ctx -n ml",
        ),
        ("p aks show -n ml", "p aks show -n ml"),
    ] {
        let args = modern(given.split(' ').map(OsString::from));
        let args: Vec<_> = args.iter().map(|arg| arg.to_str().unwrap()).collect();
        assert_eq!(args.join(" "), taken);
    }
}

/// The recorded calls of the real `az`, or nothing where they are absent and need not be there.
fn recorded() -> Option<Vec<Value>> {
    let file = std::env::var("AZURE_CLI_GOLDEN")
        .unwrap_or_else(|_| "../shared/cli-golden.jsonl".to_owned());
    match std::fs::read_to_string(&file) {
        Ok(text) => Some(
            text.lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect(),
        ),
        Err(error) => {
            assert!(
                std::env::var_os("REQUIRE_SPECS").is_none(),
                "{file}: {error}"
            );
            println!("skipped: {file} is absent");
            None
        }
    }
}

fn args(call: &Value) -> String {
    let args = call["args"]
        .as_array()
        .unwrap()
        .iter()
        .map(|arg| arg.as_str().unwrap());
    args.collect::<Vec<_>>().join(" ")
}

/// The options of a recorded call that say how a result is shown.
fn formatted(call: &Value, shown: Shown) -> String {
    let args: Vec<&str> = call["args"]
        .as_array()
        .unwrap()
        .iter()
        .map(|arg| arg.as_str().unwrap())
        .collect();
    let after = |flag: &str| {
        args.iter()
            .position(|arg| *arg == flag)
            .map(|at| args[at + 1])
    };
    let format = after("-o").or(call["env"]["AZURE_CORE_OUTPUT"].as_str());
    let format = format.map(|name| clap::ValueEnum::from_str(name, true).unwrap());
    let query = after("--query").map(|text| Query::parse(text).unwrap());
    shown.render(format, query.as_ref()).unwrap()
}

const POOL: Columns = &[
    ("Name", "/name"),
    ("OsType", "/osType"),
    ("KubernetesVersion", "/orchestratorVersion"),
    ("VmSize", "/vmSize"),
    ("Count", "/count"),
    ("MaxPods", "/maxPods"),
    ("ProvisioningState", "/provisioningState"),
    ("Mode", "/mode"),
];

/// Documents that the recordings show as JSON are shown in the other formats as `az` did.
#[test]
fn formats_are_those_of_az() {
    let Some(calls) = recorded() else { return };
    let pool = calls.iter().find(|call| {
        args(call) == "aks nodepool update --cluster-name mycluster -g mygroup -n nodepool1"
    });
    let pool: Value = serde_json::from_str(pool.unwrap()["stdout"].as_str().unwrap()).unwrap();
    let cluster = |name: &str, group: &str, fqdn: Value, private: Value, pools: usize| {
        json!({
            "id": format!("/subscriptions/11111111-2222-3333-4444-555555555555/resourcegroups/{group}/providers/\
                Microsoft.ContainerService/managedClusters/{name}"),
            "name": name, "fqdn": fqdn, "privateFqdn": private, "enableRbac": true, "tags": {},
            "agentPoolProfiles": vec![json!({ "name": "p" }); pools],
        })
    };
    let one = cluster("mycluster", "mygroup", json!("f"), Value::Null, 1);
    let host = "twopools-dns-1a2b3c4d.privatelink.westus.azmk8s.io";
    let two = cluster("twopools", "othergroup", Value::Null, json!(host), 2);
    let mut seen = Vec::new();
    for call in &calls {
        let line = args(call);
        let shown = match line.as_str() {
            "aks nodepool list --cluster-name mycluster -g mygroup -o tsv" => {
                Shown::new(json!([pool]))
            }
            text if text.starts_with("aks nodepool show ") => Shown::table(pool.clone(), POOL),
            "aks nodepool scale --cluster-name mycluster -g mygroup -n nodepool1 -c 5 -o table" => {
                let mut pool = pool.clone();
                pool["count"] = 5.into();
                Shown::new(pool)
            }
            text if text.starts_with("aks nodepool update ") && text.contains("--query") => {
                Shown::new(json!({ "enableAutoScaling": false }))
            }
            "aks nodepool update --cluster-name mycluster -g mygroup -n nodepool1" => {
                Shown::new(pool.clone())
            }
            "aks show --na mycluster --resource-gr mygroup --query name" => Shown::new(one.clone()),
            text if text.starts_with("aks show -n mycluster -g mygroup --query id") => {
                Shown::new(one.clone())
            }
            text if text.starts_with("aks list -g othergroup --query") => Shown::new(json!([two])),
            "aks list --query" => continue,
            text if text.starts_with("aks list --query") => Shown::new(json!([one, two])),
            text if text.starts_with("rest ")
                || text.starts_with("network ")
                || text.starts_with("vm ") =>
            {
                // Of those that are shown as JSON, the text is a fixed point.
                match serde_json::from_str(call["stdout"].as_str().unwrap()) {
                    Ok(value) if !text.contains("--query") => Shown::new(value),
                    _ => continue,
                }
            }
            _ => continue,
        };
        if call["exit"] != 0 {
            continue;
        }
        assert_eq!(
            formatted(call, shown),
            call["stdout"].as_str().unwrap(),
            "{line}"
        );
        seen.push(line);
    }
    assert!(seen.len() >= 18, "{seen:#?}");
}

fn shown(format: Format, query: Option<&str>, value: Value) -> String {
    let query = query.map(|text| Query::parse(text).unwrap());
    Shown::new(value)
        .render(Some(format), query.as_ref())
        .unwrap()
}

#[test]
fn members_follow_the_query_in_rows_and_are_sorted_in_documents() {
    let value = json!([{ "a": 1, "b": true, "c": null }, { "a": 2, "b": false, "c": "x" }]);
    let query = Some("[].{Z:b,y:c,X:a}");
    assert_eq!(
        shown(Format::Tsv, query, value.clone()),
        "True\tNone\t1\nFalse\tx\t2\n"
    );
    // A column that is empty in the first row comes last.
    assert_eq!(
        shown(Format::Table, query, value.clone()),
        "Z      X    Y\n-----  ---  ---\nTrue   1\nFalse  2    x\n"
    );
    assert_eq!(
        shown(Format::Yaml, query, value),
        "- X: 1\n  Z: true\n  y: null\n- X: 2\n  Z: false\n  y: x\n"
    );
}

#[test]
fn scalars_and_lists_are_shown_as_az_shows_them() {
    assert_eq!(
        shown(Format::Table, None, json!(["a", null, true])),
        "Result\n--------\na\n\nTrue\n"
    );
    assert_eq!(
        shown(Format::Tsv, None, json!(["a", null, true])),
        "a\n\ntrue\n"
    );
    assert_eq!(
        shown(
            Format::Table,
            None,
            json!([[1, ["a", "it's"], { "k": null }]])
        ),
        "Column1    Column2        Column3\n---------  -------------  -----------\n1          ['a', \"it's\"]  {'k': None}\n"
    );
    assert_eq!(shown(Format::Table, None, json!([])), "\n");
    assert_eq!(shown(Format::Yaml, None, json!("1.34")), "'1.34'\n...\n");
    for format in [
        Format::Json,
        Format::Table,
        Format::Tsv,
        Format::Yaml,
        Format::None,
    ] {
        assert_eq!(shown(format, None, Value::Null), "", "{format:?}");
    }
    assert_eq!(shown(Format::None, None, json!([1])), "");
}

#[test]
fn escapes_of_an_answer_never_reach_the_terminal() {
    let value = json!([{ "a": "x\u{1b}[31m\u{9b}2J\u{202e}y" }]);
    for format in [Format::Json, Format::Table, Format::Tsv, Format::Yaml] {
        let text = shown(format, None, value.clone());
        assert!(
            !text.contains(['\u{1b}', '\u{9b}', '\u{202e}']),
            "{format:?}: {text:?}"
        );
        assert!(text.contains('y'), "{format:?}");
    }
    let json: Value = serde_json::from_str(&shown(Format::Json, None, value.clone())).unwrap();
    assert_eq!(json, value, "JSON keeps what it escapes");
    assert_eq!(
        Shown::text("\u{1b}[2Jlog".to_owned())
            .render(None, None)
            .unwrap(),
        "[2Jlog\n"
    );
}

#[test]
fn query_that_lost_its_backticks_is_explained() {
    let lost = Query::parse("orchestrators[?default == ].orchestratorVersion").unwrap_err();
    assert!(lost.contains("single quotes"), "{lost}");
    let other = Query::parse("a[").unwrap_err();
    assert!(!other.contains("single quotes"), "{other}");
}

#[derive(Debug, Parser)]
struct Deployed {
    #[command(flatten)]
    first: crate::deployment::AtFirst,
    #[command(flatten)]
    settings: crate::deployment::Settings,
}

#[test]
fn flags_win_over_the_same_keys_of_the_file_and_leave_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dc.yml");
    let text = "computeType: AKS\nautoScaler: {autoscaleEnabled: True, minReplicas: 2, maxReplicas: 3}\nauthEnabled: yes\n";
    std::fs::write(&file, text).unwrap();
    let of = |flags: &[&str]| {
        let file = ["p", "--dc", file.to_str().unwrap()];
        let parsed = Deployed::try_parse_from(file.iter().chain(flags)).unwrap();
        parsed
            .settings
            .configuration(&parsed.first)
            .map_err(|failure| failure.text)
    };
    let expected = DeployConfiguration::builder()
        .auth(azureml_aks::Auth::Key)
        .replicas(
            azureml_aks::AutoScale::new()
                .min_replicas(2)
                .max_replicas(5),
        )
        .cpu_cores(0.5);
    let built = of(&["--ma", "5", "--cc", "0.5"]).unwrap();
    let expected = expected.build().unwrap();
    assert_eq!(built.replicas(), expected.replicas());
    assert_eq!(built.auth(), expected.auth());
    assert_eq!(built.cpu_cores(), expected.cpu_cores());
    // A key that is there twice is refused, with flags as without.
    std::fs::write(
        &file,
        "computeType: AKS\nauthEnabled: true\nauthEnabled: false\n",
    )
    .unwrap();
    for flags in [&[][..], &["--cc", "0.5"]] {
        let refused = of(flags).unwrap_err();
        assert!(refused.contains("authEnabled"), "{refused}");
    }
}

#[test]
fn literals_that_are_not_json_are_texts_as_for_az() {
    let value = json!([{ "n": "x" }, { "n": "`y`" }, { "n": 1 }]);
    assert_eq!(
        shown(Format::Tsv, Some("[?n==`x`].n"), value.clone()),
        "x\n"
    );
    assert_eq!(
        shown(Format::Tsv, Some("[?n==`1`||n==` x`].n"), value.clone()),
        "x\n1\n"
    );
    assert_eq!(
        shown(Format::Tsv, Some("[?n=='`y`'||n==`z`].n"), value),
        "`y`\n"
    );
}

/// Each value of a schema by its path, with a sample of its type.
fn samples(schema: &Value, path: &str, each: &mut dyn FnMut(&str, Value)) {
    for (key, inner) in schema["properties"].as_object().unwrap() {
        let path = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        if inner["properties"].is_object() {
            samples(inner, &path, each);
            continue;
        }
        let kind = inner["type"].as_str().or(inner["type"][0].as_str());
        each(
            &path,
            match kind {
                Some("boolean") => json!(true),
                Some("number") => json!(1.5),
                Some("integer") => json!(5),
                Some("array") => json!([]),
                Some("object") => json!({}),
                _ if inner["enum"].is_array() => inner["enum"][0].clone(),
                _ => json!("aks"),
            },
        );
    }
}

fn document(path: &str, value: Value) -> Value {
    path.rsplit('.').fold(value, |inner, key| {
        let mut outer = Map::new();
        outer.insert(key.to_owned(), inner);
        Value::Object(outer)
    })
}

fn unknown_keys(error: &Error) -> Vec<String> {
    let unknown = error
        .findings()
        .iter()
        .filter(|found| found.severity == Severity::Error && found.rule.ends_with(".strict"));
    unknown.map(|found| found.path.clone()).collect()
}

#[test]
fn keys_of_the_schemas_are_those_that_the_library_knows() {
    let mut seen = 0;
    let deployment: Value = serde_json::from_str(schema::DEPLOYMENT).unwrap();
    let inference: Value = serde_json::from_str(schema::INFERENCE).unwrap();
    let deploy =
        |document: Value| match DeployConfiguration::builder_from_text(&document.to_string()) {
            Ok(builder) => builder.strict(true).build().err(),
            Err(error) => Some(error),
        };
    let infer = |document: Value| match InferenceConfiguration::builder_from_text(
        &document.to_string(),
        "",
    ) {
        Ok(builder) => builder.strict(true).build().err(),
        Err(error) => Some(error),
    };
    // The check sees what it looks for.
    assert_eq!(
        unknown_keys(&deploy(json!({ "computeType": "AKS", "nosuch": 1 })).unwrap()),
        ["nosuch"]
    );
    assert_eq!(
        unknown_keys(&infer(json!({ "entryScript": "s", "nosuch": 1 })).unwrap()),
        ["nosuch"]
    );
    samples(&deployment, "", &mut |path, value| {
        let mut document = document(path, value);
        document["computeType"] = "AKS".into();
        let unknown = deploy(document)
            .as_ref()
            .map(unknown_keys)
            .unwrap_or_default();
        assert!(unknown.is_empty(), "{path}: {unknown:?}");
        seen += 1;
    });
    samples(&inference, "", &mut |path, value| {
        let unknown = infer(document(path, value))
            .as_ref()
            .map(unknown_keys)
            .unwrap_or_default();
        assert!(unknown.is_empty(), "{path}: {unknown:?}");
        seen += 1;
    });
    assert!(seen > 55, "{seen}");
}

/// The files in the wild that the library takes without a warning are valid by the schemas too.
#[test]
fn files_that_the_library_takes_are_valid_by_the_schemas() {
    let folder =
        std::env::var("AZURE_CONFIG_CASES").unwrap_or_else(|_| "../shared/cases".to_owned());
    if !Path::new(&folder).is_dir() {
        assert!(
            std::env::var_os("REQUIRE_CASES").is_none(),
            "{folder} is absent"
        );
        println!("skipped: {folder} is absent");
        return;
    }
    let mut seen = 0;
    let mut wrong = Vec::new();
    for (kind, text) in [("dc", schema::DEPLOYMENT), ("ic", schema::INFERENCE)] {
        let schema: Value = serde_json::from_str(text).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        for entry in std::fs::read_dir(Path::new(&folder).join(kind)).unwrap() {
            let path = entry.unwrap().path();
            let taken = match kind {
                "dc" => DeployConfiguration::builder_from_file(&path)
                    .and_then(|builder| builder.strict(true).build())
                    .is_ok(),
                _ => InferenceConfiguration::builder_from_file(&path)
                    .and_then(|builder| builder.strict(true).build())
                    .is_ok(),
            };
            let Ok(members) = crate::deployment::configuration(&path, text) else {
                continue;
            };
            // What counts as absent need not be in a schema for an editor.
            if !taken || members.values().any(holds_nothing) {
                continue;
            }
            let document = Value::Object(members);
            let errors: Vec<_> = validator
                .iter_errors(&document)
                .map(|error| error.to_string())
                .collect();
            wrong.extend(
                errors
                    .into_iter()
                    .map(|error| format!("{}: {error}", path.display())),
            );
            seen += 1;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen > 20, "{seen}");
}

/// Whether there is a `null` or an empty text, which the library takes for absent.
fn holds_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().any(holds_nothing),
        Value::Object(map) => map.values().any(holds_nothing),
        _ => false,
    }
}
