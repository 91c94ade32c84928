//! The parts of the program by themselves: the command line, the formats against recorded calls of the real `az`, the schemas.

use crate::args::{self, modern};
use crate::output::{Columns, Format, Shown};
use crate::query::Query;
use crate::schema;
use azureml_aks::error::Severity;
use azureml_aks::{DeployConfiguration, Error, InferenceConfiguration};
use clap::{Parser, ValueEnum};
use serde_json::{Map, Value, json};
use std::ffi::OsString;
use std::path::Path;

#[test]
fn command_line_is_consistent() {
    args::command().debug_assert();
}

/// The parser with the global options in each of its commands.
fn built() -> clap::Command {
    let mut command = args::command();
    command.build();
    command
}

fn find<'c>(command: &'c clap::Command, path: &str) -> &'c clap::Command {
    let inner = path.split_whitespace();
    inner.fold(command, |command, name| {
        let found = command.find_subcommand(name);
        found.unwrap_or_else(|| panic!("there is no command {path}"))
    })
}

/// Returns what an option is called, as on the command line.
fn spellings(argument: &clap::Arg) -> Vec<String> {
    let longs = argument.get_long_and_visible_aliases().unwrap_or_default();
    let aliases = argument.get_all_aliases().unwrap_or_default();
    let longs = longs
        .into_iter()
        .chain(aliases)
        .map(|name| format!("--{name}"));
    let short = argument.get_short().map(|letter| format!("-{letter}"));
    longs.chain(short).collect()
}

#[test]
fn flags_of_the_original_are_all_known() {
    let command = built();
    let mut seen = 0;
    let mut common: Vec<&str> = Vec::new();
    for line in include_str!("../../../tests/cli/original.txt").lines() {
        let Some((path, flags)) = line.split_once(':').filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let flags: Vec<&str> = flags.split_whitespace().collect();
        if path == "common" {
            common = flags;
            continue;
        }
        let own = find(&command, path);
        let of_all = match path {
            "computetarget attach aks" => &[][..],
            "folder attach" => &common[..4],
            _ => &common[..],
        };
        for flag in flags.iter().chain(of_all) {
            let wanted: Vec<&str> = flag.split('/').collect();
            let one = own.get_arguments().find(|argument| {
                let names = spellings(argument);
                wanted
                    .iter()
                    .all(|name| names.iter().any(|own| own == name))
            });
            assert!(one.is_some(), "{path} does not know {flag}");
            seen += 1;
        }
    }
    assert!(seen > 300, "{seen}");
}

#[test]
fn flags_without_effect_are_refused_with_the_reason() {
    for (line, why) in [
        ("model deploy -n s --location westus", "deploys only to AKS"),
        ("model deploy -n s --lo=westus", "deploys only to AKS"),
        ("model deploy -n s --tp 50", "a second service"),
        ("model deploy -n s --ssl-enabled", "deploys only to AKS"),
        (
            "service update -n s --is-migration true",
            "under another name",
        ),
        ("service update -n s --kp key", "regen-key --set-key"),
        (
            "schema deploymentconfig -g group",
            "'--resource-group <GROUP>'",
        ),
        ("-v completion bash", "'-v'"),
        ("operation list -w w", "'--workspace-name <NAME>'"),
        ("aks list -v", "'-v'"),
    ] {
        let refused = args::parse(words(&format!("p {line}")).into_iter().map(OsString::from));
        let text = refused.unwrap_err().to_string();
        assert!(text.contains(why), "{line}: {text}");
    }
    for line in [
        "schema deploymentconfig --emulator u",
        "emulator -g group -w w",
        "aks list -g group",
        "service show -n s -v",
    ] {
        let taken = args::parse(words(&format!("p {line}")).into_iter().map(OsString::from));
        assert!(taken.is_ok(), "{line}: {}", taken.unwrap_err());
    }
}

#[test]
fn help_lists_global_options_where_they_have_an_effect() {
    let help = |path: &str| {
        let command = built();
        let mut own = find(&command, path).clone();
        own.render_help().to_string()
    };
    let (schema, service) = (help("schema deploymentconfig"), help("service show"));
    for option in [
        "--resource-group",
        "--workspace-name",
        "--emulator",
        "--path",
        "-v ",
    ] {
        assert!(service.contains(option), "{option}");
        assert!(!schema.contains(option), "{option}");
    }
    assert!(schema.contains("--output"));
}

