use muster::cloud::{CloudInput, CloudOutput};

use super::support::*;

#[test]
fn and_what_the_older_one_still_sends_is_ignored() {
    let mut platform = Platform::new();
    let older = platform.online();
    let (newer, out) = platform.connect(connect_packet(1, DEVICE_SECRET));
    assert_eq!(connack(&out), Some(0));
    assert_eq!(closed(&out), [older]);
    assert!(platform.publish(older, &topic("ota/upstream"), 1, "{}").is_empty());
    // The newer one is not forgotten when the older one's end is noticed.
    platform.bench.give(CloudInput::Lost { connection: older });
    assert_eq!(platform.subscribe(newer, &topic("ota/downstream"), 1), 1);
    platform.operate(add_firmware("2.0.0", "http://x/y", &"a".repeat(32), 1)).unwrap();
    let out = platform.operate_all(push("2.0.0"));
    let reached = out
        .iter()
        .any(|o| matches!(o, CloudOutput::Publish { connection, .. } if *connection == newer));
    assert!(reached);
}

#[test]
fn a_registering_session_gives_way_to_the_login_that_follows_it() {
    let mut platform = Platform::new();
    let registering = platform.log_in(2, PRODUCT_SECRET);
    let (_, out) = platform.connect(connect_packet(1, DEVICE_SECRET));
    assert_eq!(closed(&out), [registering]);
}

#[test]
fn disabling_and_deleting_and_resetting_close_it_too() {
    for (operation, afterwards) in [
        (disable(true), 5),
        (reset(true), 4),
        (
            operation(muster::cloud::Action::DeleteDevice {
                product: PRODUCT.into(),
                device: DEVICE.into(),
            }),
            5,
        ),
    ] {
        let mut platform = Platform::new();
        let connection = platform.online();
        let out = platform.operate_all(operation);
        assert_eq!(closed(&out), [connection]);
        assert!(matches!(out[0], CloudOutput::Persist(_)));
        assert_eq!(
            connack(&platform.connect(connect_packet(1, DEVICE_SECRET)).1),
            Some(afterwards)
        );
    }
}

#[test]
fn a_disabled_device_may_come_back_when_it_is_enabled() {
    let mut platform = Platform::new();
    platform.operate(disable(true)).unwrap();
    assert_eq!(connack(&platform.connect(connect_packet(2, PRODUCT_SECRET)).1), Some(5));
    platform.operate(disable(false)).unwrap();
    platform.log_in(1, DEVICE_SECRET);
}
