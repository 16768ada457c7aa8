use muster::{Advice, Closed, Command, Error, Event, Failure, Input, Intent, LocalFailure, Stored};

use super::support::*;
use crate::common::commands;

#[test]
fn the_device_stops_and_stores_the_same_secret_on_demand() {
    let mut world = world();
    let id = world.add(config(&dynamic()), Stored::empty()).unwrap();
    world.fail_stores(id, true);
    assert!(world.run_until(SOON, |world| is_stopped(world, id)));
    let error = Error::Local { failure: LocalFailure::Store };
    let stopped = Event::Stopped { error, advice: Advice::CheckStorage };
    assert_eq!(count(&world, id, |event| *event == stopped), 1);
    assert_eq!(count(&world, id, |event| matches!(event, Event::Registered { .. })), 0);
    world.run_for(HOUR);
    assert_eq!(device_view(&mut world).state, "inactive", "it never logged in");

    world.fail_stores(id, false);
    world.clear_events(id);
    world.intent(id, Intent::TryAgain).unwrap();
    assert!(world.run_until(SOON, |world| is_ready(world, id)));
    assert_eq!(*world.stored(id), stored(DEVICE_SECRET));
    let asked =
        |event: &Event| matches!(event, Event::Step { step: muster::Step::ConnectToRegister });
    assert_eq!(count(&world, id, asked), 0, "it did not have to ask again");
}

#[test]
fn a_connection_that_goes_while_the_secret_is_being_stored_does_not_matter() {
    let mut bench = crate::common::Bench::new(UCLOUD, &dynamic(), Stored::empty());
    let connection = token(&bench.outputs);
    let out = bench.give(Input::Connected(connection));
    let out =
        bench.give(Input::Acked(token(&out), muster::Ack::Subscribed(muster::QoS::AtLeastOnce)));
    let (_, _, body) = publishes(&out).remove(0);
    let reply = body.replace('}', &format!(r#","RetCode":"0","Password":"{DEVICE_SECRET}"}}"#));
    let store = token(&bench.give(message("password_reply", &reply)));
    assert!(bench.give(Input::Closed(connection, Closed::Failed(Failure::Lost))).is_empty());
    let out = bench.give(Input::Stored(store, muster::Outcome::Done));
    let [Command::Connect(_, connect)] = &commands(&out)[..] else { panic!("{out:?}") };
    assert_eq!(connect.username, "70ly1tvowt696r15|112233445566|1");
}

#[test]
fn a_host_that_never_says_closed_does_not_hold_the_device_for_ever() {
    let mut bench = crate::common::Bench::new(UCLOUD, &dynamic(), stored(DEVICE_SECRET));
    let out = bench.give(Input::User(Intent::RegisterAgain));
    bench.give(Input::Stored(token(&out), muster::Outcome::Done));
    let (waited, out) = bench.wake();
    assert_eq!(waited, 10_000);
    assert!(matches!(&commands(&out)[..], [Command::Connect(..)]));
}
