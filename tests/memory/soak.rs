//! A day of random faults, by the virtual clock: every operation is accounted for.
//!
//! Some two thousand operations are begun, dropped, resumed elsewhere and waited for, alone and many at
//! once, while the emulator throttles, breaks off, loses answers and fails operations. The seed of the
//! day is fixed and `SOAK_SEED` sets another one; the jitter of the pauses is the library's own, so that
//! no two days are quite alike.

use crate::support::fixture;
use azure_core::http::Method;
use azureml_aks::emulator::{Emulator, Fault};
use azureml_aks::{
    AksCompute, ClusterPurpose, ComputeTarget, Error, ErrorKind, Prepared, ResumeToken, Resumed,
    TlsUpdate, UpdateConfiguration, Verb, WaitOptions, models::TokenResource, wait_all,
};
use futures::future::join_all;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Numbers that come again with the same seed (splitmix64).
#[derive(Clone)]
struct Chance(Arc<Mutex<u64>>);

impl Chance {
    fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(seed)))
    }

    fn below(&self, end: u64) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    fn one_in(&self, parts: u64) -> bool {
        self.below(parts) == 0
    }

    fn seconds(&self, end: u64) -> Duration {
        Duration::from_millis(self.below(end * 1000))
    }
}

/// How operations ended, by verb.
#[derive(Default)]
struct Books {
    begun: BTreeMap<&'static str, usize>,
    ended: BTreeMap<(&'static str, &'static str), usize>,
    dropped: usize,
    resumed: usize,
    deadlines: usize,
    lost: usize,
}

#[derive(Clone)]
struct Day {
    emulator: Emulator,
    chance: Chance,
    books: Arc<Mutex<Books>>,
}

/// The end of an operation, as its caller was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Succeeded,
    Failed,
    /// The service or the throttle refused it: nothing was begun.
    Refused,
}

/// The token of a verb, and how sending it went; `None` if it died on the way.
type Sent = (ResumeToken, Option<Result<Resumed, Error>>);

/// Sends a prepared verb, and dies if that takes too long.
async fn send<T>(
    prepared: Prepared<'_, T>,
    patience: Duration,
) -> (ResumeToken, Option<Result<T, Error>>) {
    let token = ResumeToken::parse(&prepared.token().expose()).unwrap();
    (token, timeout(patience, prepared.send()).await.ok())
}

impl Day {
    /// Another process: its own throttle, its own connections.
    fn process(&self) -> azureml_aks::Workspace {
        fixture::workspace(&self.emulator)
    }

    fn count(&self, change: impl FnOnce(&mut Books)) {
        change(&mut self.books.lock().unwrap());
    }

    /// Sends a verb, maybe dying on the way, and follows it to its end. `send` sends it once.
    async fn carry_out(&self, verb: &'static str, send: impl AsyncFn(Duration) -> Sent) -> End {
        self.count(|books| *books.begun.entry(verb).or_default() += 1);
        let end = self.until_it_ends(send).await;
        let how = match end {
            End::Succeeded => "succeeded",
            End::Failed => "failed",
            End::Refused => "refused",
        };
        self.count(|books| *books.ended.entry((verb, how)).or_default() += 1);
        end
    }

    async fn until_it_ends(&self, send: impl AsyncFn(Duration) -> Sent) -> End {
        loop {
            let patience = match self.chance.one_in(4) {
                true => Duration::from_millis(self.chance.below(50)),
                false => Duration::from_secs(600),
            };
            let (token, sent) = send(patience).await;
            let target = match sent {
                Some(Ok(begun)) => begun,
                Some(Err(error)) => match error.resume_token() {
                    Some(token) => self.resume(token).await,
                    // Nothing was begun.
                    None => return self.refused(&error).await,
                },
                None => {
                    self.count(|books| books.dropped += 1);
                    self.resume(&token).await
                }
            };
            if let Resumed::NotStarted { .. } = target {
                sleep(Duration::from_secs(60)).await;
                continue;
            }
            if let Some(end) = self.follow(target).await {
                return end;
            }
        }
    }

