use std::time::Duration;

use muster::{Advice, Command, Error, Event, Input, Intent, Step, Stored};

use crate::support::*;

#[test]
fn after_the_retries_and_not_before() {
    let mut hand = Hand::new(&settings(), Stored::empty());
    let (connection, id) = hand.until_asked();
    for retry in 1..=3_u32 {
        assert_eq!(hand.wait(), 10_000);
        assert!(matches!(
            hand.last_event(),
            Event::Retrying { error: Error::NoReply { step: Step::RequestSecret }, failures, .. }
                if *failures == retry
        ));
        let pause = hand.wait();
        let base = 1_000 << (retry - 1);
        assert!((base * 8 / 10..=base * 12 / 10).contains(&pause), "{pause} for {base}");
        let (_, to, body) = hand.publish();
        assert_eq!(to, topic("register/post"));
        assert_eq!(body, request(&id), "the same request again");
    }
    assert_eq!(hand.wait(), 10_000);
    assert_eq!(hand.next(), Command::Close(connection));
    assert_eq!(
        *hand.last_event(),
        Event::Stopped {
            error: Error::NoReply { step: Step::RequestSecret },
            advice: Advice::AlreadyRegistered,
        }
    );
    assert_eq!(hand.timeout, None, "and then only a person can go on");
    hand.input(Input::User(Intent::TryAgain));
    assert_eq!(hand.connect().1.password.expose(), PRODUCT_SECRET);
}

#[test]
fn the_number_of_retries_is_a_setting() {
    let settings = settings().with("request_retries", "0").with("reply_timeout_ms", "700");
    let mut hand = Hand::new(&settings, Stored::empty());
    hand.until_asked();
    assert_eq!(hand.wait(), 700);
    assert!(matches!(hand.last_event(), Event::Stopped { .. }));
}

#[test]
fn a_late_issue_is_taken_between_two_tries() {
    let mut hand = Hand::new(&settings(), Stored::empty());
    let (_, id) = hand.until_asked();
    hand.wait();
    hand.message(&topic("register/set"), issue(&id, DEVICE_SECRET).as_bytes());
    assert_eq!(hand.store().2["device_secret"], DEVICE_SECRET);
    assert_eq!(hand.timeout, None, "nothing is asked for any more");
}

#[test]
fn a_device_that_lost_its_store_learns_that_it_is_active() {
    let mut world = world(&[]);
    let id = world.add(config(&settings()), Stored::empty()).unwrap();
    assert!(world.run_until(Duration::from_secs(1), |w| is_settled(w, id)));
    world.cut_power(id);
    let replacement = world.add(config(&settings()), Stored::empty()).unwrap();
    let stopped = |w: &muster::sim::World| {
        w.events(replacement)
            .iter()
            .any(|(_, e)| matches!(e, Event::Stopped { advice: Advice::AlreadyRegistered, .. }))
    };
    assert!(world.run_until(Duration::from_secs(120), stopped));
    assert!(!is_ready(&world, replacement));
    // An operator's reset opens the way again, and only then.
    let (product, device) = (PRODUCT.into(), DEVICE.into());
    let reset = muster::cloud::Action::Reset { product, device, new_secret: true };
    world.operate(action(reset)).unwrap();
    world.intent(replacement, Intent::TryAgain).unwrap();
    assert!(world.run_until(Duration::from_secs(1), |w| is_settled(w, replacement)));
}
