use muster::sim::EPOCH_MS;
use muster::{Event, StoreKey, Stored, Warning};

use super::setup::{DAY, EARLIEST, HOUR, LATEST, config, heartbeats, hours, run_to_ready, world};

const JUMPED: Event = Event::Warning { warning: Warning::ClockJumped };

fn jumps(world: &muster::sim::World, id: muster::sim::DeviceId) -> usize {
    world.events(id).iter().filter(|(_, event)| *event == JUMPED).count()
}

fn next_at(world: &muster::sim::World, id: muster::sim::DeviceId) -> u64 {
    let stored = world.stored(id).get(StoreKey::Schedule).unwrap();
    let stored: serde_json::Value = serde_json::from_slice(stored.expose()).unwrap();
    stored["next_at_ms"].as_str().unwrap().parse().unwrap()
}

#[test]
fn jumps_either_way_move_no_report() {
    for target in [0, EPOCH_MS - 400 * DAY, EPOCH_MS + HOUR, EPOCH_MS + 4_000 * DAY, u64::MAX / 2] {
        let mut world = world();
        let id = world.add(config(), Stored::empty()).unwrap();
        run_to_ready(&mut world, id);
        hours(&mut world, 5);
        world.jump_wall_clock(target);
        hours(&mut world, 24 * 5);
        assert_eq!(jumps(&world, id), 1, "to {target}");
        let at = heartbeats(&world, id);
        assert!(at.len() >= 10);
        for pair in at.windows(2) {
            assert!((EARLIEST..=LATEST + 40).contains(&(pair[1] - pair[0])), "to {target}");
        }
    }
}

#[test]
fn a_restart_after_a_jump_keeps_the_schedule_too() {
    for jump in [-6 * HOUR as i64, 6 * HOUR as i64, 300 * DAY as i64, -300 * DAY as i64] {
        let mut world = world();
        let id = world.add(config(), Stored::empty()).unwrap();
        run_to_ready(&mut world, id);
        hours(&mut world, 2);
        let now = world.now().unix.unwrap().0;
        world.jump_wall_clock(now.saturating_add_signed(jump));
        // The hourly look at the clocks finds it and stores T_next anew.
        hours(&mut world, 1);
        assert_eq!(jumps(&world, id), 1);
        let left = next_at(&world, id) - world.now().unix.unwrap().0;
        assert!((EARLIEST - 4 * HOUR..LATEST - 2 * HOUR).contains(&left), "{left}");
        world.cut_power(id);
        hours(&mut world, 2);
        world.power_on(id).unwrap();
        hours(&mut world, 9);
        let at = heartbeats(&world, id);
        assert_eq!(at.len(), 2, "jump of {jump}");
        assert!((EARLIEST..=LATEST + 40).contains(&(at[1] - at[0])));
    }
}

#[test]
fn a_device_that_boots_in_1970_and_is_put_right_reports_once_and_keeps_time() {
    let mut world = world();
    world.jump_wall_clock(0);
    let id = world.add(config(), Stored::empty()).unwrap();
    run_to_ready(&mut world, id);
    world.jump_wall_clock(EPOCH_MS);
    hours(&mut world, 11);
    assert_eq!(heartbeats(&world, id).len(), 1);
    assert!(next_at(&world, id) > EPOCH_MS);
    hours(&mut world, 2);
    assert_eq!(heartbeats(&world, id).len(), 2);
}

#[test]
fn a_clock_that_is_only_inexact_is_no_jump() {
    let mut world = world();
    let id = world.add(config(), Stored::empty()).unwrap();
    run_to_ready(&mut world, id);
    for hour in 0..48u64 {
        hours(&mut world, 1);
        let now = world.now().unix.unwrap().0;
        world.jump_wall_clock(if hour % 2 == 0 { now + 900 } else { now - 700 });
    }
    assert_eq!(jumps(&world, id), 0);
}

#[test]
fn a_clock_that_never_stands_still_costs_one_store_at_a_time() {
    let mut hand = super::setup::Hand::new(
        config(),
        super::setup::stored_credential(),
        muster::Now::new(0, EPOCH_MS),
    );
    hand.reply(super::setup::REPORT_REPLY);
    let (token, _, _) = hand.store();
    let mut stores = 0;
    for n in 0..500u64 {
        hand.now.unix = Some(muster::UnixTime(EPOCH_MS + (n % 2) * DAY));
        hand.pass(10);
        stores += hand.out.iter().filter(|o| matches!(o, muster::Output::Command(_))).count();
    }
    assert_eq!(stores, 0, "the first store is not answered yet");
    hand.input(muster::Input::Stored(token, muster::Outcome::Done));
    // What was stored is out of date, so it is stored once more.
    let (_, key, _) = hand.store();
    assert_eq!(key, StoreKey::Schedule);
    hand.stored();
    assert!(hand.out.is_empty());
}
