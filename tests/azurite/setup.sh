#!/bin/sh
# Installs the Azurite that tests/external/azurite starts. Newer ones need a newer Node.js than
# distributions have.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
azurite=${AZUREML_AKS_AZURITE:-$here/../../target/azurite}
version=3.35.0
mkdir -p "$azurite"
if [ "$(cat "$azurite/installed" 2>/dev/null)" != "$version" ]; then
    npm install --prefix "$azurite" --no-audit --no-fund --silent "azurite@$version"
    echo "$version" >"$azurite/installed"
fi
