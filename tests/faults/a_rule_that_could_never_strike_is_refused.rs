use muster::faults::{Fault, Kept, Kind, On, When};
use muster::trace::Direction;

use crate::rules::{on, rule};

fn refused(fault: Fault, on: Option<On>) -> Option<&'static str> {
    rule("a", fault, on).rule.check().err().map(|(member, _)| member)
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
    ] {
        assert_eq!(refused(fault.clone(), on.clone()), None, "{fault:?} on {on:?}");
    }
}
