use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use muster::sim::{Crossing, DeviceId, Fault, World};
use muster::{
    Ack, Command, Downloaded, Event, Failure, Input, Install, Intent, Outcome, Output,
    PeerMisbehaved, Progress, QoS, Stored, Token, Update, UpdateFailure, Warning,
};

use super::support::*;
use crate::common::{Bench, commands, events};

/// A ready device, a cloud that knows image 2.0.0, and the reports that cross the link.
fn ready() -> (World, DeviceId, Rc<RefCell<Vec<String>>>) {
    let mut world = world();
    world.images.insert(IMAGE_URL.into(), image());
    world.operate(add_firmware("2.0.0", IMAGE_URL, IMAGE_MD5, 200_000)).unwrap();
    let id = world.add(config(&dynamic()), Stored::empty()).unwrap();
    assert!(world.run_until(SOON, |world| is_ready(world, id)));
    let seen = Rc::new(RefCell::new(Vec::new()));
    let notes = Rc::clone(&seen);
    world.set_fault(move |_, crossing| {
        if let Crossing::Up { topic, payload } = crossing
            && topic.ends_with("ota/upstream")
        {
            notes.borrow_mut().push(String::from_utf8(payload.clone()).unwrap());
        }
        Fault::None
    });
    (world, id, seen)
}

#[test]
fn an_online_device_is_updated_at_once() {
    let (mut world, id, seen) = ready();
    world.operate(push("2.0.0")).unwrap();
    assert_eq!(upgrade_state(&mut world), "sent");
    world.run_for(SOON);
    assert_eq!(world.installed(id), ["2.0.0"]);
    assert_eq!(upgrade_state(&mut world), "succeeded");
    assert_eq!(device_view(&mut world).version.as_deref(), Some("2.0.0"));
    let progress = |state: &str, percent: u8| {
        format!(
            r#"{{"Method":"report_progress","Payload":{{"State":"{state}","Percent":{percent},"Module":"default","Version":"2.0.0"}}}}"#
        )
    };
    assert_eq!(
        *seen.borrow(),
        [
            progress("downloading", 0),
            progress("downloading", 100),
            progress("burning", 0),
            r#"{"Method":"report_success","Payload":{"Module":"default","Version":"2.0.0"}}"#
                .into(),
        ],
    );
    let updates: Vec<&Update> = world
        .events(id)
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Update { update } => Some(update),
            _ => None,
        })
        .collect();
    assert!(matches!(
        updates[..],
        [
            Update::Offered { .. },
            Update::Downloading { received: 100_000, total: Some(200_000) },
            Update::Downloading { received: 200_000, total: Some(200_000) },
            Update::Verified { digest: true },
            Update::Installed { .. },
            Update::Reported { .. },
        ]
    ));
    assert_eq!(world.stored(id).get(muster::StoreKey::Firmware), None);
}

