//! Power cuts: whatever has left the device is on its way, whatever has not is lost.

use super::bench::{Bench, over_mqtt, settings};

#[test]
fn the_device_ends_up_ready_with_the_last_secret_issued() {
    for settings in [settings(), over_mqtt(), over_mqtt().with("auth_type", "regnwl")] {
        let mut whole = Bench::new(&settings);
        whole.until_ready();
        let outputs = whole.outputs.len();
        for nth in 0..=outputs {
            let mut bench = Bench::new(&settings);
            // The birth is over: its outputs are out.
            bench.cut_after(nth.saturating_sub(bench.outputs.len()));
            for _ in 0..100 {
                bench.settle();
                if bench.agent.is_none() || !bench.next_deadline() {
                    break;
                }
            }
            bench.cut_power();
            bench.power_on().unwrap();
            bench.events.clear();
            // The birth's own step event is gone with the others.
            bench.until_ready();
            let last = bench.cloud.issued.last().unwrap();
            assert!(bench.credential().unwrap().contains(last), "cut after {nth}");
            assert!(bench.cloud.issued.len() <= 2, "cut after {nth}");
        }
    }
}

#[test]
fn two_cuts_in_a_row_converge_too() {
    let mut whole = Bench::new(&settings());
    whole.until_ready();
    let outputs = whole.outputs.len();
    for first in 1..outputs {
        for second in 1..outputs {
            let mut bench = Bench::new(&settings());
            bench.cut_after(first);
            bench.settle();
            bench.cut_power();
            bench.cut_after(second);
            bench.power_on().unwrap();
            bench.settle();
            bench.cut_power();
            bench.power_on().unwrap();
            bench.events.clear();
            bench.until_ready();
            let last = bench.cloud.issued.last().unwrap();
            assert!(bench.credential().unwrap().contains(last), "{first} {second}");
        }
    }
}
