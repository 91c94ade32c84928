//! Holds request and response bodies against Microsoft's published API descriptions.
//!
//! The descriptions are data beside the repository, not part of it: `AZURE_API_SPECS` names their
//! folder, `../shared/specs` is the default. [`Specs::check`] turns one [`Exchange`] into a
//! [`Report`]; [`allowed::verdict`] holds many reports to the list of known deviations.

pub(crate) mod allowed;
mod bicep;
mod check;
mod exchange;
pub(crate) mod fixture;
mod openapi;
mod operation;
pub(crate) mod schema;
mod source;

use std::{
    collections::HashMap,
    env, fs,
    io::{Write as _, stderr},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock},
};

use serde_json::{Value, json};

use self::{bicep::Types, openapi::Document, schema::Compiled};
pub(crate) use self::{
    exchange::{Deviation, Direction, Exchange, Kind, Report, Undescribed},
    operation::Operation,
};

/// The published descriptions, read and indexed.
#[derive(Debug)]
pub(crate) struct Specs {
    documents: Vec<Document>,
    operations: Vec<Operation>,
    types: Vec<Types>,
    // Compiling a schema costs more than reading it; every test asks for the same few.
    compiled: Mutex<HashMap<String, Arc<Compiled>>>,
}

impl Specs {
    /// Reads the descriptions, or says that they are absent and returns `None`.
    ///
    /// # Panics
    ///
    /// If `REQUIRE_SPECS` is set and there are none, or if what is there cannot be read.
    pub(crate) fn load() -> Option<&'static Self> {
        static SPECS: OnceLock<Option<Specs>> = OnceLock::new();
        let read = || {
            let directory = directory();
            let required = env::var_os("REQUIRE_SPECS").is_some_and(|value| !value.is_empty());
            let specs =
                Self::load_from(&directory, required).unwrap_or_else(|message| panic!("{message}"));
            if specs.is_none() {
                // Not `eprintln`, which the harness keeps to itself when a test passes.
                let _ = writeln!(
                    stderr(),
                    "skipped, nothing was checked: {}",
                    absent(&directory)
                );
            }
            specs
        };
        SPECS.get_or_init(read).as_ref()
    }

    /// As [`Specs::load`], with the environment spelled out.
    pub(crate) fn load_from(directory: &Path, required: bool) -> Result<Option<Self>, String> {
        if !directory.is_dir() {
            return match required {
                true => Err(format!("REQUIRE_SPECS is set, but {}", absent(directory))),
                false => Ok(None),
            };
        }
        let mut documents = Vec::new();
        for folder in folders(&directory.join("arm"))?
            .into_iter()
            .chain(folders(&directory.join("dataplane"))?)
        {
            for file in json_files(&folder)? {
                documents.push(Document::new(read(&file)?, folder.clone())?);
            }
        }
        let mut types = Vec::new();
        for file in json_files(&directory.join("bicep"))? {
            types.push(Types::new(read(&file)?)?);
        }
        Self::new(documents, types).map(Some)
    }

    /// Indexes descriptions that are already in memory.
    pub(crate) fn new(documents: Vec<Document>, types: Vec<Types>) -> Result<Self, String> {
        if documents.is_empty() || types.is_empty() {
            return Err("the folder of the API descriptions lacks OpenAPI or bicep files".into());
        }
        let operations: Vec<_> = documents
            .iter()
            .enumerate()
            .flat_map(|(index, document)| Operation::all(index, document))
            .collect();
        Ok(Self {
            documents,
            operations,
            types,
            compiled: Mutex::default(),
        })
    }

    /// A description made by a test: one OpenAPI 2 document and one bicep type list.
    pub(crate) fn from_values(openapi: Value, bicep: Value) -> Result<Self, String> {
        Self::new(
            vec![Document::new(openapi, PathBuf::new())?],
            vec![Types::new(bicep)?],
        )
    }

    /// The published types of extensions, at routes that no description has. `None` where [`load`](Self::load) gives
    /// `None`.
    pub(crate) fn of_extensions() -> Option<Self> {
        Self::load()?;
        let file = directory().join("bicep/kubernetesconfiguration-2023-05-01.json");
        let types = read(&file).expect("the types of extensions are JSON");
        let query = |name: &str| json!({ "in": "query", "name": name, "type": "string" });
        let version = query("api-version");
        let body = json!({ "in": "body", "name": "extension", "schema": { "type": "object" } });
        let object = json!({ "description": "", "schema": { "type": "object" } });
        let empty = json!({ "description": "" });
        let of = |parameters: Value, responses: Value| json!({ "parameters": parameters, "responses": responses });
        let base = "/subscriptions/{s}/resourceGroups/{g}/providers/{p}/{t}/{c}/providers/Microsoft.KubernetesConfiguration/extensions";
        let item = format!("{base}/{{extension}}");
        let routes = json!({
            "swagger": "2.0",
            "info": { "version": "none" },
            "paths": {
                base: { "get": of(json!([version]), json!({ "200": object })) },
                item: {
                    "get": of(json!([version]), json!({ "200": object, "404": object })),
                    "put": of(json!([version, body]), json!({ "200": object, "201": object })),
                    "patch": of(json!([version, body]), json!({ "200": object, "202": object })),
                    "delete": of(json!([version, query("forceDelete")]), json!({ "202": empty })),
                },
            },
        });
        Some(Self::from_values(routes, types).expect("the description is one"))
    }

    /// Every published example under `arm/`: the operation that cites it, its file, its content.
    pub(crate) fn published_examples(&self) -> Vec<(&Operation, String, Value)> {
        let mut found = Vec::new();
        for operation in &self.operations {
            let folder = &self.documents[operation.document].folder;
            for cited in &operation.examples {
                // The descriptions cite more examples than were kept beside them.
                let file = folder.join(cited.trim_start_matches("./"));
                if file.is_file() {
                    let example = read(&file).expect("a published example is JSON");
                    found.push((operation, cited.clone(), example));
                }
            }
        }
        found
    }

    /// Every file in an `examples` folder, by the spelling that [`Operation::examples`] uses.
    pub(crate) fn example_files(&self) -> Vec<String> {
        self.documents
            .iter()
            .flat_map(|document| json_files(&document.folder.join("examples")).unwrap_or_default())
            .filter_map(|file| Some(format!("./examples/{}", file.file_name()?.to_str()?)))
            .collect()
    }

    /// The API version that the document of an operation describes.
    pub(crate) fn version_of(&self, operation: &Operation) -> &str {
        &self.documents[operation.document].version
    }
}

fn directory() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // A relative folder means the same whatever the working directory of the test is.
    root.join(env::var_os("AZURE_API_SPECS").unwrap_or_else(|| "../shared/specs".into()))
}

fn absent(directory: &Path) -> String {
    format!(
        "there are no API descriptions in {} (AZURE_API_SPECS names their folder)",
        directory.display()
    )
}

fn folders(directory: &Path) -> Result<Vec<PathBuf>, String> {
    Ok(entries(directory)?
        .into_iter()
        .filter(|path| path.is_dir())
        .collect())
}

fn json_files(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let is_json = |path: &PathBuf| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    };
    Ok(entries(directory)?.into_iter().filter(is_json).collect())
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error| format!("cannot list {}: {error}", directory.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.sort();
    Ok(paths)
}

fn read(file: &Path) -> Result<Value, String> {
    let failed = |error: String| format!("cannot read {}: {error}", file.display());
    let text = fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| failed(error.to_string()))
}