#[test]
fn complaints_name_the_flag_as_it_was_written() {
    let complaint = |line: &str| {
        let given: Vec<OsString> = words(&format!("p {line}"))
            .into_iter()
            .map(OsString::from)
            .collect();
        args::complaint(&args::parse(given.clone()).unwrap_err(), &given)
    };
    let text = complaint("service show -ct x");
    assert!(text.contains("unexpected argument '-ct'"), "{text}");
    for line in [
        "model deploy -es score.py -n s",
        "model deploy -ae=true -n s",
    ] {
        let text = complaint(line);
        let flag = line.split([' ', '=']).nth(2).unwrap();
        assert!(
            text.contains(&format!("'{flag}' is written with two dashes: '-{flag}'")),
            "{text}"
        );
    }
    let text = complaint("service show --nam x --nosuch");
    assert!(!text.contains("two dashes"), "{text}");
    let text = complaint("service shwo");
    assert!(
        text.starts_with("ERROR: ") && text.contains("'show'"),
        "{text}"
    );
    let text = complaint("aks show");
    assert!(text.contains("azureml-aks aks show -n mycluster"), "{text}");
    let text = complaint("aks scale -n c -c many");
    assert!(text.contains("it must be a whole number"), "{text}");
    let text = complaint("model deploy -n s --overwrit --dc f --entry-skript s");
    assert!(text.contains("'--entry-script'"), "{text}");
}

/// The methods that this program does not pass on as an option of their own, and why.
const NOT_OPTIONS: &[(&str, &str)] = &[
    ("build", "makes the emulator"),
    ("score", "is code"),
    ("score_async", "is code"),
    ("clock", "is --speed and --manual"),
    (
        "workspace",
        "is the option --workspace-name of every command",
    ),
    ("new", "makes the options"),
    ("node_count", "is a part of --cluster"),
];

#[test]
fn settings_of_the_emulator_are_all_options_of_its_command() {
    let command = built();
    let own = find(&command, "emulator");
    let parts = own
        .get_arguments()
        .find(|argument| argument.get_id() == "cluster");
    let parts = parts.unwrap().get_help().unwrap().to_string();
    let mut seen = 0;
    for line in include_str!("../../../docs/api.md").lines() {
        let of = |name: &str| line.strip_prefix(&format!("pub fn azureml_aks::emulator::{name}::"));
        let method = |rest: &str| rest.split(['(', '<']).next().map(str::to_owned);
        let Some(name) = of("EmulatorBuilder")
            .or(of("ServeOptions"))
            .and_then(method)
        else {
            if let Some(name) = of("ExistingCluster").and_then(method) {
                let listed = parts.contains(&format!("{name}="));
                assert!(
                    listed || NOT_OPTIONS.iter().any(|(other, _)| *other == name),
                    "{name}"
                );
            }
            continue;
        };
        seen += 1;
        let flag = format!("--{}", name.replace('_', "-"));
        let known = own
            .get_arguments()
            .any(|argument| spellings(argument).contains(&flag));
        let excused = NOT_OPTIONS.iter().any(|(other, _)| *other == name);
        assert!(
            known != excused,
            "{name}: an option: {known}, excused: {excused}"
        );
    }
    assert!(seen > 30, "{seen}");
}

/// Names of the library's items in texts that no command of this program reaches, and why.
const UNREACHED: &[(&str, &str)] = &[
    (
        "to_ref()",
        "clusters are created and attached by two commands",
    ),
    ("`enable_all` or `enable_time`", "the program has a runtime"),
    ("outside of a tokio runtime", "the program has a runtime"),
    (
        "without the feature `tls_checks`",
        "the program is built with it",
    ),
    (
        "with the feature `tls_checks`",
        "the program is built with it",
    ),
    (
        "with the feature `services`",
        "the program is built with it",
    ),
    (
        "feature `rustls` or `native_tls`",
        "the program is built with one",
    ),
    (
        "set `key`, or call `anonymous`",
        "the key or token is fetched",
    ),
    ("set it with `key`", "the key or token is fetched"),
    (
        "call `credential`, or `default_credential`",
        "the program always sets one",
    ),
    (
        "overwrite_existing_domain(true)",
        "no command prints the report before a detach",
    ),
    (
        "subscription_id, resource_group and workspace_name",
        "members of a file",
    ),
    ("`user_assigned", "members of a file"),
    (
        "system_assigned",
        "words of the file that the program reads",
    ),
    ("importlib", "the text is a program"),
    ("crate::_documentation", "the text is of the documentation"),
    ("in a tokio runtime", "the program has a runtime"),
    ("{", "what is between braces is a name in the source"),
];

