use std::time::Duration;

use muster::{
    Advice, Closed, Command, Error, Event, Failure, Input, Intent, Rejected, Step, Stored,
};

use crate::support::*;

fn connack(code: u8) -> Error {
    Error::Rejected { by: Rejected::Connack { code } }
}

#[test]
fn the_products_secret_is_tried_a_few_times() {
    for (code, advice) in [
        (1, Advice::AskVendor),
        (2, Advice::AskVendor),
        (4, Advice::CheckProductSecret),
        (5, Advice::ImportDevice),
    ] {
        let mut hand = Hand::new(&settings(), Stored::empty());
        for retry in 0..3 {
            let (connection, _) = hand.connect();
            hand.refused(connection, code);
            assert!(matches!(
                hand.last_event(),
                Event::Retrying { error, .. } if *error == connack(code)
            ));
            let pause = hand.wait();
            let base = 1_000 << retry;
            assert!((base * 8 / 10..=base * 12 / 10).contains(&pause));
        }
        let (connection, _) = hand.connect();
        hand.refused(connection, code);
        assert_eq!(*hand.last_event(), Event::Stopped { error: connack(code), advice });
        assert_eq!(hand.timeout, None);
        hand.input(Input::User(Intent::TryAgain));
        hand.connect();
    }
}

#[test]
fn a_proven_secret_that_is_refused_stops_at_once() {
    for code in [4, 5] {
        let mut hand = Hand::new(&settings(), stored(true));
        let (connection, _) = hand.connect();
        hand.refused(connection, code);
        let advice = Advice::CheckDevice;
        assert_eq!(*hand.last_event(), Event::Stopped { error: connack(code), advice });
        assert!(hand.commands.is_empty() && hand.timeout.is_none(), "no registering anew");
        hand.input(Input::User(Intent::TryAgain));
        assert_eq!(hand.connect().1.password.expose(), DEVICE_SECRET);
    }
}

#[test]
fn a_server_that_is_not_ready_and_a_dead_network_are_tried_for_ever() {
    for stored in [Stored::empty(), stored(true)] {
        let mut hand = Hand::new(&settings(), stored);
        let mut longest = 0;
        for n in 0..20 {
            let (connection, _) = hand.connect();
            match n % 2 {
                0 => hand.refused(connection, 3),
                _ => hand.input(Input::Closed(connection, Closed::Failed(Failure::Dns))),
            }
            longest = longest.max(hand.wait());
        }
        assert!((48_000..=72_000).contains(&longest), "{longest}");
    }
}

#[test]
fn a_connack_that_never_comes_is_given_up() {
    let mut hand = Hand::new(&settings(), Stored::empty());
    let (connection, _) = hand.connect();
    assert_eq!(hand.wait(), 10_000);
    assert_eq!(hand.next(), Command::Close(connection));
    let silence = Error::NoReply { step: Step::ConnectToRegister };
    assert!(matches!(hand.last_event(), Event::Retrying { error, .. } if *error == silence));
    // The host says that it closed; that is no stray answer.
    hand.input(Input::Closed(connection, Closed::Requested));
    assert_eq!(hand.agent.stray_inputs(), 0);
    // A CONNACK that comes now is one.
    hand.connected(connection);
    assert_eq!(hand.agent.stray_inputs(), 1);
    hand.wait();
    hand.connect();
}

#[test]
fn try_again_cuts_a_back_off_short() {
    let mut hand = Hand::new(&settings(), Stored::empty());
    let (connection, _) = hand.connect();
    hand.refused(connection, 3);
    hand.input(Input::User(Intent::TryAgain));
    hand.connect();
}

#[test]
fn a_refused_subscription_to_the_secret_is_bounded() {
    let mut hand = Hand::new(&settings().with("request_retries", "1"), Stored::empty());
    for _ in 0..2 {
        let (connection, _) = hand.connect();
        hand.connected(connection);
        let (token, _) = hand.subscribe();
        hand.input(Input::Acked(token, muster::Ack::SubscribeRefused));
        assert_eq!(hand.next(), Command::Close(connection));
        if hand.timeout.is_some() {
            hand.wait();
        }
    }
    let error = Error::Rejected { by: Rejected::Suback { topic: topic("register/set") } };
    assert_eq!(*hand.last_event(), Event::Stopped { error, advice: Advice::AskVendor });
}

#[test]
fn a_subscription_that_is_not_acknowledged_is_bounded() {
    let mut hand = Hand::new(&settings().with("request_retries", "0"), Stored::empty());
    let (connection, _) = hand.connect();
    hand.connected(connection);
    hand.subscribe();
    assert_eq!(hand.wait(), 10_000);
    assert_eq!(hand.next(), Command::Close(connection));
    let error = Error::NoReply { step: Step::SubscribeForSecret };
    assert_eq!(*hand.last_event(), Event::Stopped { error, advice: Advice::AskVendor });
}

#[test]
fn a_refused_subscription_to_updates_is_a_warning() {
    let mut hand = Hand::new(&settings(), stored(true));
    let (connection, _) = hand.connect();
    hand.connected(connection);
    let (token, _) = hand.subscribe();
    hand.input(Input::Acked(token, muster::Ack::SubscribeRefused));
    assert_eq!(hand.publish().1, topic("ota/post"), "the report goes out all the same");
    let warning = muster::Warning::SubscribeRefused { topic: topic("ota/set") };
    assert!(hand.events.contains(&Event::Warning { warning }));
}

#[test]
fn a_platform_that_closes_instead_of_issuing_is_bounded() {
    let mut hand = Hand::new(&settings().with("request_retries", "2"), Stored::empty());
    for _ in 0..3 {
        let (connection, _) = hand.until_asked();
        hand.lost(connection);
        if hand.timeout.is_some() {
            hand.wait();
        }
    }
    let error = muster::PeerMisbehaved::ClosedEarly.into();
    assert_eq!(*hand.last_event(), Event::Stopped { error, advice: Advice::AskVendor });
}

#[test]
fn an_import_in_time_lets_the_device_in() {
    let mut world = muster::sim::World::new(Duration::from_millis(20));
    world.operate(create_product(&[])).unwrap();
    let id = world.add(config(&settings()), Stored::empty()).unwrap();
    world.run_for(Duration::from_secs(2));
    assert!(world.events(id).iter().any(|(_, e)| {
        matches!(
            e,
            Event::Retrying { error: Error::Rejected { by: Rejected::Connack { code: 5 } }, .. }
        )
    }));
    world.operate(import(DEVICE)).unwrap();
    assert!(world.run_until(Duration::from_secs(10), |w| is_settled(w, id)));
}

#[test]
fn a_disabled_device_stops_and_goes_on_when_it_is_allowed() {
    let mut world = world(&[]);
    let id = world.add(config(&settings()), Stored::empty()).unwrap();
    assert!(world.run_until(Duration::from_secs(1), |w| is_settled(w, id)));
    let disable = |disabled| {
        let (product, device) = (PRODUCT.into(), DEVICE.into());
        action(muster::cloud::Action::Disable { product, device, disabled })
    };
    world.operate(disable(true)).unwrap();
    assert!(world.run_until(Duration::from_secs(5), |w| {
        w.events(id).last().is_some_and(|(_, e)| {
            *e == Event::Stopped { error: connack(5), advice: Advice::CheckDevice }
        })
    }));
    assert_eq!(view(&mut world).state, "disabled");
    world.operate(disable(false)).unwrap();
    world.clear_events(id);
    world.intent(id, Intent::TryAgain).unwrap();
    assert!(world.run_until(Duration::from_secs(1), |w| is_settled(w, id)));
}
