//! An agent's state, as a person reads it: names and values, taken from what its parts say of themselves (`Debug`,
//! which shows no secret).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::agent::Agent;
use crate::time::Timer;

/// Names and values, in their order.
pub(super) type State = Vec<(String, String)>;

/// What the step is called, in the fields of all platforms.
const WORDS: [&str; 3] = ["life", "state", "step"];

pub(super) fn of(agent: &Agent) -> State {
    let mut state = fields(&format!("{:?}", agent.flow()));
    for timer in Timer::ALL {
        if let Some(at) = agent.timers().get(timer) {
            state.push((format!("timer {timer:?}").to_lowercase(), format!("{} ms", at.0)));
        }
    }
    state.push(("random blocks drawn".into(), agent.rng().count().to_string()));
    state.push(("stray inputs".into(), agent.stray_inputs().to_string()));
    state
}

/// The word for what is awaited.
pub(super) fn word(state: &State) -> String {
    let found = state.iter().find(|(name, _)| WORDS.contains(&&**name));
    found.map(|(_, value)| value.clone()).unwrap_or_default()
}

/// The fields of `Platform(Flow { name: value, … })`.
fn fields(text: &str) -> State {
    let inner = text.split_once(" { ").map_or("", |(_, rest)| rest);
    let inner = inner.strip_suffix(" })").unwrap_or(inner);
    parts(inner)
        .into_iter()
        .filter_map(|part| part.split_once(": "))
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect()
}

/// The parts between commas that are in no bracket and no quotes.
fn parts(text: &str) -> Vec<&str> {
    let (mut parts, mut from, mut depth) = (Vec::new(), 0, 0_i32);
    let (mut quoted, mut escaped) = (false, false);
    for (at, char) in text.char_indices() {
        match char {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                parts.extend(text.get(from..at).map(str::trim));
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(text.get(from..).map(str::trim));
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_a_flow_are_told_apart() {
        let text = r#"Ucloud(Flow { life: Online, connection: Some(Token(3)), sent: [Sent { token: Token(4), kind: A }], id: "a, \"b\" }", wait: Instant(7) })"#;
        let fields = fields(text);
        let plain: Vec<(&str, &str)> = fields.iter().map(|(a, b)| (&**a, &**b)).collect();
        assert_eq!(
            plain,
            [
                ("life", "Online"),
                ("connection", "Some(Token(3))"),
                ("sent", "[Sent { token: Token(4), kind: A }]"),
                ("id", r#""a, \"b\" }""#),
                ("wait", "Instant(7)"),
            ]
        );
        assert_eq!(word(&fields), "Online");
    }
}
