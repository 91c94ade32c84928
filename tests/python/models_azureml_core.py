"""azureml-core against the emulator: models and environments, from register to delete."""

import os

from azureml._restclient.artifacts_client import ArtifactsClient
from azureml._restclient.assets_client import AssetsClient
from azureml.core import Environment, Model
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.resource_configuration import ResourceConfiguration
from azureml.exceptions import WebserviceException

import azureml_core_client
import emulator_client as emulator
from emulator_client import expect

CONTENT = b"a model\x00" * 1000
# More than the client writes at once: it goes up in blocks.
LARGE = 65 * 1024 * 1024


def write(path, content):
    if os.path.dirname(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)


def content_of(path):
    with open(path, "rb") as file:
        return file.read()


def refused(action, error=WebserviceException):
    try:
        action()
    except error as refusal:
        return str(refusal)
    raise AssertionError("it should have been refused")


def register_a_file(ws):
    write("model.pkl", CONTENT)
    model = Model.register(
        ws,
        model_path="model.pkl",
        model_name="my-model",
        tags={"team": "forecast"},
        properties={"p": "1"},
        description="a model",
        model_framework=Model.Framework.SCIKITLEARN,
        model_framework_version="0.22",
        resource_configuration=ResourceConfiguration(cpu=1, memory_in_gb=0.5),
    )
    expect(model.id == "my-model:1" and model.version == 1, model.id)
    expect(model.tags == {"team": "forecast"} and model.properties == {"p": "1"}, model.tags)
    expect(model.description == "a model" and model.model_framework == "ScikitLearn")
    expect(model.resource_configuration.cpu == 1, model.resource_configuration)
    expect(model.created_time is not None and model.url.startswith("aml://asset/"), model.url)
    puts = [e for e in emulator.journal("PUT") if e["path"].startswith("/azureml/LocalUpload/")]
    expect(len(puts) == 1 and puts[0]["status"] == 201, puts)
    expect(puts[0]["body"] == {"bytes": len(CONTENT)}, puts[0]["body"])
    expect(not puts[0]["authorized"] and "sig=REDACTED" in puts[0]["query"], puts[0]["query"])
    expect(puts[0]["headers"]["if-none-match"] == "*", puts[0]["headers"])


def register_a_folder(ws):
    files = {"folder/a.txt": b"1", "folder/sub/b.bin": b"22", "folder/sub/c.bin": b"", "folder/d": b"4"}
    for path, content in files.items():
        write(path, content)
    model = Model.register(ws, model_path="folder", model_name="my-folder")
    expect(model.version == 1, model.version)
    emulator.clear_journal()
    Model(ws, "my-folder").download(target_dir="down", exist_ok=True)
    for path, content in files.items():
        expect(content_of(os.path.join("down", path)) == content, path)
    pages = [e for e in emulator.journal("GET") if "/prefix/contentinfo/" in e["path"]]
    expect(len(pages) == 2, "two a page", pages)


