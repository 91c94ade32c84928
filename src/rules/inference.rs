//! Rules for inference configurations.

use super::{Advice, Refusal, registry};

registry! {
    section "Entry scripts" needs "services" {
        Refusal ENTRY_SCRIPT_MISSING = "entry_script.missing": "an inference configuration names its entry script",
            broken by "`InferenceConfiguration::builder().build()`",
            remedy "name the Python file with `init` and `run`",
            source "`azureml-core` 1.61, `InferenceConfig`";
        Refusal ENTRY_SCRIPT_NAME = "entry_script.name": "an entry script is a Python file whose name is a Python identifier",
            broken by "`my-score.py`, `score.txt`, `class.py`",
            remedy "call it `score.py`, for example",
            source "`azureml-core` 1.61, `InferenceConfig`: the script is loaded as a module";
        Refusal ENTRY_SCRIPT_OUTSIDE = "entry_script.outside": "an entry script lies inside the source directory, and its path is relative to it",
            broken by "`../score.py`, `/home/me/score.py`, with a source directory",
            remedy "give the path below the source directory",
            source "this crate: files outside the source directory are not packed";
        Refusal ENTRY_SCRIPT_FILE = "entry_script.file": "an entry script is a file that is packed, can be read and has content",
            broken by "a folder; a script that `.amlignore` leaves out",
            remedy "give the path of a file, or change the ignore file",
            source "this crate, when the service is deployed, or when a file that names the script is read";
        Advice ENTRY_SCRIPT_FUNCTIONS = "entry_script.functions": "an entry script names the functions `init` and `run`",
            broken by "a script without `init`",
            remedy "define both",
            source "`azureml-core` 1.61: the driver program calls both";
        Advice ENTRY_SCRIPT_IMPORT = "entry_script.import": "no ignore file leaves out a module that the entry script imports",
            broken by "`from lib.utils import f`, and `lib/` in `.gitignore`",
            remedy "change the line of the ignore file, or the import",
            source "this crate: the service would fail when it starts";
    }

    section "Source directories" needs "services" {
        Refusal SOURCE_DIRECTORY = "source_directory.folder": "a source directory is a folder that has a name and content",
            broken by "a file, `/`, an empty folder",
            remedy "give the path of the folder that holds the entry script",
            source "this crate, when the service is deployed, or when a file that names the folder is read";
        Refusal SOURCE_UNREADABLE = "source_directory.unreadable": "every file that is to be packed can be read",
            broken by "a file without read permission",
            remedy "give the permission, or list it in an ignore file",
            source "this crate; nothing is left out silently";
        Refusal SOURCE_CHANGED = "source_directory.changed": "a source directory stays unchanged while it is packed",
            broken by "a log file that grows in it",
            remedy "stop the program that writes there, or list the file in an ignore file",
            source "this crate; half a change would be deployed";
        Advice SOURCE_IGNORED = "source_directory.ignored": "a source directory is packed as a whole",
            broken by "`outputs` in `.amlignore`",
            remedy "correct the line if the service needs what it leaves out",
            source "this crate; nothing is left out silently";
        Advice SOURCE_IGNORE_LINE = "source_directory.ignore_line": "every line of an ignore file is a pattern",
            broken by "`[z-a]` in `.amlignore`",
            remedy "correct the pattern",
            source "this crate; git skips such a line silently";
        Advice SOURCE_LINK = "source_directory.link": "a link in a source directory leads to a file that is packed with it",
            broken by "a link to `/etc`, to nothing, or to an ignored file",
            remedy "copy what it leads to",
            source "this crate; such a link is left out, so that nothing outside is uploaded";
        Advice SOURCE_SPECIAL_FILE = "source_directory.special_file": "a source directory holds files, folders and links only",
            broken by "a socket",
            remedy "list it in an ignore file",
            source "this crate; such a file is left out";
        Advice SOURCE_GIT_FOLDER = "source_directory.git_folder": "a source directory is packed without the history of its sources",
            broken by "a folder `.git`",
            remedy "list `.git/` in an ignore file",
            source "this crate; hidden files are packed, and a history can be large and hold secrets";
    }

    section "Environments" needs "services" {
        Refusal ENVIRONMENT_EMPTY = "environment.empty": "a text of an environment has content",
            broken by r#"`base_image("")`"#,
            remedy "leave it out, or give a text",
            source "the service defines no empty value";
        Refusal ENVIRONMENT_NAME_RESERVED = "environment.name_reserved": "the name of your own environment begins neither with `Microsoft` nor with `AzureML`",
            broken by "`AzureML-mine`",
            remedy "choose another name, or refer to the curated environment with `EnvironmentRef`",
            source "CLI reference 2020-06";
        Refusal ENVIRONMENT_IMAGE_AND_DOCKERFILE = "environment.image_and_dockerfile": "an environment has a base image or a base Dockerfile, not both",
            broken by "a base image and a base Dockerfile",
            remedy "leave one out",
            source r#"type index 2019-09-30: "mutually exclusive""#;
        Refusal ENVIRONMENT_REGISTRY = "environment.registry": "a private registry has an address, and both user name and password or neither",
            broken by "a user name without a password in `inferenceconfig.json`",
            remedy "give address, user name and password",
            source "`azureml-core` 1.61";
        Advice ENVIRONMENT_REGISTRY_UNUSED = "environment.registry_unused": "a private registry comes with the base image or the Dockerfile that it is for",
            broken by "a registry alone",
            remedy "name the base image",
            source r#"type index: the "registry that contains the base image""#;
        Refusal ENVIRONMENT_VARIABLE_NAME = "environment.variable_name": "the name of an environment variable has content, and neither `=` nor a zero character",
            broken by "`A=B`",
            remedy "choose another name",
            source "POSIX";
        Advice ENVIRONMENT_VARIABLE_OVERWRITTEN = "environment.variable_overwritten": "an environment leaves the variables of the entry script to the deployment",
            broken by "`AZUREML_ENTRY_SCRIPT`",
            remedy "leave it out",
            source "`azureml-core` 1.61 overwrites them";
        Refusal ENVIRONMENT_SHM_SIZE = "environment.shm_size": "a size of shared memory is a number with the unit b, k, m or g",
            broken by "`2 gigabytes`, `-1g`",
            remedy "write `2g`, for example",
            source "Docker's `--shm-size`";
        Advice ENVIRONMENT_GPU_IMAGE = "environment.gpu_image": "an environment with GPU support names a base image or a Dockerfile with CUDA",
            broken by "`enable_gpu(true)` alone",
            remedy "name a base image with CUDA and the inference server",
            source "this crate: the flag alone puts no CUDA into an image";
        Advice ENVIRONMENT_INTERPRETER_UNUSED = "environment.interpreter_unused": "an interpreter path belongs to dependencies that the user manages",
            broken by r#"`interpreter_path("/opt/python")` alone"#,
            remedy "set `user_managed_dependencies(true)`, or leave the path out",
            source r#"type index: "only used when""#;
        Advice ENVIRONMENT_CONDA_UNUSED = "environment.conda_unused": "conda dependencies are left out where the user manages the dependencies",
            broken by "conda dependencies and `user_managed_dependencies(true)`",
            remedy "leave one out",
            source "type index: an existing Python environment is used";
    }

    section "Conda files and Dockerfiles" needs "services" {
        Refusal CONDA_FILE = "conda.file": "a conda file can be read, has content, and is a YAML mapping with each key once",
            broken by "a list, a picture, a path that does not exist",
            remedy "give the path of a conda environment file",
            source r#"conda documentation, "Managing environments""#;
        Refusal CONDA_SHAPE = "conda.shape": "channels are texts, and dependencies are texts and lists of pip packages",
            broken by "`dependencies: numpy`, `dependencies: [3.10]`",
            remedy "write a list of texts; put a text that looks like a number in quotation marks",
            source r#"conda documentation, "Managing environments""#;
        Advice CONDA_UNKNOWN_KEY = "conda.unknown_key": "conda knows every key of a conda file",
            broken by "`dependancies: []`",
            remedy "correct the key",
            source "`azureml-core` 1.61 refuses it";
        Refusal CONDA_STRICT = "conda.strict": "in strict mode, conda knows every key of a conda file",
            broken by "`dependancies: []`, in strict mode",
            remedy "correct the key",
            source "this crate, as for the other files";
        Advice CONDA_SERVER_MISSING = "conda.server_missing": "conda dependencies have the pip package `azureml-defaults`",
            broken by "a conda file without `azureml-defaults`",
            remedy "add `azureml-defaults` to the pip packages",
            source "`how-to-troubleshoot-deployment`: without it the container has no server";
        Advice CONDA_SERVER_OLD = "conda.server_old": "`azureml-defaults` is 1.0.45 or later",
            broken by "`azureml-defaults==1.0.43`",
            remedy "raise the version",
            source "inference configuration article, 2020-01";
        Advice CONDA_PYTHON_UNSAID = "conda.python_unsaid": "conda dependencies name the version of Python",
            broken by "dependencies without `python=`",
            remedy "add `python=3.10`, for example",
            source "`azureml-core` 1.61 adds a version of its own; here the service chooses";
        Advice CONDA_REQUIREMENTS_FILE = "conda.requirements_file": "conda dependencies list the pip packages themselves",
            broken by "`-r requirements.txt`",
            remedy "list the packages",
            source "this crate: only the content of the conda file is sent";
        Refusal DOCKERFILE_FILE = "dockerfile.file": "a Dockerfile can be read as text and has content",
            broken by "a path that does not exist",
            remedy "give the path of a Dockerfile",
            source "this crate";
    }

    section "Files of inference configurations" needs "services" {
        Refusal INFERENCE_FILE_UNREADABLE = "inference_file.unreadable": "an `inferenceconfig.json` can be read",
            broken by "a path that does not exist",
            remedy "give the path of the file",
            source "this crate";
        Refusal INFERENCE_FILE_SYNTAX = "inference_file.syntax": "an `inferenceconfig.json` holds an object, in YAML or JSON, with each key once",
            broken by "a list, an empty file, a key that is there twice",
            remedy "correct it at the line that the message names",
            source "`az ml` reads YAML first and JSON second; that a key is there once is a rule of this crate";
        Refusal INFERENCE_FILE_TYPE = "inference_file.type": "every known key of an `inferenceconfig.json` has a value of its type",
            broken by r#"`"enableGpu": "often"`"#,
            remedy "give a value of the type that the message names",
            source "`azureml-core` 1.61, CLI reference 2020-06; `null` and an empty text count as absent";
        Advice INFERENCE_FILE_UNKNOWN_KEY = "inference_file.unknown_key": "this crate knows every key of an `inferenceconfig.json`",
            broken by r#"`"entryscript": "s.py"`"#,
            remedy "correct the key, or leave it out",
            source "Python ignores such keys silently";
        Refusal INFERENCE_FILE_STRICT = "inference_file.strict": "in strict mode, this crate knows every key of an `inferenceconfig.json`",
            broken by r#"`"entryscript": "s.py"`, in strict mode"#,
            remedy "correct the key, or leave it out",
            source "this crate";
        Advice INFERENCE_FILE_IGNORED_KEY = "inference_file.ignored_key": "the flat keys of 2019 come without `environment`",
            broken by r#"`"condaFile": "c.yml", "environment": { "name": "e" }`"#,
            remedy "move it into `environment`, or leave it out",
            source "inference configuration article: all but three are ignored";
        Refusal INFERENCE_FILE_RUNTIME = "inference_file.runtime": "the `runtime` is `python`",
            broken by r#"`"runtime": "spark-py"`"#,
            remedy "describe the environment under `environment`",
            source "`azureml-core` 1.61 makes environments for `python` only; this crate has no place for the older images";
        Refusal INFERENCE_FILE_CUDA_VERSION = "inference_file.cuda_version": "the `cudaVersion` is 9.0, 9.1 or 10.0",
            broken by r#"`"cudaVersion": "12.1"`"#,
            remedy "leave it out, and name a base image with that version",
            source "inference configuration article, 2019";
        Advice INFERENCE_FILE_CUDA_UNUSED = "inference_file.cuda_unused": "the base image brings the version of CUDA",
            broken by r#"`"cudaVersion": "10.0"`"#,
            remedy "name a base image with that version",
            source "the request has no field for it";
        Refusal INFERENCE_FILE_DOCKER_STEPS = "inference_file.docker_steps": "extra Docker steps come with the base image that they build on",
            broken by r#"`"extraDockerFileSteps": "steps"` without a base image"#,
            remedy "name `baseImage`, or give `docker.baseDockerfile` under `environment`",
            source "the request takes a whole Dockerfile only; `azureml-core` 1.61 leaves the image to the older API for images";
        Advice INFERENCE_FILE_CURATED = "inference_file.curated_environment": "a curated environment is referred to, by `name` and `version` alone",
            broken by r#"`"environment": { "name": "AzureML-Minimal", "docker": { "baseImage": "i" } }`"#,
            remedy "leave the other members out, or choose a name of your own",
            source "`azureml-core` 1.61 sends such a document as it is, and so does this crate";
    }
}
