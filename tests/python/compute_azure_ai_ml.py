"""azure-ai-ml against the emulator: computes of kind Kubernetes."""

from azure.ai.ml import MLClient
from azure.ai.ml.entities import IdentityConfiguration, KubernetesCompute
from azure.core.exceptions import ResourceNotFoundError
from azure.mgmt.kubernetesconfiguration.extensions import (
    KubernetesConfigurationExtensionsMgmtClient,
    models,
)

import emulator_client as emulator
from azure_mgmt_client import PlainHttp, StaticCredential, connect, refused, settle
from emulator_client import expect
from extensions_mgmt_client import CONNECTED, MANAGED, extension

# The client knows clouds by their names, and this one by what is given here.
CLOUD = {
    "azure_portal": emulator.URL,
    "resource_manager": emulator.URL,
    "active_directory": emulator.URL,
    "aml_resource_id": emulator.URL,
    "storage_endpoint": "core.windows.net",
    "registry_discovery_endpoint": emulator.URL,
}


def ml_client():
    return MLClient(
        StaticCredential(),
        emulator.SUBSCRIPTION,
        emulator.GROUP,
        emulator.WORKSPACE,
        cloud="PeerCloud",
        cloud_metadata=CLOUD,
        enable_telemetry=False,
        show_progress=False,
        per_call_policies=[PlainHttp()],
    )


def resource_id(cluster):
    return (
        f"/subscriptions/{emulator.SUBSCRIPTION}/resourceGroups/{emulator.CLUSTER_GROUP}"
        f"/providers/{cluster[0]}/{cluster[1]}/{cluster[2]}"
    )


def main():
    computes = ml_client().compute
    extensions = connect(KubernetesConfigurationExtensionsMgmtClient).extensions

    for cluster in [MANAGED, CONNECTED]:
        at = (emulator.CLUSTER_GROUP, *cluster)

        def wanted(name):
            return KubernetesCompute(
                name=name,
                resource_id=resource_id(cluster),
                namespace="scoring",
                description="text",
                tags={"a": "1"},
                identity=IdentityConfiguration(type="SystemAssigned"),
                properties={"defaultInstanceType": "gpu"},
            )

        error = refused(lambda: settle(computes.begin_attach(wanted("early"))))
        expect("ExtensionNotFound" in error.message, error.message)
        expect("not installed" in error.message, error.message)
        early = computes.get("early")
        expect(early.provisioning_state == "Failed", early)
        expect(early.provisioning_errors == "ExtensionNotFound", early.provisioning_errors)
        settle(computes.begin_delete("early", action="Detach"))

        settle(extensions.begin_create(*at, "azureml", extension(models, {})))
        emulator.clear_journal()
        kube = settle(computes.begin_attach(wanted("kube")))
        expect(kube.provisioning_state == "Succeeded", kube)
        put = emulator.journal("PUT")[0]
        expect(put["query"] == "api-version=2023-08-01-preview", put["query"])
        expect(put["body"]["identity"]["type"] == "Systemassigned", put["body"])
        expect(kube.type == "kubernetes" and kube.resource_id == resource_id(cluster), kube)
        expect(kube.namespace == "scoring" and kube.tags == {"a": "1"}, kube)
        expect(kube.identity.type == "system_assigned" and kube.identity.principal_id, kube.identity)
        principal = kube.properties["extensionPrincipalId"]
        expect(principal and kube.properties["defaultInstanceType"] == "gpu", kube.properties)

        # The client sends back what it read, the facts of the extension too.
        kube.description = "another"
        kube.properties["instanceTypes"] = {
            "gpu": {"resources": {"limits": {"cpu": "1", "nvidia.com/gpu": None}}}
        }
        kube = settle(computes.begin_update(kube))
        expect(kube.description == "another", kube)
        expect(kube.properties["instanceTypes"]["gpu"]["resources"]["limits"]["cpu"] == "1", kube)
        expect(kube.properties["extensionPrincipalId"] == principal, kube.properties)
        kube = computes.get("kube")
        expect(kube.namespace == "scoring" and kube.description == "another", kube)
        listed = [(found.name, found.type) for found in computes.list()]
        expect(listed == [("kube", "kubernetes")], listed)

        # It deletes unless it is told to detach.
        error = refused(lambda: computes.begin_delete("kube"))
        # Its message does not say why, as the parser fails at the nulls of the recorded form.
        expect(error.status_code == 400 and "Detach it" in error.response.text(), error)
        settle(computes.begin_delete("kube", action="Detach"))
        gone = refused(lambda: computes.get("kube"))
        expect(isinstance(gone, ResourceNotFoundError), gone)
    print("azure-ai-ml: all as expected")


main()
