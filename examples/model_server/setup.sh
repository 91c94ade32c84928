#!/bin/sh
# Makes the virtual environment whose model server the example and tests/external/model_server.rs start.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=${AZUREML_AKS_MODEL_SERVER:-$here/../../target/model-server-venv}
python=${PYTHON:-python3}
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet -r "$here/requirements.txt"
