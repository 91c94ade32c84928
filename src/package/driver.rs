//! The driver program: the Python file that the service starts with.

/// Returns the program that loads the entry script at `script`, a path with slashes relative to the program,
/// and hands requests on to it.
///
/// The service calls `init()` once and `run(http_body, request_headers)` for each request. A `run` of the entry
/// script gets the headers only if it has a parameter `request_headers`; the body is its first other
/// parameter, whatever its name (`azureml-core` 1.61 writes a program that does the same). Where
/// `source_directory` is the folder that it was packed from, modules in there can be imported, and then those
/// in the folder of the entry script, which Microsoft's program does not find.
///
/// The inference server (`azureml-inference-server-http`) expects the entry script under the name
/// `driver_module` of the program, and calls the `run` of that itself, so that a `run` with a
/// declared schema gets its arguments one by one.
pub(super) fn program(script: &str, source_directory: Option<&str>) -> String {
    let mut folders = Vec::from_iter(source_directory);
    folders.extend(
        script
            .rsplit_once('/')
            .map(|(folder, _)| folder)
            .filter(|folder| source_directory.is_some_and(|other| other != *folder)),
    );
    let search: String = folders
        .into_iter()
        .map(|folder| {
            format!(
                "sys.path.append(os.path.join(_here, {}))\n",
                literal(folder)
            )
        })
        .collect();
    let script = literal(script);
    format!(
        r#"# Written by azureml-aks: loads the entry script and hands requests on to it.
import importlib.util
import inspect
import os
import sys

_here = os.path.dirname(os.path.realpath(__file__))
{search}_spec = importlib.util.spec_from_file_location(
    "azureml_aks_entry_script", os.path.join(_here, {script})
)
driver_module = importlib.util.module_from_spec(_spec)
# Classes of the entry script can only be unpickled where the module is known.
sys.modules[_spec.name] = driver_module
_spec.loader.exec_module(driver_module)

_HEADERS = "request_headers"
_body_name = None
_wants_headers = False


def init():
    global _body_name, _wants_headers
    names = list(inspect.signature(driver_module.run).parameters)
    _wants_headers = _HEADERS in names
    others = [name for name in names if name != _HEADERS]
    if not others:
        raise TypeError("run() of the entry script has no parameter for the body of a request")
    _body_name = others[0]
    driver_module.init()


def run(http_body, request_headers):
    arguments = {{_body_name: http_body}}
    if _wants_headers:
        arguments[_HEADERS] = request_headers
    return driver_module.run(**arguments)
"#
    )
}

/// Returns a Python literal of a text. The escapes of JSON mean the same in Python, but for a character
/// beyond the basic plane, which is not escaped here.
fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Returns the name of the program. It lies beside the uploaded file, so it must not have that name.
pub(super) fn name_beside(other: &str) -> &'static str {
    if other == NAMES[0] {
        NAMES[1]
    } else {
        NAMES[0]
    }
}

const NAMES: [&str; 2] = ["azureml_aks_driver.py", "azureml_aks_driver_program.py"];

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use std::process::Command;

    #[test]
    fn names_of_paths_stand_in_the_program_as_literals() {
        let text = program("a\"b\\\n/score.py", Some("größe"));
        assert!(
            text.contains(r#"os.path.join(_here, "a\"b\\\n/score.py")"#),
            "{text}"
        );
        assert!(text.contains(r#"sys.path.append(os.path.join(_here, "größe"))"#));
        assert!(!program("score.py", None).contains("sys.path"));
    }

    #[test]
    fn program_never_takes_the_name_of_the_script() {
        assert_eq!(name_beside("score.py"), "azureml_aks_driver.py");
        assert_eq!(
            name_beside("azureml_aks_driver.py"),
            "azureml_aks_driver_program.py"
        );
    }

    /// Runs the program in Python, where there is one, and gives what the check prints.
    fn python(folder: &Path, check: &str) -> Option<String> {
        let output = Command::new("python3")
            .current_dir(folder)
            .args(["-c", check])
            .output();
        let Ok(output) = output else {
            assert!(
                std::env::var_os("REQUIRE_PYTHON").is_none(),
                "python3 is required and cannot be started"
            );
            println!("python3 cannot be started: the driver program was not run");
            return None;
        };
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Some(text.trim().to_owned())
    }

    #[test]
    fn program_loads_the_script_and_hands_requests_on() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("my \"source\"");
        std::fs::create_dir(&source).unwrap();
        std::fs::write(source.join("helper.py"), "NAME = 'helper'\n").unwrap();
        std::fs::write(
            source.join("score.py"),
            "import helper\n\
             calls = []\n\
             def init():\n    calls.append(helper.NAME)\n\
             def run(request_headers, data):\n    return calls + [data, request_headers]\n",
        )
        .unwrap();
        let text = program("my \"source\"/score.py", Some("my \"source\""));
        std::fs::write(folder.path().join("driver.py"), text).unwrap();
        let check = "import driver; print(driver.driver_module.__file__.endswith('/score.py'))";
        if let Some(printed) = python(folder.path(), check) {
            assert_eq!(printed, "True", "the server finds the entry script");
        }
        let check = "import driver; driver.init(); print(driver.run('body', {'a': 'b'}))";
        if let Some(printed) = python(folder.path(), check) {
            assert_eq!(printed, "['helper', 'body', {'a': 'b'}]");
        }

        // The source directory comes first, and the folder of the script is found as well.
        let app = source.join("app");
        std::fs::create_dir(&app).unwrap();
        std::fs::write(app.join("helper.py"), "NAME = 'hidden'\n").unwrap();
        std::fs::write(app.join("beside.py"), "NAME = 'beside'\n").unwrap();
        std::fs::write(
            app.join("score.py"),
            "import beside, helper\n\
             def init(): pass\n\
             def run(data): return beside.NAME + ' ' + helper.NAME\n",
        )
        .unwrap();
        let text = program("my \"source\"/app/score.py", Some("my \"source\""));
        std::fs::write(folder.path().join("driver.py"), text).unwrap();
        if let Some(printed) = python(folder.path(), check) {
            assert_eq!(printed, "beside helper");
        }

        std::fs::write(
            folder.path().join("alone.py"),
            "import pickle\nclass Kept: pass\ndef init(): pickle.loads(pickle.dumps(Kept()))\ndef run(x): return x\n",
        )
        .unwrap();
        std::fs::write(folder.path().join("driver.py"), program("alone.py", None)).unwrap();
        if let Some(printed) = python(folder.path(), check) {
            assert_eq!(printed, "body");
        }

        std::fs::write(
            folder.path().join("alone.py"),
            "def init(): pass\ndef run(request_headers): pass\n",
        )
        .unwrap();
        let check = "import driver\ntry:\n  driver.init()\nexcept TypeError as e:\n  print(e)\n";
        if let Some(printed) = python(folder.path(), check) {
            assert!(printed.contains("no parameter for the body"), "{printed}");
        }
    }
}
