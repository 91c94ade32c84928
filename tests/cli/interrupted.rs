//! Ctrl-C while waiting: the wait ends, the operation does not, and it can be resumed.

use crate::support::{Stage, builder, done, mode};
use azureml_aks::emulator::Clock;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Waits until the emulator has accepted the create of `myaks`.
fn accepted(stage: &Stage) {
    let begun = Instant::now();
    while stage.emulator.compute("myaks").is_none() {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "the create never arrived"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    // The answer is on its way; the wait begins.
    std::thread::sleep(Duration::from_millis(500));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interrupted_wait_is_resumed_by_the_command_that_was_printed() {
    let stage = Stage::of(builder().clock(Clock::Manual)).await;
    let mut command = stage.command(&["computetarget", "create", "aks", "-n", "myaks"]);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    accepted(&stage);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let ended = done(child.wait_with_output().unwrap());
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (1, ""),
        "{}",
        ended.stderr
    );

    let [file] = &stage.tokens()[..] else {
        panic!("one operation is pending")
    };
    assert_eq!(mode(file), 0o600);
    assert_eq!(mode(file.parent().unwrap()), 0o700);
    let token = std::fs::read_to_string(file).unwrap();
    assert!(!ended.stderr.contains(&token));
    let line = ended
        .stderr
        .lines()
        .find_map(|line| line.trim().strip_prefix("azureml-aks "))
        .unwrap();

    let listed = stage.run("operation list --query [].[verb,name,workspace] -o tsv");
    assert_eq!(
        listed.stdout, "create\tmyaks\tmyworkspace\n",
        "{}",
        listed.stderr
    );
    stage.emulator.finish_operations();
    let words: Vec<&str> = line.split(' ').collect();
    let resumed = done(stage.alone(&words).output().unwrap());
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    assert!(stage.tokens().is_empty(), "the end was seen");
    assert_eq!(
        stage
            .run("computetarget show -n myaks --query provisioningState -o tsv")
            .stdout,
        "Succeeded\n"
    );
}

/// Starts the program in a pseudo-terminal, which Python opens. Nothing where there is no Python.
fn in_terminal(stage: &Stage, arguments: &[&str]) -> Option<Child> {
    let own = stage.command(arguments);
    let mut python = std::process::Command::new("python3");
    python
        .args([
            "-c",
            "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))",
        ])
        .arg(own.get_program())
        .args(own.get_args());
    python.env_clear().current_dir(stage.folder.path());
    for (name, value) in own.get_envs() {
        python.env(name, value.unwrap_or_default());
    }
    python
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    match python.spawn() {
        Ok(child) => Some(child),
        Err(error) => {
            assert!(
                std::env::var_os("REQUIRE_PYTHON").is_none(),
                "python3: {error}"
            );
            None
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn terminal_is_asked_before_something_is_deleted() {
    let stage = Stage::of(builder()).await;
    let created = stage.run("computetarget create aks -n myaks -o none");
    assert_eq!(created.code, 0, "{}", created.stderr);
    for (keys, code) in [("n\n", 1), ("\n", 1), ("y\n", 0)] {
        let delete = ["computetarget", "delete", "-n", "myaks"];
        let Some(mut child) = in_terminal(&stage, &delete) else {
            println!("skipped: no python3");
            return;
        };
        child
            .stdin
            .take()
            .unwrap()
            .write_all(keys.as_bytes())
            .unwrap();
        let ended = done(child.wait_with_output().unwrap());
        assert_eq!(ended.code, code, "{keys:?}: {}", ended.stdout);
        assert!(
            ended.stdout.contains("Are you sure? (y/n)"),
            "{}",
            ended.stdout
        );
        let cancelled = ended.stdout.contains("Operation cancelled.");
        assert_eq!(cancelled, code == 1, "{}", ended.stdout);
        assert_eq!(stage.emulator.compute("myaks").is_some(), code == 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn terminal_shows_progress_and_takes_ctrl_c() {
    let stage = Stage::of(builder().clock(Clock::Manual)).await;
    let create = ["computetarget", "create", "aks", "-n", "myaks"];
    let Some(mut child) = in_terminal(&stage, &create) else {
        println!("skipped: no python3");
        return;
    };
    accepted(&stage);
    let mut keys = child.stdin.take().unwrap();
    keys.write_all(b"\x03").unwrap();
    let mut seen = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut seen)
        .unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(1), "{seen}");
    let progress = seen.split("ERROR").next().unwrap();
    assert!(progress.contains("myaks"), "no progress: {seen:?}");
    assert!(seen.contains("azureml-aks operation resume "), "{seen:?}");
    assert_eq!(stage.tokens().len(), 1);
    // Progress is shown only where standard error is a terminal.
    let elsewhere = done(
        stage
            .command(&["operation", "list", "--query", "length(@)"])
            .output()
            .unwrap(),
    );
    assert_eq!(
        (elsewhere.stdout.as_str(), elsewhere.stderr.as_str()),
        ("1\n", "")
    );
}
