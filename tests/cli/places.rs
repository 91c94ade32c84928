//! Which workspace is meant, which emulator, and pipes that break.

use crate::support::{Stage, builder, done, mode};
use std::io::Read;
use std::process::Stdio;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workspace_comes_from_flags_folder_environment_or_az() {
    let stage = Stage::of(builder()).await;
    let list = ["computetarget", "list", "--query", "[].name"];
    let missing = done(stage.alone(&list).output().unwrap());
    assert_eq!(missing.code, 2);
    for way in [
        "-g and -w",
        "config.json",
        "AZUREML_WORKSPACE_NAME",
        "az configure",
    ] {
        assert!(missing.stderr.contains(way), "{}", missing.stderr);
    }
    // The emulator's own workspace, and then another one, which it does not have.
    assert_eq!(stage.run("computetarget list").code, 0);
    assert_eq!(stage.run("computetarget list -w other").code, 3);
    let of_environment = done(
        stage
            .alone(&[
                "computetarget",
                "list",
                "--credential",
                "cli",
                "-w",
                "fromflag",
                "--verbose",
            ])
            .env("AZUREML_SUBSCRIPTION_ID", "s")
            .output()
            .unwrap(),
    );
    assert_eq!(
        of_environment.code, 2,
        "the group is open: {}",
        of_environment.stderr
    );
    assert!(
        of_environment
            .stderr
            .contains("the resource group is not given"),
        "{}",
        of_environment.stderr
    );

    stage.write(
        "home/.azure/config",
        "[defaults]\ngroup = mygroup\n[core]\noutput = table\n",
    );
    let table = done(
        stage
            .command(&["aks", "list", "--query", "[].name"])
            .output()
            .unwrap(),
    );
    assert_eq!(
        table.stdout, "Result\n---------\nmycluster\n",
        "{}",
        table.stderr
    );
    let flag = done(
        stage
            .command(&[
                "aks",
                "list",
                "--query",
                "[].name",
                "-g",
                "myresourcegroup",
                "-o",
                "tsv",
            ])
            .output()
            .unwrap(),
    );
    assert_eq!(flag.stdout, "myexistingcluster\n");
    let environment = done(
        stage
            .command(&["aks", "list", "--query", "[].name", "-o", "tsv"])
            .env("AZURE_DEFAULTS_GROUP", "myresourcegroup")
            .output()
            .unwrap(),
    );
    assert_eq!(environment.stdout, "myexistingcluster\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn emulator_is_reached_by_either_address() {
    let stage = Stage::of(builder()).await;
    let https = stage.server.https_url().unwrap().to_string();
    stage.write("ca.pem", stage.server.ca_pem());
    let list = |more: &[&str]| {
        let mut words = vec!["aks", "list", "--query", "length(@)", "-o", "tsv"];
        words.extend(more);
        done(stage.alone(&words).output().unwrap())
    };
    assert_eq!(
        list(&["--emulator", &https, "--emulator-ca", "ca.pem"]).stdout,
        "2\n"
    );
    assert_eq!(list(&["--emulator", &stage.http()]).stdout, "2\n");
    assert_eq!(list(&["--emulator", &https]).code, 2);
    assert_eq!(list(&["--emulator", "127.0.0.1:1"]).code, 2);
    assert_eq!(list(&["--emulator", "http://127.0.0.1:1"]).code, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn emulator_command_prints_one_line_and_serves() {
    let stage = Stage::of(builder()).await;
    let mut child = stage
        .alone(&[
            "emulator",
            "--http",
            "127.0.0.1:0",
            "--https",
            "127.0.0.1:0",
            "--ca",
            "own.pem",
            "--cluster",
            "g/c",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut out, &mut line).unwrap();
    let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
    let url = ready["http"].as_str().unwrap();
    let listed = done(
        stage
            .alone(&[
                "aks",
                "list",
                "--query",
                "[].name",
                "-o",
                "tsv",
                "--emulator",
                url,
            ])
            .output()
            .unwrap(),
    );
    assert_eq!(listed.stdout, "c\n", "{}", listed.stderr);
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert!(child.wait().unwrap().success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_pipe_ends_quietly() {
    let stage = Stage::of(builder()).await;
    let mut child = stage
        .alone(&["completion", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let done = done(child.wait_with_output().unwrap());
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubeconfig_is_its_owners_alone() {
    let stage = Stage::of(builder()).await;
    let merged = stage.run("aks get-credentials -n mycluster -g mygroup");
    assert_eq!(
        (merged.code, merged.stdout.as_str()),
        (0, ""),
        "{}",
        merged.stderr
    );
    assert_eq!(mode(&stage.path("home/.kube/config")), 0o600);
    let printed = stage.run("aks get-credentials -n mycluster -g mygroup -f - --admin");
    assert!(
        printed.stdout.contains("current-context"),
        "{}",
        printed.stdout
    );
}
