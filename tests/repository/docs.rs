//! What the pages show is what runs.

/// The contents of the fenced blocks in `language`.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    page.split(&fence)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

/// Without what the formatter adds where a line is long.
fn squeezed(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    text.replace(",)", ")")
}

#[test]
fn every_block_of_the_pages_stands_in_a_file_that_runs() {
    for (page, least, runs) in [
        (
            include_str!("../../docs/from-python.md"),
            30,
            include_str!("../../examples/from_python.rs"),
        ),
        (
            include_str!("../../docs/emulator.md"),
            1,
            include_str!("../memory/with_the_emulator.rs"),
        ),
        (
            include_str!("../../docs/operations.md"),
            1,
            include_str!("../../examples/resume/main.rs"),
        ),
    ] {
        let runs = squeezed(runs);
        let blocks = blocks(page, "rust");
        assert!(blocks.len() >= least, "the page has lost its blocks");
        for block in blocks {
            assert!(runs.contains(&squeezed(block)), "does not run:\n{block}");
        }
    }
}

/// Pasted from top to bottom, the page compiles: the example has its blocks in this order, in one function,
/// and defines nothing of its own between them.
#[test]
fn page_for_python_users_compiles_as_a_whole() {
    let example = squeezed(include_str!("../../examples/from_python.rs"));
    let blocks = blocks(include_str!("../../docs/from-python.md"), "rust");
    let mut rest = example.as_str();
    for (number, block) in blocks.into_iter().enumerate() {
        let (between, after) = rest.split_once(&squeezed(block)).unwrap_or_else(|| {
            panic!("not in the order of the page:\n{block}");
        });
        // The first two blocks, the names and the workspace, stand in front of the example's own set-up.
        if number > 1 {
            // The page's workspace would be one of Azure.
            let between = between.replace("letws=emulated(emulator)?;", "");
            let defines = between.split(';').any(|line| line.starts_with("let"));
            let before_a_brace = between.split('}').next().unwrap_or_default();
            let leaves_the_scope = between.contains('}') && !before_a_brace.contains('{');
            assert!(!defines && !leaves_the_scope, "{between}");
        }
        rest = after;
    }
}

#[test]
fn the_commands_of_the_readme_are_the_two_that_a_newcomer_needs() {
    let commands: Vec<&str> = blocks(include_str!("../../README.md"), "sh")
        .into_iter()
        .flat_map(str::lines)
        .collect();
    assert_eq!(
        commands,
        [
            "cargo run --example quickstart --features emulator",
            "cargo test --all-features"
        ]
    );
}

#[test]
fn the_pages_that_the_readme_links_to_are_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = include_str!("../../README.md");
    let links: Vec<&str> = readme
        .split("](")
        .skip(1)
        .map(|rest| rest.split([')', '#']).next().unwrap())
        .collect();
    assert!(links.len() >= 8);
    for link in links
        .into_iter()
        .filter(|link| !link.is_empty() && !link.contains("://"))
    {
        assert!(root.join(link).is_file(), "{link}");
    }
}
