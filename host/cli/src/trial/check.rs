use cofferdam_server::types::Failure;
use serde_json::Value;

use super::case::{Expected, Outcome};
use crate::view::count;

/// Most differences of one result that are told: the first few show what is wrong.
const DIFFERENCES_MAX: usize = 10;
/// Most characters of a value that are told.
const VALUE_CHARS_MAX: usize = 200;

/// Everything in which a call is not what was expected.
pub(super) fn faults(
    expected: &Expected,
    outcome: &Result<Value, Failure>,
    fuel: u64,
) -> Vec<String> {
    let mut faults = match (&expected.outcome, outcome) {
        (Outcome::Success, Ok(_)) => Vec::new(),
        (Outcome::Result(wanted), Ok(got)) => differences(wanted, got),
        (Outcome::Success | Outcome::Result(_), Err(failure)) => {
            vec![format!(
                "expected a result, got {}: {}",
                failure.code, failure.message
            )]
        }
        (Outcome::Error { code, .. }, Ok(got)) => {
            vec![format!(
                "expected the error {code}, got the result {}",
                short(got)
            )]
        }
        (
            Outcome::Error {
                code,
                message_contains,
            },
            Err(failure),
        ) => {
            let mut faults = Vec::new();
            if failure.code != *code {
                let Failure {
                    code: got, message, ..
                } = failure;
                faults.push(format!("expected the error {code}, got {got}: {message}"));
            }
            if let Some(part) = message_contains
                && !failure.message.contains(part)
            {
                faults.push(format!(
                    "expected a message with `{part}`, got: {}",
                    failure.message
                ));
            }
            faults
        }
    };
    if let Some(fuel_max) = expected.fuel_max
        && fuel > fuel_max
    {
        faults.push(format!(
            "used {} fuel, expected at most {}",
            count(fuel),
            count(fuel_max)
        ));
    }
    faults
}

/// Where two values differ, by JSON pointer.
fn differences(wanted: &Value, got: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", wanted, got, &mut found);
    if found.len() > DIFFERENCES_MAX {
        let more = found.len() - DIFFERENCES_MAX;
        found.truncate(DIFFERENCES_MAX);
        found.push(format!("and {more} more differences"));
    }
    found
}

fn compare(pointer: &str, wanted: &Value, got: &Value, found: &mut Vec<String>) {
    let place = if pointer.is_empty() {
        "the result"
    } else {
        pointer
    };
    match (wanted, got) {
        (Value::Object(wanted), Value::Object(got)) => {
            for (key, value) in wanted {
                let inner = format!("{pointer}/{}", escaped(key));
                match got.get(key) {
                    Some(other) => compare(&inner, value, other, found),
                    None => found.push(format!("{inner}: expected {}, got nothing", short(value))),
                }
            }
            for (key, value) in got.iter().filter(|(key, _)| !wanted.contains_key(*key)) {
                let inner = format!("{pointer}/{}", escaped(key));
                found.push(format!("{inner}: expected nothing, got {}", short(value)));
            }
        }
        (Value::Array(wanted), Value::Array(got)) => {
            if wanted.len() != got.len() {
                let (wanted, got) = (wanted.len(), got.len());
                found.push(format!("{place}: expected {wanted} items, got {got}"));
            }
            for (index, (value, other)) in wanted.iter().zip(got).enumerate() {
                compare(&format!("{pointer}/{index}"), value, other, found);
            }
        }
        _ if is_same(wanted, got) => {}
        _ => found.push(format!(
            "{place}: expected {}, got {}",
            short(wanted),
            short(got)
        )),
    }
}

/// TOML has floats and integers, JSON only numbers: `2` and `2.0` are the same.
fn is_same(wanted: &Value, got: &Value) -> bool {
    let is_mixed = wanted.is_number() && got.is_number() && wanted.is_f64() != got.is_f64();
    wanted == got || (is_mixed && wanted.as_f64() == got.as_f64())
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= VALUE_CHARS_MAX {
        return text;
    }
    text.chars().take(VALUE_CHARS_MAX).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use cofferdam_server::types::Code;
    use serde_json::json;

    use super::*;

    fn check(outcome: Outcome, got: &Result<Value, Failure>, expected: &[&str]) {
        let wanted = Expected {
            outcome,
            fuel_max: Some(1_000),
        };
        assert_eq!(faults(&wanted, got, 1_000), expected);
        let mut more = expected.to_vec();
        more.push("used 1,001 fuel, expected at most 1,000");
        assert_eq!(faults(&wanted, got, 1_001), more);
    }

    #[test]
    fn results_are_compared_place_by_place() {
        let result = |wanted: Value, got: Value, expected: &[&str]| {
            check(Outcome::Result(wanted), &Ok(got), expected);
        };
        result(json!("a"), json!("a"), &[]);
        result(
            json!("a"),
            json!("b"),
            &[r#"the result: expected "a", got "b""#],
        );
        result(
            json!({"n": 2, "l": [1, 2]}),
            json!({"n": 2.0, "l": [1, 2]}),
            &[],
        );
        result(
            json!(9_007_199_254_740_993_u64),
            json!(9_007_199_254_740_992_u64),
            &["the result: expected 9007199254740993, got 9007199254740992"],
        );
        result(
            json!({"a/b": 1, "gone": true, "l": [{"x": 1}, 2]}),
            json!({"a/b": 2, "l": [{"x": null}], "new": 0}),
            &[
                "/a~1b: expected 1, got 2",
                "/gone: expected true, got nothing",
                "/l: expected 2 items, got 1",
                "/l/0/x: expected 1, got null",
                "/new: expected nothing, got 0",
            ],
        );
        let many = differences(&json!(vec![0; 50]), &json!(vec![1; 50]));
        assert_eq!(many.len(), DIFFERENCES_MAX + 1);
        assert_eq!(many[DIFFERENCES_MAX], "and 40 more differences");
        assert!(
            differences(&json!(null), &json!("ä".repeat(999)))[0]
                .chars()
                .count()
                < 300
        );
    }

    #[test]
    fn errors_are_compared_by_code_and_message() {
        let trap = || Err(Failure::new(Code::Trap, "the tool crashed"));
        let error = |code, part: Option<&str>| Outcome::Error {
            code,
            message_contains: part.map(str::to_owned),
        };
        check(Outcome::Success, &Ok(json!(1)), &[]);
        check(error(Code::Trap, Some("crash")), &trap(), &[]);
        check(
            error(Code::Timeout, Some("late")),
            &trap(),
            &[
                "expected the error timeout, got trap: the tool crashed",
                "expected a message with `late`, got: the tool crashed",
            ],
        );
        check(
            error(Code::Trap, None),
            &Ok(json!(1)),
            &["expected the error trap, got the result 1"],
        );
        check(
            Outcome::Success,
            &trap(),
            &["expected a result, got trap: the tool crashed"],
        );
    }
}
