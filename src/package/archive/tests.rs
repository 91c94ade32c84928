use super::*;
use crate::rules::Findings;
use flate2::read::GzDecoder;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use tempfile::TempDir;

fn find(folder: &Path) -> Sources {
    Sources::find(folder, &mut Findings::default()).unwrap()
}

fn pack(sources: &Sources) -> Result<File, Error> {
    super::pack(sources, &Wanted::default())
}

/// A folder `src` with these files, in a folder that is removed.
fn folder(files: &[(&str, &[u8])]) -> (TempDir, PathBuf) {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("src");
    fs::create_dir(&folder).unwrap();
    for (path, content) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    (outer, folder)
}

/// The archive of a folder.
fn packed(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = pack(&find(folder)).unwrap();
    archive.read_to_end(&mut bytes).unwrap();
    bytes
}

/// An entry as `tar` reads it: path, type, mode, time, and content or link.
fn read(bytes: &[u8]) -> Vec<(String, EntryType, u32, u64, Vec<u8>)> {
    let mut archive = tar::Archive::new(GzDecoder::new(bytes));
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        if let Some(link) = entry.link_name_bytes() {
            content = link.into_owned();
        }
        let header = entry.header();
        (
            String::from_utf8(entry.path_bytes().into_owned()).unwrap(),
            header.entry_type(),
            header.mode().unwrap(),
            header.mtime().unwrap(),
            content,
        )
    });
    entries.collect()
}

#[test]
fn everything_is_found_below_the_name_of_the_folder() {
    let long = format!("{}/{}.py", "d".repeat(120), "f".repeat(120));
    let (_outer, folder) = folder(&[("a/x.py", b"code"), ("empty", b""), (&long, b"far")]);
    let read = read(&packed(&folder));
    let names: Vec<&str> = read.iter().map(|entry| entry.0.as_str()).collect();
    let deep = format!("src/{}", "d".repeat(120));
    let file = format!("src/{long}");
    assert_eq!(
        names
            .iter()
            .map(|name| name.trim_end_matches('/'))
            .collect::<Vec<_>>(),
        ["src", "src/a", "src/a/x.py", &deep, &file, "src/empty"]
    );
    assert_eq!(read[2].4, b"code");
    assert_eq!(read[4].4, b"far");
    assert_eq!((read[1].1, read[1].2), (EntryType::Directory, 0o755));
    assert_eq!(
        (read[2].1, read[2].2, read[2].3),
        (EntryType::Regular, 0o644, 0)
    );
}

#[test]
fn same_sources_give_the_same_bytes_whenever_and_wherever() {
    let files: [(&str, &[u8]); 2] = [("b/x.py", b"code"), ("a.py", b"code")];
    let (_one, first) = folder(&files);
    let (_two, second) = folder(&[files[1], files[0]]);
    let old = fs::File::options()
        .write(true)
        .open(second.join("a.py"))
        .unwrap();
    old.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(packed(&first), packed(&second));
    fs::write(first.join("a.py"), "other").unwrap();
    assert_ne!(packed(&first), packed(&second));
}

#[cfg(unix)]
#[test]
fn links_and_what_can_be_run_stay_what_they_are() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let (_outer, folder) = folder(&[("a/run.sh", b"#!"), ("b/x", b"1")]);
    fs::set_permissions(folder.join("a/run.sh"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(folder.join("b/x"), fs::Permissions::from_mode(0o600)).unwrap();
    symlink(folder.join("a/run.sh"), folder.join("b/link")).unwrap();
    symlink("..", folder.join("b/top")).unwrap();
    symlink(".", folder.join("here")).unwrap();
    let read = read(&packed(&folder));
    let of = |name: &str| {
        let entry = read.iter().find(|entry| entry.0 == name).unwrap();
        (
            entry.1,
            entry.2,
            String::from_utf8(entry.4.clone()).unwrap(),
        )
    };
    assert_eq!(of("src/a/run.sh"), (EntryType::Regular, 0o755, "#!".into()));
    assert_eq!(of("src/b/x"), (EntryType::Regular, 0o644, "1".into()));
    assert_eq!(
        of("src/b/link"),
        (EntryType::Symlink, 0o777, "../a/run.sh".into())
    );
    assert_eq!(of("src/b/top").2.trim_end_matches('/'), "..");
    assert_eq!(of("src/here").2, ".");

    // Unpacked by `tar`, the links work.
    let outer = tempfile::tempdir().unwrap();
    let packed = packed(&folder);
    tar::Archive::new(GzDecoder::new(&packed[..]))
        .unpack(outer.path())
        .unwrap();
    assert_eq!(
        fs::read(outer.path().join("src/b/top/here/b/link")).unwrap(),
        b"#!"
    );
}

/// Names are bytes there, and only those that are sent have to be text.
#[cfg(target_os = "linux")]
#[test]
fn name_that_is_no_text_is_packed_as_it_is() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let (_outer, folder) = folder(&[("score.py", b"code")]);
    fs::write(folder.join(OsStr::from_bytes(b"\xff.bin")), "1").unwrap();
    let packed = packed(&folder);
    let mut archive = tar::Archive::new(GzDecoder::new(&packed[..]));
    let names: Vec<Vec<u8>> = archive
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path_bytes().into_owned())
        .collect();
    assert!(names.contains(&b"src/\xff.bin".to_vec()), "{names:?}");
}

