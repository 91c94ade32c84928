//! Processor time, medians, and ratios within a round.

use std::time::{Duration, Instant};

/// The processor time of this process, all its threads together.
#[cfg(unix)]
pub(crate) fn processor() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        time.tv_nsec.unsigned_abs() as u32,
    )
}

/// The processor time of this thread, to take off what the measuring itself costs.
#[cfg(unix)]
pub(crate) fn own_processor() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        time.tv_nsec.unsigned_abs() as u32,
    )
}

/// Not known here.
#[cfg(not(unix))]
pub(crate) fn own_processor() -> Duration {
    Duration::ZERO
}

/// Where there is no such clock here, a wall clock stands in.
#[cfg(not(unix))]
pub(crate) fn processor() -> Duration {
    use std::sync::OnceLock;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// Keeps this thread, and those that it starts, on one core if there are two: the client on 0, the
/// server on 1.
pub(crate) fn pin(core: usize) {
    #[cfg(target_os = "linux")]
    if std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1) {
        let mut set = rustix::thread::CpuSet::new();
        set.set(core);
        // Not allowed everywhere, and not needed everywhere.
        let _ = rustix::thread::sched_setaffinity(None, &set);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = core;
}

/// The largest resident set of this process so far, in kB.
pub(crate) fn peak() -> Option<u64> {
    memory("VmHWM:")
}

/// The resident set of this process, in kB.
pub(crate) fn resident() -> Option<u64> {
    memory("VmRSS:")
}

fn memory(what: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(what))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The time of a block of work per piece, in µs.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) processor: f64,
    pub(crate) wall: f64,
}

/// Measures a block of work.
pub(crate) struct Stopwatch {
    processor: Duration,
    wall: Instant,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self {
            processor: processor(),
            wall: Instant::now(),
        }
    }

    pub(crate) fn stop(self, pieces: usize) -> Sample {
        let per_piece = |time: Duration| time.as_secs_f64() * 1e6 / pieces as f64;
        Sample {
            processor: per_piece(processor() - self.processor),
            wall: per_piece(self.wall.elapsed()),
        }
    }
}

/// The samples of each contestant, round by round.
pub(crate) struct Rounds<const N: usize>(Vec<[Sample; N]>);

impl<const N: usize> Rounds<N> {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn push(&mut self, round: [Option<Sample>; N]) {
        self.0.push(round.map(|sample| sample.unwrap()));
    }

    /// The median of one contestant's samples.
    pub(crate) fn median(&self, contestant: usize, what: fn(&Sample) -> f64) -> f64 {
        quantile(self.0.iter().map(|round| what(&round[contestant])), 0.5)
    }

    /// The median of the ratios within a round, with the quartiles around it: other work on the
    /// machine comes and goes, and within a round it weighs on all.
    pub(crate) fn ratio(
        &self,
        contestant: usize,
        floor: usize,
        what: fn(&Sample) -> f64,
    ) -> String {
        let at = |part| {
            let ratios = self.0.iter();
            let ratios = ratios.map(|round| what(&round[contestant]) / what(&round[floor]));
            quantile(ratios, part)
        };
        format!("{:.3} ({:.2}-{:.2})", at(0.5), at(0.25), at(0.75))
    }
}

/// In which order a round's contestants go: each comes first, second, … equally often.
pub(crate) fn order<const N: usize>(round: usize) -> [usize; N] {
    std::array::from_fn(|place| (place + round) % N)
}

/// The value below which this part of the values lies.
pub(crate) fn quantile(values: impl Iterator<Item = f64>, part: f64) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let place = part * (values.len() - 1) as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    values[low] + (values[high] - values[low]) * place.fract()
}