    async fn refused(&self, error: &Error) -> End {
        let known = matches!(
            error.kind(),
            ErrorKind::Service
                | ErrorKind::Transport
                | ErrorKind::Protocol
                | ErrorKind::Timeout
                | ErrorKind::Refused
                | ErrorKind::AlreadyExists
        );
        assert!(known, "{error:?}");
        sleep(error.retry_after().unwrap_or_default()).await;
        End::Refused
    }

    /// Resumes a token in another process, as often as it has to be asked.
    async fn resume(&self, token: &ResumeToken) -> Resumed {
        self.count(|books| books.resumed += 1);
        let token = ResumeToken::parse(&token.expose()).unwrap();
        loop {
            let process = self.process();
            let resumed = if self.chance.one_in(2) {
                process.resume(&token).await
            } else {
                process.resume_all([&token, &token]).await.remove(0)
            };
            match resumed {
                Ok(resumed) => return resumed,
                Err(error) => {
                    assert_ne!(error.kind(), ErrorKind::ResumeToken, "{error}");
                    sleep(Duration::from_secs(30)).await;
                }
            }
        }
    }

    /// Waits to the end, dying and resuming now and then; `None` where it never began.
    async fn follow(&self, mut target: Resumed) -> Option<End> {
        loop {
            let limit = Duration::from_secs(10) + self.chance.seconds(3600);
            let options = WaitOptions::new().deadline(limit);
            let patience = Duration::from_secs(5) + self.chance.seconds(3600);
            let wait = wait_all(std::slice::from_mut(&mut target), options);
            match timeout(patience, wait).await {
                Ok(mut results) => match results.remove(0) {
                    Ok(()) => return Some(End::Succeeded),
                    Err(error) if error.is_operation_failure() => return Some(End::Failed),
                    Err(error) if error.kind() == ErrorKind::NotStarted => return None,
                    // The operation succeeded; only its result is still to be had.
                    Err(error) if error.kind() == ErrorKind::ResultUnavailable => continue,
                    Err(error) => {
                        assert!(error.may_still_run(), "{error:?}");
                        assert!(error.resume_token().is_some(), "lost: {error:?}");
                        self.count(|books| match error.kind() {
                            ErrorKind::DeadlineExceeded => books.deadlines += 1,
                            _ => books.lost += 1,
                        });
                    }
                },
                Err(_) => self.count(|books| books.dropped += 1),
            }
            let token = target.resume_token().cloned();
            if let (true, Some(token)) = (self.chance.one_in(2), token) {
                target = self.resume(&token).await;
            }
        }
    }

    /// A compute from its create to its removal.
    async fn life(self, name: String) {
        let workspace = self.process();
        let config = AksCompute::provisioning_configuration()
            .cluster_purpose(ClusterPurpose::DevTest)
            .build()
            .unwrap();
        let create = async |patience| {
            let create = ComputeTarget::create(&workspace, &name, config.clone());
            let (token, sent) = send(create.prepare().unwrap(), patience).await;
            (token, sent.map(|sent| sent.map(Resumed::from)))
        };
        loop {
            let end = self.carry_out("create", create).await;
            let document = self.emulator.compute(&name);
            let state = document.as_ref().map(|document| {
                document["properties"]["provisioningState"]
                    .as_str()
                    .unwrap()
            });
            match end {
                End::Succeeded => assert_eq!(state, Some("Succeeded"), "{name}"),
                End::Failed => assert!(matches!(state, Some("Failed" | "Canceled")), "{name}"),
                End::Refused => {
                    assert_eq!(state, None, "{name}: refused, and there");
                    continue;
                }
            }
            break;
        }
        let aks = self.handle(&name).await;
        if self.emulator.compute(&name).unwrap()["properties"]["provisioningState"] == "Succeeded" {
            let change = UpdateConfiguration::builder()
                .tls(TlsUpdate::Disable)
                .build()
                .unwrap();
            let update = async |patience| {
                let mut aks = aks.clone();
                let update = aks.update(change.clone()).prepare().unwrap();
                let (token, sent) = send(update, patience).await;
                (token, sent.map(|sent| sent.map(|()| Resumed::from(aks))))
            };
            self.carry_out("update", update).await;
        }
        loop {
            let verb = match self.chance.one_in(2) {
                true => "delete",
                false => "detach",
            };
            let remove = async |patience| {
                let mut aks = aks.clone();
                let removal = match verb {
                    "delete" => aks.delete(),
                    _ => aks.detach(),
                };
                let (token, sent) = send(removal.prepare().unwrap(), patience).await;
                // It is pending on the handle, too.
                let begun = |operation| match self.chance.one_in(2) {
                    true => Resumed::Removal(operation),
                    false => Resumed::from(aks),
                };
                (token, sent.map(|sent| sent.map(begun)))
            };
            match self.carry_out(verb, remove).await {
                End::Succeeded => break,
                End::Failed | End::Refused => sleep(Duration::from_secs(120)).await,
            }
        }
        assert_eq!(self.emulator.compute(&name), None, "removed, and there");
    }

