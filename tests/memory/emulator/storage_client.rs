//! Microsoft's storage crate against the blob store.

use std::sync::Arc;

use azure_core::http::{ClientOptions, Method, RequestContent, Transport, Url};
use azure_storage_blob::models::{
    BlobClientDownloadOptions, BlockBlobClientUploadOptions, BlockListType, BlockLookupList,
};
use azure_storage_blob::{BlobClient, BlobClientOptions, BlockBlobClient, BlockBlobClientOptions};
use azureml_aks::emulator::Emulator;
use serde_json::json;

use super::artifacts::plane;
use crate::support::raw::*;

async fn content_uri(emulator: &Emulator, path: &str) -> Url {
    let url = plane(
        emulator,
        "artifact/v2.0",
        "artifacts/batch/metadata/LocalUpload/c",
    );
    let body = json!({ "paths": [{ "path": path }] });
    let reply = send(emulator, Method::Post, &url, Some(&body)).await;
    let uri = &reply.body["artifactContentInformation"][path]["contentUri"];
    Url::parse(uri.as_str().unwrap()).unwrap()
}

fn options(emulator: &Emulator) -> ClientOptions {
    ClientOptions {
        transport: Some(Transport::new(Arc::clone(&emulator.http_client()))),
        ..ClientOptions::default()
    }
}

fn writer(emulator: &Emulator, url: &Url) -> BlockBlobClient {
    let options = BlockBlobClientOptions {
        client_options: options(emulator),
        ..BlockBlobClientOptions::default()
    };
    BlockBlobClient::new(url.clone(), None, Some(options)).unwrap()
}

fn reader(emulator: &Emulator, url: &Url) -> BlobClient {
    let options = BlobClientOptions {
        client_options: options(emulator),
        ..BlobClientOptions::default()
    };
    BlobClient::new(url.clone(), None, Some(options)).unwrap()
}

fn content(bytes: &[u8]) -> RequestContent<azure_core::Bytes, azure_core::http::NoFormat> {
    RequestContent::from(bytes.to_vec())
}

#[tokio::test]
async fn blocks_are_staged_listed_and_committed() {
    let emulator = Emulator::new();
    let url = content_uri(&emulator, "blocks.bin").await;
    let client = writer(&emulator, &url);
    let ids: Vec<Vec<u8>> = [0u64, 4]
        .iter()
        .map(|at| format!("{at:016x}").into_bytes())
        .collect();
    for (id, body) in ids.iter().zip([&b"0123"[..], b"45"]) {
        client
            .stage_block(id, body.len() as u64, content(body), None)
            .await
            .unwrap();
    }
    let lists = async |kind: BlockListType| {
        let answer = client.get_block_list(kind, None).await.unwrap();
        let lists = answer.into_model().unwrap();
        let names =
            |blocks: Option<Vec<azure_storage_blob::models::Block>>| -> Vec<(Vec<u8>, i64)> {
                let blocks = blocks.unwrap_or_default().into_iter();
                blocks
                    .map(|block| (block.name.unwrap(), block.size.unwrap()))
                    .collect()
            };
        (
            names(lists.committed_blocks),
            names(lists.uncommitted_blocks),
        )
    };
    let both = vec![(ids[0].clone(), 4), (ids[1].clone(), 2)];
    assert_eq!(lists(BlockListType::All).await, (Vec::new(), both.clone()));
    let list = BlockLookupList {
        latest: Some(ids.clone()),
        ..BlockLookupList::default()
    };
    client
        .commit_block_list(list.try_into().unwrap(), None)
        .await
        .unwrap();
    assert_eq!(lists(BlockListType::All).await, (both, Vec::new()));
    assert_eq!(
        emulator.artifact("LocalUpload/c/blocks.bin").unwrap(),
        b"012345"
    );
}

#[tokio::test]
async fn managed_upload_and_download_go_through_in_parts() {
    let emulator = Emulator::new();
    let url = content_uri(&emulator, "large.bin").await;
    let bytes: Vec<u8> = (0..100_000u32).map(|n| (n % 251) as u8).collect();
    let parts = std::num::NonZero::new(16 * 1024);
    let parallel = std::num::NonZero::new(3);
    let upload = BlockBlobClientUploadOptions {
        partition_size: parts.map(|size| size.try_into().unwrap()),
        parallel,
        ..BlockBlobClientUploadOptions::default()
    };
    writer(&emulator, &url)
        .upload(content(&bytes), Some(upload))
        .await
        .unwrap();
    let blocks = emulator
        .journal()
        .iter()
        .filter(|entry| entry.parameter("comp").as_deref() == Some("block"))
        .count();
    assert_eq!(blocks, 7);
    let client = reader(&emulator, &url);
    let options = BlobClientDownloadOptions {
        partition_size: parts,
        parallel,
        ..BlobClientDownloadOptions::default()
    };
    let answer = client.download(Some(options)).await.unwrap();
    assert_eq!(answer.body.collect().await.unwrap().to_vec(), bytes);
    assert!(client.exists().await.unwrap());
}

#[tokio::test]
async fn empty_blob_and_an_absent_one_are_distinguished() {
    let emulator = Emulator::new();
    let url = content_uri(&emulator, "empty").await;
    let client = reader(&emulator, &url);
    assert!(!client.exists().await.unwrap());
    let refused = client.download(None).await.unwrap_err();
    assert_eq!(refused.http_status().map(u16::from), Some(404));
    writer(&emulator, &url)
        .upload(content(b""), None)
        .await
        .unwrap();
    let answer = client.download(None).await.unwrap();
    assert!(answer.body.collect().await.unwrap().is_empty());
}
