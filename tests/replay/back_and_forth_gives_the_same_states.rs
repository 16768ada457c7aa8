use muster::replay::Player;

use super::support;

#[test]
fn from_any_step_to_any_other() {
    for (platform, recording, _) in support::lives() {
        let mut player = Player::new(recording).unwrap();
        let mut seen = vec![format!("{:?}", player.place())];
        while player.step() {
            seen.push(format!("{:?}", player.place()));
        }
        assert!(player.place().state.iter().any(|field| field.value.is_some()));
        assert!(!player.step(), "{platform}: nothing is behind the end");
        for at in (0..seen.len() - 1).rev() {
            assert!(player.back());
            assert_eq!(player.at(), at);
            assert_eq!(format!("{:?}", player.place()), seen[at], "{platform}: back to {at}");
        }
        assert!(!player.back(), "{platform}: nothing is before the beginning");

        // Steps of all widths, over the snapshots in between.
        let last = seen.len() - 1;
        let mut at = 1;
        for _ in 0..200 {
            at = (at * 7 + 13) % seen.len();
            player.go_to(at);
            assert_eq!(format!("{:?}", player.place()), seen[at], "{platform}: to {at}");
        }
        player.go_to(usize::MAX);
        assert_eq!(player.at(), last);
        assert_eq!(format!("{:?}", player.place()), seen[last]);
        player.go_to(0);
        assert_eq!(format!("{:?}", player.place()), seen[0]);
    }
}

#[test]
fn and_what_a_step_changed_is_told() {
    for (platform, recording, _) in support::lives() {
        let mut player = Player::new(recording).unwrap();
        assert!(player.place().state.iter().all(|field| !field.changed), "{platform}");
        let mut words = 0;
        while player.step() {
            for field in player.place().state {
                assert!(!field.changed || field.before != field.value, "{platform}: {field:?}");
                words +=
                    usize::from(field.changed && matches!(&*field.name, "life" | "state" | "step"));
            }
        }
        assert!(words > 2, "{platform}: {words} changes of the step");
    }
}
