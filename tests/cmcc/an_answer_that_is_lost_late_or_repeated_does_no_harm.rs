use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use muster::sim::{Crossing, Fault};
use muster::{Advice, Error, Event, Input, Intent, Now, Outcome, Step, Stored, Token};

use super::setup::{
    Hand, REPORT_REPLY, SECRET, config, counts, hours, info_reply, read, requests_to, run_to_ready,
    settings, stored_credential, told, watch, world,
};

#[test]
fn a_question_without_an_answer_is_asked_three_times_more() {
    let mut world = world();
    let sent = watch(&mut world, |_| Fault::Lose);
    let id = world.add(config(), Stored::empty()).unwrap();
    hours(&mut world, 24);
    let error = Error::NoReply { step: Step::RequestSecret };
    let events = told(&world, id);
    let retries: Vec<u32> = events
        .iter()
        .filter_map(|event| match event {
            Event::Retrying { error: e, failures, .. } if *e == error => Some(*failures),
            _ => None,
        })
        .collect();
    assert_eq!(retries, [1, 2, 3]);
    let stop = Event::Stopped { error, advice: Advice::CheckNetwork };
    assert_eq!(events.last(), Some(&stop));
    assert_eq!(sent.borrow().len(), 4);
    // 4 × 15 s, and 1 + 2 + 4 s of back-off, ± 20 %.
    let (at, _) = world.events(id).last().unwrap();
    assert!((60_000 + 5_600..60_000 + 8_400).contains(&at.0), "{at:?}");
    // Alive for a person's "try again".
    world.clear_fault();
    world.intent(id, Intent::TryAgain).unwrap();
    run_to_ready(&mut world, id);
}

#[test]
fn the_limits_are_settings() {
    let mut world = world();
    let sent = watch(&mut world, |_| Fault::Lose);
    let settings = settings().with("reply_timeout_ms", "10000").with("request_retries", "0");
    let id = world.add(read(&settings), Stored::empty()).unwrap();
    hours(&mut world, 1);
    assert_eq!(sent.borrow().len(), 1);
    assert_eq!(world.events(id).last().unwrap().0.0, 10_000);
}

#[test]
fn each_lost_crossing_is_made_up_for() {
    // secret/info and report: a request and a response each.
    for lost in 0..4 {
        let mut world = world();
        let crossings = Rc::new(RefCell::new(0));
        let seen = crossings.clone();
        world.set_fault(move |_, _| {
            *seen.borrow_mut() += 1;
            if *seen.borrow() == lost + 1 { Fault::Lose } else { Fault::None }
        });
        let id = world.add(config(), Stored::empty()).unwrap();
        run_to_ready(&mut world, id);
        assert_eq!(told(&world, id).iter().filter(|e| **e == Event::Ready).count(), 1);
        // The platform's answer is the same each time, so a second question harms nobody.
        let (secrets, reports) = counts(&world);
        assert_eq!(
            (secrets, reports),
            match lost {
                1 => (2, 1),
                3 => (1, 2),
                _ => (1, 1),
            }
        );
    }
}

#[test]
fn what_arrives_twice_counts_once() {
    let mut world = world();
    let sent = watch(&mut world, |_| Fault::Duplicate);
    let id = world.add(config(), Stored::empty()).unwrap();
    run_to_ready(&mut world, id);
    hours(&mut world, 1);
    assert_eq!(sent.borrow().len(), 2);
    let events = told(&world, id);
    assert_eq!(events.len(), 6, "{events:?}");
    // Of four answers to each question, three came to nobody.
    assert_eq!(world.agent(id).unwrap().stray_inputs(), 6);
}

#[test]
fn an_answer_that_comes_too_late_is_not_taken_for_another() {
    let mut world = world();
    let mut first = true;
    let sent = watch(&mut world, move |crossing| {
        let late = matches!(crossing, Crossing::Response { .. }) && std::mem::take(&mut first);
        if late { Fault::Delay(Duration::from_secs(40)) } else { Fault::None }
    });
    let id = world.add(config(), Stored::empty()).unwrap();
    run_to_ready(&mut world, id);
    world.run_for(Duration::from_secs(60));
    assert_eq!(requests_to(&sent, "secret/info"), 2);
    assert_eq!(requests_to(&sent, "report"), 1);
    assert_eq!(world.agent(id).unwrap().stray_inputs(), 1);
}

#[test]
fn tokens_of_nobody_are_counted_and_ignored_in_every_step() {
    let mut hand = Hand::new(config(), Stored::empty(), Now::mono(0));
    let mut strays = 0;
    let mut bother = |hand: &mut Hand| {
        let saved = hand.out.clone();
        for token in [Token(0), Token(77), Token(u32::MAX)] {
            hand.reply_to(token, 200, info_reply());
            hand.input(Input::Stored(token, Outcome::Done));
            hand.input(Input::Connected(token));
            strays += 3;
        }
        assert_eq!(hand.agent.stray_inputs(), strays);
        hand.out = saved;
    };
    bother(&mut hand);
    hand.reply(info_reply());
    bother(&mut hand);
    hand.stored();
    bother(&mut hand);
    hand.reply(REPORT_REPLY);
    assert!(hand.events().contains(&Event::Ready));
    bother(&mut hand);
    hand.intent(Intent::RegisterAgain);
    bother(&mut hand);
}

#[test]
fn a_report_that_was_late_does_not_end_the_one_that_followed() {
    let mut hand = Hand::new(config(), stored_credential(), Now::mono(0));
    let (first, _) = hand.request();
    // No answer in time.
    hand.wait();
    assert!(matches!(hand.events()[..], [Event::Retrying { failures: 1, .. }]));
    hand.wait();
    let (second, _) = hand.request();
    assert_ne!(first, second);
    hand.reply_to(first, 200, REPORT_REPLY);
    assert!(hand.events().is_empty());
    hand.reply_to(second, 200, REPORT_REPLY);
    assert!(hand.events().contains(&Event::Ready));
    assert!(!format!("{:?}", hand.agent).contains(SECRET));
}
