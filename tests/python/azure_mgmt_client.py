"""What the scripts of Microsoft's management clients share."""

import time

from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import SansIOHTTPPolicy

import emulator_client as emulator


class StaticCredential:
    def get_token(self, *_scopes, **_options):
        return AccessToken(emulator.token(), int(time.time()) + 3600)


class PlainHttp(SansIOHTTPPolicy):
    """The client sends no token over plain HTTP unless a request says that it may."""

    def on_request(self, request):
        request.context.options["enforce_https"] = emulator.URL.startswith("https")


def connect(client):
    """A client of this class for the emulator."""
    return client(
        StaticCredential(),
        emulator.SUBSCRIPTION,
        base_url=emulator.URL,
        per_call_policies=[PlainHttp()],
    )


def settle(poller):
    emulator.finish()
    return poller.result()


def refused(action):
    try:
        action()
    except HttpResponseError as error:
        return error
    raise AssertionError("it should have been refused")
