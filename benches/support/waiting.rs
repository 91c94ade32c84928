//! The two ways to wait for many computes: each by itself, and all of a workspace together.

use azureml_aks::{AksCompute, Error, WaitOptions};

/// How the computes are waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// A task for each, with a `wait_for_completion` of its own: what one writes without thinking.
    Each,
    /// One `wait_all`.
    All,
}

impl Way {
    /// The ways that there are, in the order of [`NAMES`](Self::NAMES).
    pub(crate) const THERE: &[Self] = &[Self::Each, Self::All];

    pub(crate) const NAMES: [&str; 2] = ["each by itself", "wait_all"];
}

/// Waits for all, and gives the handles back as a caller keeps them.
pub(crate) async fn wait(
    way: Way,
    handles: Vec<AksCompute>,
) -> (Vec<AksCompute>, Vec<Result<(), Error>>) {
    match way {
        Way::Each => each(handles).await,
        Way::All => all(handles).await,
    }
}

async fn each(handles: Vec<AksCompute>) -> (Vec<AksCompute>, Vec<Result<(), Error>>) {
    let tasks: Vec<_> = handles
        .into_iter()
        .map(|mut handle| {
            tokio::spawn(async move {
                let result = handle.wait_for_completion(WaitOptions::new()).await;
                (handle, result)
            })
        })
        .collect();
    let mut ends = Vec::with_capacity(tasks.len());
    for task in tasks {
        // A waiter that panics is a bug, and no failure to be counted.
        ends.push(task.await.expect("a waiter panicked"));
    }
    ends.into_iter().unzip()
}

async fn all(mut handles: Vec<AksCompute>) -> (Vec<AksCompute>, Vec<Result<(), Error>>) {
    let results = azureml_aks::wait_all(&mut handles, WaitOptions::new()).await;
    (handles, results)
}
