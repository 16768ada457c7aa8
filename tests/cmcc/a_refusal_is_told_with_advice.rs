use std::time::Duration;

use muster::cloud::Action;
use muster::sim::{Crossing, Fault};
use muster::{
    Advice, CodecError, Error, Event, Failure, Intent, Now, PeerMisbehaved, Rejected, Step, Stored,
};

use super::setup::{
    EARLIEST, HOUR, Hand, KEY, LATEST, NUMBER, PRODUCT, REPORT_REPLY, SECRET, config, counts,
    heartbeats, hours, info_reply, operate, read, requests_to, run_to_ready, settings,
    stored_credential, told, watch, world,
};

fn code(code: &str, message: &str) -> Error {
    Error::Rejected { by: Rejected::Code { code: code.into(), message: message.into() } }
}

/// A device that asks for its secret and gets this answer.
fn asked(status: u16, body: &str) -> Hand {
    let mut hand = Hand::new(config(), Stored::empty(), Now::mono(0));
    let (token, _) = hand.request();
    hand.reply_to(token, status, body);
    hand
}

fn stopped(hand: &Hand) -> (Error, Advice) {
    match hand.events().pop() {
        Some(Event::Stopped { error, advice }) => (error, advice),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_the_cloud_refuses_at_registration_stops_and_a_person_goes_on() {
    let cases: [(&str, &str, &str); 4] = [
        ("product_id", "9999999999999", "产品不存在"),
        ("product_key", "wrong-product-key", "产品密钥错误"),
        ("device_no", "111234561234560", "设备不存在"),
        ("device_no_type", "SN", "参数错误: deviceNoType 与导入的设备号类型不一致"),
    ];
    for (key, value, message) in cases {
        let mut world = world();
        let id = world.add(read(&settings().with(key, value)), Stored::empty()).unwrap();
        hours(&mut world, 24 * 7);
        let events = told(&world, id);
        let stop = Event::Stopped { error: code("500", message), advice: Advice::ImportDevice };
        assert_eq!(events[1..], [stop], "{key}");
        // The operator mends it, a person says so.
        let number = "device_no_type,device_no\nCMEI,111234561234560\n".to_string();
        super::setup::import(&mut world, &number);
        world.intent(id, Intent::TryAgain).unwrap();
        world.run_for(Duration::from_secs(10));
        let ready = super::setup::is_ready(&world, id);
        assert_eq!(ready, key == "device_no", "{key}");
    }
}

#[test]
fn a_device_that_became_unknown_stops_and_never_asks_for_a_secret_on_its_own() {
    type Mend = fn(&mut muster::sim::World);
    let device = || (PRODUCT.to_string(), NUMBER.to_string());
    let spoil: [(Action, &str, Option<Mend>); 3] = [
        {
            let (product, device) = device();
            (Action::DeleteDevice { product, device }, "设备不存在", None)
        },
        {
            let (product, device) = device();
            (Action::Reset { product, device, new_secret: true }, "设备密钥错误", None)
        },
        {
            let (product, device) = device();
            let mend: Mend = |world| {
                let (product, device) = (PRODUCT.to_string(), NUMBER.to_string());
                operate(world, Action::Disable { product, device, disabled: false }).unwrap();
            };
            (Action::Disable { product, device, disabled: true }, "设备已禁用", Some(mend))
        },
    ];
    for (action, message, mend) in spoil {
        let mut world = world();
        let id = world.add(config(), Stored::empty()).unwrap();
        run_to_ready(&mut world, id);
        operate(&mut world, action).unwrap();
        world.clear_events(id);
        let sent = watch(&mut world, |_| Fault::None);
        hours(&mut world, 13);
        let stop = Event::Stopped { error: code("500", message), advice: Advice::CheckDevice };
        assert_eq!(told(&world, id), [Event::Step { step: Step::Heartbeat }, stop]);
        assert_eq!(sent.borrow().len(), 1);
        // The document wants a report a day all the same, so it goes on at its pace, and with its own secret.
        hours(&mut world, 24 * 5);
        assert!((10..=11).contains(&requests_to(&sent, "report")), "{}", sent.borrow().len());
        assert_eq!(requests_to(&sent, "secret/info"), 0);
        let Some(mend) = mend else { continue };
        mend(&mut world);
        world.clear_events(id);
        world.intent(id, Intent::TryAgain).unwrap();
        world.run_for(Duration::from_secs(1));
        assert!(told(&world, id).contains(&Event::Ready));
    }
}

#[test]
fn after_a_refused_report_the_next_one_comes_when_it_would_have_come() {
    let mut hand = Hand::new(config(), stored_credential(), Now::mono(0));
    hand.reply(r#"{"code":500,"message":"系统繁忙","success":false}"#);
    assert_eq!(stopped(&hand), (code("500", "系统繁忙"), Advice::CheckDevice));
    let next = hand.next.unwrap().0;
    assert!((EARLIEST..=LATEST).contains(&next));
    hand.wait();
    hand.reply(REPORT_REPLY);
    assert!(hand.events().contains(&Event::Ready));
}

#[test]
fn other_codes_of_a_report_are_told_and_tried_again() {
    for body in [
        r#"{"code":"403","message":"限流","success":false}"#,
        r#"{"code":403,"msg":"限流","success":false}"#,
    ] {
        let mut hand = Hand::new(config(), stored_credential(), Now::mono(0));
        hand.reply(body);
        let [Event::Retrying { error, failures: 1, in_ms }] = &hand.events()[..] else {
            panic!("{:?}", hand.events());
        };
        assert_eq!(*error, code("403", "限流"));
        assert!((800..=1_200).contains(in_ms));
    }
    // Success may not be denied in the same breath.
    for denied in ["false", "\"false\""] {
        let mut hand = Hand::new(config(), stored_credential(), Now::mono(0));
        hand.reply(format!(r#"{{"code":"200","message":"?","success":{denied}}}"#));
        assert!(
            matches!(&hand.events()[..], [Event::Retrying { error, .. }] if *error == code("200", "?"))
        );
    }
}

#[test]
fn another_identity_in_an_answer_is_the_peers_fault() {
    let wrong: Error = PeerMisbehaved::WrongIdentity.into();
    for other in [
        info_reply().replace(NUMBER, "111234561234560"),
        info_reply().replace(PRODUCT, "9999999999999"),
    ] {
        let hand = asked(200, &other);
        assert_eq!(stopped(&hand), (wrong.clone(), Advice::AskVendor));
    }
    let mut hand = Hand::new(config(), stored_credential(), Now::mono(0));
    hand.reply(REPORT_REPLY.replace("123456789", "987654321"));
    assert!(matches!(&hand.events()[..], [Event::Retrying { error, .. }] if *error == wrong));
    // What is not said cannot be wrong.
    let silent = info_reply()
        .replace(&format!(r#""deviceNo":"{NUMBER}","#), "")
        .replace(&format!(r#""productId":"{PRODUCT}","#), "");
    let hand = asked(200, &silent);
    assert!(hand.store().2.contains(SECRET));
}

#[test]
fn an_unusable_secret_is_never_stored() {
    let too_long = "s".repeat(129);
    for secret in ["", " ", "a b", "é", "tab\\t", &too_long] {
        let hand = asked(200, &info_reply().replace(SECRET, secret));
        let error = PeerMisbehaved::UnusableSecret.into();
        assert_eq!(stopped(&hand), (error, Advice::AskVendor), "{secret:?}");
    }
    let none = info_reply().replace("deviceSecret", "secret");
    let hand = asked(200, &none);
    let missing = Error::Codec { error: CodecError::Missing("deviceSecret".into()) };
    assert!(matches!(&hand.events()[..], [Event::Retrying { error, .. }] if *error == missing));
}

#[test]
fn an_http_status_other_than_200_is_told_as_such() {
    let http = |status, message: &str| Error::Rejected {
        by: Rejected::Http { status, message: message.into() },
    };
    for (status, advice) in [
        (404, Advice::CheckNetwork),
        (405, Advice::CheckNetwork),
        (401, Advice::CheckProductSecret),
        (403, Advice::CheckProductSecret),
        (302, Advice::AskVendor),
        (415, Advice::AskVendor),
        (204, Advice::AskVendor),
    ] {
        // Not even a good body makes up for it.
        let hand = asked(status, &info_reply());
        assert_eq!(stopped(&hand), (http(status, "成功"), advice));
    }
    for status in [500, 502, 503, 504, 429, 408] {
        let mut hand = asked(status, "<html>bad gateway</html>");
        for failures in 1..=3 {
            assert!(matches!(&hand.events()[..], [Event::Retrying { error, failures: f, .. }]
                    if *error == http(status, "") && *f == failures));
            hand.wait();
            let (token, _) = hand.request();
            hand.reply_to(token, status, "<html>bad gateway</html>");
        }
        assert_eq!(stopped(&hand), (http(status, ""), Advice::AskVendor));
    }
}

#[test]
fn a_network_that_is_not_there_yet_is_waited_for() {
    for failure in [Failure::Dns, Failure::Unreachable, Failure::Tls] {
        let mut hand = Hand::new(config(), Stored::empty(), Now::mono(0));
        for n in 0..100u32 {
            hand.fail(failure);
            let [Event::Retrying { failures, in_ms, .. }] = hand.events()[..] else {
                panic!("{:?}", hand.events());
            };
            assert_eq!(failures, n + 1);
            assert!(in_ms <= 72_000);
            hand.wait();
        }
        hand.reply(info_reply());
        assert!(hand.store().2.contains(SECRET));
    }
    // What a host's policy forbids, waiting does not allow.
    let mut hand = Hand::new(config(), Stored::empty(), Now::mono(0));
    hand.fail(Failure::Forbidden);
    assert_eq!(stopped(&hand), (Failure::Forbidden.into(), Advice::CheckNetwork));
    assert_eq!(hand.next, None);
}

#[test]
fn a_report_is_tried_again_whatever_failed_it() {
    for failure in [Failure::Dns, Failure::Lost, Failure::TooLarge, Failure::Forbidden] {
        let mut hand = Hand::new(config(), stored_credential(), Now::mono(0));
        for _ in 0..20 {
            hand.fail(failure);
            assert!(matches!(hand.events()[..], [Event::Retrying { .. }]));
            hand.wait();
        }
        hand.reply(REPORT_REPLY);
        assert!(hand.events().contains(&Event::Ready));
    }
}

#[test]
fn what_the_vendor_says_is_shown_short_and_without_our_secrets() {
    let long = "很".repeat(1_000);
    let body = format!(
        r#"{{"code":"500","message":"\u0007key {KEY} of product{}","success":false}}"#,
        long
    );
    let (error, _) = stopped(&asked(200, &body));
    let Error::Rejected { by: Rejected::Code { message, .. } } = error else { panic!("{error:?}") };
    assert!(message.starts_with("key *** of product很"), "{message}");
    assert_eq!(message.chars().count(), 200);
    let mut hand = Hand::new(config(), stored_credential(), Now::mono(0));
    hand.reply(format!(r#"{{"code":"500","message":"{SECRET} is not {KEY}"}}"#));
    assert_eq!(stopped(&hand).0, code("500", "*** is not ***"));
}

#[test]
fn a_cloud_with_other_habits_is_understood_too() {
    let mut world = world();
    super::setup::switch(&mut world, None, "numeric_code", "true");
    super::setup::switch(&mut world, Some(PRODUCT), "numeric_protocol_type_time", "true");
    let plain = watch(&mut world, |crossing| {
        if let Crossing::Response { body, .. } = crossing {
            let body: serde_json::Value = serde_json::from_slice(body).unwrap();
            assert_eq!(body["code"], 200);
        }
        Fault::None
    });
    let id = world.add(config(), Stored::empty()).unwrap();
    run_to_ready(&mut world, id);
    world.run_for(Duration::from_millis(13 * HOUR));
    assert_eq!(heartbeats(&world, id).len(), 2);
    assert_eq!(counts(&world), (1, 2));
    assert_eq!(plain.borrow().len(), 3);
}
