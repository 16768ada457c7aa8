//! The guided flow against the strict cloud: list or discover, filter, key, hand-over, token, bind.

use muster::alibaba::cipher::{CipherType, Random, awss_password_decrypt, derive};
use muster::app::{
    AppEvent, AppInput, AppStep, BindBy, BindFailure, BindPlan, CipherPlan, DeviceName, Wifi,
};
use muster::http::Response;
use muster::{Answer, Error, Failure, PeerMisbehaved, Rejected, Secret};

use super::owner::{Owner, body, settings};
use super::platform::{ALICE, DN, PK, PRODUCT_SECRET, TOKEN};

const RANDOM: &str = "281f2e4eefbd12d3b9f7ee5a1740cc2b";

fn device() -> DeviceName {
    DeviceName::new(PK, DN)
}

fn plan(by: BindBy) -> BindPlan {
    BindPlan {
        devices: vec![DeviceName::new(PK, "stranger"), device()],
        choose: None,
        scope_all: false,
        cipher: None,
        by,
        home_id: None,
    }
}

fn wifi_plan() -> BindPlan {
    let wifi = Wifi { ssid: "home".into(), password: Secret::from("correct horse") };
    let cipher = CipherPlan {
        cipher: CipherType::PerProduct,
        random: RANDOM.parse().unwrap(),
        mac: None,
        product_id: None,
        wifi: Some(wifi),
    };
    BindPlan { cipher: Some(cipher), ..plan(BindBy::Token(None)) }
}

fn steps(owner: &Owner) -> Vec<AppStep> {
    let step = |event: &AppEvent| match event {
        AppEvent::Step { step } => Some(*step),
        _ => None,
    };
    owner.events.iter().filter_map(step).collect()
}

