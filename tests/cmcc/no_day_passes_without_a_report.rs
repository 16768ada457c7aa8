//! The document's one hard rule, over weeks of failures, clock jumps and restarts.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use muster::sim::{Crossing, DeviceId, EPOCH_MS, Fault, World};
use muster::{Event, Intent, Stored};
use proptest::prelude::*;

use super::setup::{
    DAY, EARLIEST, HOUR, LATEST, config, heartbeats, hours, read, run_to_ready, settings, world,
};

/// A generator for faults, small and repeatable.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Loses, delays, repeats and spoils three crossings in ten.
fn unreliable(world: &mut World, seed: u64) {
    let mut dice = Dice(seed);
    world.set_fault(move |_, crossing| match (dice.roll(20), crossing) {
        (0 | 1, _) => Fault::Lose,
        (2, _) => Fault::Duplicate,
        (3, _) => Fault::Delay(Duration::from_secs(60)),
        (4, Crossing::Response { status, .. }) => {
            *status = 503;
            Fault::None
        }
        (5, Crossing::Response { body, .. }) => {
            body.truncate(body.len() / 2);
            Fault::None
        }
        _ => Fault::None,
    });
}

fn longest_gap(world: &World, id: DeviceId) -> u64 {
    let at = heartbeats(world, id);
    assert!(!at.is_empty());
    let end = world.now().mono.0;
    let gaps = at.windows(2).map(|pair| pair[1] - pair[0]);
    gaps.chain([end - at[at.len() - 1]]).max().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    /// A month on a bad network: no gap above 24 hours.
    #[test]
    fn on_a_bad_network(seed: u64, daily: bool) {
        let mut world = world();
        let strategy = if daily { "daily" } else { "interval" };
        let id = world.add(read(&settings().with("strategy", strategy)), Stored::empty()).unwrap();
        run_to_ready(&mut world, id);
        unreliable(&mut world, seed);
        hours(&mut world, 24 * 30);
        prop_assert!(longest_gap(&world, id) <= DAY, "{}", longest_gap(&world, id));
        let at = heartbeats(&world, id);
        if !daily {
            // T_next is drawn after each accepted report; only retries come on top of it.
            for pair in at.windows(2) {
                prop_assert!(pair[1] - pair[0] >= EARLIEST);
            }
        }
    }

    /// A month of restarts at any time, with the power off for up to three hours, and a wall clock that jumps.
    #[test]
    fn with_restarts_and_clock_jumps(seed: u64, daily: bool, jumps: bool) {
        let mut world = world();
        let strategy = if daily { "daily" } else { "interval" };
        let id = world.add(read(&settings().with("strategy", strategy)), Stored::empty()).unwrap();
        run_to_ready(&mut world, id);
        unreliable(&mut world, seed);
        let mut dice = Dice(seed ^ 0xabcd);
        let mut off = Vec::new();
        while world.now().mono.0 < 30 * DAY {
            world.run_for(Duration::from_millis(dice.roll(10 * HOUR)));
            match dice.roll(if jumps { 3 } else { 2 }) {
                0 => {
                    world.cut_power(id);
                    let from = world.now().mono.0;
                    world.run_for(Duration::from_millis(dice.roll(3 * HOUR)));
                    world.power_on(id).unwrap();
                    off.push((from, world.now().mono.0));
                }
                1 => world.swap_agent(id).unwrap(),
                _ => {
                    world.jump_wall_clock(EPOCH_MS + dice.roll(400 * DAY));
                    // The clocks are compared once an hour; see the next test for a cut within it.
                    hours(&mut world, 1);
                }
            }
        }
        let at = heartbeats(&world, id);
        for pair in at.windows(2) {
            // A report that falls due while the power is off waits for it to come back, and goes out then.
            let limit = pair[0] + DAY;
            let excused = off.iter().any(|&(from, to)| {
                from < limit && limit < to + 600_000 && pair[1] < to + 600_000
            });
            prop_assert!(pair[1] <= limit || excused, "{pair:?}");
        }
        prop_assert!(at.len() > 28);
    }

    /// An outage of any length: the report arrives before the limit if there is any network left before it, and soon
    /// after the network's return otherwise.
    #[test]
    fn through_an_outage(from in 0..24 * HOUR, length in 0..72 * HOUR) {
        let mut world = world();
        let id = world.add(config(), Stored::empty()).unwrap();
        run_to_ready(&mut world, id);
        let out = Rc::new(RefCell::new(false));
        let is_out = out.clone();
        world.set_fault(move |_, _| if *is_out.borrow() { Fault::Lose } else { Fault::None });
        world.run_for(Duration::from_millis(from));
        *out.borrow_mut() = true;
        world.run_for(Duration::from_millis(length));
        *out.borrow_mut() = false;
        let before = heartbeats(&world, id);
        let (last, back) = (before[before.len() - 1], world.now().mono.0);
        hours(&mut world, 48);
        let next = heartbeats(&world, id)[before.len()];
        let limit = last + DAY;
        if back + 180_000 < limit {
            prop_assert!(next <= limit, "back at {back}, reported at {next}, limit {limit}");
        } else {
            // At most a minute or so of back-off, and the reply that was awaited when the network returned.
            prop_assert!(next <= back.max(limit) + 72_000 + 15_000 + 40, "{back} {next}");
        }
    }
}

#[test]
fn a_failed_report_moves_neither_t_next_nor_the_limit() {
    let mut world = world();
    let id = world.add(config(), Stored::empty()).unwrap();
    run_to_ready(&mut world, id);
    let first = heartbeats(&world, id)[0];
    let tries = Rc::new(RefCell::new(Vec::<u64>::new()));
    // Nothing gets through from now on.
    let sent = super::setup::watch(&mut world, |_| Fault::Lose);
    while world.now().mono.0 < 2 * DAY {
        let before = sent.borrow().len();
        if !world.step() {
            break;
        }
        if sent.borrow().len() > before {
            tries.borrow_mut().push(world.now().mono.0 - first);
        }
    }
    let tries = tries.borrow();
    assert!((EARLIEST..=LATEST).contains(&tries[0]));
    let waits: Vec<u64> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // It begins after seconds, goes up to a quarter of an hour, and comes closer as the limit does.
    assert!(waits[0] < 15_000 + 1_300);
    assert!(*waits.iter().max().unwrap() < 15_000 + 1_080_000);
    assert!(
        tries.iter().any(|at| (DAY - 180_000..DAY).contains(at)),
        "close to the limit: {tries:?}"
    );
    // Beyond the limit about once a minute.
    let beyond = tries.iter().filter(|&&at| at > DAY && at < DAY + HOUR).count();
    assert!((40..=60).contains(&beyond), "{beyond}");
    // A person need not wait.
    drop(tries);
    let waiting = |w: &World| matches!(w.events(id).last(), Some((_, Event::Retrying { .. })));
    assert!(world.run_until(Duration::from_secs(20), waiting));
    world.clear_fault();
    world.intent(id, Intent::TryAgain).unwrap();
    world.run_for(Duration::from_millis(100));
    assert_eq!(heartbeats(&world, id).len(), 2);
}
