//! The first program of the README, pasted into a new package as a newcomer does it.

use std::path::Path;
use std::process::Command;

/// The content of the first fenced block in `language`.
fn first_block<'a>(page: &'a str, language: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

#[test]
fn first_program_of_the_readme_runs_as_pasted() {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = include_str!("../../README.md");
    let dependencies = first_block(readme, "toml");
    let here = format!("path = {:?}", checkout.to_str().unwrap());
    let filled = dependencies.replacen(r#"path = "../azureml-aks""#, &here, 1);
    assert_ne!(filled, dependencies, "the path to fill in is not found");

    // The build of the checkout is used again as far as the features of its dependencies are the same.
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let package = tmp.join("pasted");
    std::fs::create_dir_all(package.join("src")).unwrap();
    let head = "[package]\nname = \"pasted\"\nedition = \"2024\"\n\n[workspace]\n\n";
    std::fs::write(package.join("Cargo.toml"), format!("{head}{filled}")).unwrap();
    std::fs::write(package.join("src/main.rs"), first_block(readme, "rust")).unwrap();
    // With the versions of the checkout nothing has to be fetched.
    std::fs::copy(checkout.join("Cargo.lock"), package.join("Cargo.lock")).unwrap();

    let run = Command::new(env!("CARGO"))
        .args(["run", "--offline", "--quiet", "--target-dir"])
        .arg(tmp.parent().unwrap())
        .current_dir(&package)
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr),
    );
    assert!(run.status.success(), "{err}");
    // What the README shows, but for times, and for states that a slow machine does not see.
    let mut shown: Vec<&str> = first_block(readme, "text").trim().lines().collect();
    assert_eq!(Some(out.trim()), shown.pop(), "{err}");
    let done: Vec<&str> = shown
        .into_iter()
        .filter_map(|line| Some(line.split_once(" (")?.0))
        .filter(|line| line.ends_with(": done"))
        .collect();
    assert_eq!(done.len(), 5, "{done:?}");
    for line in done {
        assert!(err.contains(line), "no {line:?} in: {err}");
    }
}
