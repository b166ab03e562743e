//! A bad network between two TCP ends: seeded cuts, silence without a goodbye, delay, a limit on the rate.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// How bad.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weather {
    /// Of the cuts.
    pub(crate) seed: u64,
    /// A connection is cut after this many bytes, somewhere between the two; `None` never.
    pub(crate) cut_after_bytes: Option<(u64, u64)>,
    /// Share of the cuts that are silence: bytes vanish and nobody is told.
    pub(crate) silent: f64,
    /// Waited before each piece is passed on.
    pub(crate) delay: Duration,
    /// Most bytes per second; `None` for no limit.
    pub(crate) bytes_per_second: Option<u64>,
}

/// A running relay; dropping it closes every connection.
#[derive(Debug)]
pub(crate) struct Relay {
    /// Connect here instead.
    pub(crate) address: SocketAddr,
    open: Arc<AtomicBool>,
    running: Arc<AtomicBool>,
    /// Connections cut so far.
    pub(crate) cuts: Arc<AtomicU64>,
}

impl Relay {
    /// Stands before `target`.
    pub(crate) fn before(target: SocketAddr, weather: Weather) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (open, running) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(true)));
        let cuts = Arc::new(AtomicU64::new(0));
        let shared = (Arc::clone(&open), Arc::clone(&running), Arc::clone(&cuts));
        std::thread::spawn(move || {
            let mut dice = ChaCha8Rng::seed_from_u64(weather.seed);
            for near in listener.incoming().flatten() {
                let (open, running, cuts) = (&shared.0, &shared.1, &shared.2);
                if !running.load(Ordering::SeqCst) {
                    return;
                }
                if !open.load(Ordering::SeqCst) {
                    continue; // dropping it is the refusal
                }
                let Ok(far) = TcpStream::connect(target) else { continue };
                let fate = Fate::draw(&weather, &mut dice);
                pass_both_ways(&near, &far, fate, open, cuts);
            }
        });
        Ok(Self { address, open, running, cuts })
    }

    /// Closes the way (open connections end, new ones are refused) or opens it again.
    pub(crate) fn let_through(&self, yes: bool) {
        self.open.store(yes, Ordering::SeqCst);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.open.store(false, Ordering::SeqCst);
        self.running.store(false, Ordering::SeqCst);
        drop(TcpStream::connect(self.address)); // wakes the listener
    }
}

/// What will happen to one connection.
#[derive(Debug, Clone, Copy)]
struct Fate {
    budget: u64,
    silent: bool,
    delay: Duration,
    bytes_per_second: Option<u64>,
}

impl Fate {
    fn draw(weather: &Weather, dice: &mut ChaCha8Rng) -> Self {
        let Weather { seed: _, cut_after_bytes, silent, delay, bytes_per_second } = *weather;
        let budget = cut_after_bytes.map_or(u64::MAX, |(least, most)| dice.random_range(least..=most));
        Self { budget, silent: dice.random_bool(silent), delay, bytes_per_second }
    }
}

fn pass_both_ways(
    near: &TcpStream,
    far: &TcpStream,
    fate: Fate,
    open: &Arc<AtomicBool>,
    cuts: &Arc<AtomicU64>,
) {
    let left = Arc::new(AtomicU64::new(fate.budget));
    let ways = [(near.try_clone(), far.try_clone()), (far.try_clone(), near.try_clone())];
    for (from, to) in ways {
        let (Ok(from), Ok(to)) = (from, to) else { return };
        let (left, open, cuts) = (Arc::clone(&left), Arc::clone(open), Arc::clone(cuts));
        std::thread::spawn(move || pass(from, to, fate, &left, &open, &cuts));
    }
}

fn pass(
    mut from: TcpStream,
    mut to: TcpStream,
    fate: Fate,
    left: &AtomicU64,
    open: &AtomicBool,
    cuts: &AtomicU64,
) {
    let mut piece = [0; 4096];
    let wake = Duration::from_millis(50);
    let ready = from.set_read_timeout(Some(wake)).is_ok();
    while ready && open.load(Ordering::SeqCst) {
        let read = match from.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error)
                if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) =>
            {
                continue;
            }
            Err(_) => break,
        };
        std::thread::sleep(fate.delay);
        if let Some(rate) = fate.bytes_per_second {
            std::thread::sleep(Duration::from_secs_f64(read as f64 / rate as f64));
        }
        let before =
            left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |l| Some(l.saturating_sub(read as u64)));
        let before = before.unwrap_or(0);
        // The last piece is torn in the middle: half a packet arrives.
        let passed = read.min(usize::try_from(before).unwrap_or(usize::MAX));
        if passed > 0 && to.write_all(&piece[..passed]).is_err() {
            break;
        }
        if passed < read {
            if before > 0 {
                cuts.fetch_add(1, Ordering::SeqCst);
            }
            if fate.silent {
                continue; // swallows what comes, tells nobody
            }
            break;
        }
    }
    // Both may be gone already.
    drop((from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both)));
}
