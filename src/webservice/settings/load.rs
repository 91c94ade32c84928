//! The number of replicas that a load needs.

use crate::error::Error;
use crate::rules::{self, Findings};
use std::time::Duration;

/// The load on a service, for [`replicas_for_load`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use = "a load does nothing until replicas are counted for it"]
pub struct ServiceLoad {
    requests_per_second: f64,
    request_time: Duration,
    target_utilization: u32,
    max_concurrent_requests: u32,
}

impl ServiceLoad {
    /// Returns a load with the documented defaults: 70 percent utilisation, one request at a time in each
    /// replica.
    ///
    /// # Arguments
    ///
    /// * `requests_per_second` - the number of requests that arrive in a second
    /// * `request_time` - the time that a replica works on one of them
    pub fn new(requests_per_second: f64, request_time: Duration) -> Self {
        Self {
            requests_per_second,
            request_time,
            target_utilization: 70,
            max_concurrent_requests: 1,
        }
    }

    /// Sets the target percentage of busy replicas, 1 to 100. The default is 70.
    pub fn target_utilization(mut self, percent: u32) -> Self {
        self.target_utilization = percent;
        self
    }

    /// Sets the number of requests that a replica works on at the same time. The default is 1.
    pub fn max_concurrent_requests(mut self, requests: u32) -> Self {
        self.max_concurrent_requests = requests;
        self
    }

    fn check(&self) -> Result<(), Error> {
        let mut findings = Findings::default();
        let mut refuse = |path: &str, value: String, remedy: &str| {
            findings.refuse(
                rules::LOAD_AMOUNT,
                path,
                Some(&value),
                "no number of replicas follows from this value",
                remedy,
            );
        };
        if !(self.requests_per_second.is_finite() && self.requests_per_second > 0.0) {
            refuse(
                "requests_per_second",
                self.requests_per_second.to_string(),
                "give a finite number above zero",
            );
        }
        if self.request_time.is_zero() {
            refuse(
                "request_time",
                format!("{:?}", self.request_time),
                "give the time that one request takes",
            );
        }
        if !(1..=100).contains(&self.target_utilization) {
            refuse(
                "target_utilization",
                self.target_utilization.to_string(),
                "give 1 to 100 percent, for example 70",
            );
        }
        if self.max_concurrent_requests == 0 {
            refuse(
                "max_concurrent_requests",
                self.max_concurrent_requests.to_string(),
                "give one or more",
            );
        }
        findings.finish(LOAD).map(drop)
    }
}

/// Returns the least number of replicas that a load needs: set it as the largest number of an
/// [`AutoScale`](super::AutoScale), or as the number of [`Replicas::Fixed`](super::Replicas::Fixed).
///
/// The documented formula is
/// ⌈(requests per second × time of a request ÷ target utilisation) ÷ concurrent requests⌉
/// (`how-to-deploy-azure-kubernetes-service`, 2020-09).
///
/// # Errors
///
/// Reports every part of the load that makes no sense: no requests, no time for a request, no replica that
/// may work. A load that needs more replicas than the service can count is refused too.
///
/// # Examples
///
/// ```
/// use azureml_aks::{ServiceLoad, replicas_for_load};
/// use std::time::Duration;
///
/// let load = ServiceLoad::new(20.0, Duration::from_secs(10));
/// assert_eq!(replicas_for_load(&load)?, 286);
/// assert_eq!(replicas_for_load(&load.max_concurrent_requests(4))?, 72);
/// # Ok::<(), azureml_aks::Error>(())
/// ```
pub fn replicas_for_load(load: &ServiceLoad) -> Result<u32, Error> {
    load.check()?;
    // Percent on both sides, so that no fraction like 0.7 is rounded on the way.
    let work = load.requests_per_second * load.request_time.as_secs_f64() * 100.0;
    let per_replica = f64::from(load.target_utilization) * f64::from(load.max_concurrent_requests);
    let exact = work / per_replica;
    // A load that fits exactly must not cost one more replica because of the last bit.
    let nearest = exact.round();
    let replicas = if (exact - nearest).abs() <= nearest * 1e-12 {
        nearest
    } else {
        exact.ceil()
    }
    .max(1.0);
    if replicas > f64::from(i32::MAX) {
        let mut findings = Findings::default();
        findings.refuse(
            rules::LOAD_TOO_LARGE,
            "requests_per_second",
            Some(&load.requests_per_second.to_string()),
            "this load needs more replicas than the service can count",
            "divide the load between services, or make a request faster",
        );
        return Err(Error::validation(LOAD, findings.into_refusals()));
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number between 1 and i32::MAX"
    )]
    Ok(replicas as u32)
}

const LOAD: &str = "load of a service";

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn count(load: ServiceLoad) -> u32 {
        replicas_for_load(&load).unwrap()
    }

    #[test]
    fn documented_example_needs_286_replicas() {
        assert_eq!(count(ServiceLoad::new(20.0, 10 * SECOND)), 286);
    }

    #[test]
    fn load_that_fits_exactly_needs_no_further_replica() {
        for (load, expected) in [
            (ServiceLoad::new(7.0, SECOND), 10),
            (ServiceLoad::new(7.001, SECOND), 11),
            // 3 × 2.1 × 100 ÷ 70 is 9.000000000000002 in floating point.
            (ServiceLoad::new(3.0, Duration::from_millis(2100)), 9),
            (ServiceLoad::new(0.001, Duration::from_millis(1)), 1),
            (
                ServiceLoad::new(0.7, Duration::from_millis(100)).target_utilization(7),
                1,
            ),
            (ServiceLoad::new(30.0, SECOND).target_utilization(100), 30),
            (
                ServiceLoad::new(30.0, SECOND)
                    .target_utilization(100)
                    .max_concurrent_requests(4),
                8,
            ),
        ] {
            assert_eq!(count(load), expected, "{load:?}");
        }
    }

    #[test]
    fn all_invalid_values_are_reported_at_once() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let load = ServiceLoad::new(rate, Duration::ZERO)
                .target_utilization(101)
                .max_concurrent_requests(0);
            let error = replicas_for_load(&load).unwrap_err();
            assert_eq!(error.findings().len(), 4, "{error}");
            assert!(
                error
                    .findings()
                    .iter()
                    .all(|found| found.rule == "load.amount")
            );
        }
        for load in [
            ServiceLoad::new(f64::MAX, Duration::MAX),
            ServiceLoad::new(1e10, SECOND),
        ] {
            let error = replicas_for_load(&load).unwrap_err();
            assert_eq!(error.findings()[0].rule, "load.too_large");
        }
    }
}
