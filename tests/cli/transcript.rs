//! Every command and every way to fail, one after the other, with what it prints.

use crate::support::{Stage, builder, normal};
use azureml_aks::emulator::Fault;
use std::fmt::Write;
use std::path::{Path, PathBuf};

const SCRIPT: &str = "def init():\n    pass\n\ndef run(data):\n    return data\n";
const INFERENCE: &str = r#"{"entryScript": "score.py", "environment": {"name": "myenv", "version": "1", "python": {"condaDependencies": {"channels": ["conda-forge"], "dependencies": ["python=3.8", {"pip": ["azureml-defaults"]}]}}}}"#;
const DEPLOYMENT: &str = r#"{"computeType": "AKS", "autoScaler": {"autoscaleEnabled": true, "minReplicas": 1, "maxReplicas": 3, "refreshPeriodInSeconds": 1, "targetUtilization": 70}, "dataCollection": {"storageEnabled": true}, "authEnabled": true, "containerResourceRequirements": {"cpu": 0.5, "memoryInGB": 1.0}}"#;

/// `ID` stands for the id of a cluster, as the articles write `aksresourceid`.
const LINES: &str = "
# The articles
ml computetarget create aks -n myaks
aks show -n myexistingcluster -g myresourcegroup --query id
ml computetarget attach aks -n myattached -i ID -g myresourcegroup -w myworkspace
ml computetarget detach -n myattached -g myresourcegroup -w myworkspace
aks get-versions -l westus -o table
aks get-versions -l westus --query 'orchestrators[?default == `true`].orchestratorVersion' -o table
aks get-versions -l westus --query \"orchestrators[?default == ].orchestratorVersion\" -o table
aks get-versions -l 'West US' --query 'length(orchestrators)'
# The tutorial
ml folder attach -w myworkspace -g myresourcegroup --subscription-id {subscription}
ml model register -n mymodel -f runoutput.json --asset-path \"outputs/x.pkl\" -t registeredmodel.json
ml model download -i \"mymodel:1\" -t .
ml model register -n mymodel -p \"x.pkl\"
ml model deploy -ct myaks -m mymodel:1 -n myservice -ic inferenceconfig.json -dc deploymentconfig.json
ml service show -n myservice
ml service run -n myservice -d @testdata.json
ml service delete -n myservice
ml computetarget delete -n myaks
ml computetarget create aks -n myaks --load-balancer-type InternalLoadBalancer
# Computes
computetarget list -o table
computetarget list --query [].name -o tsv
-o table computetarget show -n myaks
computetarget update aks -n myaks --ssl-leaf-domain-label myapp --ssl-overwrite-domain True -o none
computetarget update aks -n myaks --ssl-disable -o none
computetarget scale -n myaks -a 4 -o tsv --query name
computetarget get-credentials -n myaks --query 'keys(@)' -o tsv
computetarget list -v --query '[0].properties.computeType' -o jsonc
computetarget show -n myaks --query '{state:provisioningState,name:name}' -o yamlc
computetarget attach aks -n mytest -i ID --cluster-purpose DevTest -o table
computetarget update aks -n mytest --ssl-leaf-domain-label myapp --ssl-overwrite-domain True -o table
computetarget update aks -n mytest --ssl-renew -o none
# Models
model register -n other -p x.pkl --tag stage=test --model-framework Onnx --cc 0.5 --gb 1 -d text --sample-input-dataset-id d1
model list -n mymodel --latest -o table
model list --tag stage=test --query '[].{id:id,n:name}' -o tsv
model show -n mymodel -o table
model show -n mymodel --version 1 --query id
model show -n mymodel --run-id run_1 --query id
model show -n mymodel --run-id run_1 --version 2
model list --dataset-id d1 -o table
model update -i other:1 --add-tag by=me --remove-tag stage --query tags
model update -i other:1 --cc 1 --sample-output-dataset-id d2 --query '[cpu,memoryInGB,sampleInputDatasetId,sampleOutputDatasetId]'
model delete -i other:1
# Services
model deploy -n myservice --ct myaks -f registeredmodel.json --cp aks --es score.py --sd source --cf conda.yml --rt python --cc 0.2 --ae true --nr 2 --tag a=b -o table
model deploy -n myservice --ct myaks -m mymodel:1 --ic inferenceconfig.json --dc deploymentconfig.json
model deploy -n myservice --ct myaks -m mymodel:1 --ic inferenceconfig.json --dc deploymentconfig.json --ma 5 --overwrite --query name
service list --model-name mymodel -o table
model deploy -n second --ct myaks -m mymodel:1 --es score.py --sd source --ed environment --dc deploymentconfig.json --query state
service update -n myservice --cc 0.3 --add-tag c=d --query tags
service update -n second --dc keys.json --query state
service get-keys -n myservice --query 'keys(@)' -o tsv
service regen-key -n myservice -k primary -o none
service run -n myservice -d '[1, 2]'
service run -n myservice -d '{\"data\": [[1, 2]]}' -o table
service get-logs -n myservice --num_lines 1
service update -n myservice --ae false --token-auth-enabled true -o none
service get-access-token -n myservice --query tokenType
service delete -n myservice --yes -o tsv
# Clusters
aks list -g mygroup -o table
aks list -g mygroup -o tsv
aks show -n mycluster -g mygroup
aks create -n fresh -g mygroup -l 'West US' -c 2 -s Standard_D3_v2 --query '[name, location]' -o tsv
aks scale -n fresh -g mygroup -c 5 --query agentPoolProfiles[0].count
aks get-credentials -n mycluster -g mygroup -f kube/config
aks get-credentials -n mycluster -g mygroup -f other/config --only-show-errors
# Extensions, and computes of kind Kubernetes
preflight install -n azureml -c mycluster -g mygroup --config enableTraining=True -o table
extension install -n azureml -c mycluster -g mygroup --extension-type Microsoft.AzureML.Kubernetes --scope cluster --config enableTraining=True enableInference=True inferenceRouterServiceType=LoadBalancer allowInsecureConnections=True --query '{name:name,type:extensionType,version:currentVersion,healthy:isHealthy}' -o table
extension show -n azureml -c mycluster -g mygroup --query '[isHealthy,configurationSettings.enableInference]' -o tsv
extension list -c mycluster -g mygroup --query 'length(@)'
extension update -n azureml -c mycluster -g mygroup --config inferenceRouterHA=False --config-protected mine=s3cr3t --query '[provisioningState,configurationSettings.inferenceRouterHA]' -o tsv
preflight attach-kubernetes -n kube -i ID --query 'findings[].rule'
computetarget attach kubernetes -f compute.yml
computetarget update kubernetes -n kube --description text --tags a=b -o none
computetarget show -n kube -v --query '[properties.description,tags.a]' -o tsv
computetarget attach kubernetes -n twice -i MYCLUSTER --namespace other --identity-type SystemAssigned -o table
computetarget detach -n twice
preflight install -n azureml -c edge -t connectedClusters -g mygroup --config enableTraining=True
extension install -n azureml -c edge -t connectedClusters -g mygroup --config enableTraining=True relayserver.enabled=false --no-wait
extension install -n failing -c myexistingcluster -g myresourcegroup --config enableTraining=True
extension install -n azureml -c nosuch -g mygroup --config enableTraining=True
extension install -n azureml --cluster-id MYCLUSTER --config enableInference=True
extension install -n other -c mycluster -g mygroup --extension-type microsoft.flux --config enableTraining=True
extension update -n azureml -c mycluster -g mygroup
extension update -n azureml -c mycluster -g mygroup --config-protected sslCertPemFile=x.pem
computetarget attach kubernetes -n early -i ID
computetarget attach kubernetes -f wrong.yml
computetarget delete -n kube
extension delete -n azureml -c mycluster -g mygroup --force --yes
# Checks beforehand, operations, the rest
preflight create -n fresh -a 3 --query passed[0]
preflight create -n myaks --vm-size Standard_D99_v2 -o table
preflight attach -n another -i ID --query 'length(findings[?severity==`error`])'
preflight deploy -n myservice --ct myaks -m mymodel:1 --dc deploymentconfig.json --query findings
computetarget detach -n mytest --no-wait
operation list --query [].[verb,name] -o tsv
operation show OPERATION -o table
operation resume OPERATION --query [name,status] -o tsv
operation list
operation show nosuch
schema deploymentconfig --query required
schema inferenceconfig --query required
completion bash
completion tcsh
emulator --http 192.0.2.1:8099
# What goes wrong
aks shwo
aks show
aks show -n nosuch -g mygroup
aks get-versions
aks list -o nosuch
aks list --query
aks scale -n mycluster -g mygroup -c many
computetarget show -n nosuch
computetarget create aks -n x
computetarget create aks -n bad --vnet-name v
computetarget create aks -n failing --query name
computetarget attach aks -n again -i notanid
computetarget update aks -n myaks --ssl-cname a.example --ssl-cert-file nosuch.pem --ssl-key-file nosuch.pem
model deploy -n s --ct myaks -m mymodel:1 --ic inferenceconfig.json
model deploy -n s --ct myaks -m mymodel:1 --ic nosuch.json --cp aks
model deploy -n s --ct myaks -m mymodel:1 --ic inferenceconfig.json --cp aci
model register -n mymodel --tag novalue -p x.pkl
model show -i nosuch:1
service run -n nosuch -d '{}'
service get-keys -n nosuch
computetarget create aks -n myaks
computetarget create aks -n cancelled
computetarget attach aks -n first -i ID -o none
computetarget attach aks -n again -i ID
computetarget attach aks -n again -i ID --ignore-other-attachments --query name
computetarget detach -n myaks --yes
computetarget create aks -n fresh --load-balancer-subnet s
model download -i mymodel:1 -t .
model deploy -n s --ct myaks -m mymodel:1 --location westus
model deploy -n failing --ct myaks -m mymodel:1 --ic inferenceconfig.json --dc deploymentconfig.json
service update -n second --compute-target other --is-migration true
schema deploymentconfig -g mygroup
model deploy -n s -es score.py
service list --query 'length(name)'
aks create -n broken -g mygroup -l westus --min-count 1
aks get-credentials -n mycluster -g mygroup -f kube/config --context x
aks get-credentials -n mycluster -g mygroup -f x.pkl
! expired_token
computetarget list
! policy_denied
computetarget create aks -n fresh
! quota_exceeded
computetarget create aks -n fresh
! path_retired
computetarget create aks -n other
! crash_loop
model deploy -n third --ct myaks -m mymodel:1 --ic inferenceconfig.json --dc deploymentconfig.json
! image_pull_failure
model deploy -n fourth --ct myaks -m mymodel:1 --ic inferenceconfig.json --dc deploymentconfig.json
! unschedulable
model deploy -n fifth --ct myaks -m mymodel:1 --ic inferenceconfig.json --dc deploymentconfig.json
";

