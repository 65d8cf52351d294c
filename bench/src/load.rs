//! Runs work many times, sequentially or concurrently.

use anyhow::Result;
use std::time::{Duration, Instant};

/// The durations of the runs, sorted.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    /// Sorts the durations.
    pub(crate) fn new(mut times: Vec<Duration>) -> Self {
        times.sort();
        Self(times)
    }

    /// The number of runs.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The quantile for this share, in milliseconds.
    pub(crate) fn at(&self, share: f64) -> f64 {
        let index = ((self.0.len() as f64 * share) as usize).min(self.0.len().saturating_sub(1));
        self.0.get(index).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
    }

    /// The median, in milliseconds.
    pub(crate) fn median(&self) -> f64 {
        self.at(0.5)
    }

    /// `1.42 ms (1.30–1.71, n=200)`: median, tenth and ninetieth percentile.
    pub(crate) fn describe(&self) -> String {
        let (low, high) = (self.at(0.1), self.at(0.9));
        format!("{:.2} ms ({low:.2}–{high:.2}, n={})", self.median(), self.0.len())
    }
}

/// The clock for measurements.
pub(crate) fn now() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "measuring durations is what this program is for"
    )]
    Instant::now()
}

/// Measures `count` sequential runs, after a tenth as many for warming up.
pub(crate) async fn one_by_one<F>(count: usize, mut run: impl FnMut(usize) -> F) -> Result<Times>
where
    F: Future<Output = Result<()>>,
{
    let warm = count / 10 + 1;
    let mut times = Vec::with_capacity(count);
    for n in 0..warm + count {
        let began = now();
        run(n).await?;
        if n >= warm {
            times.push(began.elapsed());
        }
    }
    Ok(Times::new(times))
}

/// Runs the work by all workers at once for so many seconds, three times. Returns the runs per second, sorted.
pub(crate) async fn at_once<W, F>(workers: Vec<W>, seconds: f64, run: F) -> Result<[f64; 3]>
where
    W: Send + 'static,
    F: AsyncWork<W>,
{
    let (mut workers, mut rates) = (workers, [0.0; 3]);
    for rate in &mut rates {
        let began = now();
        let until = began + Duration::from_secs_f64(seconds);
        let tasks: Vec<_> = workers
            .into_iter()
            .map(|mut worker| {
                let run = run.clone();
                tokio::spawn(async move {
                    let mut runs = 0_u64;
                    while now() < until {
                        run.run(&mut worker).await?;
                        runs += 1;
                    }
                    Ok::<_, anyhow::Error>((worker, runs))
                })
            })
            .collect();
        let (mut back, mut runs) = (Vec::new(), 0);
        for task in tasks {
            let (worker, own) = task.await??;
            back.push(worker);
            runs += own;
        }
        workers = back;
        *rate = runs as f64 / began.elapsed().as_secs_f64();
    }
    rates.sort_by(f64::total_cmp);
    Ok(rates)
}

/// `1520/s (1490–1533)`: the median and the range of three measurements.
pub(crate) fn rate(rates: [f64; 3]) -> String {
    format!("{:.0}/s ({:.0}–{:.0})", rates[1], rates[0], rates[2])
}

/// Work that a worker repeats.
pub(crate) trait AsyncWork<W>: Clone + Send + Sync + 'static {
    /// Runs the work once.
    fn run(&self, worker: &mut W) -> impl Future<Output = Result<()>> + Send;
}
