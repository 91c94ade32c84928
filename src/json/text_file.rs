//! Small text files that a configuration names.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Keeps a mistaken path (a device, a model) from being read to its end.
const MAX_BYTES: u64 = 1024 * 1024;

/// Reads a text file, or says in words why that is not possible.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    // A named pipe would wait for a writer.
    let kind = std::fs::metadata(path).map_err(|error| format!("it cannot be read: {error}"))?;
    if kind.is_dir() {
        return Err("it is a folder".to_owned());
    }
    if !kind.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("it cannot be read: {error}"))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err("it is larger than 1 MiB".to_owned());
    }
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
    // Editors on Windows begin the file with a byte order mark.
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_small_texts_are_read_and_every_refusal_reports_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.txt");
        std::fs::write(&file, "\u{feff}text").unwrap();
        assert_eq!(read(&file).unwrap(), "text");

        std::fs::write(&file, vec![b'a'; 1024 * 1024 + 1]).unwrap();
        assert_eq!(read(&file).unwrap_err(), "it is larger than 1 MiB");
        std::fs::write(&file, [0xff, 0xfe]).unwrap();
        assert_eq!(read(&file).unwrap_err(), "it is not UTF-8 text");
        assert_eq!(read(folder.path()).unwrap_err(), "it is a folder");
        let absent = read(&folder.path().join("absent")).unwrap_err();
        assert!(absent.starts_with("it cannot be read: "), "{absent}");
    }
}
