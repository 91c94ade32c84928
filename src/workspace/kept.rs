//! Values that were read of Azure beside the workspace, and are used again for a while.

use crate::error::Error;
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Values by their type and a name.
#[derive(Default)]
pub(crate) struct Kept(Mutex<HashMap<(TypeId, String), Arc<dyn Any + Send + Sync>>>);

/// A value, and when it was read.
type Slot<T> = tokio::sync::Mutex<Option<(Instant, Arc<T>)>>;

impl Kept {
    /// Returns the value if it is younger than `age`, and else reads it. Whoever asks while it is read waits for
    /// that read. One that fails, or whose future is dropped, leaves what was kept before.
    pub(crate) async fn get<T: Send + Sync + 'static>(
        &self,
        name: &str,
        age: Duration,
        read: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<Arc<T>, Error> {
        let slot = self.slot::<T>(name);
        let mut kept = slot.lock().await;
        if let Some((since, value)) = &*kept
            && since.elapsed() < age
        {
            return Ok(value.clone());
        }
        let value = Arc::new(read.await?);
        *kept = Some((Instant::now(), value.clone()));
        Ok(value)
    }

    fn slot<T: Send + Sync + 'static>(&self, name: &str) -> Arc<Slot<T>> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = slots.entry((TypeId::of::<T>(), name.to_owned()));
        let slot = slot.or_insert_with(|| Arc::new(Slot::<T>::default()));
        // It is of this type: the type is a part of its key.
        slot.clone().downcast().unwrap_or_default()
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use futures::future::join;

    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test(start_paused = true)]
    async fn value_is_kept_by_type_and_name_until_it_is_too_old() {
        let kept = Kept::default();
        let get = async |name: &str, age, value: u32| {
            *kept.get(name, age, async move { Ok(value) }).await.unwrap()
        };
        assert_eq!(get("a", HOUR, 1).await, 1);
        assert_eq!(get("a", HOUR, 2).await, 1);
        assert_eq!(get("b", HOUR, 3).await, 3);
        let other = kept.get("a", HOUR, async { Ok("x") }).await.unwrap();
        assert_eq!(*other, "x");
        assert_eq!(get("a", Duration::ZERO, 4).await, 4);
        assert_eq!(get("a", HOUR, 5).await, 4);
        tokio::time::advance(HOUR).await;
        assert_eq!(get("a", HOUR, 6).await, 6);
    }

    #[tokio::test(start_paused = true)]
    async fn value_that_is_just_being_read_is_read_once_and_a_failure_is_not_kept() {
        let kept = Kept::default();
        let fails = kept.get::<u32>("a", HOUR, async {
            tokio::time::sleep(HOUR).await;
            Err(Error::new(ErrorKind::Transport, "broken"))
        });
        let slow = kept.get("a", HOUR, async {
            tokio::time::sleep(HOUR).await;
            Ok(1)
        });
        let (failed, read) = join(fails, slow).await;
        assert!(failed.is_err());
        assert_eq!(*read.unwrap(), 1);
        let never = kept.get("a", HOUR, async { Ok(2) });
        assert_eq!(*never.await.unwrap(), 1);
    }
}
