"""azure-mgmt-kubernetesconfiguration, the older client of extensions, against the emulator."""

from azure.mgmt.kubernetesconfiguration import SourceControlConfigurationClient

import extensions_mgmt_client

VERSION = "2023-05-01"

extensions_mgmt_client.check(
    SourceControlConfigurationClient, SourceControlConfigurationClient.models(VERSION), VERSION
)
print("azure-mgmt-kubernetesconfiguration: all as expected")
