#!/bin/sh
# Makes the three virtual environments that tests/external/python.rs looks for: the clients need versions of
# their requirements that exclude each other.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venvs=${AZUREML_AKS_PYTHON_VENVS:-$here/../../target/python-venvs}
python=${PYTHON:-python3}
mkdir -p "$venvs"
for client in azureml-core azure-mgmt azure-ai-ml; do
    [ -x "$venvs/$client/bin/python" ] || "$python" -m venv "$venvs/$client"
    "$venvs/$client/bin/python" -m pip install --quiet -r "$here/requirements-$client.txt"
done
