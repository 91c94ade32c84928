#!/usr/bin/env python3
"""Runs the real `az` against the emulator over HTTPS, and tells for each command whether it did as it should.

It needs Python 3.10 or newer and cargo, and installs azure-cli (680 MB) once, into the folder that AZUREML_AKS_AZ
names (default: a folder in the user's cache). Nobody signs in: `az` takes its token from an endpoint that this
script serves, and asks the emulator in place of Azure. It is run by hand, not by `.ci/run`.
"""

import base64
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

AZURE_CLI = "2.91.0"
ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
VENV = pathlib.Path(os.environ.get("AZUREML_AKS_AZ") or CACHE / "azureml-aks" / f"az-{AZURE_CLI}")


def install():
    if not (VENV / "installed").exists():
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        pip = [VENV / "bin" / "python", "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, f"azure-cli=={AZURE_CLI}"], check=True, cwd=VENV)
        (VENV / "installed").touch()


def start_emulator():
    command = ["cargo", "run", "--quiet", "--example", "emulator", "--features", "emulator", "--"]
    command += ["--http", "127.0.0.1:0", "--https", "127.0.0.1:0", "--speed", "600"]
    command += ["--cluster", "mygroup/mycluster,count=3", "--cluster", "othergroup/other"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    if not line:
        sys.exit("the emulator did not start")
    return process, json.loads(line)


def token():
    """An unsigned token that a client can read."""

    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    claims = {"exp": int(time.time()) + 3600, "tid": "tenant", "oid": "me"}
    return ".".join([part({"alg": "none", "typ": "JWT"}), part(claims), "eA"])


class TokenEndpoint(http.server.BaseHTTPRequestHandler):
    """The identity of an App Service, as `az` asks for it."""

    def do_GET(self):
        body = {
            "access_token": token(),
            "expires_on": str(int(time.time()) + 3600),
            "resource": "https://management.azure.com/",
            "token_type": "Bearer",
        }
        body = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def configure(folder, emulator):
    """The three files with which `az` knows a cloud and a subscription, without signing in."""
    url = emulator["https"].rstrip("/")
    (folder / "clouds.config").write_text(
        "[Emulator]\n"
        f"endpoint_resource_manager = {url}\n"
        f"endpoint_management = {url}\n"
        f"endpoint_active_directory = {url}\n"
        "endpoint_active_directory_resource_id = https://management.azure.com/\n"
        f"endpoint_active_directory_graph_resource_id = {url}\n"
        f"subscription = {emulator['subscription']}\n"
    )
    (folder / "config").write_text("[cloud]\nname = Emulator\n")
    subscription = {
        "id": emulator["subscription"],
        "name": "Emulator",
        "state": "Enabled",
        "isDefault": True,
        "tenantId": "00000000-0000-0000-0000-0000000000ff",
        "homeTenantId": "00000000-0000-0000-0000-0000000000ff",
        "environmentName": "Emulator",
        "managedByTenants": [],
        "user": {
            "name": "systemAssignedIdentity",
            "type": "servicePrincipal",
            "assignedIdentityInfo": "MSI",
        },
    }
    (folder / "azureProfile.json").write_text(json.dumps({"subscriptions": [subscription]}))


MINE = "-n mine -g mygroup"
POOL = "--cluster-name mycluster -g mygroup -n agentpool"
NETWORK = "/resourceGroups/mygroup/providers/Microsoft.Network/virtualNetworks/myvnet/subnets/default"

# The command, how it should end, and what it should say.
COMMANDS = [
    ("aks list -o table", 0, ["mycluster", "other", "mygroup"]),
    ("aks list -g mygroup --query [].name -o tsv", 0, ["mycluster"]),
    ("aks list -g nogroup", 3, ["ResourceGroupNotFound"]),
    ("aks show -n mycluster -g mygroup --query id", 0, ["/resourcegroups/mygroup/"]),
    ("aks show -n mycluster -g mygroup -o table", 0, ["CurrentKubernetesVersion", "Succeeded"]),
    ("aks show -n nosuch -g mygroup", 3, ["ResourceNotFound", "managedClusters/nosuch"]),
    ("aks get-versions -l eastus -o table", 0, ["SupportPlan", "1.34.3", "None available"]),
    ("aks get-versions -l eastus --query values[?isDefault].version -o tsv", 0, ["1.34"]),
    ("aks get-versions -l nowhere", 1, ["NoRegisteredProviderFound", "nowhere"]),
    (f"aks create {MINE} --no-ssh-key --query provisioningState", 0, ["Succeeded"]),
    (f"aks show {MINE} --query agentPoolProfiles[0].[name,count] -o tsv", 0, ["nodepool1", "3"]),
    (
        "aks create -n versioned -g mygroup --no-ssh-key -k 1.33 --node-vm-size Standard_D3_v2 -c 1 -l EastUS"
        " --tags a=b --query [currentKubernetesVersion,tags.a]",
        0,
        ["1.33.5", "b"],
    ),
    (
        "aks create -n private -g mygroup --no-ssh-key --enable-private-cluster --outbound-type userDefinedRouting"
        " --vnet-subnet-id {subscription}" + NETWORK + " --service-cidr 10.0.8.0/24 --dns-service-ip 10.0.8.10"
        " --network-plugin azure -c 1 --skip-subnet-role-assignment --query privateFqdn",
        0,
        [".privatelink.eastus.azmk8s.io"],
    ),
    (
        "aks create -n guarded -g mygroup --no-ssh-key --api-server-authorized-ip-ranges 20.0.0.1/32 -c 1"
        " --query apiServerAccessProfile.authorizedIpRanges",
        0,
        ["20.0.0.1/32"],
    ),
    ("aks create -n bad -g mygroup --no-ssh-key -k 1.11.1", 1, ["not supported in this region"]),
    (
        "aks create -n bad -g mygroup --no-ssh-key --node-vm-size Standard_NV6",
        1,
        ["is not allowed in your subscription in location 'eastus'"],
    ),
    (
        "aks create -n bad -g mygroup --no-ssh-key -c 200",
        1,
        ["ErrCode_InsufficientVCPUQuota", "left regional vcpu quota"],
    ),
    ("aks create -n bad -g nogroup --no-ssh-key", 3, ["ResourceGroupNotFound"]),
    ("aks nodepool list --cluster-name mycluster -g mygroup -o table", 0, ["MaxPods", "agentpool", "110"]),
    (f"aks nodepool show {POOL} --query [count,mode] -o tsv", 0, ["3", "System"]),
    ("aks nodepool show --cluster-name mycluster -g mygroup -n none", 3, ["ResourceNotFound"]),
    (f"aks nodepool scale {POOL} -c 5 --query count", 0, ["5"]),
    (f"aks nodepool scale {POOL} -c 5", 1, ["same as the current node count"]),
    (f"aks nodepool scale {POOL} -c 2000", 1, ["agentPoolProfile.count was 2000"]),
    (
        f"aks nodepool update {POOL} --enable-cluster-autoscaler --min-count 1 --max-count 6"
        " --query [minCount,maxCount] -o tsv",
        0,
        ["1", "6"],
    ),
    (f"aks nodepool scale {POOL} -c 4", 1, ["Cannot scale cluster autoscaler enabled node pool"]),
    (f"aks nodepool update {POOL} -u --min-count 2 --max-count 7 --query maxCount", 0, ["7"]),
    (f"aks nodepool update {POOL} --disable-cluster-autoscaler --query enableAutoScaling", 0, ["false"]),
    ("aks scale -n mycluster -g mygroup -c 4 --query agentPoolProfiles[0].count", 0, ["4"]),
    ("aks scale -n mycluster -g mygroup -c 9 --no-wait", 0, []),
    ("aks get-credentials -n mycluster -g mygroup -f -", 0, ["kind: Config", "clusterUser"]),
    ("aks get-credentials -n mycluster -g mygroup -f - --admin", 0, ["clusterAdmin"]),
    ("vm list-skus -l eastus -r virtualMachines -o table", 0, ["Standard_D3_v2", "None"]),
    (
        "vm list-skus -l eastus --all --size NV6 --query [].restrictions[].reasonCode -o tsv",
        0,
        ["NotAvailableForSubscription"],
    ),
    ("vm list-usage -l eastus -o table", 0, ["Total Regional vCPUs", "350"]),
    ("network list-service-tags -l eastus --query values[].name -o tsv", 0, ["AzureMachineLearning"]),
    ("network vnet show -n myvnet -g mygroup -o table", 0, ["myvnet", "Succeeded"]),
    ("network vnet show -n nosuch -g mygroup", 3, ["ResourceNotFound", "virtualNetworks/nosuch"]),
    ("network vnet subnet list --vnet-name myvnet -g mygroup -o table", 0, ["default", "aks-subnet"]),
    ("account list-locations --query [].name -o tsv", 0, ["eastus", "westeurope"]),
    ("group show -n mygroup -o table", 0, ["eastus", "mygroup"]),
    (f"aks delete {MINE} --yes", 0, []),
    (f"aks show {MINE}", 3, ["ResourceNotFound"]),
]


def main():
    install()
    process, emulator = start_emulator()
    endpoint = http.server.ThreadingHTTPServer(("127.0.0.1", 0), TokenEndpoint)
    threading.Thread(target=endpoint.serve_forever, daemon=True).start()
    failed = 0
    try:
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            configure(folder, emulator)
            environment = {
                **os.environ,
                "AZURE_CONFIG_DIR": str(folder),
                "HOME": str(folder),
                "REQUESTS_CA_BUNDLE": emulator["ca"],
                "IDENTITY_ENDPOINT": f"http://127.0.0.1:{endpoint.server_port}/token",
                "IDENTITY_HEADER": "header",
                "AZURE_CORE_COLLECT_TELEMETRY": "no",
                "AZURE_CORE_SURVEY_MESSAGE": "no",
                "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no",
            }
            subscription = f"/subscriptions/{emulator['subscription']}"
            for command, status, words in COMMANDS:
                arguments = command.replace("{subscription}", subscription).split()
                began = time.monotonic()
                run = subprocess.run(
                    [VENV / "bin" / "python", "-m", "azure.cli", *arguments],
                    capture_output=True,
                    text=True,
                    env=environment,
                    cwd=folder,
                    check=False,
                )
                said = run.stdout + run.stderr
                good = run.returncode == status and all(word in said for word in words)
                took = time.monotonic() - began
                print(f"{'ok    ' if good else 'FAILED'} {took:5.1f} s  az {command}", flush=True)
                if not good:
                    failed += 1
                    print(f"  exit {run.returncode}, not {status}, or not {words}:\n{said}", flush=True)
    finally:
        process.terminate()
        process.wait()
    print(f"{len(COMMANDS) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
