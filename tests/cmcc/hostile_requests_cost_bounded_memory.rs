use std::time::Duration;

use muster::PlatformName;
use muster::cloud::{Action, CloudInput, ConnectPacket, ConnectionId, OperationResult};
use muster::sim::World;
use proptest::prelude::*;

use super::setup::{
    KEY, NUMBER, PRODUCT, SECRET, create_product, http, import, json, operate, switch, world,
};

const INFO: &str = "/v2/customer/device/secret/info";
const REPORT: &str = "/v2/customer/device/report";

fn device_id(world: &mut World) -> String {
    let body = format!(
        r#"{{"deviceNoType":"CMEI","deviceNo":"{NUMBER}","productId":"{PRODUCT}","productKey":"{KEY}"}}"#
    );
    let reply = json(&world.http(http(INFO, &body)).unwrap());
    reply["data"]["deviceId"].as_str().unwrap().to_string()
}

fn reports(world: &mut World, device: &str) -> Vec<muster::cloud::ReportView> {
    let action = Action::ListReports { product: PRODUCT.into(), device: device.into() };
    match operate(world, action).unwrap() {
        OperationResult::Reports { items } => items,
        _ => panic!(),
    }
}

#[test]
fn of_a_device_that_never_stops_the_latest_reports_are_kept() {
    let mut world = world();
    let id = device_id(&mut world);
    for n in 0..200 {
        let body = format!(
            r#"{{"deviceId":"{id}","deviceSecret":"{SECRET}","productId":"{PRODUCT}","productKey":"{KEY}","params":{{"innerIp":["127.0.0.1"],"netSpeed":"0Mbps","netType":"wifi","platform":"RTOS","sdkVersion":"ai_http_1.0","firmwareVersion":"{n}","imei":"","cmei":"","mac":""}}}}"#
        );
        let reply = world.http(http(REPORT, &body)).unwrap();
        assert_eq!(json(&reply)["code"], "200");
        world.run_for(Duration::from_millis(5));
    }
    let items = reports(&mut world, NUMBER);
    assert_eq!(items.len(), 20);
    // Latest first.
    assert!(items[0].json.contains(r#""firmwareVersion":"199""#));
    assert!(items.windows(2).all(|pair| pair[0].at > pair[1].at));
    assert_eq!(world.kept.keys().filter(|(_, table, _)| *table == "report").count(), 20);
}

#[test]
fn what_is_refused_leaves_nothing_behind() {
    let mut world = world();
    let id = device_id(&mut world);
    let before = world.kept.clone();
    let huge = "x".repeat(60_000);
    for lenient in ["false", "true"] {
        switch(&mut world, None, "lenient_params", lenient);
        let before = if lenient == "false" { before.len() + 1 } else { world.kept.len() };
        for n in 0..50 {
            for body in [
                format!(
                    r#"{{"deviceNoType":"SN","deviceNo":"{n}","productId":"{n}","productKey":"k"}}"#
                ),
                format!(
                    r#"{{"deviceId":"{n}","deviceSecret":"s","productId":"{PRODUCT}","productKey":"{KEY}","params":{{}}}}"#
                ),
                format!(
                    r#"{{"deviceId":"{id}","deviceSecret":"{SECRET}","productId":"{PRODUCT}","productKey":"{KEY}","params":{{"netType":"{huge}"}}}}"#
                ),
                format!(
                    r#"{{"deviceId":"{id}","deviceSecret":"{SECRET}","productId":"{PRODUCT}","productKey":"{KEY}","params":{{"innerIp":[{}"::"]}}}}"#,
                    "\"::\",".repeat(5_000)
                ),
                format!(
                    r#"{{"deviceId":"{id}","deviceSecret":"{SECRET}","productId":"{PRODUCT}","productKey":"{KEY}","params":{{"mac":"\u0001"}}}}"#
                ),
                huge.clone(),
            ] {
                for path in [INFO, REPORT] {
                    let reply = world.http(http(path, &body)).unwrap();
                    assert_eq!(json(&reply)["success"], false);
                    assert!(reply.body.len() < 400, "{}", String::from_utf8_lossy(&reply.body));
                }
            }
        }
        assert_eq!(world.kept.len(), before);
    }
    assert!(world.log.iter().all(|entry| entry.subject.len() <= 400 && entry.detail.len() <= 400));
}

#[test]
fn there_is_no_mqtt_at_this_door() {
    let mut world = world();
    let connection = ConnectionId(1_000_000);
    let connect = ConnectPacket {
        protocol_level: 4,
        client_id: NUMBER.into(),
        username: None,
        password: None,
        keep_alive: 60,
        clean_session: true,
        will: false,
    };
    world.cloud.handle_input(
        CloudInput::Connect { connection, platform: PlatformName::Cmcc, connect },
        world.now(),
    );
    let out: Vec<String> = (0..3).map(|_| format!("{:?}", world.cloud.poll_output())).collect();
    assert!(out[0].contains("ConnAck") && out[0].contains("code: 5"), "{out:?}");
    assert!(out[1].contains("Close"), "{out:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_bytes_get_an_answer(
        method in "(POST|GET|PUT|)",
        path in "(/v2/customer/device/(secret/info|report)|/v2/customer/.{0,20})",
        kind in proptest::option::of("(application/json.{0,20}|.{0,20})"),
        body in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut world = World::new(Duration::ZERO);
        create_product(&mut world);
        import(&mut world, "1\n2\n");
        let mut request = http(&path, "");
        request.method = method;
        request.body = body;
        request.headers = kind.into_iter().map(|kind| ("content-type".to_string(), kind)).collect();
        let reply = world.http(request).unwrap();
        prop_assert!([200, 404, 405, 415].contains(&reply.status));
    }
}
