//! The report before a detach.

use super::Scene;
use crate::support::fixture;
use azureml_aks::emulator::{Emulator, ExistingCluster};
use azureml_aks::{
    AksCompute, AksWebservice, ClusterPurpose, ClusterRef, ComputeTarget, LoadBalancer, Pem, Tls,
    WaitOptions,
};

#[tokio::test(start_paused = true)]
async fn services_that_run_on_the_compute_are_told_and_those_of_others_are_not() {
    let scene = Scene::new().await;
    let other = fixture::created(&scene.workspace, "other").await;
    for name in ["second", "first"] {
        scene
            .deployed(name, AksWebservice::deploy_configuration())
            .await;
    }
    let report = scene.aks.before_detach().await.unwrap();
    assert_eq!(report.services, ["first", "second"]);
    let text = report.to_string();
    assert!(text.contains("first, second. Delete them"), "{text}");
    let report = other.before_detach().await.unwrap();
    assert!(report.services.is_empty(), "{report}");
    assert!(
        report
            .to_string()
            .starts_with("No service runs on compute \"other\".")
    );
    assert!(
        scene
            .emulator
            .journal()
            .iter()
            .all(|entry| entry.method != "DELETE")
    );
}

#[tokio::test(start_paused = true)]
async fn what_has_to_be_given_again_and_what_stays_behind_is_told() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let made = rcgen::generate_simple_self_signed(vec!["scoring.example.com".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let own = Tls::certificate(
        "scoring.example.com",
        Pem::text(certificate),
        Pem::text(&key),
    );
    for (name, tls, again) in [
        (
            "own",
            own,
            "the certificate of scoring.example.com and its key",
        ),
        (
            "label",
            Tls::leaf_domain("mylabel"),
            "the leaf domain label mylabel, with",
        ),
    ] {
        emulator.add_cluster(ExistingCluster::new("g", name));
        let config = AksCompute::attach_configuration(ClusterRef::named("g", name))
            .cluster_purpose(ClusterPurpose::DevTest)
            .tls(tls);
        let config = match name {
            "own" => config.load_balancer(LoadBalancer::internal_in("inner")),
            _ => config,
        };
        let mut aks = ComputeTarget::attach(&workspace, name, config.build().unwrap())
            .await
            .unwrap();
        aks.wait_for_completion(WaitOptions::new()).await.unwrap();
        let report = aks.before_detach().await.unwrap();
        let text = report.to_string();
        assert!(
            text.contains("the purpose: DevTest") && text.contains(again),
            "{text}"
        );
        let is_own = name == "own";
        assert_eq!(report.has_own_certificate, is_own);
        assert_eq!(
            text.contains("kubectl get secret azuremlfessl"),
            is_own,
            "{text}"
        );
        assert_eq!(
            text.contains("the internal load balancer, in subnet inner"),
            is_own,
            "{text}"
        );
        for left in [
            "deployment azureml-fe",
            "azureml-fe-int-http",
            "serviceaccount azureml-fe",
            "clusterrolebinding azureml-fe-binding",
            "clusterrole azureml-fe-role",
            "secret azuremlfessl",
            "configmap azuremlfeconfig",
        ] {
            assert!(text.contains(left), "{left} {text}");
        }
        let line = format!(
            "az aks delete -n {name} -g g --subscription {}",
            emulator.subscription()
        );
        assert_eq!(report.delete_line(), Some(line));
        assert!(!text.contains(&key));
        aks.detach().await.unwrap().await.unwrap();
        assert!(aks.before_detach().await.unwrap_err().is_not_found());
    }
}
