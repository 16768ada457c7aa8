use muster::sim::{Crossing, Fault};
use muster::{Ack, Advice, Command, Error, Event, Input, Intent, QoS, Step, Stored};

use super::support::*;
use crate::common::{Bench, commands, events};

fn subscribed(bench: &mut Bench) -> Vec<muster::Output> {
    let connection = token(&bench.outputs);
    let out = bench.give(Input::Connected(connection));
    bench.give(Input::Acked(token(&out), Ack::Subscribed(QoS::AtLeastOnce)))
}

#[test]
fn the_secret() {
    let mut bench = Bench::new(UCLOUD, &dynamic(), Stored::empty());
    let connection = token(&bench.outputs);
    let mut out = subscribed(&mut bench);
    let request = publishes(&out);
    for base in [1000, 2000, 4000] {
        // Its PUBACK is no reply.
        bench.give(Input::Acked(token(&out), Ack::Published));
        let (waited, late) = bench.wake();
        assert_eq!(waited, 10_000);
        assert!(commands(&late).is_empty());
        assert!(matches!(
            events(&late)[..],
            [Event::Retrying { error: Error::NoReply { step: Step::RequestSecret }, .. }]
        ));
        let (waited, again) = bench.wake();
        assert!((base * 8 / 10..=base * 12 / 10).contains(&waited), "{waited}");
        assert_eq!(publishes(&again), request, "the same RequestID, so that a late reply counts");
        out = again;
    }
    let (_, last) = bench.wake();
    assert_eq!(commands(&last), [Command::Close(connection)]);
    let error = Error::NoReply { step: Step::RequestSecret };
    assert_eq!(events(&last), [Event::Stopped { error, advice: Advice::CheckNetwork }]);
    assert_eq!(bench.deadline, None);
    let out = bench.give(Input::User(Intent::TryAgain));
    assert!(matches!(&commands(&out)[..], [Command::Connect(..)]));
}

#[test]
fn the_suback_before_it() {
    let mut bench = Bench::new(UCLOUD, &dynamic(), Stored::empty());
    let connection = token(&bench.outputs);
    let mut first = None;
    let out = bench.give(Input::Connected(connection));
    first.get_or_insert(token(&out));
    for _ in 0..3 {
        assert_eq!(bench.wake().0, 10_000);
        let (_, out) = bench.wake();
        assert!(matches!(&commands(&out)[..], [Command::Subscribe(..)]));
    }
    // An answer to the first one, ever so late, is as good.
    let out = bench.give(Input::Acked(first.unwrap(), Ack::Subscribed(QoS::AtMostOnce)));
    assert_eq!(publishes(&out).len(), 1);
}

#[test]
fn the_suback_before_it_for_ever() {
    let mut bench = Bench::new(UCLOUD, &dynamic(), Stored::empty());
    let connection = token(&bench.outputs);
    bench.give(Input::Connected(connection));
    for _ in 0..6 {
        bench.wake();
    }
    let (_, out) = bench.wake();
    assert_eq!(commands(&out), [Command::Close(connection)]);
    let error = Error::NoReply { step: Step::SubscribeForSecret };
    assert_eq!(events(&out), [Event::Stopped { error, advice: Advice::CheckNetwork }]);
}

#[test]
fn a_person_can_cut_the_wait_between_two_tries_short() {
    let mut bench = Bench::new(UCLOUD, &dynamic(), Stored::empty());
    subscribed(&mut bench);
    let out = bench.give(Input::User(Intent::TryAgain));
    assert!(commands(&out).is_empty(), "an answer is still awaited");
    bench.wake();
    let out = bench.give(Input::User(Intent::TryAgain));
    assert_eq!(publishes(&out).len(), 1);
    assert_eq!(bench.wake().0, 10_000, "the wait that was cut short is gone");
}

#[test]
fn a_reply_that_comes_late_or_twice_registers_once() {
    for fault in [
        Fault::Delay(std::time::Duration::from_secs(12)),
        Fault::Delay(std::time::Duration::from_secs(25)),
        Fault::Duplicate,
    ] {
        let mut world = world();
        world.set_fault(move |_, crossing| match crossing {
            Crossing::Down { topic, .. } if topic.ends_with("password_reply") => fault,
            _ => Fault::None,
        });
        let id = world.add(config(&dynamic()), Stored::empty()).unwrap();
        assert!(world.run_until(HOUR, |world| is_ready(world, id)), "{:?}", world.events(id));
        world.run_for(HOUR);
        assert_eq!(count(&world, id, |event| matches!(event, Event::Registered { .. })), 1);
        assert_eq!(count(&world, id, |event| *event == Event::Ready), 1);
    }
}

#[test]
fn a_reply_lost_once_or_twice_or_thrice_is_asked_for_again() {
    for losses in 1..=4 {
        let mut world = world();
        let mut left = losses;
        world.set_fault(move |_, crossing| match crossing {
            Crossing::Down { topic, .. } if topic.ends_with("password_reply") && left > 0 => {
                left -= 1;
                Fault::Lose
            }
            _ => Fault::None,
        });
        let id = world.add(config(&dynamic()), Stored::empty()).unwrap();
        world.run_until(HOUR, |world| is_ready(world, id) || is_stopped(world, id));
        assert_eq!(is_ready(&world, id), losses <= 3);
        if losses == 4 {
            world.intent(id, Intent::TryAgain).unwrap();
            assert!(world.run_until(SOON, |world| is_ready(world, id)));
        }
    }
}

#[test]
fn after_the_login_a_silent_cloud_is_left_and_logged_in_to_again() {
    // The acknowledgements of the first session after the login are lost for good.
    let mut world = world();
    let mut acks = 0;
    world.set_fault(move |_, crossing| match crossing {
        Crossing::Ack => {
            acks += 1;
            if (3..=14).contains(&acks) { Fault::Lose } else { Fault::None }
        }
        _ => Fault::None,
    });
    let id = world.add(config(&dynamic()), Stored::empty()).unwrap();
    assert!(world.run_until(HOUR, |world| is_ready(world, id)), "{:?}", world.events(id));
    let logins = count(&world, id, |event| matches!(event, Event::Step { step: Step::Login }));
    assert_eq!(logins, 2);
    assert_eq!(count(&world, id, |event| matches!(event, Event::Registered { .. })), 1);
}