    async fn handle(&self, name: &str) -> AksCompute {
        loop {
            match AksCompute::get(&self.process(), name).await {
                Ok(aks) => return aks,
                Err(_) => sleep(Duration::from_secs(30)).await,
            }
        }
    }

    /// Many creates that are waited for together; then they are detached together.
    async fn fleet(self, names: Vec<String>) {
        let config = AksCompute::provisioning_configuration()
            .cluster_purpose(ClusterPurpose::DevTest)
            .build()
            .unwrap();
        let process = self.process();
        let mut targets = Vec::new();
        for name in &names {
            self.count(|books| *books.begun.entry("create").or_default() += 1);
            let create = ComputeTarget::create(&process, name, config.clone());
            match create.or_get().await {
                Ok(compute) => targets.push(Resumed::from(compute)),
                Err(error) => match error.resume_token() {
                    Some(token) => targets.push(self.resume(token).await),
                    None => targets.push(Resumed::NotStarted {
                        verb: Verb::Create,
                        resource: TokenResource::Compute("AKS".to_owned()),
                        name: name.clone(),
                    }),
                },
            }
        }
        self.together(&mut targets, "create", &names).await;
        let mut removals = Vec::new();
        let mut there = Vec::new();
        for name in &names {
            if self.emulator.compute(name).is_none() {
                continue;
            }
            let mut aks = self.handle(name).await;
            loop {
                let prepared = aks.detach().prepare().unwrap();
                let token = prepared.token().clone();
                let removal = match prepared.send().await {
                    Ok(operation) => Resumed::Removal(operation),
                    Err(error) => self.resume(error.resume_token().unwrap_or(&token)).await,
                };
                if let Resumed::Removal(_) = &removal {
                    self.count(|books| *books.begun.entry("detach").or_default() += 1);
                    removals.push(removal);
                    there.push(name.clone());
                    break;
                }
                sleep(Duration::from_secs(60)).await;
            }
        }
        self.together(&mut removals, "detach", &there).await;
        for name in &names {
            assert_eq!(
                self.emulator.compute(name),
                None,
                "{name}: removed, and there"
            );
        }
    }

    /// Waits for all, in parts, until each has ended; and compares each end with the service.
    async fn together(&self, targets: &mut [Resumed], verb: &'static str, names: &[String]) {
        let mut ends = vec![None; targets.len()];
        while ends.iter().any(Option::is_none) {
            let options =
                WaitOptions::new().deadline(Duration::from_secs(60) + self.chance.seconds(2400));
            let patience = Duration::from_secs(30) + self.chance.seconds(2400);
            let Ok(results) = timeout(patience, wait_all(&mut *targets, options)).await else {
                self.count(|books| books.dropped += 1);
                continue;
            };
            for (end, result) in ends.iter_mut().zip(results) {
                *end = match result {
                    Ok(()) => Some("succeeded"),
                    Err(error) if error.is_operation_failure() => Some("failed"),
                    Err(error) if error.kind() == ErrorKind::NotStarted => Some("refused"),
                    Err(error) if error.kind() == ErrorKind::ResultUnavailable => None,
                    Err(error) => {
                        assert!(error.resume_token().is_some(), "lost: {error:?}");
                        None
                    }
                };
            }
        }
        for (end, name) in ends.into_iter().zip(names) {
            let end = end.unwrap();
            self.count(|books| *books.ended.entry((verb, end)).or_default() += 1);
            let document = self.emulator.compute(name);
            let state = document.as_ref().map(|document| {
                document["properties"]["provisioningState"]
                    .as_str()
                    .unwrap()
            });
            let expected = match (verb, end) {
                ("create", "succeeded") => Some("Succeeded"),
                ("create", "failed") => Some("Failed"),
                ("detach", "succeeded") | ("create", "refused") => None,
                // A detach that failed leaves the compute; it is not begun again here.
                _ => Some("Failed"),
            };
            assert_eq!(state, expected, "{verb} {name}: {end}");
        }
    }

