//! Code 401: another iotToken, from the refresh token or from a person, and the call once more.

use muster::app::{AppInput, Call, Reply};
use muster::{Answer, Error, Failure, Rejected, Secret};

use super::owner::{Owner, body, settings};
use super::platform::{ALICE, BOB, Platform};

fn list() -> Call {
    Call::list(10, 1).unwrap()
}

fn is_401(result: &Result<Reply, Error>) -> bool {
    matches!(result, Err(Error::Rejected { by: Rejected::Code { code, .. } }) if code == "401")
}

/// The refresh token of alice, as an operator sees it.
fn refresh_token(platform: &mut Platform) -> String {
    use muster::cloud::{Action, OperationResult};
    let OperationResult::Owners { items } =
        platform.operate(Action::ListOwners { reveal: true }).unwrap()
    else {
        panic!()
    };
    items.into_iter().find(|owner| owner.identity == "alice").unwrap().refresh_token.unwrap()
}

#[test]
fn a_person_is_asked_and_the_call_goes_out_again() {
    let mut owner = Owner::new(&settings().with("iot_token", "old-token"));
    owner.call(1, list());
    owner.settle();
    assert_eq!((owner.tokens_needed, owner.replies.len()), (1, 0));
    owner.give(AppInput::IotToken(Secret::from(ALICE)));
    assert_eq!(body(&owner.requests[0].1)["request"]["iotToken"], ALICE);
    owner.settle();
    assert!(owner.result().is_ok());
    assert!(!owner.log.contains(ALICE) && !owner.log.contains("old-token"));
}

#[test]
fn not_twice() {
    let mut owner = Owner::new(&settings().with("iot_token", "old-token"));
    owner.call(1, list());
    owner.settle();
    owner.give(AppInput::IotToken(Secret::from("also-wrong")));
    owner.settle();
    assert!(is_401(&owner.result()));
    assert_eq!(owner.tokens_needed, 1);
}

#[test]
fn a_person_may_have_none_or_not_answer() {
    let mut owner = Owner::new(&settings().with("iot_token", "old-token"));
    owner.call(1, list());
    owner.settle();
    owner.give(AppInput::NoIotToken);
    assert!(is_401(&owner.result()));
    owner.call(2, list());
    owner.settle();
    owner.pass(120);
    assert!(is_401(&owner.result()));
    assert_eq!(owner.deadline, None);
}

#[test]
fn without_a_token_it_is_asked_for_before_the_first_call() {
    let mut owner = Owner::new(&settings().with("iot_token", ""));
    owner.call(1, list());
    assert_eq!((owner.tokens_needed, owner.requests.len()), (1, 0));
    owner.give(AppInput::IotToken(Secret::from(ALICE)));
    owner.settle();
    assert!(owner.result().is_ok());
}

#[test]
fn the_refresh_token_does_it_alone() {
    let mut platform = Platform::new();
    let refresh = refresh_token(&mut platform);
    let mut owner = Owner::on(platform, &settings().with("refresh_token", &refresh));
    owner.platform.pass(7_200);
    owner.call(1, list());
    owner.call(2, list());
    owner.settle();
    assert_eq!(owner.replies.len(), 2);
    assert!(owner.replies.iter().all(|(_, result)| result.is_ok()), "{:?}", owner.replies);
    assert_eq!((owner.sessions.len(), owner.tokens_needed), (1, 0));
    assert_ne!(owner.sessions[0].expose(), ALICE);
    assert!(!owner.log.contains(&refresh) && !owner.log.contains(owner.sessions[0].expose()));
}

#[test]
fn a_refresh_token_that_nobody_heard_is_tried_again_by_the_next_call() {
    let mut platform = Platform::new();
    let refresh = refresh_token(&mut platform);
    let mut owner = Owner::on(platform, &settings().with("refresh_token", &refresh));
    owner.platform.pass(7_200);
    owner.call(1, list());
    owner.answer();
    // The network is gone until the app has given up.
    while owner.tokens_needed == 0 {
        match owner.requests.pop_front() {
            Some((token, _)) => {
                owner.give(AppInput::Response(token, Answer::Failed(Failure::Unreachable)));
            }
            None => owner.wake(),
        }
    }
    owner.give(AppInput::NoIotToken);
    assert!(is_401(&owner.result()));
    owner.call(2, list());
    owner.settle();
    assert!(owner.result().is_ok());
    assert_eq!((owner.sessions.len(), owner.tokens_needed), (1, 1));
}