fn failure(owner: &Owner) -> (AppStep, BindFailure) {
    match owner.events.last() {
        Some(AppEvent::Failed { step, failure }) => (*step, failure.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn from_the_box_to_the_home_by_token() {
    let mut owner = Owner::new(&settings());
    owner.give(AppInput::Bind(wifi_plan()));
    owner.settle();
    assert!(owner.events.contains(&AppEvent::Chosen { device: device() }));

    // The device makes of the hand-over what the owner typed.
    let hand_over = owner.hand_overs.pop().unwrap();
    let random: Random = RANDOM.parse().unwrap();
    let secret = Secret::from(PRODUCT_SECRET);
    let derived = derive(CipherType::PerProduct, &secret, None, random).unwrap();
    assert_eq!(hand_over.key.bytes(), derived.key);
    let passwd = hand_over.passwd.unwrap();
    let typed = awss_password_decrypt(&derived.key, random, passwd.expose()).unwrap();
    assert_eq!(typed.expose(), b"correct horse");
    assert_eq!(hand_over.ssid.as_deref(), Some("home"));

    // It announces its token before the cloud has it.
    owner.give(AppInput::BindToken(TOKEN.into()));
    owner.pass(7);
    assert!(owner.app.is_binding());
    owner.platform.log_in(1, PK, DN);
    owner.platform.report_token(1, TOKEN);
    owner.pass(3);
    assert!(owner.is_bound(), "{:?}", owner.events);
    assert!(!owner.app.is_binding());
    let steps = steps(&owner);
    assert_eq!(steps, [AppStep::Filter, AppStep::Cipher, AppStep::Token, AppStep::Bind]);
    let bound = owner.platform.kept.iter().filter(|((table, _), _)| *table == "device").count();
    assert_eq!(bound, 2);
    for secret in
        [ALICE, PRODUCT_SECRET, "correct horse", passwd.expose(), hand_over.key.hex().expose()]
    {
        assert!(!owner.log.contains(secret), "the log shows a secret");
    }
}

#[test]
fn from_the_clouds_own_list() {
    let mut owner = Owner::new(&settings());
    owner.give(AppInput::Bind(BindPlan {
        devices: vec![],
        ..plan(BindBy::Token(Some(TOKEN.into())))
    }));
    owner.settle();
    assert_eq!(failure(&owner), (AppStep::List, BindFailure::NothingToBind));
    owner.platform.log_in(1, PK, DN);
    owner.platform.report_token(1, TOKEN);
    owner.give(AppInput::Bind(BindPlan {
        devices: vec![],
        ..plan(BindBy::Token(Some(TOKEN.into())))
    }));
    owner.settle();
    assert!(owner.is_bound());
    assert_eq!(steps(&owner)[1..], [AppStep::List, AppStep::Filter, AppStep::Token, AppStep::Bind]);
}

#[test]
fn by_time_window_once_the_device_has_power() {
    let mut owner = Owner::new(&settings());
    owner.give(AppInput::Bind(plan(BindBy::Window)));
    owner.pass(30);
    assert!(owner.app.is_binding());
    owner.platform.log_in(1, PK, DN);
    owner.pass(2);
    assert!(owner.is_bound());
}

#[test]
fn a_window_that_never_opens_has_an_end() {
    let mut owner = Owner::new(&settings());
    owner.platform.log_in(1, PK, DN);
    owner.platform.pass(600);
    owner.give(AppInput::Bind(plan(BindBy::Window)));
    owner.pass(400);
    assert_eq!(failure(&owner), (AppStep::Bind, BindFailure::NoWindow));
    assert_eq!(owner.deadline, None);
}

#[test]
fn a_token_that_never_comes_has_an_end() {
    let mut owner = Owner::new(&settings().with("deadline_seconds", "30"));
    // Nobody announces one.
    owner.give(AppInput::Bind(plan(BindBy::Token(None))));
    owner.pass(29);
    assert!(owner.app.is_binding());
    owner.pass(1);
    assert_eq!(failure(&owner), (AppStep::Token, BindFailure::NoToken));
    // One is announced, and the cloud never hears of it.
    let start = owner.platform.now.mono;
    owner.give(AppInput::Bind(plan(BindBy::Token(Some(TOKEN.into())))));
    owner.settle();
    let mut asked = 0;
    while owner.app.is_binding() {
        owner.wake();
        asked += owner.requests.len();
        owner.settle();
    }
    assert_eq!(failure(&owner), (AppStep::Token, BindFailure::NoToken));
    assert_eq!(owner.platform.now.mono.millis_since(start), 30_000);
    assert_eq!(asked, 15);
}

#[test]
fn a_newer_token_replaces_the_older() {
    let mut owner = Owner::new(&settings());
    owner.platform.log_in(1, PK, DN);
    owner.platform.report_token(1, TOKEN);
    owner.give(AppInput::Bind(plan(BindBy::Token(Some("0".repeat(32))))));
    owner.pass(5);
    assert!(owner.app.is_binding());
    owner.give(AppInput::BindToken(TOKEN.into()));
    owner.settle();
    assert!(owner.is_bound());
}

/// The bind finds that the token ran out after the check: what the app is about to hear of it is `newer`.
fn until_the_bind_is_refused(newer: Option<&str>) -> Owner {
    let mut owner = Owner::new(&settings());
    owner.platform.log_in(1, PK, DN);
    owner.platform.report_token(1, TOKEN);
    owner.give(AppInput::Bind(plan(BindBy::Token(Some(TOKEN.into())))));
    owner.answer();
    owner.answer();
    assert!(owner.requests[0].1.url.ends_with("/awss/token/user/bind"));
    if let Some(newer) = newer {
        owner.give(AppInput::BindToken(newer.into()));
    }
    owner.answer_with(r#"{"code":6608,"message":"token not found"}"#);
    owner
}

#[test]
fn a_token_that_runs_out_before_the_bind_is_waited_for_again() {
    let mut owner = until_the_bind_is_refused(None);
    // And says so: the calls that follow are of that step.
    let told = steps(&owner);
    assert_eq!(told, [AppStep::Filter, AppStep::Token, AppStep::Bind, AppStep::Token]);
    assert!(matches!(owner.events.last(), Some(AppEvent::Waiting { for_ms }) if *for_ms > 0));
    owner.wake();
    assert!(owner.requests[0].1.url.ends_with("/awss/token/check"));
    owner.settle();
    assert!(owner.is_bound());
    assert_eq!(steps(&owner)[4..], [AppStep::Bind]);
}

#[test]
fn a_newer_token_that_comes_while_the_bind_is_asked_for_is_not_lost() {
    let newer = "1".repeat(32);
    let mut owner = until_the_bind_is_refused(Some(&newer));
    owner.platform.report_token(1, &newer);
    let (_, request) = &owner.requests[0];
    assert!(request.url.ends_with("/awss/token/check"));
    assert_eq!(body(request)["params"]["token"], newer);
    owner.settle();
    assert!(owner.is_bound());
}

#[test]
fn only_what_was_found_is_bound() {
    let mut owner = Owner::new(&settings());
    let choose = Some(DeviceName::new(PK, "stranger"));
    owner.give(AppInput::Bind(BindPlan { choose, ..plan(BindBy::Window) }));
    owner.settle();
    assert_eq!(failure(&owner), (AppStep::Filter, BindFailure::NotAmongThem));
    owner.platform.switch_product("published", "false");
    owner.give(AppInput::Bind(plan(BindBy::Window)));
    owner.settle();
    assert_eq!(failure(&owner), (AppStep::Filter, BindFailure::NothingToBind));
    owner.platform.log_in(1, PK, DN);
    owner.give(AppInput::Bind(BindPlan { scope_all: true, ..plan(BindBy::Window) }));
    owner.settle();
    assert!(owner.is_bound());
    // A cloud that names another device does not choose it.
    let mut owner = Owner::new(&settings());
    owner.give(AppInput::Bind(plan(BindBy::Window)));
    owner.answer_with(r#"{"code":200,"data":[{"productKey":"a1evil","deviceName":"evil"}]}"#);
    assert_eq!(failure(&owner), (AppStep::Filter, BindFailure::NothingToBind));
    // Nor does one whose token belongs elsewhere.
    let mut owner = Owner::new(&settings());
    owner.give(AppInput::Bind(plan(BindBy::Token(Some(TOKEN.into())))));
    owner.answer();
    owner.answer_with(
        r#"{"code":200,"data":{"iotId":"x","productKey":"a1evil","deviceName":"evil"}}"#,
    );
    let error = Error::PeerMisbehaved { how: PeerMisbehaved::WrongIdentity };
    assert_eq!(failure(&owner), (AppStep::Token, BindFailure::Call { error }));
}

#[test]
fn an_honest_no_ends_the_flow() {
    let mut owner = Owner::new(&settings().with("home_id", "no-such-home"));
    owner.platform.log_in(1, PK, DN);
    owner.give(AppInput::Bind(plan(BindBy::Window)));
    owner.settle();
    let (step, BindFailure::Call { error: Error::Rejected { by: Rejected::Code { code, .. } } }) =
        failure(&owner)
    else {
        panic!()
    };
    assert_eq!((step, code.as_str()), (AppStep::Bind, "460"));
    let mut owner = Owner::new(&settings());
    let mut bad = wifi_plan();
    bad.cipher.as_mut().unwrap().wifi.as_mut().unwrap().password = Secret::new("x".repeat(300));
    owner.give(AppInput::Bind(bad));
    owner.settle();
    assert_eq!(failure(&owner), (AppStep::Cipher, BindFailure::Password));
    assert!(owner.hand_overs.is_empty());
    let mut ble = wifi_plan();
    ble.cipher.as_mut().unwrap().cipher = CipherType::BlePerProduct;
    owner.give(AppInput::Bind(ble));
    owner.settle();
    assert!(matches!(failure(&owner), (AppStep::Cipher, BindFailure::Parameter { .. })));
}

#[test]
fn a_cancelled_flow_asks_no_more() {
    let mut owner = Owner::new(&settings());
    owner.give(AppInput::Bind(plan(BindBy::Token(Some(TOKEN.into())))));
    let (token, request) = owner.requests.pop_front().unwrap();
    owner.give(AppInput::Cancel);
    assert_eq!(owner.events.last(), Some(&AppEvent::Cancelled));
    let response = owner.ask(&request);
    owner.give(AppInput::Response(token, Answer::Response(response)));
    assert_eq!((owner.app.stray_inputs(), owner.requests.len(), owner.deadline), (1, 0, None));
}

/// Whatever happens to single messages, the flow ends with a bound device or says why not.
#[test]
fn lost_late_and_repeated_replies_converge() {
    for spoilt in 0..5 {
        for how in ["request lost", "reply lost", "reply late", "reply twice", "broken"] {
            let mut owner = Owner::new(&settings());
            owner.platform.log_in(1, PK, DN);
            owner.platform.report_token(1, TOKEN);
            owner.give(AppInput::Bind(BindPlan {
                devices: vec![],
                ..plan(BindBy::Token(Some(TOKEN.into())))
            }));
            let mut n = 0;
            while owner.app.is_binding() {
                let Some((token, request)) = owner.requests.pop_front() else {
                    owner.wake();
                    continue;
                };
                let spoil = n == spoilt;
                n += 1;
                if spoil && how == "request lost" {
                    continue;
                }
                let response = owner.ask(&request);
                let answer = Answer::Response(response);
                if spoil {
                    match how {
                        "reply lost" => continue,
                        "reply late" => {
                            owner.wake();
                            owner.give(AppInput::Response(token, answer));
                            continue;
                        }
                        "broken" => {
                            owner.give(AppInput::Response(token, Answer::Failed(Failure::Lost)));
                            continue;
                        }
                        _ => owner.give(AppInput::Response(token, answer.clone())),
                    }
                }
                owner.give(AppInput::Response(token, answer));
            }
            assert!(owner.is_bound(), "{how} {spoilt}: {:?}", owner.events);
            let strays = u64::from(spoilt < 4 && matches!(how, "reply late" | "reply twice"));
            assert_eq!(owner.app.stray_inputs(), strays, "{how} {spoilt}");
        }
    }
}

#[test]
fn a_cloud_that_is_silent_or_ill_is_given_up() {
    let mut owner = Owner::new(&settings());
    owner.give(AppInput::Bind(plan(BindBy::Window)));
    let mut tries = 0;
    while owner.app.is_binding() {
        tries += owner.requests.len();
        let ill = tries % 2 == 0;
        if let Some((token, _)) = owner.requests.pop_front()
            && ill
        {
            let response = Response { status: 503, headers: vec![], body: vec![] };
            owner.give(AppInput::Response(token, Answer::Response(response)));
        } else {
            owner.wake();
        }
    }
    assert_eq!(tries, 4, "once, and three times more");
    assert!(matches!(failure(&owner), (AppStep::Filter, BindFailure::Call { .. })));
}

#[test]
fn every_try_has_a_nonce_of_its_own() {
    let mut owner = Owner::new(&settings());
    owner.give(AppInput::Bind(plan(BindBy::Window)));
    let mut nonces = Vec::new();
    while owner.app.is_binding() {
        for (_, request) in owner.requests.drain(..) {
            let nonce = muster::http::header(&request.headers, "X-Ca-Nonce").unwrap().to_owned();
            assert!(!nonces.contains(&nonce));
            nonces.push(nonce);
            assert_eq!(body(&request)["request"]["iotToken"], ALICE);
        }
        owner.wake();
    }
    assert_eq!(nonces.len(), 4);
}

#[test]
fn after_a_failure_it_goes_on_at_the_step_that_failed() {
    let mut owner = Owner::new(&settings());
    let plan = || BindPlan { choose: Some(device()), ..wifi_plan() };
    owner.give(AppInput::Bind(plan()));
    owner.pass(200);
    assert_eq!(failure(&owner), (AppStep::Token, BindFailure::NoToken));
    // The device comes late: nothing is filtered or fetched again.
    owner.platform.log_in(1, PK, DN);
    owner.platform.report_token(1, TOKEN);
    let known = BindPlan { by: BindBy::Token(Some(TOKEN.into())), ..plan() };
    let before = owner.events.len();
    owner.give(AppInput::BindFrom(AppStep::Token, known.clone()));
    owner.settle();
    assert!(owner.is_bound(), "{:?}", owner.events);
    assert_eq!(owner.events[before], AppEvent::Chosen { device: device() });
    assert_eq!(steps(&owner)[3..], [AppStep::Token, AppStep::Bind]);
    // A bind whose answer was lost is asked for again by itself; the filter would not let the device through any more.
    for (from, begun) in [
        (AppStep::Bind, &[AppStep::Bind][..]),
        (AppStep::Cipher, &[AppStep::Cipher, AppStep::Token, AppStep::Bind]),
    ] {
        let before = steps(&owner).len();
        owner.give(AppInput::BindFrom(from, known.clone()));
        owner.settle();
        assert!(matches!(owner.events.last(), Some(AppEvent::Bound { .. })), "{from:?}");
        assert_eq!(&steps(&owner)[before..], begun);
    }
    owner.give(AppInput::BindFrom(AppStep::Filter, known));
    owner.settle();
    assert_eq!(failure(&owner), (AppStep::Filter, BindFailure::NotAmongThem));
}

#[test]
fn a_later_step_without_what_it_needs_begins_where_that_is_found() {
    let mut owner = Owner::new(&settings());
    let nobody = BindPlan { devices: vec![], ..plan(BindBy::Window) };
    owner.give(AppInput::BindFrom(AppStep::Bind, nobody));
    owner.settle();
    assert_eq!(steps(&owner), [AppStep::List]);
    owner.give(AppInput::BindFrom(AppStep::Bind, plan(BindBy::Token(None))));
    owner.settle();
    assert_eq!(steps(&owner)[1..], [AppStep::Token]);
    assert!(owner.app.is_binding(), "it waits for a token");
}
