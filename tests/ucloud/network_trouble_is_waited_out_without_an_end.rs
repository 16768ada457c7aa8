use muster::{Closed, Command, Event, Failure, Input, Intent, Stored};

use super::support::*;
use crate::common::{Bench, commands};

/// Fails every connection the same way and returns the waits before the next.
fn waits(stored: Stored, closed: &Closed, tries: usize) -> Vec<u64> {
    let mut bench = Bench::new(UCLOUD, &dynamic(), stored);
    let mut connection = token(&bench.outputs);
    let mut waits = Vec::new();
    for _ in 0..tries {
        let out = bench.give(Input::Closed(connection, closed.clone()));
        assert!(commands(&out).is_empty());
        let (waited, out) = bench.wake();
        waits.push(waited);
        connection = token(&out);
    }
    waits
}

#[test]
fn the_waits_double_from_a_second_to_a_minute_with_a_fifth_of_jitter() {
    for closed in [
        Closed::Failed(Failure::Unreachable),
        Closed::Failed(Failure::Dns),
        Closed::Failed(Failure::Tls),
        Closed::Refused(3),
    ] {
        for stored in [Stored::empty(), stored(DEVICE_SECRET)] {
            let waits = waits(stored, &closed, 12);
            for (i, wait) in waits.iter().enumerate() {
                let base = (1000u64 << i).min(60_000);
                assert!((base * 8 / 10..=base * 12 / 10).contains(wait), "{waits:?}");
            }
            assert!(waits[6..].windows(2).any(|pair| pair[0] != pair[1]), "no jitter: {waits:?}");
        }
    }
}

#[test]
fn a_person_can_cut_the_wait_short() {
    let mut bench = Bench::new(UCLOUD, &dynamic(), Stored::empty());
    let connection = token(&bench.outputs);
    bench.give(Input::Closed(connection, Closed::Failed(Failure::Unreachable)));
    let out = bench.give(Input::User(Intent::TryAgain));
    assert!(matches!(&commands(&out)[..], [Command::Connect(..)]));
}

#[test]
fn a_connection_that_is_never_answered_is_given_up_and_tried_again() {
    for stored in [Stored::empty(), stored(DEVICE_SECRET)] {
        let mut bench = Bench::new(UCLOUD, &dynamic(), stored);
        let connection = token(&bench.outputs);
        let (waited, out) = bench.wake();
        assert_eq!(waited, 30_000);
        assert_eq!(commands(&out), [Command::Close(connection)]);
        let (_, out) = bench.wake();
        assert!(matches!(&commands(&out)[..], [Command::Connect(..)]));
    }
}

#[test]
fn a_session_that_breaks_is_replaced_and_the_back_off_is_forgiven_after_a_good_one() {
    let mut world = world();
    let id = world.add(config(&dynamic()), Stored::empty()).unwrap();
    assert!(world.run_until(SOON, |world| is_ready(world, id)));
    let mut failures = Vec::new();
    for good in [false, false, false, true] {
        if good {
            world.run_for(HOUR);
        }
        world.clear_events(id);
        world.break_connection(id);
        assert!(world.run_until(HOUR, |world| is_ready(world, id)));
        failures.extend(world.events(id).iter().filter_map(|(_, event)| match event {
            Event::Retrying { failures, .. } => Some(*failures),
            _ => None,
        }));
    }
    assert_eq!(failures, [1, 2, 3, 1]);
    assert_eq!(count(&world, id, |event| matches!(event, Event::Registered { .. })), 0);
}
