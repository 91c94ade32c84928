//! Every published example, checked against its own description and, mutated, against it again.

use std::collections::BTreeSet;

use crate::support::specs::{
    Direction::{self, Request, Response},
    Exchange,
    Kind::{self, Missing, NotListed, Null, ReadOnly, Unknown, WrongType},
    Operation, Report, Specs,
};
use serde_json::{Value, json};

/// The key that the mutations add: no description and no map of the examples has it.
const STRANGER: &str = "strangerInTheBody";

/// Where a published example departs from the description that publishes it.
const OWN_FAULTS: &[(&str, Direction, &str, Kind)] = &[
    // "id" of a compute is read-only, and the example sends it: so do Microsoft's clients.
    ("updateAKSCompute", Request, "/id", ReadOnly),
    // The description has no null anywhere; services answer null for what they have not.
    (
        "listWorkspaceKeys",
        Response,
        "/appInsightsInstrumentationKey",
        Null,
    ),
    (
        "listWorkspaceKeys",
        Response,
        "/containerRegistryCredentials/location",
        Null,
    ),
];

/// Where the same example, sent and answered under today's version, departs from today's types:
/// what changed between the two.
const FAULTS_TODAY: &[(&str, Direction, &str, Kind)] = &[
    // Priority "Low" became "Spot".
    (
        "AgentPoolsCreate_Update",
        Request,
        "/properties/scaleSetPriority",
        NotListed,
    ),
    (
        "AgentPoolsCreate_Update",
        Response,
        "/properties/scaleSetPriority",
        NotListed,
    ),
    (
        "AgentPools_Update",
        Request,
        "/properties/scaleSetPriority",
        NotListed,
    ),
    (
        "AgentPools_Update",
        Response,
        "/properties/scaleSetPriority",
        NotListed,
    ),
    // The Docker bridge went with Docker, from AKS; a compute of a workspace still has it.
    (
        "ManagedClustersGet",
        Response,
        "/properties/networkProfile/dockerBridgeCidr",
        Unknown,
    ),
    (
        "ManagedClustersList",
        Response,
        "/value/0/properties/networkProfile/dockerBridgeCidr",
        Unknown,
    ),
    // A capital M, which ARM does not look at and the list of one value does.
    ("ManagedClustersGet", Response, "/type", NotListed),
    ("ManagedClustersList", Response, "/value/0/type", NotListed),
    (
        "getWorkspace",
        Response,
        "/properties/creationTime",
        Unknown,
    ),
    ("getWorkspace", Response, "/sku/tier", NotListed),
    (
        "listWorkspaceKeys",
        Response,
        "/appInsightsInstrumentationKey",
        Null,
    ),
    (
        "listWorkspaceKeys",
        Response,
        "/containerRegistryCredentials/location",
        Null,
    ),
    (
        "listWorkspaceKeys",
        Response,
        "/userStorageResourceId",
        Unknown,
    ),
    ("updateAKSCompute", Request, "/id", ReadOnly),
];

#[test]
fn examples_depart_from_their_description_only_where_it_is_known() {
    let Some(specs) = Specs::load() else { return };
    let mut seen = BTreeSet::new();
    for (operation, file, example) in specs.published_examples() {
        for exchange in exchanges(operation, &example) {
            let report = specs.check(&exchange);
            assert_eq!(
                report.held_against,
                format!("OpenAPI {}", specs.version_of(operation))
            );
            seen.extend(facts(&file, &report));
        }
    }
    assert_eq!(seen, stated(OWN_FAULTS));
}

#[test]
fn every_kept_example_is_tried() {
    let Some(specs) = Specs::load() else { return };
    let tried: BTreeSet<_> = specs
        .published_examples()
        .into_iter()
        .map(|(_, file, _)| file)
        .collect();
    assert_eq!(tried, BTreeSet::from_iter(specs.example_files()));
    assert!(tried.len() >= 16, "{tried:?}");
}

#[test]
fn examples_under_the_version_of_today_depart_only_where_it_is_known() {
    let Some(specs) = Specs::load() else { return };
    let mut seen = BTreeSet::new();
    let mut held = 0;
    for (operation, file, example) in specs.published_examples() {
        for exchange in exchanges(operation, &example) {
            let report = specs.check(&today(exchange));
            if report.held_against == "bicep 2026-05-01" {
                held += 1;
                seen.extend(facts(&file, &report));
            }
        }
    }
    assert_eq!(seen, stated(FAULTS_TODAY));
    assert!(
        held >= 14,
        "{held} answers were checked against the bicep types"
    );
}

#[test]
fn unknown_key_in_any_object_of_an_example_is_found_under_both_versions() {
    let mut open = BTreeSet::new();
    let found = mutate_all(
        |value| {
            value
                .as_object_mut()?
                .insert(STRANGER.into(), json!({ "a": 1 }));
            Some(format!("/{STRANGER}"))
        },
        |kind, at| match kind {
            Some(Unknown) => true,
            // A map of strings takes any key, and then the value is of the wrong type.
            Some(_) => {
                open.insert(at.rsplit('/').nth(1).unwrap_or_default().to_owned());
                true
            }
            None => false,
        },
    );
    let Some(found) = found else { return };
    assert!(found > 100, "{found}");
    assert_eq!(open, BTreeSet::from(["tags".to_owned()]));
}

