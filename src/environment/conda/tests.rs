use super::*;
use proptest::prelude::*;

fn broken(text: &str) -> Vec<(&'static str, String)> {
    let error = CondaDependencies::builder_from_yaml(text).unwrap_err();
    let found = error.findings().iter();
    found.map(|v| (v.rule, v.path.clone())).collect()
}

fn advice(packages: &CondaDependencies) -> Vec<&'static str> {
    let mut findings = Findings::default();
    packages.check("conda_dependencies", &mut findings);
    let warnings = findings.finish("test").unwrap();
    warnings.iter().map(|warning| warning.rule).collect()
}

#[test]
fn builder_in_code_gives_a_conda_document_and_no_more() {
    assert_eq!(CondaDependencies::new().value(), json!({}));
    let packages = CondaDependencies::new()
        .conda_package("numpy=1.19")
        .pip_package("azureml-defaults")
        .python_version("3.8")
        .pip_package("pandas>=1.5")
        .python_version("3.10")
        .channel("conda-forge")
        .channel("anaconda");
    assert_eq!(
        packages.value(),
        json!({
            "channels": ["conda-forge", "anaconda"],
            "dependencies": [
                "python=3.10",
                "numpy=1.19",
                { "pip": ["azureml-defaults", "pandas>=1.5"] },
            ],
        })
    );
    assert_eq!(advice(&packages), Vec::<&str>::new());
}

#[test]
fn conda_file_becomes_json_as_it_is_and_can_be_added_to() {
    let text = "# comment\nname: project\nchannels:\n- conda-forge\ndependencies:\n- python=3.8.13\n- pip:\n  - azureml-defaults>=1.0.45\n  - --no-deps\nprefix:\n";
    let packages = CondaDependencies::builder_from_yaml(text)
        .unwrap()
        .build()
        .unwrap()
        .pip_package("joblib");
    assert_eq!(
        packages.value(),
        json!({
            "name": "project",
            "channels": ["conda-forge"],
            "dependencies": [
                "python=3.8.13",
                { "pip": ["azureml-defaults>=1.0.45", "--no-deps", "joblib"] },
            ],
        })
    );
    assert_eq!(advice(&packages), Vec::<&str>::new());
}

#[test]
fn every_place_with_another_shape_is_named() {
    assert_eq!(broken(""), [("conda.file", "conda_file".into())]);
    assert_eq!(broken("# nothing\n"), [("conda.file", "conda_file".into())]);
    assert_eq!(broken("- numpy\n"), [("conda.file", "conda_file".into())]);
    assert_eq!(broken("a: [\n"), [("conda.file", "conda_file".into())]);
    for twice in ["dependencies: []\ndependencies: []\n", "a: {b: 1, b: 2}\n"] {
        assert_eq!(broken(twice), [("conda.file", "conda_file".into())]);
    }
    assert_eq!(
        broken(
            "channels: conda-forge\ndependencies:\n- 3.10\n- pip: numpy\n- pip:\n  - 1\n- [a]\n"
        ),
        [
            ("conda.shape", "conda_file.channels".into()),
            ("conda.shape", "conda_file.dependencies[0]".into()),
            ("conda.shape", "conda_file.dependencies[1].pip".into()),
            ("conda.shape", "conda_file.dependencies[2].pip[0]".into()),
            ("conda.shape", "conda_file.dependencies[3]".into()),
        ]
    );
}

#[test]
fn file_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("absent.yml"), folder.path().to_owned()] {
        let error = CondaDependencies::builder_from_file(&path).unwrap_err();
        assert_eq!(error.findings()[0].rule, "conda.file");
        assert!(
            error.to_string().contains(path.to_str().unwrap()),
            "{error}"
        );
    }
    let path = folder.path().join("env.yml");
    std::fs::write(&path, "dependencies: [numpy]\n").unwrap();
    let read = CondaDependencies::builder_from_file(&path)
        .unwrap()
        .build()
        .unwrap();
    assert_eq!(read.value(), json!({ "dependencies": ["numpy"] }));
}

#[test]
fn package_of_the_server_is_found_however_it_is_written() {
    let with = |package: &str| {
        CondaDependencies::new()
            .python_version("3.10")
            .pip_package(package)
    };
    for package in [
        "azureml-defaults",
        "azureml_defaults",
        "AzureML-Defaults==1.0.45",
        "azureml-defaults[x]>=1.0.45",
        "azureml-defaults ~= 1.61",
        "azureml-defaults==1.0.45.post1",
    ] {
        assert!(advice(&with(package)).is_empty(), "{package}");
    }
    for package in ["azureml-defaults-x", "azureml-core", "# azureml-defaults"] {
        assert_eq!(
            advice(&with(package)),
            ["conda.server_missing"],
            "{package}"
        );
    }
    assert_eq!(
        advice(&with("azureml-defaults==1.0.43")),
        ["conda.server_old"]
    );
    // A conda package of that name is not a pip package.
    let conda = CondaDependencies::new()
        .python_version("3.10")
        .conda_package("azureml-defaults");
    assert_eq!(advice(&conda), ["conda.server_missing"]);
}

#[test]
fn conda_members_without_effect_are_warnings() {
    let text = "dependancies: []\ndependencies:\n- conda-forge::python\n- pip:\n  - azureml-defaults\n  - -r requirements.txt\n";
    let builder = CondaDependencies::builder_from_yaml(text).unwrap();
    assert_eq!(
        advice(&builder.clone().build().unwrap()),
        ["conda.unknown_key", "conda.requirements_file"]
    );
    let error = builder.strict(true).build().unwrap_err();
    let found = error.findings().iter();
    let found: Vec<_> = found.map(|v| (v.rule, v.path.as_str())).collect();
    assert_eq!(found, [("conda.strict", "conda_file.dependancies")]);
    let unsaid = CondaDependencies::new().pip_package("azureml-defaults");
    assert_eq!(advice(&unsaid), ["conda.python_unsaid"]);
}

#[test]
fn urls_are_not_shown() {
    let packages = CondaDependencies::new()
        .channel("https://example.com/t/CANARY/channel")
        .pip_package("--extra-index-url https://me:CANARY@example.com/simple")
        .pip_package("azureml-defaults");
    assert_eq!(
        format!("{packages:?}"),
        r#"{"channels[0]": "a URL", "dependencies[0].pip[0]": "a URL", "dependencies[0].pip[1]": "azureml-defaults"}"#
    );
}

#[test]
fn file_made_to_exhaust_memory_is_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    assert_eq!(broken(&text)[0].0, "conda.file");
    let deep = format!(
        "dependencies: {}{}\n",
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    assert_eq!(broken(&deep)[0].0, "conda.file");
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "[\\PC\n]{0,80}") {
        let _ = CondaDependencies::builder_from_yaml(&text);
    }
}
