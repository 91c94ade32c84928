"""azure-mgmt-containerservice against the emulator."""

import base64

from azure.core.exceptions import ResourceNotFoundError
from azure.mgmt.containerservice import ContainerServiceClient, models

import emulator_client as emulator
from azure_mgmt_client import connect, refused, settle
from emulator_client import expect

GROUP = emulator.GROUP


def cluster(**properties):
    pool = models.ManagedClusterAgentPoolProfile(
        name="nodepool1", mode="System", count=3, vm_size="Standard_D3_v2"
    )
    return models.ManagedCluster(
        location=emulator.LOCATION,
        identity=models.ManagedClusterIdentity(type="SystemAssigned"),
        **{"dns_prefix": "mine", "agent_pool_profiles": [pool], **properties},
    )


def main():
    client = connect(ContainerServiceClient)
    clusters, pools = client.managed_clusters, client.agent_pools

    versions = clusters.list_kubernetes_versions(emulator.LOCATION)
    default = [version.version for version in versions.values_property if version.is_default]
    expect(len(default) == 1, default)

    created = settle(clusters.begin_create_or_update(GROUP, "mine", cluster()))
    expect(created.provisioning_state == "Succeeded", created)
    expect(created.kubernetes_version == default[0], created.kubernetes_version)
    expect(created.agent_pool_profiles[0].count == 3, created.agent_pool_profiles)
    expect(created.identity.principal_id, created.identity)
    statuses = [entry["status"] for entry in emulator.journal("PUT")]
    expect(statuses == [201], statuses)

    # What was read can be sent back.
    created.agent_pool_profiles[0].count = 4
    scaled = settle(clusters.begin_create_or_update(GROUP, "mine", created))
    expect(scaled.agent_pool_profiles[0].count == 4, scaled.agent_pool_profiles)

    pool = models.AgentPool(count=1, vm_size="Standard_D2_v2", mode="User")
    added = settle(pools.begin_create_or_update(GROUP, "mine", "more", pool))
    expect((added.name, added.provisioning_state) == ("more", "Succeeded"), added)
    added.enable_auto_scaling, added.min_count, added.max_count = True, 1, 3
    added = settle(pools.begin_create_or_update(GROUP, "mine", "more", added))
    expect((added.min_count, added.max_count) == (1, 3), added)
    names = [pool.name for pool in pools.list(GROUP, "mine")]
    expect(names == ["nodepool1", "more"], names)

    added.count = 2
    running = pools.begin_create_or_update(GROUP, "mine", "more", added)
    expect(pools.get(GROUP, "mine", "more").provisioning_state == "Scaling")
    error = refused(lambda: pools.begin_delete(GROUP, "mine", "more"))
    expect(error.status_code == 409 and error.error.code == "OperationNotAllowed", error)
    settle(running)
    settle(pools.begin_delete(GROUP, "mine", "more"))
    expect(isinstance(refused(lambda: pools.get(GROUP, "mine", "more")), ResourceNotFoundError))

    for what, wanted in [
        ("is not supported in this region", {"kubernetes_version": "1.11.1"}),
        ("dnsPrefix is missing", {"dns_prefix": None}),
        ("agentPoolProfiles is missing", {"agent_pool_profiles": []}),
    ]:
        error = refused(lambda: clusters.begin_create_or_update(GROUP, "bad", cluster(**wanted)))
        expect(error.status_code == 400 and what in error.message, error)
    emulator.inject(kind="operation_fails", code="NoRoom", message="too small", times=1)
    error = refused(lambda: settle(clusters.begin_create_or_update(GROUP, "bad", cluster())))
    expect("NoRoom" in error.message and "too small" in error.message, error.message)
    settle(clusters.begin_delete(GROUP, "bad"))

    names = [cluster.name for cluster in clusters.list()]
    expect(names == [*emulator.CLUSTERS, "mine"], names)
    names = [cluster.name for cluster in clusters.list_by_resource_group(GROUP)]
    expect(names == ["mine"], names)
    for listed in [
        clusters.list_cluster_user_credentials(GROUP, "mine"),
        clusters.list_cluster_admin_credentials(GROUP, "mine"),
    ]:
        content = bytes(listed.kubeconfigs[0].value)
        content = content if b"kind" in content else base64.b64decode(content)
        expect(b"kind: Config" in content, content)

    settle(clusters.begin_delete(GROUP, "mine"))
    expect(isinstance(refused(lambda: clusters.get(GROUP, "mine")), ResourceNotFoundError))
    error = refused(lambda: clusters.get("none", "mine"))
    expect(error.error.code == "ResourceGroupNotFound", error)
    print("azure-mgmt-containerservice: all as expected")


main()
