//! What the owner's app causes at a gateway.

use muster::Event;

use super::bench::{Bench, settings, sys};

fn answers(bench: &Bench, topic: &str) -> Vec<String> {
    let topic = sys(topic);
    let on = bench.cloud.published.iter().filter(|(t, _)| *t == topic);
    on.map(|(_, body)| body.clone()).collect()
}

#[test]
fn a_permit_is_told_and_answered() {
    let mut bench = Bench::ready(&settings());
    for (params, seconds, product) in [
        (r#"{"time":60,"productKey":"subPK"}"#, 60, Some("subPK")),
        (r#"{"time":0}"#, 0, None),
        (r#"{"time":"65535","productKey":""}"#, 65_535, None),
    ] {
        let body = format!(
            r#"{{"method":"thing.gateway.permit","id":"42","params":{params},"version":"1.0"}}"#
        );
        bench.message(&sys("thing/gateway/permit"), body);
        bench.settle();
        let event = Event::Permit { seconds, product: product.map(String::from) };
        assert_eq!(bench.take_events(), [event]);
    }
    let reply = r#"{"id":"42","code":200,"data":{}}"#;
    assert_eq!(answers(&bench, "thing/gateway/permit_reply"), [reply; 3]);
}

#[test]
fn a_permit_that_cannot_be_used_is_answered_with_400() {
    let mut bench = Bench::ready(&settings());
    for params in ["{}", r#"{"time":65536}"#, r#"{"time":-1}"#, r#"{"time":"soon"}"#, "7", "null"] {
        bench.message(&sys("thing/gateway/permit"), format!(r#"{{"id":7,"params":{params}}}"#));
        bench.settle();
        assert_eq!(bench.warnings().len(), 1, "{params}");
        bench.events.clear();
    }
    let reply = r#"{"id":7,"code":400,"data":{}}"#;
    assert_eq!(answers(&bench, "thing/gateway/permit_reply"), [reply; 6]);
}

#[test]
fn changes_of_the_topology_are_told_and_answered() {
    let mut bench = Bench::ready(&settings());
    for status in [0, 1, 2, 8] {
        let body = format!(
            r#"{{"id":"9","version":"1.0","params":{{"status":{status},"subList":[{{"productKey":"p1","deviceName":"d1"}},{{"productKey":"p2","deviceName":"d2"}}]}},"method":"thing.topo.change"}}"#
        );
        bench.message(&sys("thing/topo/change"), body);
        bench.settle();
        let devices = vec!["p1/d1".to_owned(), "p2/d2".to_owned()];
        assert_eq!(bench.take_events(), [Event::Topology { status, devices }]);
    }
    let reply = r#"{"id":"9","code":200,"data":{}}"#;
    assert_eq!(answers(&bench, "thing/topo/change_reply"), [reply; 4]);
    for params in [
        r#"{"status":3,"subList":[]}"#,
        r#"{"subList":[]}"#,
        r#"{"status":1}"#,
        r#"{"status":1,"subList":{}}"#,
        r#"{"status":1,"subList":[{"productKey":"p"}]}"#,
        r#"{"status":1,"subList":[7]}"#,
    ] {
        bench.message(&sys("thing/topo/change"), format!(r#"{{"id":"9","params":{params}}}"#));
        bench.settle();
        let last = answers(&bench, "thing/topo/change_reply").pop().unwrap();
        assert_eq!(last, r#"{"id":"9","code":400,"data":{}}"#, "{params}");
    }
    assert_eq!(bench.warnings().len(), 6);
}

#[test]
fn a_device_that_is_no_gateway_does_not_answer() {
    let mut bench = Bench::ready(&settings().with("gateway", "false"));
    let before = bench.cloud.published.len();
    bench.message(&sys("thing/gateway/permit"), r#"{"id":"1","params":{"time":0}}"#);
    bench.message(&sys("thing/topo/change"), r#"{"id":"1","params":{"status":0,"subList":[]}}"#);
    bench.settle();
    assert!(bench.events.is_empty());
    assert_eq!((bench.cloud.published.len(), bench.stray()), (before, 2));
}
