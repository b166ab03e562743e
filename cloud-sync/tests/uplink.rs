//! The uplink's protocol in virtual time: a network that loses, repeats, reorders and cuts; a cloud that is away.

use kompas_cloud_sync::outbox::Lent;
use kompas_cloud_sync::uplink::{Next, Protocol, Rules};
use kompas_cloud_sync::wire::{Outcome, Receipt};
use kompas_field::ids::{BootId, RobotId};
use kompas_field::units::Seconds;
use kompas_field::{RecordKey, RobotInstant};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};

fn key(seq: u64) -> RecordKey {
    RecordKey { robot_id: RobotId::new("r").expect("an id"), boot_id: BootId::new("b").expect("an id"), seq }
}

fn lent(seq: u64) -> Lent {
    Lent { key: key(seq), class: [1, 2, 3][(seq % 3) as usize], wire: Vec::new() }
}

fn receipt(seq: u64) -> Receipt {
    Receipt { boot_id: key(seq).boot_id, seq, outcome: Outcome::Committed, why: None }
}

fn at(seconds: f64) -> RobotInstant {
    RobotInstant::START.after(Seconds::new(seconds))
}

#[derive(Debug, Clone)]
struct Weather {
    seed: u64,
    until: f64,
    lose_offer: f64,
    lose_receipt: f64,
    repeat_receipt: f64,
    cut: f64,
    refuse: f64,
    /// The cloud commits nothing between these moments.
    cloud_away: (f64, f64),
}

fn any_weather() -> impl Strategy<Value = Weather> {
    (
        any::<u64>(),
        0.0..120.0f64,
        0.0..0.6f64,
        0.0..0.6f64,
        0.0..0.5f64,
        0.0..0.05f64,
        0.0..0.8f64,
        0.0..60.0f64,
        0.0..300.0f64,
    )
        .prop_map(
            |(seed, until, lose_offer, lose_receipt, repeat_receipt, cut, refuse, from, length)| Weather {
                seed,
                until,
                lose_offer,
                lose_receipt,
                repeat_receipt,
                cut,
                refuse,
                cloud_away: (from, from + length),
            },
        )
}

enum Event {
    Connected,
    Lost,
    Receipts(Vec<u64>),
}

struct World {
    weather: Weather,
    dice: ChaCha8Rng,
    now: f64,
    online: bool,
    /// Outbox: waiting records, and until when each is lent.
    waiting: BTreeMap<u64, f64>,
    stored: BTreeMap<u64, u32>,
    events: Vec<(f64, Event)>,
    offered_since_connect: BTreeSet<u64>,
}

impl World {
    fn bad(&mut self, share: f64) -> bool {
        self.now < self.weather.until && self.dice.random_bool(share)
    }

    fn later(&mut self, most: f64, event: Event) {
        let when = self.now + self.dice.random_range(0.001..most);
        self.events.push((when, event));
    }

    fn offer(&mut self, seq: u64) {
        assert!(self.online, "offered without a connection");
        self.offered_since_connect.insert(seq);
        let away = (self.weather.cloud_away.0..self.weather.cloud_away.1).contains(&self.now);
        if away || self.bad(self.weather.lose_offer) {
            return;
        }
        *self.stored.entry(seq).or_default() += 1;
        if !self.bad(self.weather.lose_receipt) {
            self.later(0.4, Event::Receipts(vec![seq]));
        }
        if self.bad(self.weather.repeat_receipt) {
            self.later(30.0, Event::Receipts(vec![seq, seq, 9_999]));
        }
        if self.bad(self.weather.cut) {
            self.later(0.1, Event::Lost);
        }
    }

    /// The earliest event, if it is not after `until`.
    fn pop(&mut self, until: f64) -> Option<Event> {
        let (place, _) = self.events.iter().enumerate().min_by(|a, b| a.1.0.total_cmp(&b.1.0))?;
        if self.events[place].0 > until {
            return None;
        }
        let (when, event) = self.events.swap_remove(place);
        self.now = self.now.max(when);
        Some(event)
    }
}

