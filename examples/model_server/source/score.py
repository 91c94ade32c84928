"""The entry script: rows of numbers in, one number for each row out."""
import json
import os

from linear import Linear

model = None


def init():
    global model
    path = os.path.join(os.environ["AZUREML_MODEL_DIR"], "linear.json")
    with open(path, encoding="utf-8") as file:
        model = Linear(**json.load(file))
    print("loaded", os.path.basename(path))


def run(data):
    rows = json.loads(data)["data"]
    return {"result": [model.predict(row) for row in rows]}
