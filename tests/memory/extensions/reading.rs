//! Reading one and all.

use super::*;
use azureml_aks::ErrorKind;
use futures::{StreamExt, TryStreamExt};

#[tokio::test(start_paused = true)]
async fn extension_that_is_missing_is_distinguished_from_a_missing_cluster() {
    let script = Script::new();
    let workspace = workspace(&script);
    script.expect([absent(), no_cluster(), absent()]);
    let found = Extension::get_opt(&workspace, managed(), "azureml").await;
    assert!(found.unwrap().is_none());
    let error = Extension::get_opt(&workspace, managed(), "azureml")
        .await
        .unwrap_err();
    assert!(
        error.is_not_found() && error.to_string().contains("managedClusters/c"),
        "{error}"
    );
    let error = Extension::get(&workspace, managed(), "azureml")
        .await
        .unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert!(
        error
            .to_string()
            .contains("extension \"azureml\" of cluster \"c\""),
        "{error}"
    );
    for name in ["", "a/b"] {
        let error = Extension::get(&workspace, managed(), name)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Validation);
    }
}

#[tokio::test(start_paused = true)]
async fn list_has_every_type_and_goes_on_after_an_unreadable_item() {
    let script = Script::new();
    let page =
        |items: Value, next: Value| reply(200).json(&json!({ "value": items, "nextLink": next }));
    let next = format!(
        "{ARM}{CLUSTER}/providers/Microsoft.KubernetesConfiguration/extensions?{VERSION}&$skip=1"
    );
    let dapr = json!({ "name": "dapr", "properties": { "extensionType": "microsoft.dapr", "statuses": null } });
    script.expect([
        page(
            json!([extension("Succeeded"), { "name": null }, "odd"]),
            json!(next),
        ),
        page(json!([dapr]), Value::Null),
    ]);
    let list = Extension::list(&workspace(&script), managed()).unwrap();
    let all: Vec<_> = list.collect().await;
    let names: Vec<Option<&str>> = all
        .iter()
        .map(|item| item.as_ref().ok().map(Extension::name))
        .collect();
    assert_eq!(names, [Some("azureml"), None, None, Some("dapr")]);
    let own = all.iter().flatten().filter(|one| one.is_machine_learning());
    assert_eq!(own.count(), 1);
    let first = script.sent().swap_remove(0);
    assert_eq!(
        first.url,
        format!("{ARM}{CLUSTER}/providers/Microsoft.KubernetesConfiguration/extensions?{VERSION}")
    );
    script.expect([no_cluster()]);
    let mut list = Extension::list(&workspace(&script), managed()).unwrap();
    assert!(list.try_next().await.unwrap_err().is_not_found());
    let machine = KubernetesClusterRef::id(
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v",
    );
    assert!(Extension::list(&workspace(&script), machine).is_err());
}

#[tokio::test(start_paused = true)]
async fn handle_shows_the_last_read_and_names_its_cluster() {
    let script = Script::new();
    let mut own = installed(&script).await;
    assert_eq!((own.name(), own.cluster_name()), ("azureml", "c"));
    assert_eq!(own.cluster(), KubernetesClusterRef::id(CLUSTER));
    script.expect([absent()]);
    assert!(own.refresh().await.unwrap_err().is_not_found());
    assert_eq!(own.status(), Some("Succeeded"), "what was read stays");
    script.expect([reply(200).json(&extension("Failed"))]);
    own.refresh().await.unwrap();
    assert_eq!(own.status(), Some("Failed"));
    assert!(format!("{own:?}").contains("Failed"));
}
