//! The test that `docs/emulator.md` shows: what a user of the emulator writes.

use azureml_aks::emulator::{Emulator, ExistingCluster, Fault};
use azureml_aks::{AksCompute, ClusterRef, ComputeTarget, Error, WaitOptions, Workspace};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn attaching_survives_a_throttle() -> Result<(), Error> {
    let emulator = Emulator::builder()
        .cluster(ExistingCluster::new("mygroup", "mycluster").node_count(3))
        .build();
    emulator.inject(
        Fault::throttled(Duration::from_secs(17))
            .on_path("/computeOperationsStatus/")
            .times(1),
    );

    let workspace = Workspace::builder(
        emulator.subscription(),
        emulator.resource_group(),
        emulator.workspace(),
    )
    .credential(emulator.credential()) // a fixed token
    .transport(emulator.transport())
    .build()?;

    // The code under test.
    let config =
        AksCompute::attach_configuration(ClusterRef::named("mygroup", "mycluster")).build()?;
    let mut aks = ComputeTarget::attach(&workspace, "myaks", config).await?;
    aks.wait_for_completion(WaitOptions::new()).await?;

    assert_eq!(aks.status(), Some("Succeeded"));
    assert!(emulator.journal().iter().all(|request| request.authorized));
    assert!(
        emulator
            .journal()
            .iter()
            .any(|request| request.status == Some(429))
    );
    Ok(())
}
