#!/bin/sh
# Makes the virtual environments and runs Microsoft's Python clients against the emulator.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venvs=${AZUREML_AKS_PYTHON_VENVS:-$here/../../target/python-venvs}
mkdir -p "$venvs"
AZUREML_AKS_PYTHON_VENVS=$(cd "$venvs" && pwd)
export AZUREML_AKS_PYTHON_VENVS
"$here/setup.sh"
cd "$here/../.."
REQUIRE_PYTHON=1 exec cargo test --features emulator --test external python -- --nocapture "$@"
