"""What the scripts for azureml-core share: a way in without Azure, and a way to the blobs."""

import collections
import copy
import re
from urllib.parse import urlsplit, urlunsplit

import requests
from azureml._vendor.azure_cli_core.azureml_cloud import _Clouds
from azureml.core import Workspace
from azureml.core.authentication import AbstractAuthentication

import emulator_client as emulator

Subscription = collections.namedtuple("Subscription", "subscription_name subscription_id")


class StaticAuthentication(AbstractAuthentication):
    """The one shim: a token that is never refreshed, and a cloud whose ARM is the emulator."""

    def __init__(self):
        # By its name, for else the client asks the real ARM which clouds there are.
        super().__init__("AzureCloud")
        self._cloud_type = copy.deepcopy(_Clouds.get_cloud_or_default("AzureCloud"))
        self._cloud_type.endpoints.resource_manager = emulator.URL
        self._token = emulator.token()

    def _get_arm_token(self):
        return self._token

    def _get_graph_token(self):
        return self._token

    def _get_azureml_client_token(self):
        return self._token

    def _get_all_subscription_ids(self):
        return [Subscription("emulated", emulator.SUBSCRIPTION)], "tenant"

    def _get_workspace(self, subscription_id, resource_group, name):
        return None


def workspace():
    return Workspace.get(
        emulator.WORKSPACE,
        auth=StaticAuthentication(),
        subscription_id=emulator.SUBSCRIPTION,
        resource_group=emulator.GROUP,
    )


def send_blobs_to_the_emulator():
    """The other shim, for uploads: the client makes `https://127.blob.0.0.1` of the URL it got."""
    send = requests.adapters.HTTPAdapter.send
    here = urlsplit(emulator.URL)

    def redirected(self, request, **options):
        url = urlsplit(request.url)
        if re.match(r"[^.]+\.blob\.", url.netloc):
            request.url = urlunsplit((here.scheme, here.netloc, url.path, url.query, ""))
        return send(self, request, **options)

    requests.adapters.HTTPAdapter.send = redirected
