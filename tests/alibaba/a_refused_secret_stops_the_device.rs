//! What the broker may say to a login.

use muster::{Advice, Closed, Error, Failure, Input, Intent, Rejected, Step};

use super::bench::{Bench, settings, stored_secret};

#[test]
fn a_credential_refusal_is_final_and_registers_nothing() {
    for code in [4, 5] {
        let mut bench = Bench::with_stored(&settings(), stored_secret("old"));
        let (token, _) = bench.until_connect();
        bench.input(Input::Closed(token, Closed::Refused(code)));
        let by = Rejected::Connack { code };
        assert_eq!(bench.stopped(), (&Error::Rejected { by }, Advice::CheckDevice));
        assert!(!bench.next_deadline());
        assert!(bench.commands.is_empty());
        assert!(bench.credential().unwrap().contains("old"), "the secret stays");

        // The operator mended it.
        bench.cloud.issued.push("old".into());
        bench.intent(Intent::TryAgain);
        bench.until_ready();
    }
}

#[test]
fn other_refusals_and_faults_back_off_without_end() {
    for why in [
        Closed::Refused(1),
        Closed::Refused(2),
        Closed::Refused(3),
        Closed::Failed(Failure::Unreachable),
        Closed::Failed(Failure::Tls),
    ] {
        let mut bench = Bench::with_stored(&settings(), stored_secret("s"));
        let mut pauses = Vec::new();
        for _ in 0..12 {
            let before = bench.now_ms;
            let (token, _) = bench.until_connect();
            pauses.push(bench.now_ms - before);
            bench.input(Input::Closed(token, why.clone()));
        }
        for (pause, doubled) in pauses[1..].iter().zip([1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]) {
            assert!((doubled * 800..=doubled * 1_200).contains(pause), "{pauses:?}");
        }
        assert_eq!(bench.retries().len(), 12);
    }
}

#[test]
fn a_login_without_an_answer_is_closed_and_made_again() {
    let mut bench = Bench::with_stored(&settings(), stored_secret("s"));
    bench.cloud.issued.push("s".into());
    let (token, _) = bench.until_connect();
    bench.wait(10_000);
    assert_eq!(bench.retries(), [&Error::NoReply { step: Step::Login }]);
    assert_eq!(bench.commands.pop_front(), Some(muster::Command::Close(token)));
    // Too late: that session was given up.
    bench.input(Input::Connected(token));
    assert_eq!(bench.stray(), 1);
    bench.until_ready();
}

#[test]
fn the_back_off_begins_anew_after_a_good_session() {
    let mut bench = Bench::with_stored(&settings(), stored_secret("s"));
    bench.cloud.issued.push("s".into());
    for _ in 0..5 {
        let (token, _) = bench.until_connect();
        bench.input(Input::Closed(token, Closed::Failed(Failure::Lost)));
    }
    bench.until_ready();
    bench.events.clear();
    bench.break_connection();
    let before = bench.now_ms;
    bench.until_connect();
    assert!(bench.now_ms - before <= 1_200);
}
