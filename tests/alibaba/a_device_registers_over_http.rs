//! The whole way, first boot and every later one.

use muster::{Command, Due, Event, Identity, PlatformName, Secret, SecretBytes, Step, StoreKey};

use super::bench::{Bench, DN, PK, over_mqtt, settings};

fn steps(bench: &Bench) -> Vec<Step> {
    let steps = bench.events.iter().filter_map(|event| match event {
        Event::Step { step } => Some(*step),
        _ => None,
    });
    steps.collect()
}

#[test]
fn from_nothing_to_ready() {
    let mut bench = Bench::new(&settings());
    bench.until_ready();
    assert_eq!(
        steps(&bench),
        [
            Step::RequestSecret,
            Step::StoreSecret,
            Step::Login,
            Step::Subscribe,
            Step::ReportVersion,
            Step::ReportToken
        ]
    );
    let identity =
        Identity { platform: PlatformName::Alibaba, product: PK.into(), device: DN.into() };
    assert!(bench.events.contains(&Event::Registered { identity }));
    let heartbeat = Event::Heartbeat { next: None, next_unix: None, why: Due::KeepAlive };
    assert!(bench.events.contains(&heartbeat));
    assert_eq!(bench.cloud.versions, ["1.0.0"]);
    assert_eq!(bench.cloud.tokens.len(), 1);
    assert_eq!(bench.cloud.issued.len(), 1);
    let secret = &bench.cloud.issued[0];
    let stored =
        format!(r#"{{"product_key":"{PK}","device_name":"{DN}","device_secret":"{secret}"}}"#);
    assert_eq!(bench.credential().as_ref(), Some(&stored));
    assert_eq!(bench.stray(), 0);
}

#[test]
fn the_form_is_sent_as_one() {
    let mut bench = Bench::new(&settings());
    let (_, request) = bench.until_request();
    let header = |name: &str| muster::http::header(&request.headers, name);
    assert_eq!(header("content-type"), Some("application/x-www-form-urlencoded"));
    let body = String::from_utf8(request.body.clone()).unwrap();
    assert!(body.starts_with(&format!("productKey={PK}&deviceName={DN}&random=")), "{body}");
    assert!(body.ends_with("&signMethod=hmacsha256"), "{body}");
}

#[test]
fn a_slash_behind_the_base_url_does_no_harm() {
    let mut bench = Bench::new(&settings().with("auth_url", "http://127.0.0.1:7878/"));
    assert_eq!(bench.until_request().1.url, "http://127.0.0.1:7878/auth/register/device");
}

#[test]
fn the_second_boot_asks_for_nothing() {
    let mut bench = Bench::ready(&settings());
    bench.cut_power();
    bench.power_on().unwrap();
    bench.until_ready();
    assert_eq!(bench.cloud.issued.len(), 1);
    assert_eq!(bench.cloud.logins.len(), 2);
    assert_eq!(steps(&bench)[0], Step::Login);
}

#[test]
fn the_login_is_signed_over_the_wall_clock_where_it_is_known() {
    let mut bench = Bench::new(&settings());
    let at = bench.now().unix.unwrap().0;
    let (_, connect) = bench.until_connect();
    let expected = format!("{PK}.{DN}|securemode=3,signmethod=hmacsha256,timestamp={at}|");
    assert_eq!(connect.client_id, expected);
    assert_eq!(connect.keep_alive, 300);

    let mut bench = Bench::new(&settings().with("broker", "wss://h/mqtt"));
    bench.wall_clock = false;
    let (_, connect) = bench.until_connect();
    assert!(
        connect.client_id.ends_with("|securemode=2,signmethod=hmacsha256,timestamp=2524608000000|")
    );
}

#[test]
fn the_sign_method_is_a_setting() {
    let mut bench = Bench::new(&settings().with("sign_method", "hmacmd5"));
    let (token, request) = bench.until_request();
    assert!(request.body.ends_with(b"&signMethod=hmacmd5"));
    bench.answer(Command::Request(token, request));
    let (token, connect) = bench.until_connect();
    assert!(connect.client_id.contains("signmethod=hmacmd5,"));
    assert_eq!(connect.password.expose().len(), 32);
    bench.answer(Command::Connect(token, connect));
    bench.until_ready();
}

#[test]
fn a_configured_secret_needs_no_registration_and_is_not_stored() {
    let secret = "ga7XA6KdlEeiPXQPpRbAjOZXwG8ydgSe";
    let mut bench = Bench::new(&settings().with("device_secret", secret));
    bench.cloud.issued.push(secret.into());
    bench.until_ready();
    assert_eq!(bench.credential(), None);
    assert!(!bench.events.iter().any(|event| matches!(event, Event::Registered { .. })));
}

#[test]
fn a_configured_secret_wins_over_a_stored_one() {
    let mut bench = Bench::ready(&settings());
    let stored = bench.stored.clone();
    bench = Bench::with_stored(&over_mqtt().with("device_secret", "from-the-settings"), stored);
    bench.cloud.issued.push("from-the-settings".into());
    bench.until_ready();
    assert_eq!(bench.cloud.logins.len(), 1);
}

#[test]
fn numbers_and_strings_serve_as_codes_and_trailing_nuls_are_ignored() {
    for body in [
        r#"{"message":"success","data":{"deviceSecret":"s3cret","x":[1]},"code":"200"}"#.to_owned(),
        format!("  {}\0\0\n", super::bench::issued("s3cret")),
    ] {
        let mut bench = Bench::new(&settings());
        let (token, _) = bench.until_request();
        bench.cloud.issued.push("s3cret".into());
        bench.input(muster::Input::Response(token, super::bench::json(&body)));
        bench.until_ready();
        assert!(bench.credential().unwrap().contains("s3cret"));
    }
}

#[test]
fn what_is_stored_for_another_device_or_unreadable_is_not_used() {
    let agent = |json: &str| {
        let mut stored = muster::Stored::empty();
        stored.insert(StoreKey::Credential, SecretBytes::new(json.as_bytes().to_vec()));
        let config = super::bench::config(&settings());
        muster::Agent::new(config, stored, [1; 32], muster::Now::mono(0)).map(|_| ())
    };
    let other = format!(r#"{{"product_key":"{PK}","device_name":"d2","device_secret":"s"}}"#);
    assert_eq!(agent(&other), Err(muster::ApiMisuse::StoredForAnotherDevice));
    for bad in [
        "",
        "{}",
        "[]",
        "not json",
        &format!(r#"{{"product_key":"{PK}","device_name":"{DN}"}}"#),
        &format!(r#"{{"product_key":"{PK}","device_name":"{DN}","device_secret":""}}"#),
        &format!(r#"{{"product_key":"{PK}","device_name":"{DN}","client_id":"c"}}"#),
    ] {
        let unreadable = muster::ApiMisuse::StoredUnreadable(StoreKey::Credential);
        assert_eq!(agent(bad), Err(unreadable), "{bad}");
    }
}

#[test]
fn the_broker_is_reached_as_configured() {
    let mut bench = Bench::new(&settings());
    let (_, connect) = bench.until_connect();
    assert_eq!(connect.url, "mqtt://127.0.0.1:18833");
    assert_eq!(connect.username, format!("{DN}&{PK}"));
    assert_ne!(connect.password, Secret::from(""));
    assert!(bench.commands.iter().all(|command| !matches!(command, Command::Connect(..))));
}
