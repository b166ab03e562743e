//! When to connect, what to offer, when to offer it again. No socket, no clock, no thread.

use crate::outbox::Lent;
use crate::wire::Receipt;
use kompas_field::units::Seconds;
use kompas_field::{RecordKey, RobotInstant};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// The numbers of the protocol.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// Records on their way at once, at the most.
    pub window: usize,
    /// Records offered on a new connection before the first receipt; each receipt allows one more. A link
    /// that is cut again and again gets a few records through each time, instead of half a window never.
    pub first_offers: usize,
    /// How long to wait for a receipt before offering again; doubles with each offer.
    pub receipt_wait: Seconds,
    /// The longest such wait: how soon an ingest that was away is noticed.
    pub longest_receipt_wait: Seconds,
    /// Offers on one connection before a record that others overtake gives its place to them.
    pub most_offers: u32,
    /// How long such a record stands aside.
    pub aside: Seconds,
    /// How often to look for new records when there was none.
    pub look_every: Seconds,
    /// The first wait after a failed connection; doubles with each failure.
    pub first_retry: Seconds,
    /// The longest wait between connections.
    pub longest_retry: Seconds,
    /// A link that goes silent without a goodbye is noticed after two of these; at least a second.
    pub keep_alive: Seconds,
}

impl Default for Rules {
    /// For a farm's mobile network; the retry limit keeps a fleet from waiting long after an outage.
    fn default() -> Self {
        Self {
            window: 16,
            first_offers: 2,
            receipt_wait: Seconds::new(3.0),
            longest_receipt_wait: Seconds::new(15.0),
            most_offers: 5,
            aside: Seconds::new(600.0),
            look_every: Seconds::new(0.05),
            first_retry: Seconds::new(0.25),
            longest_retry: Seconds::new(10.0),
            keep_alive: Seconds::new(5.0),
        }
    }
}

/// What to do now.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Make a new connection; say [`Protocol::on_connected`] or [`Protocol::on_lost`].
    Connect,
    /// Borrow at most so many records from the outbox; say [`Protocol::on_lent`].
    Borrow(usize),
    /// Hand this record to the connection.
    Offer(Lent),
    /// Put the record back in line from this moment on.
    SetAside(RecordKey, RobotInstant),
    /// Nothing, until then or until something happens.
    WaitUntil(RobotInstant),
    /// Nothing, until something happens.
    Wait,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Offline { retry_at: RobotInstant },
    Connecting,
    Online,
}

#[derive(Debug)]
struct OnItsWay {
    record: Lent,
    offers: u32,
    /// Others got their receipt after this was offered: the link works, so this record is the trouble.
    overtaken: bool,
    due: RobotInstant,
}

/// The uplink's state.
#[derive(Debug)]
pub struct Protocol {
    rules: Rules,
    dice: ChaCha8Rng,
    phase: Phase,
    failures: u32,
    /// Records that may be without a receipt on this connection.
    allowed: usize,
    look_at: RobotInstant,
    on_their_way: BTreeMap<RecordKey, OnItsWay>,
}

impl Protocol {
    /// Offline, ready to connect. `seed` spreads the retries of a fleet; the same seed gives the same run.
    pub fn new(rules: Rules, seed: u64) -> Self {
        Self {
            rules,
            dice: ChaCha8Rng::seed_from_u64(seed),
            phase: Phase::Offline { retry_at: RobotInstant::START },
            failures: 0,
            allowed: rules.first_offers,
            look_at: RobotInstant::START,
            on_their_way: BTreeMap::new(),
        }
    }

    /// Records without a receipt.
    pub fn in_window(&self) -> usize {
        self.on_their_way.len()
    }

    /// The broker let us in: everything without a receipt is due again.
    pub fn on_connected(&mut self, now: RobotInstant) {
        self.phase = Phase::Online;
        self.look_at = now;
        self.allowed = self.rules.first_offers;
        for one in self.on_their_way.values_mut() {
            (one.due, one.offers, one.overtaken) = (now, 0, false);
        }
    }

