use std::time::Duration;

use muster::sim::World;
use muster::{Agent, ApiMisuse, SecretBytes, Stored};

use crate::support::*;

/// A whole life with a hiccup in it; every step may swap the agent for one restored from its snapshot.
fn live(swap: bool) -> (World, muster::sim::DeviceId) {
    let mut world = world(&[]);
    world.operate(add_firmware("2.0.0")).unwrap();
    world.operate(push_upgrade("2.0.0")).unwrap();
    let id =
        world.add(config(&settings().with("report_interval_s", "30")), Stored::empty()).unwrap();
    let mut steps = 0;
    let end = Duration::from_secs(120).as_millis() as u64;
    while world.now().mono.0 < end && world.step() {
        if swap {
            world.swap_agent(id).unwrap();
        }
        steps += 1;
        if steps == 12 || steps == 40 {
            world.break_connection(id);
        }
    }
    (world, id)
}

#[test]
fn over_a_whole_life() {
    let (plain, a) = live(false);
    let (swapped, b) = live(true);
    assert!(plain.events(a).len() > 30);
    assert_eq!(plain.events(a), swapped.events(b));
    assert_eq!(plain.stored(a), swapped.stored(b));
    assert_eq!(plain.installed(a), ["2.0.0"]);
    assert_eq!(plain.kept, swapped.kept);
}

#[test]
fn also_while_stopped_backing_off_and_erasing() {
    // Stopped.
    let mut hand = Hand::new(&settings(), stored(true));
    let (connection, _) = hand.connect();
    hand.refused(connection, 4);
    swap(&mut hand);
    hand.input(muster::Input::User(muster::Intent::TryAgain));
    // Backing off.
    let (connection, _) = hand.connect();
    hand.refused(connection, 3);
    swap(&mut hand);
    hand.wait();
    hand.connect();
    // Erasing.
    hand.input(muster::Input::User(muster::Intent::RegisterAgain));
    swap(&mut hand);
    hand.next();
    let muster::Command::Erase(token, _) = hand.next() else { panic!("no erase") };
    hand.stored(token);
    assert_eq!(hand.connect().1.password.expose(), PRODUCT_SECRET);
    // The connection broke while the secret was being stored.
    let mut hand = Hand::new(&settings(), Stored::empty());
    let (connection, id) = hand.until_asked();
    hand.message(&topic("register/set"), issue(&id, DEVICE_SECRET).as_bytes());
    let (token, ..) = hand.store();
    hand.lost(connection);
    swap(&mut hand);
    hand.stored(token);
    hand.wait();
    hand.connect();
}

fn swap(hand: &mut Hand) {
    let snapshot = hand.agent.save();
    hand.agent = Agent::restore(config(&settings()), &snapshot, hand.now).unwrap();
}

#[test]
fn a_damaged_snapshot_is_refused() {
    let mut hand = Hand::new(&settings(), stored(true));
    let snapshot = hand.agent.save().expose().to_vec();
    for length in 0..snapshot.len() {
        let cut = SecretBytes::new(snapshot[..length].to_vec());
        let restored = Agent::restore(config(&settings()), &cut, hand.now);
        assert_eq!(restored.unwrap_err(), ApiMisuse::SnapshotUnreadable, "{length}");
    }
}