#[test]
fn file_that_changes_while_it_is_packed_is_an_error() {
    type Change = fn(&Path);
    let changes: [Change; 5] = [
        |file| fs::write(file, "longer than it was").unwrap(),
        |file| fs::write(file, "").unwrap(),
        |file| fs::remove_file(file).unwrap(),
        |file| {
            fs::remove_file(file).unwrap();
            fs::create_dir(file).unwrap();
        },
        |file| {
            let other = file.with_extension("new");
            fs::write(&other, "code").unwrap();
            fs::rename(other, file).unwrap();
        },
    ];
    for change in changes {
        let (_outer, folder) = folder(&[("a/x.py", b"code")]);
        let sources = find(&folder);
        change(&folder.join("a/x.py"));
        let error = pack(&sources).unwrap_err();
        let finding = &error.findings()[0];
        assert_eq!(
            (finding.rule, finding.value.as_deref()),
            ("source_directory.changed", Some("a/x.py"))
        );
    }
}

#[test]
fn file_that_appears_during_the_packing_is_seen_at_the_end() {
    let (_outer, folder) = folder(&[("a.py", b"code")]);
    let sources = find(&folder);
    fs::write(folder.join("b.py"), "late").unwrap();
    let error = pack(&sources).unwrap_err();
    assert_eq!(error.findings()[0].value.as_deref(), Some("b.py"));
}

#[test]
fn packing_stops_when_nobody_waits() {
    let (_outer, folder) = folder(&[("a.py", b"code")]);
    let error = super::pack(&find(&folder), &Wanted::no_more()).unwrap_err();
    assert_eq!(error.findings()[0].rule, "source_directory.unreadable");
}

/// The archive goes to a file; a buffer for all of it would show in the size of the process.
#[cfg(target_os = "linux")]
#[test]
fn large_file_is_packed_in_constant_memory() {
    let (_outer, folder) = folder(&[("score.py", b"code")]);
    let large = fs::File::create(folder.join("large.bin")).unwrap();
    large.set_len(96 * 1024 * 1024).unwrap();
    drop(large);
    let peak = || -> u64 {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmHWM"))
            .unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let before = peak();
    let archive = pack(&find(&folder)).unwrap();
    let size = archive.metadata().unwrap().len();
    assert!(size > 64 * 1024, "{size}");
    let grown = peak() - before;
    assert!(grown < 32 * 1024, "{grown} kB more than before");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whatever_is_packed_is_read_back(
        files in prop::collection::btree_map(
            "[a-c]{1,2}(/[d-fé ]{1,3}\\.x){0,1}(/[g-iA-C]{1,4}\\.py){0,1}\\.z",
            prop::collection::vec(any::<u8>(), 0..2000),
            1..8,
        )
    ) {
        let list: Vec<(&str, &[u8])> =
            files.iter().map(|(path, content)| (path.as_str(), content.as_slice())).collect();
        let (_outer, folder) = folder(&list);
        let read: BTreeMap<String, Vec<u8>> = read(&packed(&folder))
            .into_iter()
            .filter(|entry| entry.1 == EntryType::Regular)
            .map(|entry| (entry.0.strip_prefix("src/").unwrap().to_owned(), entry.4))
            .collect();
        prop_assert_eq!(read, files);
    }
}