#[test]
fn value_of_the_wrong_type_anywhere_in_an_example_is_found_under_both_versions() {
    let found = mutate_all(
        |value| {
            *value = match value {
                Value::Bool(_) | Value::Number(_) | Value::Object(_) => json!("text"),
                Value::String(_) | Value::Array(_) => json!(7),
                Value::Null => return None,
            };
            Some(String::new())
        },
        |kind, _| matches!(kind, Some(WrongType | NotListed)),
    );
    let Some(found) = found else { return };
    assert!(found > 300, "{found}");
}

#[test]
fn answer_without_its_body_is_found() {
    let Some(specs) = Specs::load() else { return };
    for (operation, file, example) in specs.published_examples() {
        for mut exchange in exchanges(operation, &example) {
            if exchange.response_body.take().is_some() {
                let report = specs.check(&exchange);
                assert!(
                    report.facts().contains(&(Response, "body", Missing)),
                    "{file}"
                );
            }
        }
    }
}

/// Mutates every value of every body in turn, under both versions. `mutate` gives the pointer below
/// the value at which a deviation is due, and `accept` judges the one that came. Returns how many
/// mutations there were, `None` without descriptions.
fn mutate_all(
    mutate: impl Fn(&mut Value) -> Option<String>,
    mut accept: impl FnMut(Option<Kind>, &str) -> bool,
) -> Option<usize> {
    let specs = Specs::load()?;
    let mut count = 0;
    for (operation, file, example) in specs.published_examples() {
        let published = exchanges(operation, &example);
        let versions = published
            .iter()
            .flat_map(|one| [one.clone(), today(one.clone())]);
        for exchange in versions {
            let bodies = [
                (Request, &exchange.request_body),
                (Response, &exchange.response_body),
            ];
            for (direction, body) in bodies {
                let Some(body) = body else { continue };
                let before = specs.check(&exchange);
                for pointer in pointers(body) {
                    // What departs already is not looked into.
                    if fault_at(&before, direction, &pointer).is_some() {
                        continue;
                    }
                    let mut body = body.clone();
                    let Some(below) = mutate(body.pointer_mut(&pointer).unwrap()) else {
                        continue;
                    };
                    let mut mutant = exchange.clone();
                    match direction {
                        Request => mutant.request_body = Some(body),
                        Response => mutant.response_body = Some(body),
                    }
                    let report = specs.check(&mutant);
                    let at = format!("{pointer}{below}");
                    let kind = fault_at(&report, direction, &at);
                    let version = &report.held_against;
                    assert!(
                        accept(kind, &at),
                        "{file}, {version}: {direction:?} {at}: {kind:?}"
                    );
                    count += 1;
                }
            }
        }
    }
    Some(count)
}

fn fault_at(report: &Report, direction: Direction, at: &str) -> Option<Kind> {
    let facts = report.facts();
    let fault = facts
        .iter()
        .find(|(found, place, _)| (*found, *place) == (direction, at))?;
    Some(fault.2)
}

/// Pointers to every value in `body`, itself first. Of a list, the first item stands for all.
fn pointers(body: &Value) -> Vec<String> {
    let mut found = vec![String::new()];
    let children: Vec<_> = match body {
        Value::Object(members) => members.iter().map(|(k, v)| (k.clone(), v)).collect(),
        Value::Array(items) => items
            .first()
            .map(|item| ("0".to_owned(), item))
            .into_iter()
            .collect(),
        _ => Vec::new(),
    };
    for (key, child) in children {
        let key = key.replace('~', "~0").replace('/', "~1");
        found.extend(
            pointers(child)
                .into_iter()
                .map(|below| format!("/{key}{below}")),
        );
    }
    found
}

fn today(mut exchange: Exchange) -> Exchange {
    for (name, value) in &mut exchange.query {
        if name == "api-version" {
            *value = "2026-05-01".to_owned();
        }
    }
    exchange
}

type Fact = (String, Direction, String, Kind);

fn facts(file: &str, report: &Report) -> Vec<Fact> {
    let name = file
        .trim_start_matches("./examples/")
        .trim_end_matches(".json");
    let fact = |(direction, at, kind): (Direction, &str, Kind)| {
        (name.to_owned(), direction, at.to_owned(), kind)
    };
    report.facts().into_iter().map(fact).collect()
}

fn stated(list: &[(&str, Direction, &str, Kind)]) -> BTreeSet<Fact> {
    let fact = |&(file, direction, at, kind): &(&str, _, &str, _)| {
        (file.to_owned(), direction, at.to_owned(), kind)
    };
    list.iter().map(fact).collect()
}

/// One exchange for each answer of an example.
fn exchanges(operation: &Operation, example: &Value) -> Vec<Exchange> {
    let parameters = &example["parameters"];
    let text = |name: &str| match &parameters[name] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let named = |parameter: &Value| parameter["name"].as_str().unwrap().to_owned();
    let mut path = operation.template.clone();
    for parameter in operation.parameters_in("path") {
        let name = named(parameter);
        path = path.replace(&format!("{{{name}}}"), &text(&name));
    }
    let mut exchange = Exchange::new(&operation.method, &path);
    for name in operation.parameters_in("query").map(named) {
        if parameters.get(&name).is_some() {
            exchange.query.push((name.clone(), text(&name)));
        }
    }
    let body = operation.parameters_in("body").next();
    exchange.request_body = body
        .and_then(|parameter| parameters.get(named(parameter)))
        .cloned();
    let answers = example["responses"].as_object().into_iter().flatten();
    answers
        .map(|(status, answer)| {
            let exchange = exchange
                .clone()
                .answered(status.parse().unwrap(), answer.get("body").cloned());
            match answer["headers"].as_object() {
                Some(headers) => exchange.with_headers(headers.keys().cloned()),
                None => exchange,
            }
        })
        .collect()
}