fn drive(weather: Weather, records: u64, rules: Rules) -> World {
    let mut protocol = Protocol::new(rules, weather.seed);
    let mut world = World {
        dice: ChaCha8Rng::seed_from_u64(weather.seed),
        weather,
        now: 0.0,
        online: false,
        waiting: (1..=records).map(|seq| (seq, 0.0)).collect(),
        stored: BTreeMap::new(),
        events: Vec::new(),
        offered_since_connect: BTreeSet::new(),
    };
    for _ in 0..200_000 {
        if world.waiting.is_empty() {
            break;
        }
        assert!(protocol.in_window() <= rules.window);
        match protocol.next(at(world.now)) {
            Next::Connect => {
                let event = if world.bad(world.weather.refuse) { Event::Lost } else { Event::Connected };
                world.later(0.2, event);
            }
            Next::Borrow(most) => {
                let now = world.now;
                let free = world.waiting.iter_mut().filter(|(_, until)| **until <= now).take(most);
                let records = free
                    .map(|(seq, until)| {
                        *until = f64::INFINITY;
                        lent(*seq)
                    })
                    .collect();
                protocol.on_lent(records, at(now));
            }
            Next::Offer(record) => world.offer(record.key.seq),
            Next::SetAside(key, until) => {
                world
                    .waiting
                    .entry(key.seq)
                    .and_modify(|lent| *lent = until.since(RobotInstant::START).get());
            }
            Next::WaitUntil(moment) => {
                let until = moment.since(RobotInstant::START).get();
                match world.pop(until) {
                    Some(event) => handle(&mut world, &mut protocol, event),
                    None => world.now = world.now.max(until) + 1e-6,
                }
            }
            Next::Wait => {
                let event = world.pop(f64::INFINITY).expect("something will happen");
                handle(&mut world, &mut protocol, event);
            }
        }
    }
    world
}

