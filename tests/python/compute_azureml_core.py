"""azureml-core against the emulator: the computes of the articles, from create to delete."""

import os
import tempfile
import threading
import time

from azureml.core.compute import AksCompute, ComputeTarget
from azureml.core.compute.aks import AksUpdateConfiguration, SslConfiguration
from azureml.exceptions import ComputeTargetException

import azureml_core_client
import emulator_client as emulator
from emulator_client import expect


def ready(target):
    """Ends the operation, then lets the client find out by itself."""
    emulator.finish()
    target.wait_for_completion(show_output=False)
    expect(target.provisioning_state == "Succeeded", target.provisioning_state)
    return target


def refused(action):
    try:
        action()
    except ComputeTargetException as error:
        return str(error)
    raise AssertionError("it should have been refused")


def put_body(name):
    return emulator.journal("PUT", f"/computes/{name}")[-1]["body"]


def create_default(ws):
    target = ComputeTarget.create(ws, "default-aks", AksCompute.provisioning_configuration())
    expect(target.provisioning_state == "Creating", target.provisioning_state)
    body = {"location": emulator.LOCATION, "properties": {"computeType": "AKS"}}
    expect(put_body("default-aks") == body, put_body("default-aks"))
    ready(target)
    expect(target.agent_count == 3 and target.agent_vm_size == "Standard_D3_v2", target.agent_count)
    expect(target.cluster_purpose == "FastProd", target.cluster_purpose)
    expect(target.load_balancer_type == "PublicIp", target.load_balancer_type)
    expect(target.ssl_configuration.status == "Disabled", target.ssl_configuration.status)
    expect("managedClusters" in target.cluster_resource_id, target.cluster_resource_id)
    expect(target.cluster_fqdn.endswith(".azmk8s.io"), target.cluster_fqdn)
    expect(target.system_services[0].public_ip_address, target.system_services)
    read = AksCompute(ws, "default-aks")
    expect(read.id == target.id and read.provisioning_state == "Succeeded", read.id)
    expect(read.get_status() == "Succeeded", read.provisioning_state)
    emulator.clear_journal()
    ComputeTarget(ws, "default-aks")
    reads = emulator.journal("GET", "/computes/default-aks")
    expect(reads and all(r["path"].startswith("/rp/workspaces/") for r in reads), reads)
    expect(all(r["query"] == "api-version=2020-02-02" and r["authorized"] for r in reads), reads)


def create_dev_test(ws):
    config = AksCompute.provisioning_configuration(
        cluster_purpose=AksCompute.ClusterPurpose.DEV_TEST
    )
    target = ready(ComputeTarget.create(ws, "dev-aks", config))
    expect(target.cluster_purpose == "DevTest" and target.agent_count == 1, target.agent_count)


def create_in_a_network(ws):
    config = AksCompute.provisioning_configuration(
        agent_count=4,
        vm_size="Standard_D4_v2",
        location="westus2",
        vnet_resourcegroup_name="mygroup",
        vnet_name="mynetwork",
        subnet_name="default",
        service_cidr="10.0.0.0/16",
        dns_service_ip="10.0.0.10",
        docker_bridge_cidr="172.17.0.1/16",
    )
    target = ready(ComputeTarget.create(ws, "vnet-aks", config))
    expect(target.agent_count == 4 and target.agent_vm_size == "Standard_D4_v2", target.agent_count)
    expect(target.cluster_location == "westus2", target.cluster_location)
    network = put_body("vnet-aks")["properties"]["properties"]["aksNetworkingConfiguration"]
    expect(network["subnetId"].endswith("/virtualNetworks/mynetwork/subnets/default"), network)

    config.dns_service_ip = "10.1.0.10"
    expect("must lie within" in refused(lambda: ComputeTarget.create(ws, "bad-net", config)))


def create_behind_an_internal_load_balancer(ws):
    config = AksCompute.provisioning_configuration(
        load_balancer_type="InternalLoadBalancer", load_balancer_subnet="mysubnet"
    )
    target = ready(ComputeTarget.create(ws, "internal-aks", config))
    expect(target.load_balancer_type == "InternalLoadBalancer", target.load_balancer_type)
    expect(target.load_balancer_subnet == "mysubnet", target.load_balancer_subnet)


