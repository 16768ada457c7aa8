use muster::PlatformName;
use muster::faults::{Armed, Fault, Faults, Kind, Times};
use muster::trace::Direction;

use crate::rules::{on, rule};

fn flaky(seed: u32, chance: f64) -> Armed {
    let mut armed = rule("flaky", Fault::Lose, Some(on(Kind::Puback)));
    (armed.rule.seed, armed.rule.chance, armed.rule.times) = (seed, chance, Times::Always);
    armed
}

fn lost(faults: &mut Faults, count: usize) -> Vec<bool> {
    (0..count).map(|_| faults.packet(Direction::Down, &[0x40, 2, 0, 1]).deed.is_some()).collect()
}

fn of(armed: Armed) -> Faults {
    let mut faults = Faults::new(PlatformName::Ucloud);
    faults.arm(armed);
    faults
}

#[test]
fn the_same_seed_strikes_the_same_messages() {
    let once = lost(&mut of(flaky(7, 0.3)), 2_000);
    assert_eq!(once, lost(&mut of(flaky(7, 0.3)), 2_000));
    assert_ne!(once, lost(&mut of(flaky(8, 0.3)), 2_000));
    let struck = once.iter().filter(|hit| **hit).count();
    // Of 2,000 with a chance of 0.3: 600, and five standard deviations of 20.5 on either side.
    assert!((498..=702).contains(&struck), "{struck}");
}

#[test]
fn a_chance_of_one_never_misses_and_one_of_zero_never_strikes() {
    assert!(lost(&mut of(flaky(3, 1.0)), 500).iter().all(|hit| *hit));
    assert!(lost(&mut of(flaky(3, 0.0)), 500).iter().all(|hit| !*hit));
}

#[test]
fn a_rule_that_goes_on_draws_what_it_would_have_drawn() {
    let whole = lost(&mut of(flaky(5, 0.5)), 100);
    let mut first = of(flaky(5, 0.5));
    let mut parts = lost(&mut first, 40);
    // A device that was started again is armed with how far its rules were.
    parts.extend(lost(&mut of(first.armed().next().unwrap().clone()), 60));
    assert_eq!(parts, whole);
}