#[test]
fn when_the_refresh_token_is_refused_or_unheard_a_person_is_asked() {
    for lost in [false, true] {
        let mut owner =
            Owner::new(&settings().with("iot_token", "old").with("refresh_token", "stale"));
        owner.call(1, list());
        owner.answer();
        assert!(owner.requests[0].1.url.ends_with("/account/checkOrRefreshSession"));
        while owner.tokens_needed == 0 {
            match owner.requests.pop_front() {
                Some((token, _)) if lost => {
                    owner.give(AppInput::Response(token, Answer::Failed(Failure::Unreachable)));
                }
                Some((token, request)) => {
                    let response = owner.ask(&request);
                    owner.give(AppInput::Response(token, Answer::Response(response)));
                }
                None => owner.wake(),
            }
        }
        owner.give(AppInput::IotToken(Secret::from(BOB)));
        owner.settle();
        assert!(owner.result().is_ok());
    }
}

#[test]
fn gateway_refusals_are_told_in_the_vendors_words() {
    let mut owner = Owner::new(&settings().with("app_secret", "wrong-secret"));
    owner.call(1, list());
    owner.settle();
    let Err(Error::Rejected { by: Rejected::Http { status, message } }) = owner.result() else {
        panic!()
    };
    assert_eq!(status, 400);
    assert!(message.starts_with("Invalid Signature, Server StringToSign:`POST#"));
    assert!(!owner.log.contains("wrong-secret"));
}

#[test]
fn the_phones_way_of_signing_is_taken_too() {
    let mut owner = Owner::new(&settings().with("sign_method", "HmacSHA1").with("stage", "PRE"));
    owner.call(1, list());
    let request = &owner.requests[0].1;
    assert!(request.url.contains("/awss/enrollee/list/get?x-ca-request-id="));
    let names: Vec<&str> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert!(names.iter().all(|name| *name == name.to_lowercase()), "{names:?}");
    let header = |name| muster::http::header(&request.headers, name);
    assert_eq!(header("x-ca-signature-method"), Some("HmacSHA1"));
    assert_eq!(header("date"), Some("Thu, 01 Jan 2026 00:00:00 GMT"));
    let list = "x-ca-key,x-ca-nonce,x-ca-signature-method,x-ca-stage,x-ca-timestamp";
    assert_eq!(header("x-ca-signature-headers"), Some(list));
    owner.settle();
    assert!(owner.result().is_ok());
}

#[test]
fn a_host_without_a_wall_clock_sends_no_timestamp() {
    use muster::Now;
    use muster::app::{App, AppConfig, AppOutput, CallId};
    for method in ["HmacSHA256", "HmacSHA1"] {
        let config = AppConfig::from_settings(&settings().with("sign_method", method)).unwrap();
        let mut app = App::new(config, [1; 32], Now::mono(5));
        app.handle_input(AppInput::Call(CallId(1), list()), Now::mono(5));
        let AppOutput::Request(_, request) = app.poll_output() else { panic!() };
        assert_eq!(muster::http::header(&request.headers, "X-Ca-Timestamp"), None);
        let mut platform = Platform::new();
        let request = muster::sim::to_server(request);
        assert_eq!(platform.http(request).status, 200);
    }
}

#[test]
fn a_removal_is_not_repeated() {
    let mut owner = Owner::new(&settings());
    owner.call(1, Call::topo_remove("a", "b").unwrap());
    let (token, _) = owner.requests.pop_front().unwrap();
    owner.give(AppInput::Response(token, Answer::Failed(Failure::Lost)));
    assert_eq!(owner.result(), Err(Error::Network { failure: Failure::Lost }));
    assert_eq!((owner.requests.len(), owner.deadline), (0, None));
}
