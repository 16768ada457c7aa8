//! The bodies of the vendor's document of 2019-12-10, oddities included.

use muster::Command;
use muster::cloud::What;

use crate::support::*;

/// Step 1 of the document's first part: the trailing comma, and the `ID` behind the braces.
const REPORT: &str = "{\n    \"CMD\":10,\n    \"HW_VERSION\": \"1.0.0\",\n    \"FW_VERSION\": \"2.0.0\",\n}\n\"ID\":消息ID号\n";
/// Step 3.
const ORDER: &str = "{\n        \"CMD\" :11,\n        \"ID\" : \"2836S8F46SDR\" ,\n        \"URL\" : \"http://iot.krtyun.com:16004/iot-telegov-html/rtthread.rbl\" ,\n        \"FW_VERSION\" : \"1.0.1\"\n}";
/// Step 4.
const ANSWER: &str =
    "{\n    \"CMD\" :11,\n    \"ID\" : \"2836S8F46SDR\" ,\n    \"BACK\" : \"OK\"\n}";

#[test]
fn the_cloud_reads_the_report() {
    let bare = REPORT.split("\"ID\"").next().unwrap();
    let bodies = [
        REPORT.to_string(),
        bare.to_string(),
        format!("{bare}\"ID\" : \"17\""),
        format!("{bare}\0"),
    ];
    for body in bodies {
        let mut door = Door::new(&[]);
        let connection = door.login(DEVICE_SECRET);
        let seen = door.publish_bytes(connection, &topic("ota/post"), body.as_bytes());
        assert_eq!(seen, [Seen::PubAck(connection, 7)]);
        assert!(door.logged(What::Reported), "{body}");
        let device = door.device();
        assert_eq!(device.version.as_deref(), Some("2.0.0"));
        assert_eq!(device.more["hardware_version"], "1.0.0");
    }
}

#[test]
fn the_device_follows_the_order() {
    let mut hand = Hand::new(&settings(), stored(true));
    hand.until_online();
    hand.message(&topic("ota/set"), ORDER.as_bytes());
    let (token, ..) = hand.store();
    hand.stored(token);
    let Command::Download(_, download) = hand.next() else { panic!("no download") };
    assert_eq!(download.url, "http://iot.krtyun.com:16004/iot-telegov-html/rtthread.rbl");
    assert_eq!(download.version, "1.0.1");
    let (_, to, body) = hand.publish();
    assert_eq!(to, topic("ota/post"));
    assert_eq!(json(body.as_bytes()), json(ANSWER.as_bytes()));
}

#[test]
fn the_cloud_sends_the_order_and_reads_the_answer() {
    let mut door = Door::new(&[]);
    door.operate(add_firmware("1.0.1")).unwrap();
    let connection = door.login(DEVICE_SECRET);
    door.subscribe(connection, &topic("ota/set"));
    let (seen, _) = door.operate_seen(push_upgrade("1.0.1"));
    let [Seen::Publish(_, to, qos, body)] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!((to, *qos), (&topic("ota/set"), muster::QoS::AtLeastOnce));
    let (sent, example) = (json(body.as_bytes()), json(ORDER.as_bytes()));
    for key in ["CMD", "URL", "FW_VERSION"] {
        assert_eq!(sent[key], example[key]);
    }
    let id = sent["ID"].as_str().unwrap();
    assert_eq!(id.len(), "2836S8F46SDR".len());
    let answer = ANSWER.replace("2836S8F46SDR", id);
    door.publish(connection, &topic("ota/post"), &answer);
    assert_eq!(upgrade(door.operate(list_upgrades()).unwrap()).state, "downloading");
    let report = REPORT.replace("2.0.0", "1.0.1");
    door.publish(connection, &topic("ota/post"), &report);
    assert_eq!(upgrade(door.operate(list_upgrades()).unwrap()).state, "succeeded");
}

#[test]
fn the_logins_and_topics_are_the_documents() {
    let mut door = Door::new(&[]);
    // MQTT_ID "ProductID", MQTT_USERNAME "DeviceID", MQTT_PASSWORD "ProductSecret", then "DeviceSecret".
    let secret = door.register();
    assert_eq!(topic("register/post"), "/sys/1700000001/880001/thing/register/post");
    door.login(&secret);
    assert_eq!(door.device().state, "online");
}
