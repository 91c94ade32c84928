use super::*;
use std::time::SystemTime;
use tempfile::TempDir;

/// A folder with files, each given by its path and its text.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// Returns the packed paths, and the warnings.
fn pack(folder: &Path) -> (Vec<String>, Vec<(&'static str, String)>) {
    let mut findings = Findings::default();
    let sources = Sources::find(folder, &mut findings).unwrap();
    let warnings = findings.finish("test").unwrap();
    let paths = sources.entries.keys();
    (
        paths.map(|path| path.display().to_string()).collect(),
        warnings.iter().map(|w| (w.rule, w.path.clone())).collect(),
    )
}

fn packed(folder: &Path) -> Vec<String> {
    let (packed, warnings) = pack(folder);
    let others = warnings
        .iter()
        .filter(|(rule, _)| *rule != "source_directory.ignored");
    assert_eq!(others.count(), 0, "{warnings:?}");
    packed
}

fn refused(folder: &Path) -> String {
    let error = Sources::find(folder, &mut Findings::default()).unwrap_err();
    assert_eq!(error.findings().len(), 1);
    error.to_string()
}

#[test]
fn everything_is_packed_in_order_hidden_files_too() {
    let folder = folder(&[
        ("b/z.py", "1"),
        ("b.py", "1"),
        ("b-c/x.py", "1"),
        (".hidden", "1"),
        ("a/.env/x", ""),
    ]);
    fs::create_dir(folder.path().join("empty")).unwrap();
    let packed = packed(folder.path());
    assert_eq!(
        packed,
        [
            ".hidden", "a", "a/.env", "a/.env/x", "b", "b/z.py", "b-c", "b-c/x.py", "b.py", "empty"
        ]
    );
    let mut findings = Findings::default();
    let sources = Sources::find(folder.path(), &mut findings).unwrap();
    for path in &packed {
        assert!(sources.packs(Path::new(path)), "{path}");
    }
    assert!(!sources.packs(Path::new("b/absent.py")));
}

#[test]
fn gitignore_leaves_out_what_git_would() {
    let folder = folder(&[
        (
            ".gitignore",
            "*.csv\n!keep.csv\n/top.txt\nout/\n# comment\n",
        ),
        ("a.csv", "1"),
        ("keep.csv", "1"),
        ("top.txt", "1"),
        ("sub/top.txt", "1"),
        ("sub/.gitignore", "x.py\n!b.csv\n"),
        ("sub/x.py", "1"),
        ("sub/b.csv", "1"),
        ("out/x", "1"),
        ("x.py", "1"),
    ]);
    assert_eq!(
        packed(folder.path()),
        [
            ".gitignore",
            "keep.csv",
            "sub",
            "sub/.gitignore",
            "sub/b.csv",
            "sub/top.txt",
            "x.py"
        ]
    );
}

#[test]
fn amlignore_takes_the_place_of_every_gitignore_below() {
    let folder = folder(&[
        (".amlignore", "*.log\n"),
        (".gitignore", "*.bin\n"),
        ("model.bin", "1"),
        ("a.log", "1"),
        ("data/.gitignore", "*\n"),
        ("data/x", "1"),
    ]);
    assert_eq!(
        packed(folder.path()),
        [
            ".amlignore",
            ".gitignore",
            "data",
            "data/.gitignore",
            "data/x",
            "model.bin"
        ]
    );

    // Further down it counts from there on; what stands above counts too.
    let folder = self::folder(&[
        (".gitignore", "*.bin\n"),
        ("sub/.amlignore", "secret\n"),
        ("sub/.gitignore", "*\n"),
        ("sub/secret", "1"),
        ("sub/x.bin", "1"),
        ("sub/x.py", "1"),
        ("sub/deep/.gitignore", "*\n"),
        ("sub/deep/y.py", "1"),
        ("secret", "1"),
    ]);
    assert_eq!(
        packed(folder.path()),
        [
            ".gitignore",
            "secret",
            "sub",
            "sub/.amlignore",
            "sub/.gitignore",
            "sub/deep",
            "sub/deep/.gitignore",
            "sub/deep/y.py",
            "sub/x.py",
        ]
    );
}

#[test]
fn ignore_files_elsewhere_do_not_count() {
    let folder = folder(&[
        (".amlignore", "*\n"),
        (".gitignore", "*\n"),
        (".ignore", "*\n"),
        ("src/.ignore", "*\n"),
        ("src/.git/info/exclude", "*\n"),
        ("src/score.py", "1"),
    ]);
    let (packed, warnings) = pack(&folder.path().join("src"));
    assert_eq!(
        packed,
        [
            ".git",
            ".git/info",
            ".git/info/exclude",
            ".ignore",
            "score.py"
        ]
    );
    assert_eq!(
        warnings,
        [(
            "source_directory.git_folder",
            "source_directory/.git".into()
        )]
    );
}

#[test]
fn line_that_leaves_something_out_is_reported_with_the_first_names() {
    let folder = folder(&[
        (".gitignore", "# data\n*.csv\nout/\n*.log\n"),
        ("sub/.gitignore", "!d.csv\nx*\n"),
        ("a.csv", ""),
        ("b.csv", ""),
        ("out/a.csv", ""),
        ("out/b.csv", ""),
        ("score.py", "1"),
        ("sub/c.csv", ""),
        ("sub/d.csv", ""),
        ("sub/e.csv", ""),
        ("sub/x1", ""),
    ]);
    let mut findings = Findings::default();
    Sources::find(folder.path(), &mut findings).unwrap();
    let found: Vec<(String, String)> = findings
        .finish("test")
        .unwrap()
        .into_iter()
        .map(|found| {
            assert_eq!(found.rule, "source_directory.ignored");
            (found.path, found.message)
        })
        .collect();
    let expected = [
        (
            ".gitignore:2",
            "\"*.csv\" leaves out 4: a.csv, b.csv, sub/c.csv, …",
        ),
        (".gitignore:3", "\"out/\" leaves out 1: out"),
        ("sub/.gitignore:2", "\"x*\" leaves out 1: sub/x1"),
    ];
    let expected =
        expected.map(|(place, text)| (format!("source_directory/{place}"), text.to_owned()));
    assert_eq!(found, expected);
}

#[test]
fn invalid_pattern_is_a_warning_and_the_other_lines_apply() {
    let folder = folder(&[(".amlignore", "[z-a]\n*.log\n"), ("a.log", ""), ("x", "1")]);
    let (packed, warnings) = pack(folder.path());
    assert_eq!(packed, [".amlignore", "x"]);
    assert_eq!(
        warnings,
        [
            (
                "source_directory.ignore_line",
                "source_directory/.amlignore:1".into()
            ),
            (
                "source_directory.ignored",
                "source_directory/.amlignore:2".into()
            )
        ]
    );
}

#[test]
fn source_directory_without_files_is_refused() {
    let folder = folder(&[("file", "1"), ("ignored/.amlignore", "*\n")]);
    fs::create_dir(folder.path().join("empty")).unwrap();
    for (path, expected) in [
        (folder.path().join("absent"), "the folder cannot be read"),
        (folder.path().join("file"), "this is not a folder"),
        (folder.path().join("empty"), "holds no file"),
        (folder.path().join("ignored"), "holds no file"),
    ] {
        let text = refused(&path);
        assert!(text.contains(expected), "{text}");
        assert!(text.contains("source_directory.folder") && text.contains("source_directory = "));
    }
}

#[test]
fn error_of_one_file_names_it() {
    let error = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
    let error = unreadable(Path::new("a/b"), &error);
    let finding = &error.findings()[0];
    assert_eq!(finding.rule, "source_directory.unreadable");
    assert_eq!(finding.value.as_deref(), Some("a/b"));

    let folder = folder(&[("x", "1")]);
    fs::write(folder.path().join(".amlignore"), [0xff]).unwrap();
    let text = refused(folder.path());
    assert!(
        text.contains("source_directory.unreadable") && text.contains(".amlignore"),
        "{text}"
    );
}

#[test]
fn every_change_is_seen() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 6] = [
        ("a/x.py", |f| {
            fs::write(f.join("a/x.py"), "longer than before").unwrap()
        }),
        ("a/x.py", |f| fs::remove_file(f.join("a/x.py")).unwrap()),
        ("a/new.py", |f| fs::write(f.join("a/new.py"), "1").unwrap()),
        ("b", |f| fs::create_dir(f.join("b")).unwrap()),
        ("a", |f| fs::rename(f.join("a"), f.join("c")).unwrap()),
        ("a/x.py", |f| {
            let file = fs::File::options()
                .write(true)
                .open(f.join("a/x.py"))
                .unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        }),
    ];
    for (path, change) in changes {
        let folder = folder(&[("a/x.py", "1"), ("z.py", "1"), (".amlignore", "*.log\n")]);
        let sources = Sources::find(folder.path(), &mut Findings::default()).unwrap();
        fs::write(folder.path().join("a/busy.log"), "1").unwrap();
        sources.check_unchanged().unwrap();
        change(folder.path());
        let error = sources.check_unchanged().unwrap_err();
        let finding = &error.findings()[0];
        assert_eq!(
            (finding.rule, finding.value.as_deref()),
            ("source_directory.changed", Some(path))
        );
    }
}

