//! Counts and durations, as the service counts them: whole numbers in 32 bits with a sign.

use crate::rules::{self, Findings};
use serde_json::Value;
use std::time::Duration;

/// The unit in which the service counts a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Milliseconds,
    Seconds,
}

const MOST: u32 = i32::MAX.unsigned_abs();

/// Checks a count that is at least one.
pub(super) fn check_count(path: &str, count: Option<u32>, findings: &mut Findings) {
    if count == Some(0) {
        refuse_zero(path, "0", findings);
    }
    check_fits(path, count, findings);
}

/// Checks a count that may be zero.
pub(super) fn check_fits(path: &str, count: Option<u32>, findings: &mut Findings) {
    if let Some(count) = count
        && count > MOST
    {
        refuse_too_large(path, &count.to_string(), findings);
    }
}

/// Checks a duration that is at least one of its unit.
pub(super) fn check_duration(
    path: &str,
    duration: Option<Duration>,
    unit: Unit,
    findings: &mut Findings,
) {
    let Some(duration) = duration else { return };
    let given = format!("{duration:?}");
    if duration.is_zero() {
        refuse_zero(path, &given, findings);
    } else if whole(duration, unit) > u128::from(MOST) {
        refuse_too_large(path, &given, findings);
    } else if back(whole(duration, unit), unit) != Some(duration) {
        let name = match unit {
            Unit::Milliseconds => "milliseconds",
            Unit::Seconds => "seconds",
        };
        findings.refuse(
            rules::DEPLOY_DURATION_UNIT,
            path,
            Some(&given),
            format!("the service counts this in whole {name}"),
            format!("give a whole number of {name}"),
        );
    }
}

/// Returns a duration as the service reads it.
pub(super) fn duration_value(duration: Duration, unit: Unit) -> Value {
    u64::try_from(whole(duration, unit))
        .unwrap_or(u64::MAX)
        .into()
}

fn whole(duration: Duration, unit: Unit) -> u128 {
    match unit {
        Unit::Milliseconds => duration.as_millis(),
        Unit::Seconds => duration.as_secs().into(),
    }
}

fn back(whole: u128, unit: Unit) -> Option<Duration> {
    let whole = u64::try_from(whole).ok()?;
    Some(match unit {
        Unit::Milliseconds => Duration::from_millis(whole),
        Unit::Seconds => Duration::from_secs(whole),
    })
}

fn refuse_zero(path: &str, given: &str, findings: &mut Findings) {
    findings.refuse(
        rules::DEPLOY_COUNT_ZERO,
        path,
        Some(given),
        "this is zero",
        "give one or more, or leave it out for the service's default",
    );
}

fn refuse_too_large(path: &str, given: &str, findings: &mut Findings) {
    findings.refuse(
        rules::DEPLOY_COUNT_TOO_LARGE,
        path,
        Some(given),
        format!("the number is above the service's maximum of {MOST}"),
        "give a smaller number",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(duration: Duration, unit: Unit) -> Vec<&'static str> {
        let mut findings = Findings::default();
        check_duration("p", Some(duration), unit, &mut findings);
        let found = findings.into_refusals();
        found.iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn duration_is_a_whole_number_that_fits() {
        let (milliseconds, seconds) = (Unit::Milliseconds, Unit::Seconds);
        let most = u64::from(MOST);
        for (duration, unit, expected) in [
            (Duration::from_millis(1), milliseconds, vec![]),
            (Duration::from_millis(most), milliseconds, vec![]),
            (Duration::from_secs(most), seconds, vec![]),
            (Duration::ZERO, seconds, vec!["deploy.count.zero"]),
            (
                Duration::from_nanos(1),
                milliseconds,
                vec!["deploy.duration.unit"],
            ),
            (
                Duration::from_micros(1500),
                milliseconds,
                vec!["deploy.duration.unit"],
            ),
            (
                Duration::from_millis(1500),
                seconds,
                vec!["deploy.duration.unit"],
            ),
            (
                Duration::from_millis(most + 1),
                milliseconds,
                vec!["deploy.count.too_large"],
            ),
            (Duration::MAX, milliseconds, vec!["deploy.count.too_large"]),
            (Duration::MAX, seconds, vec!["deploy.count.too_large"]),
        ] {
            assert_eq!(rules(duration, unit), expected, "{duration:?} {unit:?}");
        }
        assert_eq!(
            duration_value(Duration::from_millis(1500), milliseconds),
            1500
        );
        assert_eq!(duration_value(Duration::from_secs(15), seconds), 15);
    }

    #[test]
    fn count_fits_into_the_number_of_the_service() {
        for (count, expected) in [(0, 1), (1, 0), (MOST, 0), (MOST + 1, 1), (u32::MAX, 1)] {
            let mut findings = Findings::default();
            check_count("p", Some(count), &mut findings);
            assert_eq!(findings.into_refusals().len(), expected, "{count}");
        }
        let mut findings = Findings::default();
        check_fits("p", Some(0), &mut findings);
        check_count("p", None, &mut findings);
        assert!(!findings.refused());
    }
}
