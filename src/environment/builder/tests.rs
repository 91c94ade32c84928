use super::*;

fn broken(builder: EnvironmentBuilder) -> Vec<(&'static str, String)> {
    let error = builder.build().unwrap_err();
    let found = error.findings().iter();
    found.map(|v| (v.rule, v.path.clone())).collect()
}

fn advice(builder: EnvironmentBuilder) -> Vec<&'static str> {
    let environment = builder.build().unwrap();
    environment.warnings().iter().map(|w| w.rule).collect()
}

#[test]
fn everything_wrong_is_reported_at_once() {
    let builder = Environment::builder()
        .name("Microsoft/x")
        .version("")
        .interpreter_path(" ")
        .base_conda_environment("")
        .base_image("")
        .base_dockerfile("\n")
        .inferencing_stack_version("")
        .conda_dependencies(CondaDependencies::new().conda_package("").pip_package(" "))
        .base_image_registry(ContainerRegistry::new(""))
        .shm_size("-1g")
        .environment_variable("", "")
        .spark(SparkSettings::new().repository(""));
    let expected: Vec<(&str, String)> = [
        ("segment.characters", "name"),
        ("environment.name_reserved", "name"),
        ("segment.empty", "version"),
        ("environment.empty", "interpreter_path"),
        ("environment.empty", "base_conda_environment"),
        ("environment.empty", "base_image"),
        ("environment.empty", "base_dockerfile"),
        ("environment.empty", "inferencing_stack_version"),
        ("environment.empty", "conda_dependencies.dependencies[0]"),
        (
            "environment.empty",
            "conda_dependencies.dependencies[1].pip[0]",
        ),
        ("environment.image_and_dockerfile", "base_dockerfile"),
        ("environment.empty", "base_image_registry.address"),
        ("environment.shm_size", "shm_size"),
        ("environment.variable_name", "environment_variables"),
        ("environment.empty", "spark.repositories[0]"),
    ]
    .map(|(rule, path)| (rule, path.to_owned()))
    .to_vec();
    assert_eq!(broken(builder), expected);
}

#[test]
fn names_of_curated_environments_are_kept_from_definitions() {
    for name in ["Microsoft", "AzureML-Minimal", "AzureMLx"] {
        assert_eq!(
            broken(Environment::builder().name(name)),
            [("environment.name_reserved", "name".into())]
        );
    }
    for name in ["myenv", "azureml-env", "my-AzureML", "microsoft_x"] {
        assert!(Environment::builder().name(name).build().is_ok(), "{name}");
    }
}

#[test]
fn sizes_are_those_of_docker() {
    for size in ["1", "64m", "2g", "2G", "1gb", "1024k", "7b"] {
        assert!(is_size(size), "{size}");
    }
    for size in [
        "", "g", "0g", "-1g", "+1g", "1.5g", "2 g", "2t", "1é", "2gg",
    ] {
        assert!(!is_size(size), "{size}");
    }
}

#[test]
fn settings_without_effect_are_warnings() {
    let builder = Environment::builder;
    assert_eq!(
        advice(builder().interpreter_path("/opt/python")),
        ["environment.interpreter_unused"]
    );
    assert!(advice(builder().interpreter_path("python")).is_empty());
    let managed = builder().user_managed_dependencies(true);
    assert!(advice(managed.clone().interpreter_path("/opt/python")).is_empty());
    assert_eq!(
        advice(managed.conda_dependencies(CondaDependencies::new())),
        ["environment.conda_unused"]
    );
    let registry = builder().base_image_registry(ContainerRegistry::new("r"));
    assert_eq!(advice(registry.clone()), ["environment.registry_unused"]);
    assert!(advice(registry.base_image("r/i")).is_empty());
    assert_eq!(
        advice(builder().enable_gpu(true)),
        ["environment.gpu_image"]
    );
    assert!(advice(builder().enable_gpu(false)).is_empty());
    assert!(advice(builder().enable_gpu(true).base_dockerfile("FROM a")).is_empty());
    assert_eq!(
        advice(builder().environment_variable("AZUREML_ENTRY_SCRIPT", "x")),
        ["environment.variable_overwritten"]
    );
}

#[test]
fn value_after_the_equals_sign_of_a_variable_is_not_shown() {
    let builder = Environment::builder()
        .name("myenv")
        .environment_variable("TOKEN=s3cr3t", "");
    let error = builder.build().unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(text.contains("TOKEN") && !text.contains("s3cr3t"), "{text}");
}
