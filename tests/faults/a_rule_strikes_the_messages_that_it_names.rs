use muster::faults::{Deed, Fault, Faults, Kept, Kind, On, StoreDeed, Times, When};
use muster::http::{Request, Response};
use muster::trace::Direction;
use muster::{Event, PlatformName, Step};

use crate::rules::{on, publish, rule};

fn lost(faults: &mut Faults, direction: Direction, packet: &[u8]) -> bool {
    matches!(faults.packet(direction, packet).deed, Some((_, Deed::Lose)))
}

#[test]
fn by_kind_direction_topic_and_text() {
    let mut faults = Faults::new(PlatformName::Ucloud);
    let what = On { topic: Some("/password_reply".into()), ..on(Kind::Publish) };
    let mut lose = rule("a", Fault::Lose, Some(what));
    lose.rule.times = Times::Always;
    faults.arm(lose);
    let reply = publish("/$system/p/d/password_reply", Some(1), b"{}");
    assert!(lost(&mut faults, Direction::Down, &reply));
    assert!(!lost(&mut faults, Direction::Up, &reply), "a publish is met on its way down");
    assert!(!lost(&mut faults, Direction::Down, &publish("/$system/p/d/password", Some(1), b"{}")));
    assert!(!lost(&mut faults, Direction::Down, &[0x20, 2, 0, 0]));

    let mut faults = Faults::new(PlatformName::Ucloud);
    let what = On { text: Some("\"CMD\":11".into()), ..on(Kind::Publish) };
    faults.arm(rule("a", Fault::Lose, Some(what)));
    assert!(!lost(&mut faults, Direction::Down, &publish("t", None, b"{\"CMD\":10}")));
    assert!(lost(&mut faults, Direction::Down, &publish("t", None, b"{\"CMD\":11}")));
    assert!(
        !lost(&mut faults, Direction::Down, &publish("t", None, b"{\"CMD\":11}")),
        "once means once"
    );
}

#[test]
fn the_nth_and_every_so_many_after_it() {
    let mut faults = Faults::new(PlatformName::Ucloud);
    let mut lose = rule("a", Fault::Lose, Some(on(Kind::Puback)));
    (lose.rule.nth, lose.rule.every, lose.rule.times) = (2, 3, Times::Count(3));
    faults.arm(lose);
    let struck: Vec<bool> =
        (0..12).map(|_| lost(&mut faults, Direction::Down, &[0x40, 2, 0, 1])).collect();
    let at: Vec<usize> = (1..).zip(struck).filter(|(_, hit)| *hit).map(|(at, _)| at).collect();
    assert_eq!(at, [2, 5, 8], "the 2nd, every 3rd after it, three times");
    let armed = faults.armed().next().unwrap();
    assert_eq!((armed.seen, armed.struck), (12, 3));
}

#[test]
fn the_first_rule_acts_and_the_others_have_seen_it() {
    let mut faults = Faults::new(PlatformName::Ucloud);
    faults.arm(rule("delay", Fault::Delay { ms: 5 }, Some(on(Kind::Puback))));
    faults.arm(rule("lose", Fault::Lose, Some(on(Kind::Puback))));
    let (strike, deed) = faults.packet(Direction::Down, &[0x40, 2, 0, 1]).deed.unwrap();
    assert_eq!((&*strike.rule, deed), ("delay", Deed::Delay(5)));
    let seen: Vec<(u32, u32)> = faults.armed().map(|armed| (armed.seen, armed.struck)).collect();
    assert_eq!(seen, [(1, 1), (1, 0)]);
    let (strike, _) = faults.packet(Direction::Down, &[0x40, 2, 0, 1]).deed.unwrap();
    assert_eq!(strike.rule, "lose", "the first is used up");
}

