//! State and other tools in a native test: both belong to the test's thread, so that tests that run side
//! by side don't see each other.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::key_value::{Error, Scope};
use crate::tool_call;

type Answer = Box<dyn FnMut(&str, Value) -> Result<Value, tool_call::Error>>;

thread_local! {
    static VALUES: RefCell<BTreeMap<(Scope, String), Vec<u8>>> = RefCell::default();
    static TOOLS: RefCell<Option<Answer>> = RefCell::default();
}

fn checked(key: &str) -> Result<&str, Error> {
    let fits = (1..=512).contains(&key.len()) && !key.contains(char::is_control);
    if fits {
        Ok(key)
    } else {
        Err(Error::InvalidKey)
    }
}

pub(crate) fn get(scope: Scope, key: &str) -> Result<Option<Vec<u8>>, Error> {
    let key = (scope, checked(key)?.to_owned());
    Ok(VALUES.with_borrow(|values| values.get(&key).cloned()))
}

pub(crate) fn set(scope: Scope, key: &str, value: &[u8]) -> Result<(), Error> {
    let key = (scope, checked(key)?.to_owned());
    VALUES.with_borrow_mut(|values| values.insert(key, value.to_vec()));
    Ok(())
}

pub(crate) fn delete(scope: Scope, key: &str) -> Result<bool, Error> {
    let key = (scope, checked(key)?.to_owned());
    Ok(VALUES
        .with_borrow_mut(|values| values.remove(&key))
        .is_some())
}

pub(crate) fn swap(
    scope: Scope,
    key: &str,
    expected: Option<&[u8]>,
    new: Option<&[u8]>,
) -> Result<bool, Error> {
    if get(scope, key)?.as_deref() != expected {
        return Ok(false);
    }
    match new {
        Some(value) => set(scope, key, value)?,
        None => drop(delete(scope, key)?),
    }
    Ok(true)
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "as in the sandbox, where the host may refuse"
)]
pub(crate) fn keys(
    scope: Scope,
    prefix: &str,
    after: Option<&str>,
    limit: u32,
) -> Result<(Vec<String>, Option<String>), Error> {
    let keys = VALUES.with_borrow(|values| {
        let own = values.keys().filter(|(whose, _)| *whose == scope);
        let keys = own.map(|(_, key)| key.clone());
        let keys =
            keys.filter(|key| key.starts_with(prefix) && after.is_none_or(|after| **key > *after));
        keys.take(limit as usize).collect::<Vec<_>>()
    });
    let next = keys
        .last()
        .filter(|_| keys.len() == limit as usize)
        .cloned();
    Ok((keys, next))
}

/// Has `answer` stand in for all other tools in this thread: it gets the name and the arguments. For
/// native tests alone.
pub fn stand_in(answer: impl FnMut(&str, Value) -> Result<Value, tool_call::Error> + 'static) {
    TOOLS.set(Some(Box::new(answer)));
}

pub(crate) fn call(tool: &str, arguments: &str) -> Result<String, tool_call::Error> {
    let arguments = serde_json::from_str(arguments).unwrap_or_default();
    TOOLS.with_borrow_mut(|tools| match tools {
        Some(answer) => answer(tool, arguments).map(|result| result.to_string()),
        None => Err(tool_call::Error {
            code: "unavailable".to_owned(),
            message: "a native test has no other tools; see `stand_in`".to_owned(),
            details: Value::Null,
        }),
    })
}
