use std::time::Duration;

use muster::cloud::Action;
use muster::sim::Fault;
use muster::{Command, Event, Input, Intent, Now, Outcome, Output, Step, StoreKey, Stored};

use super::setup::{
    Hand, NUMBER, PRODUCT, config, counts, info_reply, operate, requests_to, run_to_ready,
    stored_credential, told, watch, world,
};

#[test]
fn the_store_is_emptied_and_the_new_secret_taken() {
    let mut world = world();
    let id = world.add(config(), Stored::empty()).unwrap();
    run_to_ready(&mut world, id);
    let (product, device) = (PRODUCT.to_string(), NUMBER.to_string());
    operate(&mut world, Action::Reset { product, device, new_secret: true }).unwrap();
    let old = world.stored(id).get(StoreKey::Credential).unwrap().clone();
    world.clear_events(id);
    let sent = watch(&mut world, |_| Fault::None);
    world.intent(id, Intent::RegisterAgain).unwrap();
    world.run_for(Duration::from_secs(2));
    let events = told(&world, id);
    let steps: Vec<Step> = events
        .iter()
        .filter_map(|event| match event {
            Event::Step { step } => Some(*step),
            _ => None,
        })
        .collect();
    assert_eq!(steps, [Step::EraseSecret, Step::RequestSecret, Step::StoreSecret, Step::Heartbeat]);
    assert_eq!(events.last(), Some(&Event::Ready));
    assert_ne!(world.stored(id).get(StoreKey::Credential).unwrap(), &old);
    assert_eq!((requests_to(&sent, "secret/info"), requests_to(&sent, "report")), (1, 1));
}

#[test]
fn the_schedule_goes_first_so_that_a_cut_leaves_nothing_that_waits() {
    let mut hand = Hand::new(config(), stored_credential(), Now::new(0, 1_000_000));
    hand.reply(super::setup::REPORT_REPLY);
    hand.stored();
    hand.intent(Intent::RegisterAgain);
    let erased = |hand: &Hand| match hand.out.last() {
        Some(Output::Command(Command::Erase(token, key))) => (*token, *key),
        other => panic!("{other:?}"),
    };
    let (token, key) = erased(&hand);
    assert_eq!(key, StoreKey::Schedule);
    hand.input(Input::Stored(token, Outcome::Done));
    let (token, key) = erased(&hand);
    assert_eq!(key, StoreKey::Credential);
    hand.input(Input::Stored(token, Outcome::Done));
    assert!(hand.request().1.url.ends_with("secret/info"));
}

#[test]
fn in_every_step_the_wish_is_understood() {
    // While asking: it is being done.
    let mut hand = Hand::new(config(), Stored::empty(), Now::mono(0));
    let (token, _) = hand.request();
    hand.intent(Intent::RegisterAgain);
    assert!(hand.out.is_empty());
    hand.reply_to(token, 200, info_reply());
    // While storing: what is being stored is new.
    let (store, _, _) = hand.store();
    hand.intent(Intent::RegisterAgain);
    assert!(hand.out.is_empty());
    hand.input(Input::Stored(store, Outcome::Done));
    // While reporting: the answer is not awaited any more.
    let (report, _) = hand.request();
    hand.intent(Intent::RegisterAgain);
    assert_eq!(hand.events(), [Event::Step { step: Step::EraseSecret }]);
    hand.reply_to(report, 200, super::setup::REPORT_REPLY);
    assert!(hand.out.is_empty());
    assert_eq!(hand.agent.stray_inputs(), 1);
}

#[test]
fn after_a_stop_it_asks_again_at_once() {
    let refusal = r#"{"code":"500","message":"设备不存在"}"#;
    for intent in [Intent::TryAgain, Intent::RegisterAgain] {
        let mut hand = Hand::new(config(), Stored::empty(), Now::mono(0));
        hand.reply(refusal);
        assert_eq!(hand.next, None, "nothing happens on its own");
        hand.intent(Intent::Report);
        assert!(hand.out.is_empty(), "there is no secret to report with");
        hand.intent(intent);
        assert!(hand.request().1.url.ends_with("secret/info"));
    }
    // A back-off is cut short by it.
    let mut hand = Hand::new(config(), Stored::empty(), Now::mono(0));
    hand.fail(muster::Failure::Dns);
    hand.intent(Intent::TryAgain);
    assert!(hand.maybe_request().is_some());
    // While a report is refused or waited for, too.
    for failed in [true, false] {
        let mut hand = Hand::new(config(), stored_credential(), Now::mono(0));
        if failed {
            hand.fail(muster::Failure::Lost)
        } else {
            hand.reply(refusal)
        }
        hand.intent(Intent::TryAgain);
        assert!(hand.request().1.url.ends_with("report"));
    }
}

#[test]
fn no_failure_makes_a_device_with_a_secret_ask_again() {
    let mut world = world();
    let id = world.add(config(), Stored::empty()).unwrap();
    run_to_ready(&mut world, id);
    let mut n = 0u64;
    let sent = watch(&mut world, move |_| {
        n += 1;
        if n.is_multiple_of(2) { Fault::Lose } else { Fault::None }
    });
    let (product, device) = (PRODUCT.to_string(), NUMBER.to_string());
    operate(&mut world, Action::DeleteDevice { product, device }).unwrap();
    for _ in 0..10 {
        world.run_for(Duration::from_secs(90_000));
        world.cut_power(id);
        world.power_on(id).unwrap();
        world.intent(id, Intent::TryAgain).unwrap();
    }
    assert_eq!(requests_to(&sent, "secret/info"), 0);
    assert!(requests_to(&sent, "report") > 20);
    assert_eq!(counts(&world), (1, 1));
}