/// The fault on the side of Azure during the next line.
fn fault(name: &str) -> Fault {
    match name {
        "crash_loop" => Fault::crash_loop(),
        "expired_token" => Fault::expired_token(),
        "image_pull_failure" => Fault::image_pull_failure(),
        "path_retired" => Fault::path_retired(),
        "policy_denied" => Fault::policy_denied(),
        "quota_exceeded" => Fault::quota_exceeded(),
        "unschedulable" => Fault::unschedulable("cpu"),
        other => panic!("there is no fault {other}"),
    }
    .times(20)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_print_and_end_as_written_down() {
    let run = builder().run_output("myexperiment", "run_1", "outputs/x.pkl", "a model");
    let stage = Stage::of(run).await;
    stage.write("score.py", SCRIPT);
    stage.write("source/score.py", SCRIPT);
    stage.write(
        "conda.yml",
        "dependencies:\n- python=3.8\n- pip:\n  - azureml-defaults\n",
    );
    stage.write("inferenceconfig.json", INFERENCE);
    stage.write("deploymentconfig.json", DEPLOYMENT);
    stage.write(
        "runoutput.json",
        r#"{"run_id": "run_1", "_experiment_name": "myexperiment"}"#,
    );
    let mycluster = format!(
        "/subscriptions/{}/resourceGroups/mygroup/providers/Microsoft.ContainerService/managedClusters/mycluster",
        stage.emulator.subscription()
    );
    let compute =
        format!("type: kubernetes\nname: kube\nresource_id: {mycluster}\nnamespac: scoring\n");
    stage.write("compute.yml", &compute);
    stage.write("wrong.yml", "type: amlcompute\nnamespace: Scoring\n");
    stage.write("testdata.json", r#"{"data": [[1, 2]]}"#);
    stage.write_environment("environment");
    let keys = r#"{"computeType": "AKS", "authEnabled": true, "keys": {"primaryKey": "a-key-of-my-own"}, "nosuch": 1}"#;
    stage.write("keys.json", keys);
    let cluster = format!(
        "/subscriptions/{}/resourcegroups/myresourcegroup/providers/Microsoft.ContainerService/managedClusters/myexistingcluster",
        stage.emulator.subscription()
    );
    let mut text = String::new();
    let mut secrets = Vec::new();
    for line in LINES.lines().filter(|line| !line.is_empty()) {
        if line.starts_with('#') {
            writeln!(text, "\n{line}\n").unwrap();
            continue;
        }
        if let Some(name) = line.strip_prefix("! ") {
            stage.emulator.inject(fault(name));
            writeln!(text, "{line}").unwrap();
            continue;
        }
        // Of several the newest, because a folder has no order of its own.
        let modified = |path: &PathBuf| path.metadata().unwrap().modified().unwrap();
        let pending = stage.tokens().into_iter().max_by_key(modified);
        let pending = pending.as_deref().and_then(Path::file_stem);
        let filled = line
            .replace("OPERATION", &pending.unwrap_or_default().to_string_lossy())
            .replace("-i ID", &format!("-i {cluster}"))
            .replace("MYCLUSTER", &mycluster)
            .replace("{subscription}", stage.emulator.subscription());
        let mut done = stage.run(&filled);
        stage.emulator.clear_faults();
        if line.starts_with("completion ") {
            // Generated: the command of the first line is known to the shell.
            done.stdout = done
                .stdout
                .lines()
                .take(1)
                .map(|line| format!("{line}\n"))
                .collect();
        }
        writeln!(
            text,
            "$ {line}\n{}-- {}",
            normal(&stage, &done.stdout),
            done.code
        )
        .unwrap();
        for line in normal(&stage, &done.stderr).lines() {
            writeln!(text, "  {line}").unwrap();
        }
        if line.starts_with("service get-keys -n myservice") {
            let keys: serde_json::Value =
                serde_json::from_str(&stage.run("service get-keys -n myservice").stdout).unwrap();
            let keys = keys.as_object().unwrap().values();
            secrets.extend(keys.map(|key| key.as_str().unwrap().to_owned()));
        }
        for file in stage.tokens() {
            let token = std::fs::read_to_string(file).unwrap();
            assert!(
                !done.stdout.contains(&token) && !done.stderr.contains(&token),
                "{line}"
            );
        }
    }
    // Secrets are printed where that is the command's purpose, and nowhere in this script in full.
    assert_eq!(secrets.len(), 2);
    for secret in secrets {
        assert!(!secret.is_empty() && !text.contains(&secret));
    }
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("transcript", text);
    });
}
