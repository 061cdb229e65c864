//! Reaches for everything that a policy can bound of a tool's own: state between calls, other tools,
//! clocks, randomness, memory, fuel.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::hint::black_box;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cofferdam_sdk::serde_json::{Value, json};
use cofferdam_sdk::{ToolError, key_value, tool, tool_call};

fn state(agent: bool) -> key_value::State {
    if agent {
        key_value::agent()
    } else {
        key_value::tool()
    }
}

fn said<T>(answer: Result<T, key_value::Error>) -> Result<T, ToolError> {
    answer.map_err(|error| {
        let code = match error {
            key_value::Error::Denied => "denied",
            key_value::Error::InvalidKey => "invalid_key",
            key_value::Error::Full => "full",
            key_value::Error::Unavailable => "unavailable",
        };
        ToolError::new(code, error.to_string())
    })
}

/// Reads a key.
#[tool(capabilities(key_value))]
fn get(
    /// The key.
    key: String,
    /// Of the agent's state.
    #[default(false)]
    agent: bool,
) -> Result<Option<String>, ToolError> {
    let found = said(state(agent).get(&key))?;
    Ok(found.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// Sets a key to a text, repeated.
#[tool(capabilities(key_value))]
fn set(
    /// The key.
    key: String,
    /// The text.
    value: String,
    /// How often the text stands in the value.
    #[default(1)]
    times: usize,
    /// Of the agent's state.
    #[default(false)]
    agent: bool,
) -> Result<(), ToolError> {
    said(state(agent).set(&key, value.repeat(times)))
}

/// Says by a key that it began, then reads that key until it may no more. Tells how often it could,
/// and why it can't.
#[tool(capabilities(key_value, clocks))]
fn poll(
    /// The key.
    key: String,
) -> Result<(u64, String), ToolError> {
    said(key_value::tool().set(&key, "begun"))?;
    let mut reads = 0;
    loop {
        match said(key_value::tool().get(&key)) {
            Ok(_) => reads += 1,
            Err(error) => return Ok((reads, error.code)),
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Removes a key.
#[tool(capabilities(key_value))]
fn delete(
    /// The key.
    key: String,
) -> Result<bool, ToolError> {
    said(key_value::tool().delete(&key))
}

/// Lists keys.
#[tool(capabilities(key_value))]
fn keys(
    /// What they begin with.
    prefix: String,
) -> Result<Vec<String>, ToolError> {
    said(key_value::tool().keys(&prefix))
}

/// Counts a key up, whoever else does, and says what it was before.
#[tool(capabilities(key_value))]
fn count_up(
    /// The key.
    key: String,
) -> Result<u64, ToolError> {
    loop {
        let seen = said(key_value::tool().get(&key))?;
        let before = match &seen {
            Some(bytes) => String::from_utf8_lossy(bytes).parse()?,
            None => 0_u64,
        };
        let after = (before + 1).to_string();
        if said(key_value::tool().swap(&key, seen.as_deref(), Some(after.as_bytes())))? {
            return Ok(before);
        }
    }
}

/// Calls a tool and tells what came of it.
#[tool(capabilities(tool_call))]
fn call(
    /// The tool.
    tool: String,
    /// Its arguments.
    arguments: Value,
    /// How often.
    #[default(1)]
    times: u32,
) -> Value {
    let mut last = Value::Null;
    for _ in 0..times {
        last = match tool_call::call::<Value>(&tool, &arguments) {
            Ok(result) => json!({"result": result}),
            Err(error) => {
                json!({"code": error.code, "message": error.message, "details": error.details})
            }
        };
    }
    last
}

/// Calls itself, as deep as it is told, and counts the levels that answered.
#[tool(capabilities(tool_call))]
fn chain(
    /// Levels below this one.
    levels: u32,
) -> Value {
    if levels == 0 {
        return json!({"levels": 0});
    }
    match tool_call::call::<Value>("state-prober-chain", json!({"levels": levels - 1})) {
        Ok(below) => {
            let levels = below["levels"].as_u64().unwrap_or(0) + 1;
            json!({"levels": levels, "code": below["code"]})
        }
        Err(error) => json!({"levels": 0, "code": error.code, "details": error.details}),
    }
}

/// Burns fuel until there is none.
#[tool]
fn burn() -> u64 {
    let mut count = 0_u64;
    loop {
        count = black_box(count.wrapping_add(1));
    }
}

/// Reads the clocks: the wall clock's seconds, and whether the monotonic one moves.
#[tool(capabilities(clocks))]
fn now() -> Result<(u64, bool), ToolError> {
    let begin = Instant::now();
    #[expect(
        clippy::disallowed_methods,
        reason = "what the guest is shown is the question"
    )]
    let wall = SystemTime::now().duration_since(UNIX_EPOCH)?;
    std::thread::sleep(Duration::from_millis(5));
    Ok((wall.as_secs(), begin.elapsed() >= Duration::from_millis(5)))
}

/// Waits.
#[tool(capabilities(clocks))]
fn wait(
    /// For so long.
    millis: u64,
) -> u64 {
    std::thread::sleep(Duration::from_millis(millis));
    millis
}

/// Draws from every generator: what hash maps are seeded with, and what they make of it.
#[tool(capabilities(random))]
fn draw() -> Vec<String> {
    let state = RandomState::new();
    let hash = |text: &str| format!("{:016x}", state.hash_one(text));
    let map: HashMap<u32, u32> = (0..8).map(|n| (n, n)).collect();
    let order: Vec<_> = map.keys().map(ToString::to_string).collect();
    vec![hash("a"), hash("b"), order.join(",")]
}

/// Takes memory, touches it, holds it for a while.
#[tool(capabilities(clocks))]
fn hold(
    /// Mebibytes.
    mebibytes: usize,
    /// For so long.
    millis: u64,
) -> usize {
    let mut bytes = vec![0_u8; mebibytes << 20];
    for page in bytes.chunks_mut(4_096) {
        page[0] = 1;
    }
    std::thread::sleep(Duration::from_millis(millis));
    black_box(&bytes).len()
}

/// Asks the host for the time, again and again.
#[tool(capabilities(clocks))]
fn ask(
    /// How often.
    times: u64,
) -> u64 {
    for _ in 0..times {
        #[expect(clippy::disallowed_methods, reason = "the call itself is what costs")]
        black_box(SystemTime::now());
    }
    times
}

cofferdam_sdk::tools![
    get, set, poll, delete, keys, count_up, call, chain, burn, now, wait, draw, hold, ask
];