def create_with_tls(ws):
    config = AksCompute.provisioning_configuration()
    config.enable_ssl(leaf_domain_label="contoso")
    target = ready(ComputeTarget.create(ws, "leaf-aks", config))
    name = target.ssl_configuration.cname
    expect(name.startswith("contoso") and name.endswith("cloudapp.azure.com"), name)

    with tempfile.TemporaryDirectory() as folder:
        cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
        with open(cert, "w", encoding="ascii") as file:
            file.write(emulator.CERT)
        with open(key, "w", encoding="ascii") as file:
            file.write(emulator.KEY)
        config = AksCompute.provisioning_configuration(
            ssl_cname="www.contoso.com", ssl_cert_pem_file=cert, ssl_key_pem_file=key
        )
        target = ready(ComputeTarget.create(ws, "cname-aks", config))
    expect(target.ssl_configuration.cname == "www.contoso.com", target.ssl_configuration.cname)
    expect(target.ssl_configuration.key is None, "a key must not be read back")
    sent = put_body("cname-aks")["properties"]["properties"]["sslConfiguration"]
    expect(sent["key"] == emulator.KEY, "the key arrived as it was")


def list_all(ws):
    emulator.clear_journal()
    names = [target.name for target in ComputeTarget.list(ws)]
    expected = ["default-aks", "dev-aks", "vnet-aks", "internal-aks", "leaf-aks", "cname-aks"]
    expect(names == expected, names)
    pages = emulator.journal("GET", "/computes")
    expect(len(pages) == 3, "two a page, and no request for a page after the last", pages)
    expect(set(ws.compute_targets) == set(expected), ws.compute_targets)


def attach(ws):
    by_name = AksCompute.attach_configuration(
        resource_group=emulator.CLUSTER_GROUP,
        cluster_name=emulator.CLUSTERS[0],
        cluster_purpose=AksCompute.ClusterPurpose.DEV_TEST,
    )
    target = ready(ComputeTarget.attach(ws, "attached-one", by_name))
    expect(target.cluster_purpose == "DevTest" and target.agent_count == 3, target.agent_count)
    by_id = AksCompute.attach_configuration(resource_id=emulator.cluster_id(emulator.CLUSTERS[1]))
    target = ready(ComputeTarget.attach(ws, "attached-two", by_id))
    expect(target.cluster_resource_id == emulator.cluster_id(emulator.CLUSTERS[1]))
    absent = AksCompute.attach_configuration(resource_group="g", cluster_name="absent")
    expect("does not exist" in refused(lambda: ComputeTarget.attach(ws, "absent-one", absent)))
    # Deleting what was attached is refused, and the cluster stays.
    expect("Detach it" in refused(target.delete))
    expect(AksCompute(ws, "attached-two").provisioning_state == "Succeeded")
    return target


def update(ws):
    target = AksCompute(ws, "default-aks")

    def change(**config):
        target.update(AksUpdateConfiguration(**config))
        seen = AksCompute(ws, "default-aks").provisioning_state
        expect(seen == "Creating", seen)
        return ready(target)

    change(ssl_configuration=SslConfiguration(leaf_domain_label="fabrikam"))
    first = target.ssl_configuration.cname
    expect(first.startswith("fabrikam"), first)
    change(
        ssl_configuration=SslConfiguration(
            leaf_domain_label="fabrikam", overwrite_existing_domain=True
        )
    )
    expect(target.ssl_configuration.cname == first, "the name stays", target.ssl_configuration.cname)
    change(ssl_configuration=SslConfiguration(renew=True))
    expect(target.ssl_configuration.cname == first, "and on renewal", target.ssl_configuration.cname)
    sent = put_body("default-aks")["properties"]["properties"]["sslConfiguration"]
    expect(sent["renew"] is True and sent["cname"] == first, sent)
    change(
        ssl_configuration=SslConfiguration(
            cname="www.contoso.com", cert=emulator.CERT, key=emulator.KEY
        )
    )
    expect(target.ssl_configuration.status == "Enabled", target.ssl_configuration.status)
    change(load_balancer_type="InternalLoadBalancer", load_balancer_subnet="mysubnet")
    expect(target.load_balancer_subnet == "mysubnet", target.load_balancer_subnet)
    expect(target.ssl_configuration.cname == "www.contoso.com", "what was not said is kept")
    change(ssl_configuration=SslConfiguration(status="Disabled"))
    expect(target.ssl_configuration.status == "Disabled", target.ssl_configuration.status)
    expect(target.load_balancer_type == "InternalLoadBalancer", target.load_balancer_type)
    expect(target.agent_count == 3, target.agent_count)


