//! Bytes of a stranger's choosing, at every door of cloud and app.

use muster::app::{AppInput, BindBy, BindPlan, Call, DeviceName};
use muster::cloud::{CloudInput, ConnectionId, HttpRequest, Packet};
use muster::http::Response;
use muster::{Answer, SecretBytes};
use proptest::prelude::*;

use super::owner::{Owner, settings};
use super::platform::{ALICE, DN, PK, Platform, connect};

const PATHS: [&str; 8] = [
    "/awss/enrollee/list/get",
    "/awss/enrollee/product/filter",
    "/awss/token/check",
    "/awss/token/user/bind",
    "/awss/time/window/user/bind",
    "/awss/cipher/get",
    "/thing/gateway/permit",
    "/thing/topo/remove",
];

/// JSON that is odd rather than broken.
fn odd_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?[0-9]{1,25}",
        Just("1e999".to_owned()),
        "[a-zA-Z0-9:/&|+#]{0,40}".prop_map(|text| format!("\"{text}\"")),
        Just(format!("\"{}\"", "x".repeat(5_000))),
        Just(r#""\u0000\ud83d\ude00""#.to_owned()),
        Just(format!("\"{PK}\"")),
        Just(format!("\"{DN}\"")),
    ];
    let key = prop_oneof![
        Just("productKey"),
        Just("deviceName"),
        Just("token"),
        Just("homeId"),
        Just("iotId"),
        Just("subIotId"),
        Just("time"),
        Just("pageSize"),
        Just("pageNum"),
        Just("iotDevices"),
        Just("deviceInfoForCipher"),
        Just("random"),
        Just("cipherType"),
        Just("params"),
        Just("mac"),
        Just("payload"),
        Just("version"),
        Just("step"),
        Just("module"),
        Just("x"),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5)
                .prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((key.clone(), inner), 0..6).prop_map(|members| {
                let members: Vec<String> =
                    members.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_parameters_panic_or_bind(path in 0..PATHS.len(), params in odd_json()) {
        let mut platform = Platform::new();
        platform.log_in(1, PK, DN);
        let body = format!(r#"{{"id":1,"request":{{"apiVer":"1","iotToken":"{ALICE}"}},"params":{params}}}"#);
        let kept = platform.kept.clone();
        let request = platform.signed(PATHS[path], &body);
        platform.http(request);
        prop_assert_eq!(&platform.kept, &kept);
    }

    #[test]
    fn no_request_panics(
        method in "[A-Z]{0,5}", path in "/(awss|thing|auth|account|kit)/[ -~]{0,30}", body in prop::collection::vec(any::<u8>(), 0..300),
        headers in prop::collection::vec(("(X-Ca-[A-Za-z-]{1,20}|Content-MD5|Content-Type)", "\\PC{0,40}"), 0..8),
    ) {
        let mut platform = Platform::new();
        let kept = platform.kept.clone();
        for path in [path.as_str(), "/auth/register/device"] {
            let (method, path) = (method.clone(), path.to_owned());
            platform.http(HttpRequest { method, path, query: vec![], headers: headers.clone(), body: body.clone() });
        }
        prop_assert_eq!(&platform.kept, &kept);
    }

    #[test]
    fn no_connect_panics(id in "\\PC{0,60}", name in "\\PC{0,60}", password in "\\PC{0,60}") {
        let mut platform = Platform::new();
        let kept = platform.kept.clone();
        platform.connect(1, connect(&id, &name, &password));
        platform.connect(2, connect(&format!("{id}|authType=register,random={name},signmethod=hmacsha1|"), &format!("{DN}&{PK}"), &password));
        prop_assert_eq!(&platform.kept, &kept);
    }

    #[test]
    fn no_message_panics(suffix in 0..12usize, payload in prop_oneof![
        odd_json().prop_map(|json| format!(r#"{{"id":"1","params":{json}}}"#).into_bytes()),
        odd_json().prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..300),
    ]) {
        let mut platform = Platform::new();
        platform.log_in(1, PK, DN);
        let topics = [
            "thing/awss/enrollee/match", "thing/awss/enrollee/found", "thing/cipher/get", "thing/topo/add",
            "thing/topo/delete", "thing/topo/get", "thing/ota/firmware/get", "thing/event/property/post",
            "thing/deviceinfo/update", "thing/x_reply",
        ];
        let topic = match suffix {
            10 => format!("/ota/device/inform/{PK}/{DN}"),
            11 => format!("/ota/device/progress/{PK}/{DN}"),
            n => format!("/sys/{PK}/{DN}/{}", topics[n]),
        };
        let payload = SecretBytes::new(payload);
        platform.packet(1, Packet::Publish { packet_id: None, topic, qos: 0, retain: true, payload });
        platform.restart();
    }

    #[test]
    fn no_reply_panics_the_app(reply in prop_oneof![
        odd_json(), odd_json().prop_map(|data| format!(r#"{{"code":200,"data":{data}}}"#)),
        odd_json().prop_map(|data| format!(r#"{{"code":{data}}}"#)),
        "\\PC{0,80}",
    ], status in prop_oneof![Just(200u16), any::<u16>()]) {
        for n in 0..5 {
            let mut owner = Owner::new(&settings());
            let device = DeviceName::new(PK, DN);
            match n {
                0 => owner.call(1, Call::list(1, 1).unwrap()),
                1 => owner.call(1, Call::filter(&[device], true).unwrap()),
                2 => owner.call(1, Call::token_check("x", None, None).unwrap()),
                3 => owner.call(1, Call::window_bind(None, &device).unwrap()),
                _ => owner.give(AppInput::Bind(BindPlan {
                    devices: vec![], choose: None, scope_all: false, cipher: None, by: BindBy::Window, home_id: None,
                })),
            }
            for _ in 0..8 {
                let Some((token, _)) = owner.requests.pop_front() else { break };
                let response = Response { status, headers: vec![], body: reply.clone().into() };
                owner.give(AppInput::Response(token, Answer::Response(response)));
            }
        }
    }
}

#[test]
fn what_strangers_send_is_not_remembered() {
    let mut platform = Platform::new();
    let kept = platform.kept.len();
    for n in 0..2_000u64 {
        let mut request = platform.signed("/awss/token/check", "{}");
        request.headers.retain(|(name, _)| name != "X-Ca-Signature");
        assert_eq!(platform.http(request).status, 404);
        platform
            .connect(n + 10, connect("x|signmethod=hmacsha1|", &format!("stranger{n}&{PK}"), "x"));
    }
    assert_eq!(platform.kept.len(), kept);
    let debug = format!("{:?}", platform.cloud);
    assert!(!debug.contains("stranger"));
    // Packets of connections that were never accepted fall on nobody's ears.
    let payload = SecretBytes::new(b"{}".to_vec());
    let topic = format!("/sys/{PK}/{DN}/thing/reset");
    let packet = Packet::Publish { packet_id: Some(1), topic, qos: 1, retain: false, payload };
    let outputs = platform.give(CloudInput::Packet { connection: ConnectionId(99_999), packet });
    assert!(outputs.is_empty());
}

#[test]
fn the_clouds_debug_and_log_show_no_secret() {
    use super::platform::{APP_SECRET, BOB, DEVICE_SECRET, PRODUCT_SECRET};
    let mut platform = Platform::new();
    let secrets = [PRODUCT_SECRET, DEVICE_SECRET, APP_SECRET, ALICE, BOB];
    let check = |text: &str| {
        for secret in secrets {
            assert!(!text.contains(secret), "{secret}");
        }
    };
    platform.bound();
    let post = format!(r#"{{"id":"1","params":{{"echo":"{DEVICE_SECRET} {PRODUCT_SECRET}"}}}}"#);
    let outputs = platform.publish(1, &format!("/sys/{PK}/{DN}/thing/event/property/post"), &post);
    check(&format!("{outputs:?}"));
    check(&format!("{:?}", platform.cloud));
    let list = muster::cloud::Action::ListReports { product: PK.into(), device: DN.into() };
    let reports = platform.operate(list).unwrap();
    let shown = serde_json::to_string(&reports).unwrap();
    assert!(shown.contains("*** ***"), "{shown}");
    check(&shown);
}
