"""What both clients of extensions are to do: the newest, and the package that it was split from."""

from azure.core.exceptions import ResourceNotFoundError

import emulator_client as emulator
from azure_mgmt_client import connect, refused, settle
from emulator_client import expect

TYPE = "microsoft.azureml.kubernetes"
# Provider, type and name of each cluster.
MANAGED = ("Microsoft.ContainerService", "managedClusters", emulator.CLUSTERS[0])
CONNECTED = ("Microsoft.Kubernetes", "connectedClusters", emulator.CONNECTED)
KEY = "canary-key"


def extension(models, settings, **more):
    return models.Extension(
        identity=models.Identity(type="SystemAssigned"),
        extension_type=TYPE,
        auto_upgrade_minor_version=True,
        release_train="stable",
        scope=models.Scope(cluster=models.ScopeCluster(release_namespace="azureml")),
        configuration_settings=settings,
        configuration_protected_settings={"scoringFe.sslKey": KEY},
        **more,
    )


def lives(extensions, models, cluster, version):
    at = (emulator.CLUSTER_GROUP, *cluster)
    settings = {"enableInference": "True", "inferenceRouterServiceType": "LoadBalancer"}
    emulator.clear_journal()
    made = settle(extensions.begin_create(*at, "azureml", extension(models, settings)))
    expect(made.provisioning_state == "Succeeded", made)
    expect(made.configuration_settings == settings, made)
    expect(not made.configuration_protected_settings, made)
    expect(made.current_version and made.statuses == [], made)
    principal = made.aks_assigned_identity or made.identity
    expect(principal.principal_id, made)
    seen = [(entry["query"], entry["status"]) for entry in emulator.journal("PUT")]
    expect(seen == [(f"api-version={version}", 201)], seen)

    read = extensions.get(*at, "azureml")
    expect(read.configuration_settings == settings, read)
    expect([found.name for found in extensions.list(*at)] == ["azureml"])

    change = models.PatchExtension(configuration_settings={"inferenceRouterHA": "False"})
    changed = settle(extensions.begin_update(*at, "azureml", change))
    expect(changed.provisioning_state == "Succeeded", changed)
    expect(changed.configuration_settings == {**settings, "inferenceRouterHA": "False"}, changed)

    running = extensions.begin_delete(*at, "azureml")
    expect(extensions.get(*at, "azureml").provisioning_state == "Deleting")
    error = refused(lambda: extensions.begin_update(*at, "azureml", change))
    expect(error.status_code == 409 and "in progress" in error.message, error)
    settle(running)
    gone = refused(lambda: extensions.get(*at, "azureml"))
    expect(isinstance(gone, ResourceNotFoundError), gone)
    settle(extensions.begin_delete(*at, "azureml"))


def fails(extensions, models):
    at = (emulator.CLUSTER_GROUP, *CONNECTED)
    poller = extensions.begin_create(*at, "fail-it", extension(models, {}))
    error = refused(lambda: settle(poller))
    expect("ExtensionOperationFailed" in error.message and "E40001" in error.message, error)
    failed = extensions.get(*at, "fail-it")
    expect(failed.provisioning_state == "Failed", failed)
    expect("E40001" in failed.statuses[0].message, failed.statuses)
    settle(extensions.begin_delete(*at, "fail-it", force_delete=True))
    expect(list(extensions.list(*at)) == [])

    both = extension(models, {}, version="1.1.61")
    error = refused(lambda: extensions.begin_create(*at, "azureml", both))
    expect(error.status_code == 400 and "autoUpgradeMinorVersion" in error.message, error)
    absent = (emulator.CLUSTER_GROUP, CONNECTED[0], CONNECTED[1], "absent")
    error = refused(lambda: extensions.get(*absent, "azureml"))
    expect(error.error.code == "ResourceNotFound" and "absent" in error.message, error)


def check(client, models, version):
    extensions = connect(client).extensions
    for cluster in [MANAGED, CONNECTED]:
        lives(extensions, models, cluster, version)
    fails(extensions, models)
