//! Which workspace is meant, which emulator, and pipes that break.

use crate::support::{Stage, builder, done, mode};
use azureml_aks::{AksCompute, AksWebservice, Workspace};
use std::io::Read;
use std::process::{Child, Stdio};

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
    for (address, code, why) in [
        (&https[..], 2, "needs --emulator-ca"),
        ("127.0.0.1:1", 2, "must begin with http:// or https://"),
        ("http://127.0.0.1:1", 1, "no emulator answers there"),
    ] {
        let refused = list(&["--emulator", address]);
        assert_eq!(refused.code, code, "{address}");
        assert!(refused.stderr.contains(why), "{}", refused.stderr);
    }
}

/// A process that ends with the test, however that ends.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn emulator_command_prints_one_line_and_serves() {
    let stage = Stage::of(builder()).await;
    stage.write("x.txt", "content of the run");
    let child = stage
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
            "-w",
            "own",
            "--run-output",
            "exp/run/outputs/x.pkl=x.txt",
            "--kubernetes-versions",
            "1.30.1,1.30.2",
            "--default-kubernetes-version",
            "1.30",
            "--vm-size",
            "Huge=640,2560.5",
            "--not-permissions",
            "Microsoft.ContainerService/*",
            "--create-duration",
            "0",
            "--signed-polling-urls",
            "false",
            "--service-token-lifetime",
            "60",
            "30",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut child = Ended(child);
    let mut line = String::new();
    let mut out = std::io::BufReader::new(child.0.stdout.take().unwrap());
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
    let ask = |line: &str| {
        let line = format!("{line} -o tsv --emulator {url}");
        let words: Vec<&str> = line.split(' ').collect();
        let done = done(stage.alone(&words).output().unwrap());
        assert_eq!(done.code, 0, "{line}: {}", done.stderr);
        done.stdout
    };
    let versions = ask("aks get-versions -l westus --query orchestrators[].orchestratorVersion");
    assert_eq!(versions, "1.30.1\n1.30.2\n");
    ask("model register -n m --asset-path outputs/x.pkl --experiment-name exp -r run");
    ask("model download -i m:1 -t down");
    let downloaded = std::fs::read_to_string(stage.path("down/x.pkl")).unwrap();
    assert_eq!(downloaded, "content of the run");
    let state = ask("computetarget create aks -n myaks --vm-size Huge --query provisioningState");
    assert_eq!(state, "Succeeded\n");
    assert_eq!(ready["workspace"], "own");
    let pid = rustix::process::Pid::from_child(&child.0);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert!(child.0.wait().unwrap().success());
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
    let ended = done(child.wait_with_output().unwrap());
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    // Help, and a message that nobody reads any more.
    let mut help = stage
        .alone(&["model", "deploy", "--help"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(help.stdout.take());
    assert_eq!(help.wait().unwrap().code(), Some(0));
    let mut missing = stage
        .command(&["computetarget", "show", "-n", "nosuch"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(missing.stderr.take());
    assert_eq!(missing.wait().unwrap().code(), Some(3));
}

const INFERENCE: &str = r#"{"entryScript": "score.py", "environment": {"name": "myenv", "version": "1", "python": {"condaDependencies": {"dependencies": ["python=3.8", {"pip": ["azureml-defaults"]}]}}}}"#;

/// Prints the values of the service, as the library reads them; no other command prints them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_those_of_the_service_and_printed_where_asked_for() {
    let stage = Stage::of(builder()).await;
    stage.write(
        "score.py",
        "def init():\n    pass\n\ndef run(data):\n    return data\n",
    );
    stage.write("ic.json", INFERENCE);
    stage.write("x.pkl", "a model");
    let mut said = String::new();
    let mut run = |line: &str| {
        let done = stage.run(&format!("{line} --debug"));
        assert_eq!(done.code, 0, "{line}: {}", done.stderr);
        said += &done.stderr;
        done.stdout
    };
    run("computetarget create aks -n myaks");
    run("model register -n m -p x.pkl");
    run("model deploy -n svc --ct myaks -m m:1 --ic ic.json --cp aks --ae true");
    let workspace = Workspace::builder(
        stage.emulator.subscription(),
        stage.emulator.resource_group(),
        stage.emulator.workspace(),
    )
    .credential(stage.emulator.credential())
    .transport(stage.emulator.transport())
    .build()
    .unwrap();
    let service = AksWebservice::get(&workspace, "svc").await.unwrap();
    let keys = service.keys().await.unwrap();
    let primary = keys.primary_key.as_ref().unwrap().secret();
    let secondary = keys.secondary_key.as_ref().unwrap().secret();
    assert!(primary.len() > 8 && primary != secondary);
    let printed = run("service get-keys -n svc --query [primaryKey,secondaryKey] -o tsv");
    assert_eq!(printed, format!("{primary}\n{secondary}\n"));
    let own =
        run("service regen-key -n svc -k Secondary --set-key my-own-key --query secondaryKey");
    assert_eq!(own, "\"my-own-key\"\n");

    let compute = AksCompute::get(&workspace, "myaks").await.unwrap();
    let credentials = compute.credentials().await.unwrap();
    let user = credentials.user_kube_config.as_ref().unwrap().secret();
    let printed = run("computetarget get-credentials -n myaks --query userKubeConfig");
    assert_eq!(serde_json::from_str::<String>(&printed).unwrap(), user);

    run("service update -n svc --ae false --token-auth-enabled true");
    let token = run("service get-access-token -n svc --query accessToken -o tsv");
    run("service run -n svc -d 1");
    assert!(token.len() > 8, "{token:?}");
    let secrets = [
        primary,
        secondary,
        user,
        token.trim(),
        "my-own-key",
        "emulator-token",
    ];
    for secret in secrets {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
    // The requests are there, without what is secret: the last part of the URL of an operation is its signature.
    assert!(said.contains("authorization: REDACTED"), "{said}");
    let signatures: Vec<&str> = said.split("&h=").skip(1).collect();
    assert!(!signatures.is_empty());
    for rest in signatures {
        assert!(rest.starts_with("REDACTED"), "{rest}");
    }
    assert!(said.contains("INFO: Command ran in "), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn environment_of_a_folder_is_deployed() {
    let stage = Stage::of(builder()).await;
    stage.write(
        "score.py",
        "def init():\n    pass\n\ndef run(data):\n    return data\n",
    );
    stage.write("x.pkl", "a model");
    stage.write_environment("env");
    for line in [
        "computetarget create aks -n myaks",
        "model register -n m -p x.pkl",
        "model deploy -n svc --ct myaks -m m:1 --es score.py --ed env --cp aks",
    ] {
        let done = stage.run(line);
        assert_eq!(done.code, 0, "{line}: {}", done.stderr);
    }
    let service = stage.emulator.service("svc").unwrap();
    let environment = &service["environmentImageRequest"]["environment"];
    assert_eq!(environment["name"], "myenv");
    assert_eq!(environment["environmentVariables"]["A"], "1");
    assert_eq!(environment["docker"]["baseDockerfile"], "FROM base\n");
    let conda = &environment["python"]["condaDependencies"]["dependencies"];
    assert_eq!(conda[0], "python=3.8", "{environment:#}");
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn protected_setting_without_a_name_is_not_shown() {
    let stage = Stage::of(builder()).await;
    let install =
        "extension install -n azureml -c mycluster -g mygroup --config enableTraining=True";
    let ended = stage.run(&format!("{install} --config-protected c4n4ry"));
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("KEY=VALUE"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("c4n4ry"), "{}", ended.stderr);
}