#[test]
fn requests_and_responses_by_their_path() {
    let mut faults = Faults::new(PlatformName::Cmcc);
    let what = On { path: Some("/secret/info".into()), ..on(Kind::Response) };
    faults.arm(rule("a", Fault::Status { status: 503, body: None }, Some(what)));
    let response = Response { status: 200, headers: Vec::new(), body: b"{\"code\":200}".to_vec() };
    assert_eq!(faults.response("/v2/customer/device/report", &response).deed, None);
    let path = "/v2/customer/device/secret/info";
    let Some((strike, Deed::Change(changed))) = faults.response(path, &response).deed else {
        panic!("the response is changed")
    };
    assert_eq!((changed.status, &*changed.body), (503, &b""[..]));
    assert_eq!(strike.detail.as_deref(), Some("200 → 503"));

    let what = On { path: Some("/report".into()), ..on(Kind::Request) };
    faults.arm(rule("b", Fault::Duplicate, Some(what)));
    let request = |url: &str| Request {
        method: "POST".into(),
        url: url.into(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    assert_eq!(faults.request(&request("https://h/x?at=/report")).deed, None, "a query is no path");
    assert!(faults.request(&request("https://h/v2/report?x=1")).deed.is_some());
}

#[test]
fn moments_at_events_steps_and_at_once() {
    let mut faults = Faults::new(PlatformName::Ucloud);
    let at = |event: &str| Some(On { event: Some(event.into()), ..on(Kind::Event) });
    faults.arm(rule("ready", Fault::NetworkLoss { ms: 1 }, at("ready")));
    faults.arm(rule("step", Fault::ClockJump { ms: 1.0 }, at("step:store_secret")));
    faults.arm(rule("now", Fault::BrokerRestart { ms: 1 }, None));
    let ids = |strikes: Vec<muster::faults::Strike>| -> Vec<String> {
        strikes.into_iter().map(|strike| strike.rule).collect()
    };
    assert_eq!(ids(faults.at_birth()), ["now"]);
    assert_eq!(ids(faults.at_birth()), [""; 0], "once means once");
    assert_eq!(ids(faults.event(&Event::Step { step: Step::StoreSecret })), ["step"]);
    assert_eq!(ids(faults.event(&Event::PropertiesPosted)), [""; 0]);
    assert_eq!(ids(faults.event(&Event::Ready)), ["ready"]);
}

#[test]
fn what_is_armed_strikes_when_it_is_armed_and_not_when_another_is() {
    let mut faults = Faults::new(PlatformName::Ucloud);
    let mut dice = rule("dice", Fault::NetworkLoss { ms: 1 }, None);
    // A chance that this seed does not give at first.
    (dice.rule.chance, dice.rule.seed) = (0.2, 1);
    faults.arm(dice);
    assert_eq!(faults.at_arming(&["dice".into()]), []);
    faults.arm(rule("now", Fault::BrokerRestart { ms: 1 }, None));
    let ids = |strikes: Vec<muster::faults::Strike>| -> Vec<String> {
        strikes.into_iter().map(|strike| strike.rule).collect()
    };
    assert_eq!(ids(faults.at_arming(&["now".into()])), ["now"]);
    for _ in 0..50 {
        assert_eq!(faults.at_arming(&["another".into()]), []);
    }
    let seen: Vec<(u32, u32)> = faults.armed().map(|armed| (armed.seen, armed.struck)).collect();
    assert_eq!(seen, [(1, 0), (1, 1)]);
}

#[test]
fn whoever_shows_the_rules_hears_of_each_that_has_met_something() {
    let mut faults = Faults::new(PlatformName::Ucloud);
    let mut fifth = rule("fifth", Fault::Lose, Some(on(Kind::Pingresp)));
    fifth.rule.nth = 5;
    faults.arm(fifth);
    faults.arm(rule(
        "ready",
        Fault::ClockJump { ms: 1.0 },
        Some(On { event: Some("ready".into()), ..on(Kind::Event) }),
    ));
    faults.arm(rule("store", Fault::StoreFail { key: Kept::Credential }, None));
    faults.arm(rule("slow", Fault::DownloadSlow { bytes_per_s: 1 }, None));
    assert!(!faults.take_moved());
    assert!(!lost(&mut faults, Direction::Down, &[0x40, 2, 0, 1]));
    assert!(!faults.take_moved(), "none is about this packet");
    for n in 1..=4 {
        assert!(!lost(&mut faults, Direction::Down, &[0xd0, 0]));
        assert!(faults.take_moved(), "met {n} times, and never struck");
        assert!(!faults.take_moved(), "said once");
    }
    assert!(lost(&mut faults, Direction::Down, &[0xd0, 0]));
    assert!(faults.take_moved());
    assert_eq!(faults.event(&Event::Ready).len(), 1);
    assert!(faults.take_moved());
    assert!(faults.store("credential").is_some() && faults.take_moved());
    assert!(faults.store("credential").is_none() && faults.take_moved(), "seen, and used up");
    assert!(faults.download().is_some() && faults.take_moved());
}

#[test]
fn it_is_known_beforehand_how_many_rules_there_will_be() {
    let mut faults = Faults::new(PlatformName::Ucloud);
    for id in ["a", "b", "c"] {
        faults.arm(rule(id, Fault::Lose, Some(on(Kind::Puback))));
    }
    let new = |ids: &[&str]| -> Vec<muster::faults::Armed> {
        ids.iter().map(|id| rule(id, Fault::NoClock, None)).collect()
    };
    assert_eq!(faults.count_after(false, &[], &new(&["d", "e"])), 5);
    assert_eq!(faults.count_after(false, &[], &new(&["a", "e"])), 4, "one takes a place");
    assert_eq!(faults.count_after(false, &["b".into(), "x".into()], &new(&["e"])), 3);
    assert_eq!(faults.count_after(true, &[], &new(&["a", "e"])), 2);
}

#[test]
fn values_by_their_names_and_images() {
    let mut faults = Faults::new(PlatformName::Ucloud);
    let cut = |when| Fault::PowerCut { key: Some(Kept::Credential), when, restart_ms: None };
    faults.arm(rule("before", cut(When::Before), None));
    faults.arm(rule("fail", Fault::StoreFail { key: Kept::Firmware }, None));
    faults.arm(rule("slow", Fault::DownloadSlow { bytes_per_s: 1 }, None));
    assert_eq!(faults.at_birth(), [], "these wait for their moment");
    assert_eq!(faults.store("schedule"), None);
    assert!(matches!(faults.store("firmware"), Some(StoreDeed::Fail(_))));
    assert!(matches!(faults.store("credential"), Some(StoreDeed::Cut(_, When::Before))));
    assert_eq!(faults.store("credential"), None);
    assert_eq!(faults.download().unwrap().rule, "slow");
    assert_eq!(faults.download(), None);
}

#[test]
fn clocks_add_up_as_long_as_they_are_armed() {
    let mut faults = Faults::new(PlatformName::Ucloud);
    faults.arm(rule("a", Fault::ClockSkew { ms: 1_000.0 }, None));
    faults.arm(rule("b", Fault::ClockSkew { ms: -250.0 }, None));
    assert_eq!(faults.at_birth().len(), 2);
    assert_eq!(faults.wall(), (750.0, true));
    faults.arm(rule("c", Fault::NoClock, None));
    faults.at_arming(&["c".into()]);
    assert_eq!(faults.wall(), (750.0, false));
    faults.disarm(Some(&["b".into(), "c".into()]));
    assert_eq!(faults.wall(), (1_000.0, true));
    faults.disarm(None);
    assert_eq!((faults.wall(), faults.is_empty()), ((0.0, true), true));
}
