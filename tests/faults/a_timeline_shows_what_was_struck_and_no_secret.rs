use muster::faults::{Fault, Strike};
use muster::http::Response;
use muster::trace::{Direction, Moment, Struck, Trace, What};
use muster::{PlatformName, Settings, Stored};

use crate::rules::publish;

fn strike(fault: Fault) -> Strike {
    Strike { rule: "r".into(), fault, detail: Some("what".into()) }
}

#[test]
fn a_timeline_shows_what_was_struck_and_no_secret() {
    let mut trace = Trace::new(PlatformName::Ucloud, &Settings::new(), &Stored::empty());
    let moment = Moment { at: 1.0, unix: 2.0 };
    // A secret that nobody has seen before, in a reply that was lost.
    let lost = publish("/password_reply", Some(1), br#"{"Password":"hunter2hunter2"}"#);
    trace.fault(strike(Fault::Lose), Struck::Packet(Direction::Down, &lost), moment);
    let body = br#"{"deviceSecret":"swordfish88"}"#.to_vec();
    let response = Response { status: 200, headers: Vec::new(), body };
    trace.fault(strike(Fault::Delay { ms: 9 }), Struck::Response(&response), moment);
    trace.fault(strike(Fault::NoClock), Struck::Nothing, moment);

    let entries: Vec<_> = std::iter::from_fn(|| trace.poll()).collect();
    assert_eq!(entries.len(), 3);
    for (entry, secret) in entries.iter().zip(["hunter2", "swordfish", "none at all"]) {
        let line = serde_json::to_value(entry).unwrap();
        assert_eq!((&line["kind"], &line["rule"]), (&"fault".into(), &"r".into()));
        assert!(!line.to_string().contains(secret), "{line}");
    }
    let What::Fault { done, packet: Some(packet), direction, .. } = &entries[0].what else {
        panic!("{:?}", entries[0])
    };
    assert_eq!((done, *direction, packet.masked), (&Fault::Lose, Some(Direction::Down), 1));
    let What::Fault { message: Some(message), .. } = &entries[1].what else {
        panic!("{:?}", entries[1])
    };
    assert_eq!((message.status, message.masked), (Some(200), 1));

    // To the person who asks, as it was.
    assert_eq!(trace.packet(entries[0].seq, true).unwrap().bytes.expose(), lost);
    let covered = trace.packet(entries[0].seq, false).unwrap();
    assert_eq!(covered.bytes.expose().len(), lost.len());
    assert!(matches!(covered.entry.what, What::Fault { .. }));
    assert!(trace.packet(entries[2].seq, true).is_none(), "no message was struck");
}

#[test]
fn and_covers_the_body_that_a_rule_puts_in_the_place_of_another() {
    let mut trace = Trace::new(PlatformName::Alibaba, &Settings::new(), &Stored::empty());
    let body = r#"{"data":{"deviceSecret":"swordfish99"}}"#;
    let changed = Response { status: 500, headers: Vec::new(), body: body.into() };
    let fault = Fault::Status { status: 500, body: Some(body.into()) };
    trace.fault(strike(fault), Struck::Response(&changed), Moment { at: 1.0, unix: 2.0 });
    let entry = trace.poll().unwrap();
    let line = serde_json::to_value(&entry).unwrap();
    assert!(!line.to_string().contains("swordfish99"), "{line}");
    assert_eq!(line["done"]["body"], r#"{"data":{"deviceSecret":"***********"}}"#);
    let shown = serde_json::to_value(trace.packet(entry.seq, true).unwrap().entry).unwrap();
    assert_eq!(shown["done"]["body"], body, "to the person who asks");
}
