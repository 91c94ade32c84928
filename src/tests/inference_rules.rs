//! Breaks every rule of this folder, for the check that no rule is dead.

use super::rules::{Found, Seen};
use crate::files::Wanted;
use crate::package::{self, sources};
use crate::*;
use std::fs;
use std::path::Path;

pub(super) fn see(seen: &mut Seen) {
    see_examples(seen);
    see_scripts(seen);
    see_environments(seen);
    see_files(seen);
}

fn see_examples(seen: &mut Seen) {
    let script = |builder: InferenceConfigurationBuilder| -> Found {
        Ok(builder.build()?.warnings().to_vec())
    };
    let new = InferenceConfiguration::builder;
    seen.examples("entry_script.name", |text| script(new().entry_script(text)));
    seen.examples("entry_script.outside", |text| {
        script(new().entry_script(text).source_directory("src"))
    });

    let environment =
        |builder: EnvironmentBuilder| -> Found { Ok(builder.build()?.warnings().to_vec()) };
    let new = Environment::builder;
    seen.examples("environment.name_reserved", |text| {
        environment(new().name(text))
    });
    seen.examples("environment.variable_", |text| {
        environment(new().environment_variable(text, ""))
    });
    seen.examples("environment.shm_size", |text| {
        environment(new().shm_size(text))
    });

    let conda = |conda| environment(new().conda_dependencies(conda));
    let yaml = CondaDependencies::builder_from_yaml;
    for rule in ["conda.shape", "conda.unknown_key"] {
        seen.examples(rule, |text| conda(yaml(text)?.build()?));
    }
    seen.examples("conda.strict", |text| {
        conda(yaml(text)?.strict(true).build()?)
    });
    for rule in ["conda.server_old", "conda.requirements_file"] {
        seen.examples(rule, |text| {
            conda(CondaDependencies::new().pip_package(text))
        });
    }

    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.py"), "").unwrap();
    let file = |members: &str| {
        let text = format!(r#"{{ "entryScript": "s.py", {members} }}"#);
        InferenceConfiguration::builder_from_text(&text, folder.path())
    };
    for rule in [
        "inference_file.type",
        "inference_file.unknown_key",
        "inference_file.ignored_key",
        "inference_file.runtime",
        "inference_file.cuda_",
        "inference_file.docker_steps",
        "inference_file.curated_environment",
    ] {
        seen.examples(rule, |members| script(file(members)?));
    }
    seen.examples("inference_file.strict", |members| {
        script(file(members)?.strict(true))
    });
}

fn see_scripts(seen: &mut Seen) {
    let builder = InferenceConfiguration::builder;
    seen.error(builder().build());

    let folder = tempfile::tempdir().unwrap();
    let src = folder.path().join("src");
    fs::create_dir_all(src.join(".git")).unwrap();
    fs::write(src.join(".amlignore"), "[z-a]\nhelper.py\n").unwrap();
    fs::write(src.join("helper.py"), "").unwrap();
    fs::write(src.join("score.py"), "import helper\n").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("/", src.join("link")).unwrap();
    #[cfg(unix)]
    let _socket = std::os::unix::net::UnixListener::bind(src.join("socket")).unwrap();
    let make = |script: &str, directory: &Path| {
        let builder = builder().entry_script(script).source_directory(directory);
        package::make_now(builder.build().unwrap().script(), &Wanted::default())
    };
    seen.warnings(&make("score.py", &src).unwrap().warnings);
    seen.error(make("absent.py", &src));
    seen.error(make("score.py", &folder.path().join("absent")));
    fs::write(src.join(".amlignore"), [0xff]).unwrap();
    seen.error(make("score.py", &src));
    seen.error::<()>(Err(sources::changed(Path::new("score.py"))));
}

fn see_environments(seen: &mut Seen) {
    let new = Environment::builder;
    seen.error(
        new()
            .base_image("")
            .base_dockerfile("FROM a")
            .base_image_registry(ContainerRegistry::new("r").credentials("me", ""))
            .build(),
    );
    for odd in [
        new()
            .interpreter_path("/opt/python")
            .enable_gpu(true)
            .base_image_registry(ContainerRegistry::new("r"))
            .conda_dependencies(CondaDependencies::new()),
        new()
            .user_managed_dependencies(true)
            .conda_dependencies(CondaDependencies::new()),
    ] {
        seen.warnings(odd.build().unwrap().warnings());
    }
    seen.error(CondaDependencies::builder_from_yaml(""));
    seen.error(Dockerfile::from_file("does/not/exist"));
}

fn see_files(seen: &mut Seen) {
    seen.error(InferenceConfiguration::builder_from_file("does/not/exist"));
    seen.error(InferenceConfiguration::builder_from_text("[]", ""));
}