    /// Something goes wrong every minute or two.
    async fn weather(self) {
        loop {
            sleep(Duration::from_secs(20) + self.chance.seconds(120)).await;
            let times = 1 + self.chance.below(6) as u32;
            let fault =
                match self.chance.below(12) {
                    0 => Fault::throttled(Duration::from_secs(1 + self.chance.below(200))),
                    1 => Fault::server_error(500),
                    2 => Fault::server_error(503),
                    3 => Fault::server_error(504),
                    4 => Fault::connection_dropped(),
                    5 => Fault::response_lost(),
                    6 => Fault::truncated_body(),
                    7 => Fault::html_error(),
                    8 => Fault::expired_token(),
                    9 => Fault::operation_fails("Broken", "by the weather")
                        .on(Method::Put, "/computes/"),
                    10 => Fault::response_override(200, &[], "{\"value\":")
                        .on(Method::Get, "/computes"),
                    // Of reads only: a removal that is answered 200 is done, by the rules, and this one is not.
                    _ => Fault::response_override(200, &[], "null").on(Method::Get, "/"),
                };
            let fault = match self.chance.below(3) {
                0 => fault.on_path("OperationsStatus"),
                _ => fault,
            };
            self.emulator.inject(fault.times(times));
            // Its log would grow all day.
            self.emulator.clear_journal();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn operations_of_a_day_of_faults_are_all_accounted_for() {
    let seed = std::env::var("SOAK_SEED").map_or(20_261_125, |seed| seed.parse().unwrap());
    let day = Day {
        emulator: Emulator::builder().page_size(7).build(),
        chance: Chance::new(seed),
        books: Arc::default(),
    };
    let begun = Instant::now();
    let local = tokio::task::LocalSet::new();
    let _weather = local.spawn_local(day.clone().weather());
    let mut lives = Vec::new();
    let mut number = 0;
    let mut name = || {
        number += 1;
        format!("soak-{number}x")
    };
    local
        .run_until(async {
            while begun.elapsed() < DAY {
                lives.push(tokio::task::spawn_local(day.clone().life(name())));
                if day.chance.one_in(8) {
                    let names = (0..5 + day.chance.below(20)).map(|_| name()).collect();
                    lives.push(tokio::task::spawn_local(day.clone().fleet(names)));
                }
                sleep(Duration::from_secs(120) + day.chance.seconds(240)).await;
            }
            for life in join_all(lives).await {
                life.unwrap();
            }
        })
        .await;
    let books = day.books.lock().unwrap();
    let mut ended: BTreeMap<&str, usize> = BTreeMap::new();
    for ((verb, _), count) in &books.ended {
        *ended.entry(verb).or_default() += count;
    }
    println!(
        "seed {seed}: begun {:?}, ended {:?}, {} waits dropped, {} resumed, {} deadlines, {} statuses lost",
        books.begun, books.ended, books.dropped, books.resumed, books.deadlines, books.lost
    );
    assert_eq!(ended, books.begun, "seed {seed}: {:?}", books.ended);
    // The day was as it should be: all verbs, all ends, many drops.
    for verb in ["create", "update", "delete", "detach"] {
        assert!(books.ended[&(verb, "succeeded")] > 50, "{:?}", books.ended);
    }
    assert!(books.ended[&("create", "failed")] > 10, "{:?}", books.ended);
    assert!(books.dropped > 100 && books.resumed > 100 && books.deadlines > 20);
}