/// Every name of an item in a text is translated, or known not to be reached.
#[test]
fn texts_of_the_library_name_no_items_of_it() {
    let texts = include_str!("../../tests/snapshots/texts.snap");
    for word in crate::failure::words() {
        assert!(texts.contains(word), "no text has {word:?} any more");
    }
    let api = include_str!("../../../docs/api.md");
    let mut wrong = Vec::new();
    for text in texts.lines().filter(|line| line.starts_with("    ")) {
        let here = crate::failure::of_this_program(text);
        let item = |word: &str| {
            // Those two are of the entry script.
            let called = !["run()", "init()"].contains(&word.trim_matches([',', ':', ';']))
                && word.contains("()")
                || word.contains("(..)")
                || word.contains("(true)");
            let path = word.contains("::");
            let name = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '_');
            let method = name.contains('_') && api.contains(&format!("::{name}("));
            called || path || method
        };
        let excused = UNREACHED.iter().any(|(part, _)| text.contains(part));
        if !excused && here.split_whitespace().any(item) {
            wrong.push(here);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Every command is in the transcript that `tests/cli/transcript.rs` holds, by a line that it takes.
#[test]
fn commands_are_all_in_the_transcript() {
    let transcript = include_str!("../../../tests/cli/snapshots/transcript.snap");
    let lines: Vec<&str> = transcript
        .lines()
        .filter_map(|line| line.strip_prefix("$ "))
        .collect();
    leaves(&args::command(), "", &mut |path, _| {
        let path = path.trim_start().trim_start_matches("azureml-aks ");
        let has = |line: &&str| {
            let words = words(line);
            let parsed = args::parse(
                ["p".to_owned()]
                    .into_iter()
                    .chain(words)
                    .map(OsString::from),
            );
            parsed.is_ok()
        };
        let mut own = lines.iter().filter(|line| line.contains(path));
        assert!(own.any(has), "no line for {path}");
    });
}

/// The lines of `az k8s-extension` in the guide, with the name that the command has here.
#[test]
fn lines_of_az_k8s_extension_are_taken() {
    let page = include_str!("../../../docs/from-azure-ai-ml.md");
    let page = page.replace("\\\n", " ");
    let lines = page
        .lines()
        .filter_map(|line| line.strip_prefix("az k8s-extension "));
    let mut taken = 0;
    for line in lines {
        let line = ["p", "extension"]
            .into_iter()
            .chain(line.split_whitespace());
        let parsed = args::parse(line.map(OsString::from));
        assert!(parsed.is_ok(), "{:?}", parsed.err());
        taken += 1;
    }
    assert!(taken > 0, "the guide has no line of az k8s-extension");
}

#[test]
fn completions_of_every_shell_know_every_command() {
    let mut names = Vec::new();
    leaves(&args::command(), "", &mut |path, _| {
        names.extend(path.split_whitespace().last().map(str::to_owned));
    });
    for shell in clap_complete::Shell::value_variants() {
        let mut text = Vec::new();
        clap_complete::generate(*shell, &mut args::command(), "azureml-aks", &mut text);
        let text = String::from_utf8(text).unwrap();
        for name in &names {
            assert!(text.contains(name.as_str()), "{shell}: {name}");
        }
        assert!(text.contains("despite-findings"), "{shell}");
    }
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
    leaves(&args::command(), "", &mut |path, command| {
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
            let parsed = args::parse(words(&line).into_iter().map(OsString::from));
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

/// Pairs of azure-mgmt-containerservice 41.6.0: what the service writes, and what `az` prints.
const SPELLINGS: &str = "authorizedIPRanges authorizedIpRanges, azurePortalFQDN azurePortalFqdn, \
    blobCSIDriver blobCsiDriver, clientAppID clientAppId, containerLogMaxSizeMB containerLogMaxSizeMb, \
    countIPv6 countIpv6, customCATrustCertificates customCaTrustCertificates, diskEncryptionSetID diskEncryptionSetId, \
    dnsServiceIP dnsServiceIp, eTag eTag, effectiveOutboundIPs effectiveOutboundIPs, enableAzureRBAC enableAzureRbac, \
    enableCSIProxy enableCsiProxy, enableFIPS enableFips, enableUltraSSD enableUltraSsd, enableVTPM enableVtpm, \
    gatewayAPI gatewayApi, gatewayAPIImplementations gatewayApiImplementations, issuerURL issuerUrl, \
    kubeDNSOverrides kubeDnsOverrides, linuxOSConfig linuxOsConfig, managedOutboundIPProfile managedOutboundIpProfile, \
    managedOutboundIPs managedOutboundIPs, max-empty-bulk-delete maxEmptyBulkDelete, \
    nodeOSUpgradeChannel nodeOsUpgradeChannel, nodePublicIPPrefixID nodePublicIpPrefixId, osDiskSizeGB osDiskSizeGb, \
    osSKU osSku, outboundIPPrefixes outboundIpPrefixes, outboundIPs outboundIPs, privateDNSZone privateDnsZone, \
    privateFQDN privateFqdn, resourceUID resourceUid, vnetSubnetID vnetSubnetId";

#[test]
fn members_of_a_cluster_are_spelt_as_az_spells_them() {
    for pair in SPELLINGS.split(", ") {
        let (wire, shown) = pair.split_once(' ').unwrap();
        assert_eq!(crate::aks::spelt(wire), shown);
    }
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
    let members = pool.as_object().unwrap().keys().map(String::as_str);
    // Those that only a pool by itself has.
    let alone = ["id", "resourceGroup", "systemData", "typePropertiesType"];
    let members: Vec<&str> = members.filter(|key| !alone.contains(key)).collect();
    let own: Vec<&str> = crate::aks::OF_POOL.split_whitespace().collect();
    assert_eq!(own, members);
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
