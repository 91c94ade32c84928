//! Recorded calls of the real `az`, made again.

use crate::support::{Stage, done};
use azureml_aks::emulator::{Emulator, ExistingCluster};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clusters_are_shown_and_refused_as_by_az() {
    let file = std::env::var("AZURE_CLI_GOLDEN")
        .unwrap_or_else(|_| "../shared/cli-golden.jsonl".to_owned());
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) => {
            assert!(
                std::env::var_os("REQUIRE_SPECS").is_none(),
                "{file}: {error}"
            );
            println!("skipped: {file} is absent");
            return;
        }
    };
    let stage = Stage::of(
        Emulator::builder()
            .subscription("11111111-2222-3333-4444-555555555555")
            .cluster(ExistingCluster::new("mygroup", "mycluster"))
            .cluster(ExistingCluster::new("mygroup", "autocluster"))
            .cluster(ExistingCluster::new("othergroup", "twopools")),
    )
    .await;
    let mut seen = 0;
    for line in text.lines() {
        let call: Value = serde_json::from_str(line).unwrap();
        let arguments: Vec<&str> = call["args"]
            .as_array()
            .unwrap()
            .iter()
            .map(|word| word.as_str().unwrap())
            .collect();
        let [group, verb, ..] = arguments[..] else {
            continue;
        };
        // Not the commands that this program lacks, and not the answers that only a fake server gave.
        let own = group == "aks" && ["show", "shwo", "list", "list-vm-skus"].contains(&verb);
        let faked = call["server"]
            .as_object()
            .is_some_and(|server| server.keys().any(|key| key != "page"));
        if !own || faked {
            continue;
        }
        let mut command = stage.command(&arguments);
        for (name, value) in call["env"].as_object().unwrap() {
            command.env(name, value.as_str().unwrap());
        }
        let done = done(command.output().unwrap());
        assert_eq!(done.code, call["exit"], "{arguments:?}: {}", done.stderr);
        // Hosts and versions are the emulator's own.
        let of_names = [
            "id",
            "name",
            "[0].name",
            "[0].nosuch",
            "[].nosuch",
            "length(@)",
            "[?name==`x`]",
        ];
        let query = arguments
            .iter()
            .position(|word| *word == "--query")
            .and_then(|at| arguments.get(at + 1));
        if done.code != 0 || query.is_some_and(|query| of_names.contains(query)) {
            assert_eq!(
                done.stdout,
                call["stdout"].as_str().unwrap(),
                "{arguments:?}"
            );
            seen += 1;
        }
    }
    assert!(seen >= 12, "{seen}");
}
