"""azureml-core against the emulator: services, from deploy over score to delete."""

import contextlib
import io
import json
import os
import threading
import time

import requests
from azureml.core import Environment, Model
from azureml.core.compute import AksCompute, ComputeTarget
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.model import InferenceConfig
from azureml.core.webservice import AksWebservice, Webservice
from azureml.exceptions import WebserviceException

import azureml_core_client
import emulator_client as emulator
from emulator_client import expect

DATA = json.dumps({"data": [[1, 2, 3]]})
sleep = time.sleep


@contextlib.contextmanager
def pauses(step):
    """The pauses of the client move the emulator's clock instead, which is a manual one."""
    time.sleep = lambda _seconds: step()
    try:
        yield
    finally:
        time.sleep = sleep


def refused(action, error=WebserviceException):
    try:
        action()
    except error as refusal:
        return str(refusal)
    raise AssertionError("it should have been refused")


def write(path, text):
    if os.path.dirname(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def computes(ws):
    by_name = AksCompute.attach_configuration(
        resource_group=emulator.CLUSTER_GROUP, cluster_name=emulator.CLUSTERS[0]
    )
    attached = ComputeTarget.attach(ws, "attached-one", by_name)
    gpus = AksCompute.provisioning_configuration(agent_count=3, vm_size="Standard_NC6")
    created = ComputeTarget.create(ws, "gpu-aks", gpus)
    emulator.finish()
    for target in (attached, created):
        target.wait_for_completion(show_output=False)
    return attached, created


def models(ws):
    write("model.pkl", "a model")
    code = Model.register(ws, model_path="model.pkl", model_name="mymodel")
    no_code = Model.register(
        ws,
        model_path="model.pkl",
        model_name="sklearn",
        model_framework=Model.Framework.SCIKITLEARN,
        model_framework_version="0.22",
    )
    return code, no_code


def inference():
    write("score.py", "def init():\n    pass\n\ndef run(data):\n    return data\n")
    environment = Environment("myenv")
    environment.python.conda_dependencies = CondaDependencies.create(
        pip_packages=["azureml-defaults"]
    )
    environment.environment_variables = {"MY_VARIABLE": "1"}
    environment.docker.base_image_registry.address = "private.example"
    environment.docker.base_image_registry.username = "me"
    environment.docker.base_image_registry.password = "canary"
    return InferenceConfig(entry_script="score.py", environment=environment)


def ready(service, show_output=False):
    emulator.finish()
    service.wait_for_deployment(show_output=show_output)
    expect(service.state == "Healthy", service.state, service.error)
    return service


def deploy_with_defaults(ws, target, model):
    config = AksWebservice.deploy_configuration()
    emulator.clear_journal()
    service = Model.deploy(ws, "default-service", [model], inference(), config, target)
    expect(service.state == "Transitioning", service.state)
    posts = [entry["path"].split("/workspaces/")[1] for entry in emulator.journal("POST")]
    posts = [path.split("/", 1)[1] for path in posts if "/services" in path]
    expected = [
        "services/validate/name/default-service",
        "services/validate",
        "services/validate/resource",
        "services",
    ]
    expect(posts == expected, posts)
    emulator.clear_journal()
    shown = io.StringIO()
    with pauses(lambda: emulator.advance(120)), contextlib.redirect_stdout(shown):
        service.wait_for_deployment(show_output=True)
    shown = shown.getvalue()
    for text in ["NotStarted", "Running", "Building the image", "Deploying", "Succeeded"]:
        expect(text in shown, text, shown)
    expect(shown.count("Building the image") == 1, "each line once", shown)
    offsets = [e["query"] for e in emulator.journal("GET") if "/operations/" in e["path"]]
    expect(offsets[0] is None and offsets[1] == "offset=0", offsets)
    expect(int(offsets[-1].split("=")[1]) > 0, offsets)
    expect(service.state == "Healthy", service.state)
    expect(service.scoring_uri == f"{emulator.URL}/api/v1/service/default-service/score")
    expect(service.swagger_uri.endswith("/default-service/swagger.json"), service.swagger_uri)
    expect(service.autoscaler.autoscale_enabled and service.autoscaler.max_replicas == 10)
    expect(service.autoscaler.target_utilization == 70, service.autoscaler.target_utilization)
    resources = service.container_resource_requirements
    expect((resources.cpu, resources.memory_in_gb) == (0.1, 0.5), resources)
    probe = service.liveness_probe_requirements
    expect((probe.initial_delay_seconds, probe.failure_threshold) == (310, 3), probe)
    expect(service.scoring_timeout_ms == 60000 and service.max_request_wait_time == 500)
    expect(service.auth_enabled and not service.token_auth_enabled)
    expect([model.id for model in service.models] == ["mymodel:1"], service.models)
    expect(service.environment.name == "myenv", service.environment)
    expect(service.environment.docker.base_image_registry.password is None)
    expect(service.deployment_status["availableReplicas"] == 1, service.deployment_status)
    return service


def deploy_with_everything(ws, target, model):
    write("source/score.py", "def init():\n    pass\n\ndef run(data):\n    return data\n")
    write("source/helper/more.py", "x = 1\n")
    config = inference()
    config = InferenceConfig(
        entry_script="score.py", source_directory="source", environment=config.environment
    )
    deployment = AksWebservice.deploy_configuration(
        autoscale_enabled=True,
        autoscale_min_replicas=2,
        autoscale_max_replicas=4,
        autoscale_refresh_seconds=10,
        autoscale_target_utilization=60,
        collect_model_data=True,
        auth_enabled=True,
        cpu_cores=0.5,
        memory_gb=1.0,
        cpu_cores_limit=1.0,
        memory_gb_limit=2.0,
        enable_app_insights=True,
        scoring_timeout_ms=300000,
        replica_max_concurrent_requests=2,
        max_request_wait_time=1000,
        primary_key="first",
        secondary_key="second",
        tags={"team": "forecast"},
        properties={"p": "1"},
        description="everything",
        period_seconds=20,
        initial_delay_seconds=30,
        timeout_seconds=4,
        success_threshold=2,
        failure_threshold=5,
        namespace="mine",
        blobfuse_enabled=False,
    )
    service = ready(
        Model.deploy(ws, "full-service", [model], config, deployment, target)
    )
    expect(service.get_keys() == ("first", "second"), "the keys that were given")
    expect(service.autoscaler.min_replicas == 2 and service.num_replicas == 2)
    expect(service.data_collection.storage_enabled and service.enable_app_insights)
    expect(service.container_resource_requirements.cpu_limit == 1.0)
    expect(service.namespace == "mine" and service.description == "everything")
    expect(service.tags == {"team": "forecast"} and service.properties["p"] == "1", service.tags)
    expect(service.liveness_probe_requirements.period_seconds == 20)
    body = [e for e in emulator.journal("POST", "/services")][-1]["body"]
    assets = body["environmentImageRequest"]["assets"]
    expect(assets[1]["unpack"] is True and assets[1]["url"].endswith(".tar.gz"), assets)
    return service


def deploy_fixed(ws, target, model):
    deployment = AksWebservice.deploy_configuration(autoscale_enabled=False, num_replicas=3)
    service = ready(Model.deploy(ws, "fixed-service", [model], inference(), deployment, target))
    expect(not service.autoscaler.autoscale_enabled and service.num_replicas == 3)
    return service


def deploy_with_tokens(ws, target, model):
    deployment = AksWebservice.deploy_configuration(token_auth_enabled=True)
    service = ready(Model.deploy(ws, "token-service", [model], inference(), deployment, target))
    expect(service.token_auth_enabled and not service.auth_enabled, "tokens mean no keys")
    token, refresh_by = service.get_token()
    expect(token and refresh_by is not None, refresh_by)
    access = service.get_access_token()
    expect(access.token_type == "Bearer" and access.refresh_after < access.expiry_on, access)
    expect(service.run(DATA) == json.loads(DATA), "scored with a token")
    expect("KeyAuthNotEnabled" in refused(service.get_keys))
    return service


def deploy_without_authentication(ws, target, model):
    deployment = AksWebservice.deploy_configuration(auth_enabled=False)
    service = ready(Model.deploy(ws, "open-service", [model], inference(), deployment, target))
    expect(not service.auth_enabled and not service.token_auth_enabled)
    expect(service.run(DATA) == json.loads(DATA), "scored without a credential")
    return service


def deploy_on_gpus(ws, target, gpus, model):
    deployment = AksWebservice.deploy_configuration(gpu_cores=1)
    text = refused(
        lambda: Model.deploy(ws, "gpu-service", [model], inference(), deployment, target)
    )
    expect("3 Insufficient nvidia.com/gpu" in text, text)
    service = ready(Model.deploy(ws, "gpu-service", [model], inference(), deployment, gpus))
    expect(service.container_resource_requirements.gpu == 1)
    return service


def deploy_without_code(ws, target, model):
    service = ready(Model.deploy(ws, "no-code", [model], deployment_target=target))
    expect([model.id for model in service.models] == ["sklearn:1"], service.models)
    return service


def score(service):
    primary, secondary = service.get_keys()
    expect(service.run(DATA) == json.loads(DATA), "the echo")
    for key, status in [(primary, 200), (secondary, 200), ("wrong", 401)]:
        answer = requests.post(
            service.scoring_uri, DATA, headers={"Authorization": f"Bearer {key}"}, timeout=10
        )
        expect(answer.status_code == status, answer.status_code)
    expect(requests.get(service.swagger_uri, timeout=10).status_code == 401)
    emulator.set_swagger(service.name, {"swagger": "2.0"})
    answer = requests.get(
        service.swagger_uri, headers={"Authorization": f"Bearer {primary}"}, timeout=10
    )
    expect(answer.json() == {"swagger": "2.0"}, answer.text)

    with pauses(emulator.finish):
        service.regen_key("Primary")
    new, still = service.get_keys()
    expect(new != primary and still == secondary, "one of them is new")
    with pauses(emulator.finish):
        service.regen_key("Secondary", "chosen")
    expect(service.get_keys() == (new, "chosen"))
    answer = requests.post(
        service.scoring_uri, DATA, headers={"Authorization": f"Bearer {primary}"}, timeout=10
    )
    expect(answer.status_code == 401, "the old key is refused", answer.status_code)
    expect(service.run(DATA) == json.loads(DATA), "the client fetches the new key by itself")

    emulator.inject(kind="server_error", status=502, path="/service/default-service/score")
    with pauses(lambda: None):
        text = refused(lambda: service.run(DATA))
    expect("502" in text, text)
    emulator.clear_faults()


def logs(service):
    expect("listening" in service.get_logs(), service.get_logs())
    expect(len(service.get_logs(num_lines=1).splitlines()) == 1)
    expect(service.get_logs(init=True).startswith("fetching "), service.get_logs(init=True))
    queries = [entry["query"] for entry in emulator.journal("GET", "/logs")]
    expect("tail=5000&init=False" in queries, queries)


def update(ws, service, model):
    service.update(tags={"a": "b"}, description="new")
    expect(service.state == "Healthy" and service.tags == {"a": "b"}, "at once", service.state)
    service.add_tags({"c": "d"})
    service.remove_tags(["a"])
    service.add_properties({"p": "1"})
    service.add_properties({"q": "2"})
    read = AksWebservice(ws, service.name)
    expect(read.tags == {"c": "d"} and read.description == "new", read.tags)
    expect(read.properties["p"] == "1" and read.properties["q"] == "2", read.properties)

    service.update(autoscale_enabled=True, autoscale_max_replicas=5, cpu_cores=0.2)
    expect(service.state == "Transitioning", service.state)
    with pauses(lambda: None):
        text = refused(lambda: service.update(description="again"))
    expect("in progress" in text, text)
    ready(service)
    expect(service.autoscaler.max_replicas == 5, service.autoscaler.max_replicas)
    service.update(autoscale_enabled=False, num_replicas=2)
    ready(service)
    expect(service.num_replicas == 2 and not service.autoscaler.autoscale_enabled)

    service.update(inference_config=inference())
    ready(service)
    expect([model.id for model in service.models] == ["mymodel:1"], "the models stay")
    service.update(inference_config=inference(), models=[model])
    ready(service)
    expect([model.id for model in service.models] == ["sklearn:1"], service.models)

    key = service.get_keys()[0]
    text = refused(lambda: service.update(token_auth_enabled=True))
    expect("without disabling key auth" in text, "refused by the client itself", text)
    service.update(auth_enabled=False, token_auth_enabled=True)
    ready(service)
    answer = requests.post(
        service.scoring_uri, DATA, headers={"Authorization": f"Bearer {key}"}, timeout=10
    )
    expect(answer.status_code == 401, "keys are off", answer.status_code)
    expect(service.get_access_token().access_token)


def failures(ws, target, model):
    def failing(name, **fault):
        if fault:
            emulator.inject(times=1, **fault)
        config = AksWebservice.deploy_configuration()
        service = Model.deploy(ws, name, [model], inference(), config, target)
        emulator.finish()
        return service, refused(service.wait_for_deployment)

    service, text = failing("fail-service")
    expect("as its name asks for" in text and service.state == "Failed", text)
    service, text = failing("crashing", kind="crash_loop")
    expect("CrashLoopBackOff" in text and "get_logs" in text, text)
    expect("FileNotFoundError" in service.get_logs(), service.get_logs())
    service, text = failing("pulling", kind="image_pull_failure")
    expect("ImagePullBackOff" in text and service.state == "Failed", text)
    service, text = failing("too-large", kind="unschedulable", resource="nvidia.com/gpu")
    expect("after trying for 00:05:00" in text, text)
    expect("0/3 nodes are available" in text and service.state == "Unschedulable", text)
    service, text = failing("slow-one", kind="deployment_timed_out")
    expect("DeploymentTimedOut" in text and service.state == "Unhealthy", text)
    emulator.advance(600)
    service.update_deployment_state()
    expect(service.state == "Healthy" and service.error is None, service.state)

    config = AksWebservice.deploy_configuration()
    text = refused(
        lambda: Model.deploy(ws, "slow-one", [model], inference(), config, target)
    )
    expect("already exists" in text, text)
    service = Model.deploy(
        ws, "slow-one", [model], inference(), config, target, overwrite=True
    )
    ready(service)
    expect("WebserviceNotFound" in refused(lambda: AksWebservice(ws, "absent")))


def list_and_delete(ws, service):
    names = {service.name for service in Webservice.list(ws)}
    expect({"default-service", "full-service", "no-code", "crashing"} <= names, names)
    full = [service.name for service in Webservice.list(ws, tags=[["team", "forecast"]])]
    expect(full == ["full-service"], full)
    by_model = {service.name for service in Webservice.list(ws, model_name="sklearn")}
    expect(by_model == {"no-code", "default-service"}, by_model)
    expect(not Webservice.list(ws, image_name="absent"))
    expect({s.name for s in Webservice.list(ws, compute_type="AKS")} == names)

    with pauses(emulator.finish):
        service.delete()
    expect("WebserviceNotFound" in refused(lambda: AksWebservice(ws, service.name)))
    names = {service.name for service in Webservice.list(ws)}
    expect(service.name not in names, names)


def real_wait(ws, target, model):
    """Once without a shim for the pauses: the client's own five seconds."""
    config = AksWebservice.deploy_configuration()
    service = Model.deploy(ws, "waited-for", [model], inference(), config, target)
    threading.Timer(1, emulator.finish).start()
    service.wait_for_deployment()
    expect(service.state == "Healthy", service.state)


def main():
    azureml_core_client.send_blobs_to_the_emulator()
    ws = azureml_core_client.workspace()
    target, gpus = computes(ws)
    model, no_code = models(ws)
    service = deploy_with_defaults(ws, target, model)
    deploy_with_everything(ws, target, model)
    deploy_fixed(ws, target, model)
    deploy_with_tokens(ws, target, model)
    deploy_without_authentication(ws, target, model)
    deploy_on_gpus(ws, target, gpus, model)
    deploy_without_code(ws, target, no_code)
    score(service)
    logs(service)
    update(ws, service, no_code)
    failures(ws, target, model)
    list_and_delete(ws, service)
    if os.environ.get("EMULATOR_REAL_WAIT"):
        real_wait(ws, target, model)
    print("azureml-core: all as expected")


main()
