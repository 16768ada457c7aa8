//! What an operator looks at and changes besides devices: owners, devices that wait for one, gateways.

use muster::PlatformName;
use muster::cloud::{
    Action, BindTokenView, CloudInput, GatewayView, Operation, OperationErrorKind, OperationResult,
    OwnerView, RequestId,
};
use serde_json::json;

use super::platform::{ALICE, DN, GATEWAY_PK, PK, Platform, TOKEN, bind_params, published};

fn waiting(platform: &mut Platform, reveal: bool) -> Vec<BindTokenView> {
    match platform.operate(Action::ListBindTokens { reveal }).unwrap() {
        OperationResult::BindTokens { items } => items,
        _ => panic!("no tokens"),
    }
}

fn gateways(platform: &mut Platform) -> Vec<GatewayView> {
    match platform.operate(Action::ListTopology).unwrap() {
        OperationResult::Topology { items } => items,
        _ => panic!("no topology"),
    }
}

fn owners(platform: &mut Platform, reveal: bool) -> Vec<OwnerView> {
    match platform.operate(Action::ListOwners { reveal }).unwrap() {
        OperationResult::Owners { items } => items,
        _ => panic!("no owners"),
    }
}

fn tie(add: bool) -> Action {
    let (product, device) = (GATEWAY_PK.to_owned(), "gateway1".to_owned());
    let (sub_product, sub_device) = (PK.to_owned(), DN.to_owned());
    if add {
        Action::AddTopology { product, device, sub_product, sub_device }
    } else {
        Action::RemoveTopology { product, device, sub_product, sub_device }
    }
}

fn now(platform: &Platform) -> u64 {
    platform.now.unix.unwrap().0
}

#[test]
fn a_bind_token_is_shown_on_request_until_it_runs_out() {
    let mut platform = Platform::new();
    assert_eq!(waiting(&mut platform, true), []);
    platform.log_in(1, PK, DN);
    let powered = now(&platform);
    platform.pass(10);
    platform.report_token(1, TOKEN);
    let mut seen = BindTokenView {
        product: PK.into(),
        device: DN.into(),
        token: None,
        token_until: Some(now(&platform) + 600_000),
        window_until: Some(powered + 600_000),
        announced: false,
    };
    assert_eq!(waiting(&mut platform, false), [seen.clone()]);
    assert!(!format!("{:?}", waiting(&mut platform, true)).contains(TOKEN), "Debug hides it");
    seen.token = Some(TOKEN.into());
    assert!(waiting(&mut platform, true) == [seen], "shown to who asks");
    platform.pass(595);
    assert_eq!(waiting(&mut platform, false)[0].window_until, None, "the window is over first");
    platform.pass(5);
    assert_eq!(waiting(&mut platform, true), []);
}

#[test]
fn an_announced_device_waits_without_a_token_and_a_bound_one_does_not() {
    let mut platform = Platform::new();
    platform.switch_product(&format!("announce.{DN}"), "true");
    let [device] = waiting(&mut platform, true).try_into().unwrap();
    assert!(device.announced && device.token.is_none() && device.token_until.is_none());
    platform.log_in(1, PK, DN);
    platform.report_token(1, TOKEN);
    assert_eq!(waiting(&mut platform, false).len(), 1);
    let params = bind_params(&platform.homes["alice"].clone(), TOKEN);
    assert_eq!(platform.code(ALICE, "/awss/token/user/bind", &params), 200);
    assert_eq!(waiting(&mut platform, false), []);
}

#[test]
fn tokens_of_owners_say_how_long_they_are_good() {
    let mut platform = Platform::new();
    let [alice, bob] = owners(&mut platform, false).try_into().unwrap();
    assert_eq!((alice.identity.as_str(), bob.identity.as_str()), ("alice", "bob"));
    assert_eq!(alice.iot_token_until, now(&platform) + 7_200_000);
    assert_eq!(alice.refresh_token_until, now(&platform) + 1_728_000_000);
    assert!(alice.iot_token.is_none() && alice.refresh_token.is_none());
    platform.bound();
    let device = format!("{PK}/{DN}");
    let [alice, bob] = owners(&mut platform, true).try_into().unwrap();
    assert_eq!((alice.devices, bob.devices.len()), (vec![device], 0));
    assert_eq!(alice.iot_token.as_deref(), Some(ALICE));
}

#[test]
fn a_sub_device_is_put_under_a_gateway_and_taken_away_and_the_gateway_hears_both() {
    let mut platform = Platform::new();
    let [gateway] = gateways(&mut platform).try_into().unwrap();
    assert_eq!((gateway.product.as_str(), gateway.device.as_str()), (GATEWAY_PK, "gateway1"));
    assert_eq!((gateway.state.as_str(), gateway.permit, gateway.subs.len()), ("inactive", None, 0));
    platform.log_in(5, GATEWAY_PK, "gateway1");
    for (add, status) in [(true, 0), (false, 1)] {
        let operation = Operation { platform: PlatformName::Alibaba, action: tie(add) };
        let outputs = platform.give(CloudInput::Operate { id: RequestId(3), operation });
        let (topic, payload) = published(&outputs).remove(0);
        assert_eq!(topic, format!("/sys/{GATEWAY_PK}/gateway1/thing/topo/change"));
        let sub = json!({"deviceName": DN, "productKey": PK});
        assert_eq!(payload["params"], json!({"status": status, "subList": [sub]}));
        let [gateway] = gateways(&mut platform).try_into().unwrap();
        assert_eq!(gateway.state, "online");
        assert_eq!(gateway.subs.len(), usize::from(add));
        if let Some(sub) = gateway.subs.first() {
            assert_eq!((sub.product.as_str(), sub.device.as_str()), (PK, DN));
            assert_eq!(sub.state, "inactive");
        }
        // It outlives a restart; sessions do not.
        platform.restart();
        assert_eq!(gateways(&mut platform)[0].subs.len(), usize::from(add));
        platform.log_in(5, GATEWAY_PK, "gateway1");
    }
}

#[test]
fn what_is_not_there_cannot_be_taken_away() {
    let mut platform = Platform::new();
    let refused = platform.operate(tie(false)).unwrap_err();
    assert_eq!(refused.kind, OperationErrorKind::NotFound);
    assert_eq!(refused.message, "the sub-device is not under this gateway");
    let nobody = Action::RemoveTopology {
        product: GATEWAY_PK.into(),
        device: "gateway2".into(),
        sub_product: PK.into(),
        sub_device: DN.into(),
    };
    assert_eq!(platform.operate(nobody).unwrap_err().kind, OperationErrorKind::NotFound);
}

#[test]
fn a_permit_is_seen_until_it_ends() {
    let mut platform = Platform::new();
    let mut permit = |seconds: u32, sub_product: Option<&str>| {
        let action = Action::Permit {
            product: GATEWAY_PK.into(),
            device: "gateway1".into(),
            sub_product: sub_product.map(String::from),
            seconds,
        };
        platform.operate(action).unwrap();
        let [gateway] = gateways(&mut platform).try_into().unwrap();
        (gateway.permit, now(&platform))
    };
    let (open, at) = permit(60, Some(PK));
    let open = open.unwrap();
    assert_eq!((open.product.as_deref(), open.until), (Some(PK), Some(at + 60_000)));
    let (always, _) = permit(0, None);
    assert_eq!(always.unwrap().until, None);
    assert_eq!(permit(65_535, None).0, None);
    permit(60, None);
    platform.pass(60);
    assert_eq!(gateways(&mut platform)[0].permit, None, "it ended by itself");
}
