//! The connection breaks after the n-th message on the link, for every n.

use std::cell::Cell;
use std::rc::Rc;

use muster::sim::Fault;
use muster::{Advice, Closed, Error, Event, Failure, Input, PeerMisbehaved, Stored};

use super::support::*;
use crate::common::{Bench, events, restart_cloud};

#[test]
fn once_at_every_message() {
    let mut breaks = 0;
    for n in 1..40 {
        let mut world = world();
        let crossings = Rc::new(Cell::new(0));
        let counter = Rc::clone(&crossings);
        world.set_fault(move |_, _| {
            counter.set(counter.get() + 1);
            Fault::None
        });
        let id = world.add(config(&dynamic()), Stored::empty()).unwrap();
        world.run_until(SOON, |world| crossings.get() >= n || is_ready(world, id));
        breaks += u32::from(!is_ready(&world, id));
        world.break_connection(id);
        world.clear_events(id);
        assert!(world.run_until(HOUR, |world| is_ready(world, id)), "broken at {n}");
        // What was on its way when it broke may have made it ready already.
        world.run_for(HOUR);
        assert!(count(&world, id, |e| matches!(e, Event::Registered { .. })) <= 1);
        assert_eq!(device_view(&mut world).state, "online");
    }
    assert!(breaks > 12, "only {breaks} messages");
}

#[test]
fn and_when_the_whole_cloud_restarts() {
    for n in 1..40 {
        let mut world = world();
        let crossings = Rc::new(Cell::new(0));
        let counter = Rc::clone(&crossings);
        world.set_fault(move |_, _| {
            counter.set(counter.get() + 1);
            Fault::None
        });
        let id = world.add(config(&dynamic()), Stored::empty()).unwrap();
        world.run_until(SOON, |world| crossings.get() >= n || is_ready(world, id));
        restart_cloud(&mut world);
        world.break_connection(id);
        world.clear_events(id);
        assert!(world.run_until(HOUR, |world| is_ready(world, id)), "restarted at {n}");
        world.run_for(HOUR);
        let view = device_view(&mut world);
        assert_eq!((view.state.as_str(), view.secret.as_deref()), ("online", Some(DEVICE_SECRET)));
    }
}

#[test]
fn but_a_registration_that_always_breaks_ends_with_a_person() {
    let settings = dynamic().with("credential_retries", "2");
    let mut bench = Bench::new(UCLOUD, &settings, Stored::empty());
    let mut connection = token(&bench.outputs);
    for _ in 0..2 {
        bench.give(Input::Connected(connection));
        bench.give(Input::Closed(connection, Closed::Failed(Failure::Lost)));
        connection = token(&bench.wake().1);
    }
    bench.give(Input::Connected(connection));
    let out = bench.give(Input::Closed(connection, Closed::Failed(Failure::Lost)));
    let error = Error::from(PeerMisbehaved::ClosedEarly);
    assert_eq!(events(&out), [Event::Stopped { error, advice: Advice::CheckNetwork }]);
    assert_eq!(bench.deadline, None);
}
