"""azure-mgmt-kubernetesconfiguration-extensions, the newest client of extensions, against the emulator."""

from azure.mgmt.kubernetesconfiguration.extensions import (
    KubernetesConfigurationExtensionsMgmtClient,
    models,
)

import extensions_mgmt_client

extensions_mgmt_client.check(KubernetesConfigurationExtensionsMgmtClient, models, "2025-03-01")
print("azure-mgmt-kubernetesconfiguration-extensions: all as expected")
