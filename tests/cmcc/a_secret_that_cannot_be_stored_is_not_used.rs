use std::time::Duration;

use muster::sim::Fault;
use muster::{Advice, Error, Event, Intent, LocalFailure, StoreKey, Stored, Warning};

use super::setup::{
    config, counts, heartbeats, hours, is_ready, requests_to, run_to_ready, told, watch, world,
};

const FAILED: Error = Error::Local { failure: LocalFailure::Store };

fn stop() -> Event {
    Event::Stopped { error: FAILED, advice: Advice::CheckStorage }
}

#[test]
fn nothing_is_reported_with_it_and_a_person_may_store_it_again() {
    let mut world = world();
    let sent = watch(&mut world, |_| Fault::None);
    let id = world.add(config(), Stored::empty()).unwrap();
    world.fail_stores(id, true);
    hours(&mut world, 48);
    assert_eq!(told(&world, id).last(), Some(&stop()));
    assert_eq!(sent.borrow().len(), 1);
    world.intent(id, Intent::TryAgain).unwrap();
    world.run_for(Duration::from_secs(1));
    assert_eq!(told(&world, id).iter().filter(|event| **event == stop()).count(), 2);
    world.fail_stores(id, false);
    world.intent(id, Intent::TryAgain).unwrap();
    run_to_ready(&mut world, id);
    assert_eq!(requests_to(&sent, "secret/info"), 1, "the secret was here all the time");
}

#[test]
fn a_schedule_that_cannot_be_stored_is_a_warning() {
    let mut world = world();
    let id = world.add(config(), Stored::empty()).unwrap();
    world.run_until(Duration::from_secs(5), |w| w.stored(id).get(StoreKey::Credential).is_some());
    world.fail_stores(id, true);
    hours(&mut world, 24 * 4);
    assert!(is_ready(&world, id));
    assert!(heartbeats(&world, id).len() >= 7);
    let warned = Event::Warning { warning: Warning::Ignored { error: FAILED } };
    assert!(told(&world, id).contains(&warned));
    assert!(world.stored(id).get(StoreKey::Schedule).is_none());
    // A restart reports earlier than it has to, and that is all.
    world.cut_power(id);
    let before = counts(&world).1;
    world.power_on(id).unwrap();
    world.run_for(Duration::from_secs(1));
    assert_eq!(counts(&world).1, before + 1);
}

#[test]
fn what_cannot_be_erased_goes_on_as_it_was() {
    let mut world = world();
    let id = world.add(config(), Stored::empty()).unwrap();
    run_to_ready(&mut world, id);
    let sent = watch(&mut world, |_| Fault::None);
    world.fail_stores(id, true);
    world.intent(id, Intent::RegisterAgain).unwrap();
    world.run_for(Duration::from_secs(1));
    assert_eq!(told(&world, id).last(), Some(&stop()));
    assert!(sent.borrow().is_empty());
    // The credential is still good, and the daily duty goes on with it.
    hours(&mut world, 13);
    assert_eq!(requests_to(&sent, "report"), 1);
    world.fail_stores(id, false);
    world.intent(id, Intent::RegisterAgain).unwrap();
    world.run_for(Duration::from_secs(1));
    assert_eq!(requests_to(&sent, "secret/info"), 1);
    assert_eq!(requests_to(&sent, "report"), 2);
}
