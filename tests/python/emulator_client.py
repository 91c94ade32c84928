"""What both scripts need: where the emulator is, its admin routes, a token."""

import base64
import json
import os
import time

import requests

URL = os.environ["EMULATOR_URL"].rstrip("/")
SUBSCRIPTION = os.environ["EMULATOR_SUBSCRIPTION"]
GROUP = os.environ["EMULATOR_RESOURCE_GROUP"]
WORKSPACE = os.environ["EMULATOR_WORKSPACE"]
LOCATION = os.environ["EMULATOR_LOCATION"]
CLUSTER_GROUP = "existing-group"
CLUSTERS = ["existing-one", "existing-two"]
CONNECTED = "existing-edge"

CERT = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\ncanary-key\n-----END PRIVATE KEY-----\n"


def _admin(method, route, body=None):
    response = requests.request(method, f"{URL}/_emulator/{route}", json=body, timeout=10)
    response.raise_for_status()
    return response.json() if response.content else None


def finish():
    """Ends every operation; the clock is a manual one."""
    _admin("POST", "finish")


def advance(seconds):
    """Moves the clock on."""
    _admin("POST", "advance", {"seconds": seconds})


def inject(**fault):
    _admin("POST", "faults", fault)


def set_swagger(service, document):
    """What the entry script of a service would declare."""
    _admin("PUT", f"swagger/{service}", document)


def clear_faults():
    _admin("DELETE", "faults")


def journal(method=None, ending=""):
    """Requests seen, those of a method whose path ends so."""
    return [
        entry
        for entry in _admin("GET", "journal")
        if (method is None or entry["method"] == method) and entry["path"].endswith(ending)
    ]


def clear_journal():
    _admin("DELETE", "journal")


def token():
    """An unsigned token that a client can read."""

    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    claims = {"exp": int(time.time()) + 3600, "tid": "tenant", "oid": "me", "aud": URL}
    return ".".join([part({"alg": "none", "typ": "JWT"}), part(claims), "eA"])


def expect(condition, *what):
    if not condition:
        raise AssertionError(what)


def cluster_id(name):
    return (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{CLUSTER_GROUP}"
        f"/providers/Microsoft.ContainerService/managedClusters/{name}"
    )
