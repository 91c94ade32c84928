"""Starts azmlinfsrv, Microsoft's inference server, and differs from it in two things.

It listens on 127.0.0.1 alone; the command itself listens on every address of the machine. And it
ends when its standard input does, so that it outlives no process that started it, however that ends.
"""
import os
import signal
import threading

from azureml_inference_server_http import amlserver


def end_with_the_input():
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


threading.Thread(target=end_with_the_input, daemon=True).start()
amlserver.DEFAULT_HOST = "127.0.0.1"
amlserver.run()
