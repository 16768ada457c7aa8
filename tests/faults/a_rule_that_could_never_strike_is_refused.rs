use muster::PlatformName;
use muster::faults::{Fault, Kept, Kind, On, Times, When};
use muster::trace::Direction;

use crate::rules::{on, rule};

/// By a device that speaks MQTT and HTTP.
fn refused(fault: Fault, on: Option<On>) -> Option<&'static str> {
    refused_by(PlatformName::Alibaba, fault, on)
}

fn refused_by(platform: PlatformName, fault: Fault, on: Option<On>) -> Option<&'static str> {
    rule("a", fault, on).rule.check(platform).err().map(|(member, _)| member)
}

fn event(name: &str) -> Option<On> {
    Some(On { event: Some(name.into()), ..on(Kind::Event) })
}

#[test]
fn a_rule_that_could_never_strike_is_refused() {
    let cut = |key| Fault::PowerCut { key, when: When::Before, restart_ms: None };
    let topic = |kind| Some(On { topic: Some("t".into()), ..on(kind) });
    for (fault, on, member) in [
        (Fault::Lose, None, "on"),
        (Fault::NoClock, Some(on(Kind::Connack)), "on"),
        (Fault::DownloadSlow { bytes_per_s: 1 }, Some(on(Kind::Response)), "on"),
        (cut(Some(Kept::Credential)), Some(on(Kind::Publish)), "on"),
        (Fault::Lose, Some(On { event: Some("ready".into()), ..on(Kind::Event) }), "message"),
        (Fault::Reorder, Some(on(Kind::Response)), "message"),
        (Fault::Duplicate, Some(on(Kind::Response)), "message"),
        (Fault::Duplicate, Some(on(Kind::Connect)), "message"),
        (Fault::Refuse { code: 4 }, Some(on(Kind::Publish)), "message"),
        (Fault::Refuse { code: 6 }, Some(on(Kind::Connack)), "code"),
        (Fault::Refuse { code: 4 }, Some(on(Kind::Suback)), "code"),
        (Fault::WrongId, Some(on(Kind::Connack)), "message"),
        (Fault::Status { status: 500, body: None }, Some(on(Kind::Publish)), "message"),
        (Fault::Lose, topic(Kind::Puback), "topic"),
        (Fault::Lose, Some(On { path: Some("/".into()), ..on(Kind::Publish) }), "path"),
        (Fault::Lose, Some(On { text: Some("x".into()), ..on(Kind::Connack) }), "text"),
        (
            Fault::Lose,
            Some(On { direction: Some(Direction::Down), ..on(Kind::Connack) }),
            "direction",
        ),
        (Fault::NetworkLoss { ms: 1 }, Some(on(Kind::Event)), "event"),
        (Fault::NetworkLoss { ms: 1 }, event("redy"), "event"),
        (Fault::NetworkLoss { ms: 1 }, event("step:store_secrets"), "event"),
        (Fault::NetworkLoss { ms: 1 }, event("store_secret"), "event"),
        (Fault::NetworkLoss { ms: 1 }, event("step:ready"), "event"),
    ] {
        assert_eq!(refused(fault.clone(), on.clone()), Some(member), "{fault:?} on {on:?}");
    }
    for (fault, on) in [
        (Fault::Lose, topic(Kind::Publish)),
        (Fault::Lose, Some(On { direction: Some(Direction::Up), ..on(Kind::Puback) })),
        (Fault::Refuse { code: 128 }, Some(on(Kind::Suback))),
        (Fault::Duplicate, Some(on(Kind::Request))),
        (Fault::NetworkLoss { ms: 1 }, None),
        (Fault::NetworkLoss { ms: 1 }, Some(on(Kind::Request))),
        (cut(None), Some(on(Kind::Response))),
        (cut(Some(Kept::Version)), None),
        (Fault::NetworkLoss { ms: 1 }, event("ready")),
        (Fault::NetworkLoss { ms: 1 }, event("step")),
        (Fault::NetworkLoss { ms: 1 }, event("step:store_secret")),
    ] {
        assert_eq!(refused(fault.clone(), on.clone()), None, "{fault:?} on {on:?}");
    }
}

#[test]
fn and_so_is_one_of_what_the_platform_never_does() {
    use PlatformName::{Alibaba, Cmcc, Krtyun, Ucloud};
    let cut = |key| Fault::PowerCut { key: Some(key), when: When::Before, restart_ms: None };
    let code = || Fault::VendorCode { code: "1".into() };
    for (platform, fault, on, member) in [
        (Krtyun, code(), Some(on(Kind::Publish)), Some("fault")),
        (Ucloud, code(), Some(on(Kind::Publish)), None),
        (Cmcc, code(), Some(on(Kind::Response)), None),
        (Cmcc, Fault::Lose, Some(on(Kind::Publish)), Some("message")),
        (Cmcc, Fault::NetworkLoss { ms: 1 }, Some(on(Kind::Connack)), Some("message")),
        (Cmcc, Fault::NetworkLoss { ms: 1 }, event("ready"), None),
        (Cmcc, Fault::BrokerRestart { ms: 1 }, None, Some("fault")),
        (Cmcc, Fault::DownloadSlow { bytes_per_s: 1 }, None, Some("fault")),
        (Cmcc, cut(Kept::Firmware), None, Some("key")),
        (Cmcc, Fault::StoreFail { key: Kept::Schedule }, None, None),
        (Alibaba, Fault::StoreFail { key: Kept::Schedule }, None, Some("key")),
        (Alibaba, Fault::Lose, Some(on(Kind::Response)), None),
        (Ucloud, Fault::Lose, Some(on(Kind::Response)), Some("message")),
        (Krtyun, Fault::NetworkLoss { ms: 1 }, Some(on(Kind::Request)), Some("message")),
    ] {
        let found = refused_by(platform, fault.clone(), on.clone());
        assert_eq!(found, member, "{platform}: {fault:?} on {on:?}");
    }
}

#[test]
fn and_so_is_one_that_counts_what_happens_once() {
    let refused = |fault: Fault, on: Option<On>, change: fn(&mut muster::faults::Rule)| {
        let mut rule = rule("a", fault, on).rule;
        change(&mut rule);
        rule.check(PlatformName::Ucloud).err().map(|(member, _)| member)
    };
    let loss = || Fault::NetworkLoss { ms: 1 };
    let puback = || Some(on(Kind::Puback));
    assert_eq!(refused(Fault::Lose, puback(), |rule| rule.chance = 0.0), Some("chance"));
    assert_eq!(refused(Fault::Lose, puback(), |rule| rule.nth = 9), None);
    assert_eq!(refused(loss(), None, |rule| rule.nth = 2), Some("nth"));
    assert_eq!(refused(loss(), None, |rule| rule.every = 2), Some("every"));
    assert_eq!(refused(loss(), None, |rule| rule.times = Times::Always), Some("times"));
    assert_eq!(refused(loss(), event("ready"), |rule| rule.times = Times::Always), None);
    assert_eq!(refused(Fault::NoClock, None, |rule| rule.nth = 2), Some("nth"));
    assert_eq!(refused(Fault::NoClock, None, |rule| rule.times = Times::Always), None);
}