def register_a_large_file(ws):
    write("large.bin", os.urandom(1024) * (LARGE // 1024))
    emulator.clear_journal()
    Model.register(ws, model_path="large.bin", model_name="large")
    blocks = [e for e in emulator.journal("PUT") if "comp=block&" in e["query"] + "&"]
    expect(len(blocks) == 17, "blocks of 4 MiB", len(blocks))
    expect(sum(e["body"]["bytes"] for e in blocks) == LARGE)
    Model(ws, "large").download(target_dir="down", exist_ok=True)
    expect(content_of("down/large.bin") == content_of("large.bin"), "as it went up")


def read_and_list(ws):
    for _ in range(2):
        Model.register(ws, model_path="model.pkl", model_name="my-model", tags={"k": "v"})
    expect(Model(ws, "my-model").version == 3, "the newest")
    expect(Model(ws, id="my-model:1").description == "a model")
    expect(Model(ws, "my-model", version=2).id == "my-model:2")
    expect(Model(ws, "my-model", tags=[["team", "forecast"]]).version == 1)
    emulator.clear_journal()
    ids = [model.id for model in Model.list(ws, name="my-model")]
    expect(ids == ["my-model:3", "my-model:2", "my-model:1"], ids)
    expect(len(emulator.journal("GET", "/models")) == 2, "two a page")
    latest = {model.id for model in Model.list(ws, latest=True)}
    expect(latest == {"my-model:3", "my-folder:1", "large:1"}, latest)
    tagged = [model.id for model in Model.list(ws, tags=["k", ["k", "v"]])]
    expect(tagged == ["my-model:3", "my-model:2"], tagged)
    expect(not Model.list(ws, name="absent"))
    expect("ModelNotFound" in refused(lambda: Model(ws, "absent")))
    text = refused(lambda: Model(ws, id="absent:1"))
    expect("ModelNotFound" in text and "absent:1" in text, text)


def update(ws):
    model = Model(ws, id="my-model:1")
    model.update(tags={"new": "tag"}, description="changed")
    model.add_tags({"more": "tags"})
    model.remove_tags(["new"])
    model.add_properties({"q": "2"})
    read = Model(ws, id="my-model:1")
    expect(read.tags == {"more": "tags"} and read.description == "changed", read.tags)
    expect(read.properties == {"p": "1", "q": "2"}, read.properties)
    patches = emulator.journal("PATCH")
    kinds = {entry["headers"]["content-type"].split(";")[0] for entry in patches}
    expect(kinds == {"application/json-patch+json"}, kinds)


def download_and_delete(ws):
    model = Model(ws, id="my-model:1")
    path = model.download(target_dir="down", exist_ok=True)
    expect(content_of(path) == CONTENT, path)
    model.delete()
    expect("ModelNotFound" in refused(lambda: Model(ws, id="my-model:1")))
    statuses = [entry["status"] for entry in emulator.journal("DELETE")]
    expect(statuses == [200], statuses)


def register_from_a_run(ws):
    """As `Run.register_model` does it, without the run's own document."""
    artifacts, assets = ArtifactsClient(ws.service_context), AssetsClient(ws.service_context)
    prefix = "ExperimentRun/dcid.run-1/outputs"
    paths = [path for path, _ in artifacts.get_files_by_artifact_prefix_id(prefix)]
    expect(paths == ["outputs/a.pkl", "outputs/b.pkl", "outputs/c.pkl"], paths)
    expect(list(artifacts.get_file_paths("ExperimentRun", "dcid.run-1")) == paths)
    prefix = "ExperimentRun/dcid.run-1/outputs/b.pkl"
    asset = assets.create_asset("from-run", [{"prefix": prefix}], metadata_dict=None, run_id="run-1")
    model = Model._register_with_asset(
        ws, "from-run", asset.id, experiment_name="my-experiment", run_id="run-1"
    )
    expect(model.id == "from-run:1" and model.run_id == "run-1", model.run_id)
    path = model.download(target_dir="down", exist_ok=True)
    expect(content_of(path) == b"output b", path)
    expect([m.id for m in Model.list(ws, run_id="run-1")] == ["from-run:1"])


def environments(ws):
    environment = Environment("my-env")
    environment.python.conda_dependencies = CondaDependencies.create(
        pip_packages=["azureml-defaults"]
    )
    environment.docker.base_image_registry.address = "registry.example"
    environment.docker.base_image_registry.password = "canary"
    registered = environment.register(ws)
    expect(registered.version == "1" and registered.name == "my-env", registered.version)
    sent = emulator.journal("PUT", "/environments/my-env")[-1]["body"]
    keys = ["Docker", "EnvironmentVariables", "InferencingStackVersion", "Name", "Spark", "python", "r"]
    expect(sorted(sent) == keys, sorted(sent))
    expect(environment.register(ws).version == "1", "the same again")
    environment.python.conda_dependencies.add_pip_package("numpy")
    expect(environment.register(ws).version == "2")
    read = Environment.get(ws, "my-env")
    expect(read.version == "2", read.version)
    expect("numpy" in list(read.python.conda_dependencies.pip_packages), "numpy")
    expect(read.docker.base_image_registry.address == "registry.example")
    expect(read.docker.base_image_registry.password is None, "no password is read back")
    expect(Environment.get(ws, "my-env", version="1").version == "1")
    curated = Environment.get(ws, "AzureML-Minimal", version="3")
    expect("azureml-defaults" in list(curated.python.conda_dependencies.pip_packages))
    expect(Environment.get(ws, "my-env", label="latest").version == "2")
    Environment.label(ws, "my-env", "1", ["prod"])
    expect(Environment.get(ws, "my-env", label="prod").version == "1")
    names = set(Environment.list(ws))
    expect("my-env" in names and "AzureML-Minimal" in names, names)
    text = refused(lambda: Environment.get(ws, "absent"), Exception)
    expect("404" in text and "There is no environment 'absent'" in text, text)


def main():
    azureml_core_client.send_blobs_to_the_emulator()
    ws = azureml_core_client.workspace()
    register_a_file(ws)
    register_a_folder(ws)
    register_a_large_file(ws)
    read_and_list(ws)
    update(ws)
    download_and_delete(ws)
    register_from_a_run(ws)
    environments(ws)
    print("azureml-core: all as expected")


main()