    /// The connection is gone or did not come about.
    pub fn on_lost(&mut self, now: RobotInstant) {
        let doubled = self.rules.first_retry * 2f64.powi(self.failures.min(30).cast_signed());
        let wait = doubled.min(self.rules.longest_retry) * self.dice.random_range(0.5..1.0);
        self.failures += 1;
        self.phase = Phase::Offline { retry_at: now.after(wait) };
    }

    /// What the outbox lent after [`Next::Borrow`].
    pub fn on_lent(&mut self, records: Vec<Lent>, now: RobotInstant) {
        if records.is_empty() {
            self.look_at = now.after(self.rules.look_every);
        }
        for record in records {
            self.on_their_way
                .insert(record.key.clone(), OnItsWay { record, offers: 0, overtaken: false, due: now });
        }
    }

    /// Receipts that the outbox has settled. Only a receipt proves that the link works: it ends the back-off.
    pub fn on_settled(&mut self, receipts: &[Receipt], now: RobotInstant) {
        self.failures = 0;
        self.allowed = (self.allowed + receipts.len()).min(self.rules.window);
        // The window is small: a scan costs less than an index.
        self.on_their_way.retain(|key, _| {
            !receipts.iter().any(|receipt| receipt.seq == key.seq && receipt.boot_id == key.boot_id)
        });
        let soon = now.after(self.rules.receipt_wait);
        for one in self.on_their_way.values_mut().filter(|one| one.offers > 0) {
            (one.overtaken, one.due) = (true, one.due.min(soon));
        }
    }

    /// What to do at `now`. Call again after each answer but the waiting ones.
    pub fn next(&mut self, now: RobotInstant) -> Next {
        match self.phase {
            Phase::Offline { retry_at } if retry_at > now => Next::WaitUntil(retry_at),
            Phase::Offline { .. } => {
                self.phase = Phase::Connecting;
                Next::Connect
            }
            Phase::Connecting => Next::Wait,
            Phase::Online => self.next_online(now),
        }
    }

    fn next_online(&mut self, now: RobotInstant) -> Next {
        if let Some(next) = self.offer_due(now) {
            return next;
        }
        let room = self.rules.window.saturating_sub(self.on_their_way.len());
        if room > 0 && self.look_at <= now {
            return Next::Borrow(room);
        }
        let may_be_first = self.may_offer_more();
        let can_move = |one: &&OnItsWay| one.offers > 0 || may_be_first;
        let due = self.on_their_way.values().filter(can_move).map(|one| one.due).min();
        let look = (room > 0).then_some(self.look_at);
        due.into_iter().chain(look).min().map_or(Next::Wait, Next::WaitUntil)
    }

    fn may_offer_more(&self) -> bool {
        self.on_their_way.values().filter(|one| one.offers > 0).count() < self.allowed
    }

    /// The most important record that is due, or its leave when it was offered often enough.
    fn offer_due(&mut self, now: RobotInstant) -> Option<Next> {
        let may_be_first = self.may_offer_more();
        let due = self
            .on_their_way
            .iter_mut()
            .filter(|(_, one)| one.due <= now && (one.offers > 0 || may_be_first));
        let (key, one) = due.min_by_key(|(key, one)| (one.record.class, key.seq))?;
        if one.offers >= self.rules.most_offers && one.overtaken {
            let key = key.clone();
            self.on_their_way.remove(&key);
            return Some(Next::SetAside(key, now.after(self.rules.aside)));
        }
        let doubled = self.rules.receipt_wait * 2f64.powi(one.offers.min(30).cast_signed());
        one.due = now.after(doubled.min(self.rules.longest_receipt_wait));
        one.offers += 1;
        Some(Next::Offer(one.record.clone()))
    }
}
