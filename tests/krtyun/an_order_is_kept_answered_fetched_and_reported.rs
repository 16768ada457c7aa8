use std::time::Duration;

use muster::cloud::What;
use muster::{
    Command, Downloaded, Event, Failure, Input, Intent, LocalFailure, Outcome, StoreKey, Update,
    UpdateFailure, Warning,
};

use crate::support::*;

const SHA: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn ok(id: &str) -> String {
    format!(r#"{{"CMD":11,"ID":"{id}","BACK":"OK"}}"#)
}

fn report(version: &str) -> String {
    format!(r#"{{"CMD":10,"HW_VERSION":"1.0.0","FW_VERSION":"{version}"}}"#)
}

fn complete(sha256: &str) -> Downloaded {
    Downloaded::Complete { size: 5, md5: "0".repeat(32), sha256: sha256.into() }
}

#[test]
fn in_this_order() {
    let mut hand = Hand::new(&settings(), stored(true));
    hand.until_online();
    hand.message(&topic("ota/set"), order("2836S8F46SDR", IMAGE_URL, "1.0.1").as_bytes());
    let (token, key, kept) = hand.store();
    assert_eq!(key, StoreKey::Firmware);
    assert_eq!(kept["version"], "1.0.1");
    assert!(hand.commands.is_empty(), "it is answered once it is kept");
    assert!(hand.events.contains(&Event::Warning { warning: Warning::UnprotectedImage }));
    hand.stored(token);
    let Command::Download(download, order) = hand.next() else { panic!("no download") };
    assert_eq!(order.url, IMAGE_URL);
    assert_eq!(order.max_size, 64 << 20);
    let (answered, to, body) = hand.publish();
    assert_eq!((to, body), (topic("ota/post"), ok("2836S8F46SDR")));
    hand.acked(answered);
    hand.input(Input::Downloaded(download, complete(SHA)));
    let (token, _, kept) = hand.store();
    assert_eq!(kept["installing"], true);
    hand.stored(token);
    let Command::Install(installing, install) = hand.next() else { panic!("no install") };
    assert_eq!((install.version.as_str(), install.sha256.as_str()), ("1.0.1", SHA));
    assert!(hand.commands.is_empty());
    hand.input(Input::Installed(installing, Outcome::Done));
    let (reported, _, body) = hand.publish();
    assert_eq!(body, report("1.0.1"));
    hand.acked(reported);
    assert!(
        hand.events
            .contains(&Event::Update { update: Update::Reported { version: "1.0.1".into() } })
    );
    let Command::Erase(token, StoreKey::Firmware) = hand.next() else { panic!("not forgotten") };
    hand.stored(token);
    assert!(hand.commands.is_empty());
    assert_eq!(hand.agent.stray_inputs(), 0);
}

#[test]
fn the_target_may_be_called_version() {
    let mut hand = Hand::new(&settings(), stored(true));
    hand.until_online();
    let body = format!(r#"{{"CMD":"11","ID":9,"URL":"{IMAGE_URL}","VERSION":"1.0.1",}}"#);
    hand.message(&topic("ota/set"), body.as_bytes());
    assert_eq!(hand.store().2["version"], "1.0.1");
}

#[test]
fn an_order_that_cannot_be_kept_is_refused() {
    let mut hand = Hand::new(&settings(), stored(true));
    hand.until_online();
    hand.message(&topic("ota/set"), order("7", IMAGE_URL, "2").as_bytes());
    let (token, ..) = hand.store();
    hand.input(Input::Stored(token, Outcome::Failed(LocalFailure::Store)));
    assert_eq!(hand.publish().2, r#"{"CMD":11,"ID":"7","BACK":"ERROR"}"#);
    assert!(hand.commands.is_empty());
}

#[test]
fn a_repeated_order_is_answered_and_not_begun_again() {
    let mut hand = Hand::new(&settings(), stored(true));
    hand.until_online();
    let body = order("7", IMAGE_URL, "2");
    hand.message(&topic("ota/set"), body.as_bytes());
    let (token, ..) = hand.store();
    hand.message(&topic("ota/set"), body.as_bytes());
    assert!(hand.commands.is_empty(), "not answered before it is kept");
    hand.stored(token);
    assert!(matches!(hand.next(), Command::Download(..)));
    assert_eq!(hand.publish().2, ok("7"));
    hand.message(&topic("ota/set"), body.as_bytes());
    assert_eq!(hand.publish().2, ok("7"));
    assert!(hand.commands.is_empty());
}

#[test]
fn another_order_replaces_the_one_in_hand_until_it_is_being_installed() {
    let mut hand = Hand::new(&settings(), stored(true));
    hand.until_online();
    hand.message(&topic("ota/set"), order("7", IMAGE_URL, "2").as_bytes());
    let (token, ..) = hand.store();
    hand.stored(token);
    let Command::Download(old, _) = hand.next() else { panic!("no download") };
    hand.publish();
    hand.message(&topic("ota/set"), order("8", IMAGE_URL, "3").as_bytes());
    assert_eq!(hand.next(), Command::CancelDownload(old));
    let (token, ..) = hand.store();
    hand.stored(token);
    let Command::Download(new, _) = hand.next() else { panic!("no download") };
    assert_eq!(hand.publish().2, ok("8"));
    hand.input(Input::Downloaded(new, complete(SHA)));
    hand.store();
    hand.message(&topic("ota/set"), order("9", IMAGE_URL, "4").as_bytes());
    assert_eq!(hand.publish().2, r#"{"CMD":11,"ID":"9","BACK":"ERROR"}"#);
}

#[test]
fn an_order_for_what_runs_is_fulfilled_by_a_report() {
    let mut hand = Hand::new(&settings(), stored(true));
    hand.until_online();
    hand.message(&topic("ota/set"), order("7", IMAGE_URL, "1.0.0").as_bytes());
    assert_eq!(hand.publish().2, ok("7"));
    assert_eq!(hand.publish().2, report("1.0.0"));
    assert!(hand.commands.is_empty());
}

#[test]
fn an_order_back_to_what_runs_calls_the_update_off() {
    let mut hand = Hand::new(&settings(), stored(true));
    hand.until_online();
    hand.message(&topic("ota/set"), order("7", IMAGE_URL, "2").as_bytes());
    let (token, ..) = hand.store();
    hand.stored(token);
    let Command::Download(download, _) = hand.next() else { panic!("no download") };
    hand.publish();
    hand.message(&topic("ota/set"), order("8", IMAGE_URL, "1.0.0").as_bytes());
    assert_eq!(hand.next(), Command::CancelDownload(download));
    assert!(matches!(hand.next(), Command::Erase(_, StoreKey::Firmware)));
    assert_eq!(hand.publish().2, ok("8"));
    assert_eq!(hand.publish().2, report("1.0.0"));
}

#[test]
fn only_the_image_that_the_operator_named() {
    let mut hand = Hand::new(&settings().with("firmware_sha256", &"B".repeat(64)), stored(true));
    hand.until_online();
    hand.message(&topic("ota/set"), order("7", IMAGE_URL, "2").as_bytes());
    assert!(!hand.events.contains(&Event::Warning { warning: Warning::UnprotectedImage }));
    let (token, ..) = hand.store();
    hand.stored(token);
    let Command::Download(download, _) = hand.next() else { panic!("no download") };
    hand.publish();
    hand.input(Input::Downloaded(download, complete(SHA)));
    let reason = UpdateFailure::Digest;
    assert_eq!(
        *hand.events.iter().rev().find(|e| matches!(e, Event::Update { .. })).unwrap(),
        Event::Update { update: Update::Failed { reason } }
    );
    // The protocol has no word for a failure: the old version is reported, and that is all.
    let (token, _, body) = hand.publish();
    assert_eq!(body, report("1.0.0"));
    hand.acked(token);
    assert!(matches!(hand.next(), Command::Erase(_, StoreKey::Firmware)));
}

#[test]
fn an_image_that_is_gone_fails_at_once_and_a_broken_download_is_tried_again() {
    let mut hand = Hand::new(&settings(), stored(true));
    hand.until_online();
    hand.message(&topic("ota/set"), order("7", IMAGE_URL, "2").as_bytes());
    let (token, ..) = hand.store();
    hand.stored(token);
    let Command::Download(download, _) = hand.next() else { panic!("no download") };
    hand.publish();
    hand.input(Input::Downloaded(download, Downloaded::Failed(Failure::Lost)));
    hand.wait();
    let Command::Download(download, _) = hand.next() else { panic!("not tried again") };
    hand.input(Input::Downloaded(download, Downloaded::Failed(Failure::Status(404))));
    assert!(hand.events.contains(&Event::Update {
        update: Update::Failed { reason: UpdateFailure::Refused(404) }
    }));
}

#[test]
fn an_update_that_ends_without_a_session_is_reported_after_the_next_login() {
    let mut hand = Hand::new(&settings(), stored(true));
    let connection = hand.until_online();
    hand.message(&topic("ota/set"), order("7", IMAGE_URL, "2").as_bytes());
    let (token, ..) = hand.store();
    hand.lost(connection);
    // Kept after the session was lost: the platform orders again, and is answered then.
    hand.stored(token);
    let Command::Download(download, _) = hand.next() else { panic!("no download") };
    hand.input(Input::Downloaded(download, complete(SHA)));
    let (token, ..) = hand.store();
    hand.stored(token);
    let Command::Install(installing, _) = hand.next() else { panic!("no install") };
    hand.input(Input::Installed(installing, Outcome::Done));
    assert!(hand.commands.is_empty());
    hand.wait();
    let (connection, _) = hand.connect();
    hand.connected(connection);
    let (token, _) = hand.subscribe();
    hand.message(&topic("ota/set"), order("7", IMAGE_URL, "2").as_bytes());
    assert_eq!(hand.publish().2, ok("7"), "an order may overtake the acknowledgement");
    hand.subscribed(token);
    let (token, _, body) = hand.publish();
    assert_eq!(body, report("2"));
    hand.acked(token);
    assert!(matches!(hand.next(), Command::Erase(_, StoreKey::Firmware)));
}

#[test]
fn a_report_on_its_way_when_the_update_ends_is_not_taken_for_the_new_one() {
    let mut hand = Hand::new(&settings(), stored(true));
    hand.until_online();
    hand.message(&topic("ota/set"), order("7", IMAGE_URL, "2").as_bytes());
    let (token, ..) = hand.store();
    hand.stored(token);
    let Command::Download(download, _) = hand.next() else { panic!("no download") };
    hand.publish();
    hand.input(Input::Downloaded(download, complete(SHA)));
    let (token, ..) = hand.store();
    hand.stored(token);
    let Command::Install(installing, _) = hand.next() else { panic!("no install") };
    hand.input(Input::User(Intent::Report));
    let (old, _, body) = hand.publish();
    assert_eq!(body, report("1.0.0"));
    hand.input(Input::Installed(installing, Outcome::Done));
    let (new, _, body) = hand.publish();
    assert_eq!(body, report("2"));
    hand.acked(old);
    assert!(hand.commands.is_empty(), "the order is not forgotten yet");
    hand.acked(new);
    assert!(matches!(hand.next(), Command::Erase(_, StoreKey::Firmware)));
}

#[test]
fn against_the_cloud() {
    let mut world = world(&[]);
    let id = world.add(config(&settings()), muster::Stored::empty()).unwrap();
    assert!(world.run_until(Duration::from_secs(1), |w| is_settled(w, id)));
    world.operate(add_firmware("2.0.0")).unwrap();
    world.operate(push_upgrade("2.0.0")).unwrap();
    assert_eq!(upgrade(world.operate(list_upgrades()).unwrap()).state, "sent");
    world.run_for(Duration::from_secs(2));
    assert_eq!(world.installed(id), ["2.0.0"]);
    let done = upgrade(world.operate(list_upgrades()).unwrap());
    assert_eq!((done.state.as_str(), done.version.as_str()), ("succeeded", "2.0.0"));
    assert_eq!(view(&mut world).version.as_deref(), Some("2.0.0"));
    assert!(world.stored(id).get(StoreKey::Firmware).is_none());
    assert_eq!(world.agent(id).unwrap().stray_inputs(), 0);
    assert!(world.log.iter().any(|l| l.what == What::Update));
}
