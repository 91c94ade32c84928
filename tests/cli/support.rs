//! An emulator on loopback, a folder with the files that commands read, and the program.

use azureml_aks::emulator::{
    Clock, ConnectedCluster, Emulator, EmulatorBuilder, ExistingCluster, ServeOptions, Server,
};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub(crate) struct Stage {
    pub(crate) emulator: Emulator,
    pub(crate) server: Server,
    pub(crate) folder: tempfile::TempDir,
}

/// How a command ended.
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn builder() -> EmulatorBuilder {
    Emulator::builder()
        .clock(Clock::Automatic { speed: 1000.0 })
        .resource_group("myresourcegroup")
        .workspace("myworkspace")
        .cluster(ExistingCluster::new("myresourcegroup", "myexistingcluster").node_count(3))
        .cluster(ExistingCluster::new("mygroup", "mycluster").node_count(3))
        .connected_cluster(ConnectedCluster::new("mygroup", "edge"))
}

impl Stage {
    pub(crate) async fn of(builder: EmulatorBuilder) -> Self {
        let emulator = builder.build();
        let any = || ([127, 0, 0, 1], 0).into();
        let options = ServeOptions::new().http(any()).https(any());
        let server = emulator.serve(options).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        Self {
            emulator,
            server,
            folder,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Writes a folder as `az ml environment scaffold` does.
    pub(crate) fn write_environment(&self, folder: &str) {
        let files = [
            (
                "azureml_environment.json",
                r#"{"name": "myenv", "version": null, "environmentVariables": {"A": "1"}, "docker": {"baseImage": null},
                    "python": {"userManagedDependencies": false, "interpreterPath": "python"}}"#,
            ),
            (
                "conda_dependencies.yml",
                "dependencies:\n- python=3.8\n- pip:\n  - azureml-defaults\n",
            ),
            ("BaseDockerfile", "FROM base\n"),
        ];
        for (name, text) in files {
            self.write(&format!("{folder}/{name}"), text);
        }
    }

    pub(crate) fn http(&self) -> String {
        self.server.http_url().unwrap().to_string()
    }

    /// The program in the folder, without anything of this machine's user.
    pub(crate) fn alone(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_azureml-aks"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.path("home"))
            .env("XDG_STATE_HOME", self.path("state"))
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(std::process::Stdio::null());
        command
    }

    /// The program with the emulator in place of Azure.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.alone(arguments);
        command.args(["--emulator", &self.http()]);
        command
    }

    /// Runs a command line.
    pub(crate) fn run(&self, line: &str) -> Done {
        let words = words(line);
        done(
            self.command(&words.iter().map(String::as_str).collect::<Vec<_>>())
                .output()
                .unwrap(),
        )
    }

    /// The files with a resume token, the newest last.
    pub(crate) fn tokens(&self) -> Vec<PathBuf> {
        let folder = self.path("state/azureml-aks/operations");
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        let files = entries.map(|entry| entry.unwrap().path());
        let mut files: Vec<PathBuf> = files
            .filter(|file| file.extension().is_some_and(|ending| ending == "json"))
            .collect();
        files.sort_by_key(|file| std::fs::metadata(file).unwrap().modified().unwrap());
        files
    }
}

pub(crate) fn done(output: Output) -> Done {
    Done {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Splits as a shell does, with single and double quotes.
pub(crate) fn words(line: &str) -> Vec<String> {
    let (mut all, mut word, mut quote) = (Vec::new(), None::<String>, None::<char>);
    for character in line.chars() {
        match (quote, character) {
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (Some(open), _) if open == character => quote = None,
            (None, ' ') => all.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    all.extend(word);
    all
}

/// Replaces what differs from run to run.
pub(crate) fn normal(stage: &Stage, text: &str) -> String {
    let text = text
        .replace(&stage.folder.path().display().to_string(), "{folder}")
        .replace(
            stage
                .server
                .http_url()
                .unwrap()
                .as_str()
                .trim_end_matches('/'),
            "{http}",
        )
        .replace(
            stage
                .server
                .https_url()
                .unwrap()
                .as_str()
                .trim_end_matches('/'),
            "{https}",
        )
        .replace(stage.emulator.subscription(), "{subscription}");
    let name = stage.folder.path().file_name().unwrap().to_str().unwrap();
    let text = without_waits(&text.replace(name, "{name}"));
    let text = replaced(
        &text,
        "dddddddd-dddd-dddd-dddd-dddddddddddd",
        "{guid}",
        |c| c.is_ascii_hexdigit(),
        "",
    );
    replaced(
        &text,
        "dddd-dd-ddTdd:dd:dd",
        "{time}",
        |c| c.is_ascii_digit(),
        ".0123456789Z+:",
    )
}

/// Leaves out how often was asked, and for how long.
fn without_waits(text: &str) -> String {
    let mut parts = text.split("(last status ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (status, rest) = part.split_once(", ").unwrap();
        let (_, rest) = rest.split_once(')').unwrap();
        format!("{text}(last status {status}, …){rest}")
    })
}

/// Replaces what has the shape, where `d` stands for what `is_digit` takes, together with the characters of `tail` behind it.
fn replaced(
    text: &str,
    shape: &str,
    by: &str,
    is_digit: impl Fn(char) -> bool,
    tail: &str,
) -> String {
    let mut done = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let part = rest.get(..shape.len());
        let fits = part.is_some_and(|part| {
            part.chars().zip(shape.chars()).all(|(c, shape)| {
                if shape == 'd' {
                    is_digit(c)
                } else {
                    c == shape
                }
            })
        });
        if fits {
            done.push_str(by);
            rest = rest[shape.len()..].trim_start_matches(|c| tail.contains(c));
        } else {
            done.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    done
}

pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}
