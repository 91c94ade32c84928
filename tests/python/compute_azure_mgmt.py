"""azure-mgmt-machinelearningservices against the emulator."""

from azure.core.exceptions import ResourceNotFoundError
from azure.mgmt.machinelearningservices import MachineLearningServicesMgmtClient, models

import emulator_client as emulator
from azure_mgmt_client import connect, refused, settle
from emulator_client import expect


def aks(resource_id=None, properties=None, location=emulator.LOCATION):
    return models.ComputeResource(
        location=location,
        properties=models.AKS(resource_id=resource_id, properties=properties),
    )


def main():
    client = connect(MachineLearningServicesMgmtClient)
    scope = (emulator.GROUP, emulator.WORKSPACE)
    workspace = client.workspaces.get(*scope)
    expect(workspace.discovery_url.startswith(emulator.URL), workspace.discovery_url)
    computes = client.machine_learning_compute

    created = settle(
        computes.begin_create_or_update(
            *scope, "created", aks(properties=models.AKSProperties(agent_count=4))
        )
    )
    expect(created.properties.provisioning_state == "Succeeded", created)
    expect(created.properties.properties.agent_count == 4, created)
    expect(created.properties.is_attached_compute is False, created)
    versions = {entry["query"] for entry in emulator.journal("PUT")}
    expect(versions == {"api-version=2020-08-01"}, versions)

    scaled = settle(
        computes.begin_create_or_update(
            *scope, "created", aks(properties=models.AKSProperties(agent_count=5))
        )
    )
    expect(scaled.properties.properties.agent_count == 5, scaled)

    resource_id = emulator.cluster_id(emulator.CLUSTERS[0])
    for name in ["attached", "third"]:
        settle(computes.begin_create_or_update(*scope, name, aks(resource_id)))
    first = computes.get(*scope, "attached")
    expect(first.properties.provisioning_state == "Failed", "the second attachment broke it")
    error = first.properties.provisioning_errors[0].error
    expect(error.code == "ComputeNotAccessible", error)

    names = [compute.name for compute in computes.list_by_workspace(*scope)]
    expect(names == ["created", "attached", "third"], names)
    pages = emulator.journal("GET", "/computes")
    expect(len(pages) == 2, "two a page", pages)

    keys = computes.list_keys(*scope, "created")
    expect(isinstance(keys, models.AksComputeSecrets), keys)
    expect("kind: Config" in keys.user_kube_config, keys.user_kube_config)

    error = refused(lambda: computes.begin_delete(*scope, "third", "Delete"))
    # The client stumbles over the nulls of the recorded form: its message does not say why.
    expect(error.status_code == 400 and "Detach it" in error.response.text(), error)
    settle(computes.begin_delete(*scope, "third", "Detach"))
    settle(computes.begin_delete(*scope, "created", "Delete"))
    for name in ["third", "created"]:
        expect(isinstance(refused(lambda name=name: computes.get(*scope, name)),
                          ResourceNotFoundError))

    error = refused(lambda: settle(computes.begin_create_or_update(*scope, "fail-one", aks())))
    expect("'fail-one' failed" in error.message, error.message)
    error = refused(lambda: settle(computes.begin_create_or_update(*scope, "cancel-one", aks())))
    expect("canceled" in error.message.lower(), error.message)

    error = refused(
        lambda: computes.begin_create_or_update(
            *scope,
            "small",
            aks(properties=models.AKSProperties(agent_count=1, agent_vm_size="Standard_D2_v2")),
        )
    )
    expect(error.status_code == 400 and "at least 12 cores" in error.response.text(), error)
    emulator.inject(kind="throttled", retry_after=1, times=1, method="GET", path="/computes/")
    computes.get(*scope, "fail-one")
    expect([e["status"] for e in emulator.journal("GET", "/computes/fail-one")][-2:] == [429, 200])

    sizes = client.virtual_machine_sizes.list(emulator.LOCATION)
    expect(any(size.name == "Standard_D3_v2" for size in sizes.aml_compute), sizes)
    print("azure-mgmt-machinelearningservices: all as expected")


main()