def credentials(ws):
    keys = AksCompute(ws, "default-aks").get_credentials()
    expect(set(keys) == {"computeType", "userKubeConfig", "adminKubeConfig", "imagePullSecretName"})
    expect("kind: Config" in keys["adminKubeConfig"], keys["adminKubeConfig"])


def detach_and_delete(ws, attached):
    attached.detach()
    expect(attached.provisioning_state == "Deleting", attached.provisioning_state)
    emulator.finish()
    attached.wait_for_completion(show_output=False, is_delete_operation=True)
    target = AksCompute(ws, "default-aks")
    target.delete()
    emulator.finish()
    target.wait_for_completion(show_output=False, is_delete_operation=True)
    for name in ["attached-two", "default-aks"]:
        expect("ComputeTargetNotFound" in refused(lambda name=name: AksCompute(ws, name)))
    queries = [entry["query"] for entry in emulator.journal("DELETE")]
    expect(any("underlyingResourceAction=detach" in query for query in queries), queries)
    # The cluster that was only detached can be attached again.
    config = AksCompute.attach_configuration(resource_id=emulator.cluster_id(emulator.CLUSTERS[1]))
    ready(ComputeTarget.attach(ws, "again", config))


def failures(ws):
    for name, code in [("fail-one", "Failed"), ("nested-one", "Failed"), ("cancel-one", "Canceled")]:
        config = AksCompute.provisioning_configuration()
        target = ComputeTarget.create(ws, name, config)
        emulator.finish()
        text = refused(lambda target=target: target.wait_for_completion(show_output=False))
        expect(target.provisioning_state == code, target.provisioning_state)
        expect("StatusCode: " in text, text)
        expect(("was canceled" if code == "Canceled" else f"'{name}' failed") in text, text)
    failed = AksCompute(ws, "fail-one")
    expect(failed.provisioning_errors[0]["error"]["code"] == "ComputeProvisioningFailed")
    small = AksCompute.provisioning_configuration(agent_count=1, vm_size="Standard_D2_v2")
    expect("at least 12 cores" in refused(lambda: ComputeTarget.create(ws, "small-aks", small)))
    emulator.inject(kind="path_retired", times=1)
    config = AksCompute.provisioning_configuration()
    expect("no longer supported" in refused(lambda: ComputeTarget.create(ws, "late-aks", config)))
    emulator.inject(kind="quota_exceeded", times=1)
    target = ComputeTarget.create(ws, "quota-aks", config)
    emulator.finish()
    text = refused(lambda: target.wait_for_completion(show_output=False))
    expect("Regional Cores quota" in text, text)


def wait_while_it_runs(ws):
    """A real wait: the client polls, finds it in progress, and polls again."""
    target = ComputeTarget.create(ws, "slow-aks", AksCompute.provisioning_configuration())
    emulator.clear_journal()
    timer = threading.Timer(1.0, emulator.finish)
    timer.start()
    began = time.monotonic()
    target.wait_for_completion(show_output=True)
    timer.join()
    expect(target.provisioning_state == "Succeeded", target.provisioning_state)
    expect(4.5 < time.monotonic() - began < 8, "its own five seconds")
    polls = [e for e in emulator.journal("GET") if "computeOperationsStatus" in e["path"]]
    expect(len(polls) == 2 and all("service=new" in e["query"] for e in polls), polls)


def main():
    ws = azureml_core_client.workspace()
    expect(ws.location == emulator.LOCATION, ws.location)
    create_default(ws)
    create_dev_test(ws)
    create_in_a_network(ws)
    create_behind_an_internal_load_balancer(ws)
    create_with_tls(ws)
    list_all(ws)
    attached = attach(ws)
    update(ws)
    credentials(ws)
    detach_and_delete(ws, attached)
    failures(ws)
    if os.environ.get("EMULATOR_REAL_WAIT"):
        wait_while_it_runs(ws)
    print("azureml-core: all as expected")


main()