fn handle(world: &mut World, protocol: &mut Protocol, event: Event) {
    let now = at(world.now);
    match event {
        Event::Connected => {
            (world.online, world.offered_since_connect) = (true, BTreeSet::new());
            protocol.on_connected(now);
        }
        Event::Lost => {
            world.online = false;
            protocol.on_lost(now);
            // What is on the wire of a dead connection does not arrive.
            world.events.clear();
        }
        Event::Receipts(seqs) => {
            if !world.online {
                return;
            }
            for seq in &seqs {
                assert!(*seq == 9_999 || world.stored.contains_key(seq), "a receipt before the commit");
                world.waiting.remove(seq);
            }
            let receipts: Vec<Receipt> = seqs.into_iter().map(receipt).collect();
            protocol.on_settled(&receipts, now);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn in_any_weather_everything_is_settled_soon_after_it_clears(weather in any_weather(), records in 1u64..120) {
        let rules = Rules { aside: Seconds::new(60.0), ..Rules::default() };
        let clear = weather.until.max(weather.cloud_away.1);
        let world = drive(weather, records, rules);
        prop_assert!(world.waiting.is_empty(), "still waiting at {}: {:?}", world.now, world.waiting);
        prop_assert_eq!(world.stored.len() as u64, records);
        // The longest wait between connections, for a receipt, aside, and the draining.
        prop_assert!(world.now <= clear + 10.0 + 15.0 + 60.0 + 30.0, "took until {}, clear at {clear}", world.now);
    }
}

#[test]
fn at_every_connection_all_without_receipt_are_offered_again() {
    let mut protocol = Protocol::new(Rules { window: 4, first_offers: 4, ..Rules::default() }, 1);
    let offers = |protocol: &mut Protocol, now| {
        let mut seqs = Vec::new();
        loop {
            match protocol.next(now) {
                Next::Offer(record) => seqs.push(record.key.seq),
                Next::Borrow(_) => protocol.on_lent(Vec::new(), now),
                Next::Wait | Next::WaitUntil(_) => return seqs,
                other => panic!("{other:?}"),
            }
        }
    };
    assert_eq!(protocol.next(at(0.0)), Next::Connect);
    protocol.on_connected(at(0.1));
    assert_eq!(protocol.next(at(0.1)), Next::Borrow(4));
    protocol.on_lent((3..7).map(lent).collect(), at(0.1));
    assert_eq!(offers(&mut protocol, at(0.2)), [3, 6, 4, 5], "class 1 first, then by number");
    protocol.on_settled(&[receipt(4), receipt(4), receipt(77)], at(0.3));
    for round in 1..4 {
        let now = f64::from(round) * 100.0;
        protocol.on_lost(at(now));
        assert!(matches!(protocol.next(at(now)), Next::WaitUntil(_)));
        assert_eq!(protocol.next(at(now + 50.0)), Next::Connect);
        protocol.on_connected(at(now + 51.0));
        assert_eq!(offers(&mut protocol, at(now + 51.0)), [3, 6, 5]);
    }
}

#[test]
fn a_new_connection_begins_with_few_records_and_takes_more_with_each_receipt() {
    let mut protocol = Protocol::new(Rules::default(), 1);
    protocol.next(at(0.0));
    protocol.on_connected(at(0.0));
    protocol.next(at(0.0));
    protocol.on_lent((1..17).map(lent).collect(), at(0.0));
    let mut offered = Vec::new();
    let mut offer = |protocol: &mut Protocol| {
        let before = offered.len();
        while let Next::Offer(record) = protocol.next(at(0.1)) {
            offered.push(record.key.seq);
        }
        offered[before..].to_vec()
    };
    let first = offer(&mut protocol);
    assert_eq!(first.len(), 2);
    protocol.on_settled(&[receipt(first[0])], at(0.1));
    assert_eq!(offer(&mut protocol).len(), 2, "one in the place of the settled, one more");
}

#[test]
fn retries_wait_longer_and_longer_and_differ_between_robots() {
    let waits = |seed| {
        let mut protocol = Protocol::new(Rules::default(), seed);
        let mut now = at(0.0);
        let mut waits = Vec::new();
        for _ in 0..9 {
            assert_eq!(protocol.next(now), Next::Connect);
            protocol.on_lost(now);
            let Next::WaitUntil(retry_at) = protocol.next(now) else { panic!() };
            waits.push(retry_at.since(now).get());
            now = retry_at;
        }
        waits
    };
    let (one, other) = (waits(1), waits(2));
    assert_ne!(one, other);
    assert_eq!(one, waits(1), "the same seed, the same waits");
    assert!(one[0] <= 0.25 && one[8] >= 5.0 && one.iter().all(|wait| *wait <= 10.0), "{one:?}");
}

#[test]
fn a_record_without_receipts_makes_room_for_others() {
    let mut protocol = Protocol::new(Rules { window: 2, ..Rules::default() }, 1);
    let (mut now, mut next_seq, mut settled) = (0.0, 4, 0);
    protocol.next(at(now));
    protocol.on_connected(at(now));
    protocol.next(at(now));
    protocol.on_lent(vec![lent(3)], at(now)); // the one that the cloud never answers
    let aside = loop {
        match protocol.next(at(now)) {
            Next::Offer(record) if record.key.seq == 3 => {}
            Next::Offer(record) => {
                protocol.on_settled(&[receipt(record.key.seq)], at(now));
                settled += 1;
            }
            Next::Borrow(_) => {
                protocol.on_lent(vec![lent(next_seq)], at(now));
                next_seq += 1;
                now += 0.5;
            }
            Next::SetAside(key, until) => break (key.seq, until),
            Next::WaitUntil(moment) => now = moment.since(RobotInstant::START).get() + 1e-6,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(aside.0, 3);
    assert!(settled > 5 && aside.1.since(at(now)).get() > 599.0);
}
