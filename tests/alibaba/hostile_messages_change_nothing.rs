//! Whatever arrives, the device neither panics nor forgets its work.

use muster::{Event, Now};
use proptest::prelude::*;

use super::bench::{Bench, DN, PK, config, ota, settings, sys};

fn topics() -> Vec<String> {
    vec![
        sys("thing/awss/enrollee/match_reply"),
        sys("thing/gateway/permit"),
        sys("thing/topo/change"),
        sys("thing/service/property/set"),
        sys("thing/event/property/post_reply"),
        sys(""),
        ota("upgrade"),
        ota("inform"),
        format!("/sys/{PK}/other/thing/gateway/permit"),
        format!("/sys/{DN}/{PK}/thing/gateway/permit"),
        "/ext/register".into(),
        "/ext/regnwl".into(),
        String::new(),
        "/".repeat(200),
    ]
}

#[test]
fn malformed_messages_on_every_topic_are_ignored() {
    let deep = "[".repeat(100_000);
    let big = format!(r#"{{"id":"1","params":"{}"}}"#, "x".repeat(70_000));
    let bodies: Vec<Vec<u8>> = [
        "",
        "{",
        "null",
        "[]",
        "7",
        "\"x\"",
        "{}",
        "{\"id\":null}",
        "\u{0}\u{0}",
        r#"{"id":"1","code":{}}"#,
        r#"{"params":[]}"#,
        r#"{"data":[]}"#,
        r#"{"data":{}}"#,
        &deep,
        &big,
    ]
    .into_iter()
    .map(|text| text.as_bytes().to_vec())
    .chain([vec![0xff, 0xfe], vec![0; 70_000]])
    .collect();
    let mut bench = Bench::ready(&settings());
    let logins = bench.cloud.logins.len();
    for topic in topics() {
        for body in &bodies {
            bench.message(&topic, body.clone());
            bench.settle();
        }
    }
    assert_eq!(bench.cloud.logins.len(), logins);
    assert_eq!(bench.cloud.issued.len(), 1);
    for event in bench.take_events() {
        assert!(matches!(event, Event::Warning { .. }), "{event:?}");
    }
    // It still works.
    bench.message(&sys("thing/gateway/permit"), r#"{"id":"1","params":{"time":1}}"#);
    assert_eq!(bench.take_events(), [Event::Permit { seconds: 1, product: None }]);
}

#[test]
fn text_from_the_cloud_is_cleaned_and_cut() {
    let mut bench = Bench::ready(&settings());
    let name = "\\u0007\\u001b[31m".to_owned() + &"n".repeat(500);
    let body = format!(
        r#"{{"id":"1","params":{{"status":0,"subList":[{{"productKey":"{name}","deviceName":"d"}}]}}}}"#
    );
    bench.message(&sys("thing/topo/change"), body);
    let Some(Event::Topology { devices, .. }) = bench.take_events().pop() else { panic!() };
    assert!(devices[0].len() <= 66 && !devices[0].chars().any(char::is_control), "{devices:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_on_any_topic_panic_or_break_the_session(
        picks in prop::collection::vec((0usize..14, any::<Vec<u8>>()), 1..20),
    ) {
        let mut bench = Bench::ready(&settings());
        let topics = topics();
        for (topic, body) in picks {
            bench.message(&topics[topic], body);
            bench.settle();
        }
        prop_assert!(bench.cloud.connection.is_some());
    }

    #[test]
    fn no_json_in_an_upgrade_panics(
        version in ".{0,40}", url in ".{0,60}", size in any::<i64>(), sign in "[0-9a-fA-F]{0,70}",
        method in "(MD5|SHA256|Md5|)", module in "(default|MCU|)",
    ) {
        let mut bench = Bench::ready(&settings());
        let data = serde_json::json!({
            "version": version, "url": url, "size": size, "sign": sign, "signMethod": method, "module": module,
        });
        bench.message(&ota("upgrade"), serde_json::json!({"code": "1000", "data": data}).to_string());
        bench.settle();
        prop_assert!(bench.cloud.connection.is_some());
    }

    #[test]
    fn no_stored_bytes_panic(bytes in any::<Vec<u8>>()) {
        let mut stored = muster::Stored::empty();
        for key in muster::StoreKey::ALL {
            stored.insert(key, muster::SecretBytes::new(bytes.clone()));
        }
        let agent = muster::Agent::new(config(&settings()), stored, [0; 32], Now::mono(0));
        prop_assert!(agent.is_err());
    }
}