#[test]
fn an_offline_device_asks_for_it_when_it_comes_back() {
    let (mut world, id, seen) = ready();
    world.cut_power(id);
    world.run_for(SOON);
    world.operate(push("2.0.0")).unwrap();
    assert_eq!(upgrade_state(&mut world), "pending");
    world.power_on(id).unwrap();
    world.run_for(SOON);
    assert_eq!(upgrade_state(&mut world), "succeeded");
    assert!(seen.borrow()[1].starts_with(r#"{"Method":"request_firmware""#));
    // Asked again, there is nothing more.
    world.intent(id, Intent::RequestFirmware).unwrap();
    world.run_for(SOON);
    assert_eq!(world.installed(id), ["2.0.0"]);
}

#[test]
fn an_order_taken_back_in_time_is_dropped() {
    let (mut world, id, _) = ready();
    world.operate(push("2.0.0")).unwrap();
    world.operate(cancel_upgrade()).unwrap();
    world.run_for(HOUR);
    assert!(world.installed(id).is_empty());
    assert_eq!(count(&world, id, |e| *e == Event::Update { update: Update::Cancelled }), 1);
    assert_eq!(upgrade_state(&mut world), "cancelled");
    assert_eq!(world.stored(id).get(muster::StoreKey::Firmware), None);
}

#[test]
fn an_order_taken_back_while_the_device_was_away_is_dropped_when_it_comes_back() {
    let (mut world, id, _) = ready();
    world.operate(push("2.0.0")).unwrap();
    // The order is stored, and nothing more.
    world.run_until(SOON, |w| w.stored(id).get(muster::StoreKey::Firmware).is_some());
    world.cut_power(id);
    world.run_for(SOON);
    world.operate(cancel_upgrade()).unwrap();
    world.images.clear();
    world.set_fault(|_, _| Fault::None);
    world.power_on(id).unwrap();
    world.run_for(HOUR);
    assert!(world.installed(id).is_empty());
    assert_eq!(upgrade_state(&mut world), "cancelled");
    assert_eq!(world.stored(id).get(muster::StoreKey::Firmware), None);
}

#[test]
fn each_failure_has_the_vendors_code() {
    type Spoil = fn(&mut World);
    let cases: [(Spoil, &str); 4] = [
        (|w| w.images.clear(), "-1: the URL cannot be reached"),
        (
            |w| drop(w.images.insert(IMAGE_URL.into(), vec![0; 200_000])),
            "-4: the MD5 does not match",
        ),
        (|w| drop(w.images.insert(IMAGE_URL.into(), vec![0; 7])), "-4: the MD5 does not match"),
        (
            |w| drop(w.images.insert(IMAGE_URL.into(), vec![0; 11 << 20])),
            "-4: the MD5 does not match",
        ),
    ];
    for (spoil, detail) in cases {
        let (mut world, id, _) = ready();
        spoil(&mut world);
        world.operate(push("2.0.0")).unwrap();
        world.run_for(HOUR);
        let upgrades = upgrades(&mut world);
        assert_eq!((upgrades[0].state.as_str(), upgrades[0].detail.as_str()), ("failed", detail));
        assert!(world.installed(id).is_empty());
        assert_eq!(device_view(&mut world).version.as_deref(), Some("1.0.0"));
        assert_eq!(world.stored(id).get(muster::StoreKey::Firmware), None);
        // An operator can order it again.
        world.images.insert(IMAGE_URL.into(), image());
        world.operate(push("2.0.0")).unwrap();
        world.run_for(HOUR);
        assert_eq!(upgrade_state(&mut world), "succeeded");
    }
}

/// A device that is ready, driven by hand, and its connection.
fn online() -> (Bench, Token) {
    let mut bench = Bench::new(UCLOUD, &static_(), Stored::empty());
    let connection = token(&bench.outputs);
    let mut out = bench.give(Input::Connected(connection));
    for _ in 0..2 {
        let mut last = Vec::new();
        for command in commands(&out) {
            let ack = match command {
                Command::Subscribe(..) => Ack::Subscribed(QoS::AtLeastOnce),
                _ => Ack::Published,
            };
            last = bench.give(Input::Acked(command_token(&command).unwrap(), ack));
        }
        out = last;
    }
    assert!(events(&out).contains(&Event::Ready));
    (bench, connection)
}

fn order(version: &str, url: &str) -> Input {
    let body = format!(
        r#"{{"Method":"update_firmware","Payload":{{"Module":"default","Version":"{version}","URL":"{url}","MD5":"{IMAGE_MD5}","Size":200000}}}}"#
    );
    message("ota/downstream", &body)
}

fn download(outputs: &[Output]) -> Token {
    let commands = commands(outputs);
    let found = commands.iter().find_map(|command| match command {
        Command::Download(token, _) => Some(*token),
        _ => None,
    });
    found.unwrap()
}

/// The order is kept, and the download begun.
fn downloading(bench: &mut Bench) -> (Token, Vec<Output>) {
    let out = bench.give(order("2.0.0", IMAGE_URL));
    let out = bench.give(Input::Stored(token(&out), Outcome::Done));
    (download(&out), out)
}

fn percents(outputs: &[Output]) -> Vec<(QoS, u64)> {
    publishes(outputs)
        .into_iter()
        .map(|(_, qos, body)| {
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            (qos, body["Payload"]["Percent"].as_u64().unwrap())
        })
        .collect()
}

#[test]
fn progress_is_reported_at_zero_then_every_five_seconds_then_at_a_hundred() {
    let (mut bench, _) = online();
    let (download, out) = downloading(&mut bench);
    assert_eq!(percents(&out), [(QoS::AtMostOnce, 0)]);
    let mut reported = Vec::new();
    for received in 1..=100u64 {
        bench.now.mono = bench.now.mono + Duration::from_millis(200);
        let progress = Progress { received: received * 2000, total: None };
        reported.extend(percents(&bench.give(Input::Progress(download, progress))));
    }
    let percents: Vec<u64> = reported.iter().map(|(_, percent)| *percent).collect();
    assert_eq!(percents, [25, 50, 75, 100]);
    assert!(reported.iter().all(|(qos, _)| *qos == QoS::AtMostOnce));
}

#[test]
fn failures_of_the_host_have_their_codes() {
    for (failure, code, retried) in [
        (Failure::Status(403), -2, false),
        (Failure::Status(404), -1, false),
        (Failure::Forbidden, -1, false),
        (Failure::TooLarge, -4, false),
        (Failure::TimedOut, -3, true),
        (Failure::Lost, -3, true),
        (Failure::Dns, -1, true),
        (Failure::Tls, -1, true),
    ] {
        let (mut bench, _) = online();
        let (mut download_token, _) = downloading(&mut bench);
        let mut out = bench.give(Input::Downloaded(download_token, Downloaded::Failed(failure)));
        if retried {
            for _ in 0..3 {
                download_token = download(&bench.wake().1);
                let end = Downloaded::Failed(failure);
                out = bench.give(Input::Downloaded(download_token, end));
            }
        }
        let (to, qos, body) = publishes(&out).remove(0);
        assert_eq!((to, qos), (topic("ota/upstream"), QoS::AtLeastOnce));
        let report = format!(
            r#"{{"Method":"report_fail","Payload":{{"ErrCode":{code},"Module":"default","Version":"2.0.0"}}}}"#
        );
        assert_eq!(body, report, "{failure:?}");
    }
}

#[test]
fn an_image_that_cannot_be_installed_is_reported_as_burning_failed() {
    let (mut bench, _) = online();
    let (download, _) = downloading(&mut bench);
    let sha256 = "ab".repeat(32);
    let (size, md5) = (200_000, IMAGE_MD5.to_string());
    let complete = Downloaded::Complete { size, md5, sha256: sha256.clone() };
    let out = bench.give(Input::Downloaded(download, complete));
    let out = bench.give(Input::Stored(token(&out), Outcome::Done));
    let install = commands(&out).into_iter().find_map(|command| match command {
        Command::Install(token, install) => Some((token, install)),
        _ => None,
    });
    let (install_token, install) = install.unwrap();
    assert_eq!(install, Install { version: "2.0.0".into(), sha256 });
    let failed = Outcome::Failed(muster::LocalFailure::Install);
    let out = bench.give(Input::Installed(install_token, failed));
    assert!(publishes(&out)[0].2.contains(r#""ErrCode":-5"#));
    let reason = UpdateFailure::Install;
    assert!(events(&out).contains(&Event::Update { update: Update::Failed { reason } }));
}

#[test]
fn a_report_of_the_end_is_repeated_until_it_is_acknowledged_over_sessions_and_power_cuts() {
    let (mut bench, connection) = online();
    let (download, _) = downloading(&mut bench);
    let failed = Downloaded::Failed(Failure::Status(404));
    let report = publishes(&bench.give(Input::Downloaded(download, failed)));
    // No PUBACK: thrice more, then another session.
    for _ in 0..3 {
        assert_eq!(publishes(&bench.wake().1), report);
    }
    let (_, out) = bench.wake();
    assert_eq!(commands(&out), [Command::Close(connection)]);
    let (_, out) = bench.wake();
    let connection = token(&out);
    let out = bench.give(Input::Connected(connection));
    let mut last = Vec::new();
    for command in commands(&out) {
        let ack = Ack::Subscribed(QoS::AtLeastOnce);
        last = bench.give(Input::Acked(command_token(&command).unwrap(), ack));
    }
    assert_eq!(publishes(&last)[1], report[0], "between version and request");
    let ending = command_token(&commands(&last)[1]).unwrap();
    let out = bench.give(Input::Acked(ending, Ack::Published));
    assert!(matches!(&commands(&out)[..], [Command::Erase(_, muster::StoreKey::Firmware)]));
}

#[test]
fn an_order_that_cannot_be_followed_does_nothing() {
    let (mut bench, _) = online();
    let payload =
        |fields: &str| format!(r#"{{"Method":"update_firmware","Payload":{{{fields}}}}}"#);
    let md5 = format!(r#""MD5":"{IMAGE_MD5}""#);
    let url = r#""URL":"http://x/y?z""#;
    for body in [
        String::new(),
        "{}".into(),
        r#"{"Method":"update_firmware"}"#.into(),
        r#"{"Method":"self_destruct","Payload":{"Version":"2.0.0"}}"#.into(),
        payload(&format!(r#"{url},{md5}"#)),
        payload(&format!(r#""Version":"2.0.0",{url}"#)),
        payload(&format!(r#""Version":"2.0.0",{md5}"#)),
        payload(&format!(r#""Version":"../../etc/passwd",{url},{md5}"#)),
        payload(&format!(r#""Version":"2.0.0",{url},"MD5":"beef""#)),
        payload(&format!(r#""Version":"2.0.0",{url},{md5},"Size":-1"#)),
        payload(&format!(r#""Version":"2.0.0","Module":"other",{url},{md5}"#)),
    ] {
        let out = bench.give(message("ota/downstream", &body));
        assert!(commands(&out).is_empty(), "{body}");
        assert!(matches!(&events(&out)[..], [Event::Warning { .. }]), "{body}");
    }
}

#[test]
fn a_forbidden_url_is_reported_as_unreachable() {
    for url in ["ftp://x/y?z", "file:///etc/passwd", "http://", "http:///x", "https://a b", "x"] {
        let (mut bench, _) = online();
        let out = bench.give(order("2.0.0", url));
        assert!(publishes(&out)[0].2.contains(r#""ErrCode":-1"#), "{url}");
        let error = PeerMisbehaved::ForbiddenUrl.into();
        assert_eq!(events(&out), [Event::Warning { warning: Warning::Ignored { error } }]);
    }
}

#[test]
fn an_order_for_what_runs_is_answered_with_success_and_nothing_is_fetched() {
    let (mut bench, _) = online();
    let out = bench.give(order("1.0.0", IMAGE_URL));
    let success = r#"{"Method":"report_success","Payload":{"Module":"default","Version":"1.0.0"}}"#;
    assert_eq!(publishes(&out)[0].2, success);
    assert_eq!(commands(&out).len(), 1);
}

#[test]
fn the_same_order_twice_is_one_order_and_a_newer_one_replaces_it() {
    let (mut bench, _) = online();
    let (first, _) = downloading(&mut bench);
    assert!(bench.give(order("2.0.0", IMAGE_URL)).is_empty());
    let out = bench.give(order("3.0.0", "https://other/fw?x"));
    assert!(
        matches!(&commands(&out)[..], [Command::CancelDownload(t), Command::Store(..)] if *t == first)
    );
}

#[test]
fn a_download_goes_on_while_the_connection_is_away() {
    let (mut world, id, _) = ready();
    world.operate(push("2.0.0")).unwrap();
    world.run_until(SOON, |w| w.stored(id).get(muster::StoreKey::Firmware).is_some());
    world.break_connection(id);
    world.run_for(HOUR);
    assert_eq!(world.installed(id), ["2.0.0"]);
    assert_eq!(upgrade_state(&mut world), "succeeded");
}