#[cfg(unix)]
mod links {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn link_to_something_packed_stays_a_link() {
        let folder = folder(&[("a/x.py", "1"), ("b/y", "1")]);
        let at = |path: &str| folder.path().join(path);
        symlink("../a/x.py", at("b/relative")).unwrap();
        symlink(at("a"), at("absolute")).unwrap();
        symlink("b/relative", at("chain")).unwrap();
        symlink(".", at("b/loop")).unwrap();
        symlink("..", at("a/top")).unwrap();
        let sources = Sources::find(folder.path(), &mut Findings::default()).unwrap();
        let links: Vec<_> = sources
            .entries
            .iter()
            .filter_map(|(path, kind)| match kind {
                Kind::Link { target } => Some((path.to_str()?, target.to_str()?)),
                _ => None,
            })
            .collect();
        assert_eq!(
            links,
            [
                ("a/top", ""),
                ("absolute", "a"),
                ("b/loop", "b"),
                ("b/relative", "a/x.py"),
                ("chain", "a/x.py"),
            ]
        );
        assert!(sources.packs(Path::new("absolute/x.py")));
    }

    #[test]
    fn link_that_leads_elsewhere_is_left_out_with_a_warning() {
        let outside = folder(&[("secret", "1")]);
        let folder = folder(&[
            ("a.py", "1"),
            (".amlignore", "gone\nquiet\n"),
            ("gone", "1"),
        ]);
        let at = |path: &str| folder.path().join(path);
        symlink(outside.path().join("secret"), at("file")).unwrap();
        symlink(outside.path(), at("folder")).unwrap();
        symlink("nowhere", at("dead")).unwrap();
        symlink("round", at("round")).unwrap();
        symlink("gone", at("ignored")).unwrap();
        symlink("/etc", at("quiet")).unwrap();
        let (packed, mut warnings) = pack(folder.path());
        assert_eq!(packed, [".amlignore", "a.py"]);
        warnings.retain(|(rule, _)| *rule == "source_directory.link");
        warnings.sort();
        let expected = ["dead", "file", "folder", "ignored", "round"]
            .map(|name| ("source_directory.link", format!("source_directory/{name}")));
        assert_eq!(warnings, expected);
    }

    #[test]
    fn source_directory_may_be_a_link_itself() {
        let folder = folder(&[("real/score.py", "1")]);
        symlink("real", folder.path().join("link")).unwrap();
        let sources = Sources::find(&folder.path().join("link"), &mut Findings::default());
        assert_eq!(sources.unwrap().base, "real");
        // The root has no name to pack it under.
        assert!(refused(Path::new("/")).contains("this folder has no name"));
    }

    #[test]
    fn special_file_is_not_opened() {
        let folder = folder(&[("a.py", "1")]);
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
        let (packed, warnings) = pack(folder.path());
        assert_eq!(packed, ["a.py"]);
        assert_eq!(
            warnings,
            [(
                "source_directory.special_file",
                "source_directory/socket".into()
            )]
        );
    }
}
