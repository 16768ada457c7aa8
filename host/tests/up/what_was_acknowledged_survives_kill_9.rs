use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{Up, mqtt::Client, register_krtyun};

/// Devices register from several threads while the process is killed without warning. Whoever got as far as the
/// acknowledgement of its confirmation has to be let in with its secret afterwards, every time.
#[test]
fn what_was_acknowledged_survives_kill_9() {
    let data = tempfile::tempdir().unwrap();
    let acknowledged: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
    let mut product = String::new();
    for round in 0..6u64 {
        let up = Up::start(data.path());
        let demo = up.demo("krtyun");
        product = demo["product_id"].as_str().unwrap().to_owned();
        let secret = demo["product_secret"].as_str().unwrap().to_owned();
        let at = up.mqtt("krtyun").to_owned();
        let clients: Vec<_> = (0..4)
            .map(|thread| {
                let (acknowledged, at) = (Arc::clone(&acknowledged), at.clone());
                let (product, secret) = (product.clone(), secret.clone());
                std::thread::spawn(move || {
                    for i in 0.. {
                        let device = format!("{}", 100_000 + round * 10_000 + thread * 1_000 + i);
                        let registered = std::panic::catch_unwind(|| {
                            register_krtyun(&at, &product, &secret, &device)
                        });
                        // The connection broke: the process is gone.
                        let Ok(Ok(own)) = registered else { return };
                        acknowledged.lock().unwrap().push((device, own));
                    }
                })
            })
            .collect();
        // A different moment each time; what happens in it is the machine's choice.
        std::thread::sleep(Duration::from_millis(150 + round * 83));
        up.kill();
        for client in clients {
            client.join().unwrap();
        }
    }
    let up = Up::start(data.path());
    let acknowledged = acknowledged.lock().unwrap();
    assert!(acknowledged.len() > 20, "only {} devices got through", acknowledged.len());
    for (device, own) in acknowledged.iter() {
        let (_client, code) = Client::login(up.mqtt("krtyun"), &product, device, own).unwrap();
        assert_eq!(code, 0, "device {device} was acknowledged and is not known any more");
    }
}
