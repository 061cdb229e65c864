use anyhow::{Context, Result, ensure};
use cofferdam_testing::{Host, Plain};
use futures::{StreamExt, TryStreamExt};
use serde_json::json;

use super::{add, places, result, says};

/// Calls at once.
const AT_ONCE: usize = 16;

const WIT: &str = "package docs:echo@0.1.0;
    interface echo {
        record point { x: u8, label: option<string> }
        text: func(text: string) -> string;
        wide: func(u: u64, s: s64) -> tuple<u64, s64>;
        letter: func(c: char) -> char;
        total: func(p: point, xs: list<u8>, more: option<u32>) -> u32;
    }
    world echo-world { export echo; }";
const CODE: &str = r#"
    (func (export "docs:echo/echo@0.1.0#text") (param i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0))
      (i32.store (i32.const 20) (local.get 1))
      (i32.const 16))
    (func (export "docs:echo/echo@0.1.0#wide") (param i64 i64) (result i32)
      (i64.store (i32.const 32) (local.get 0))
      (i64.store (i32.const 40) (local.get 1))
      (i32.const 32))
    (func (export "docs:echo/echo@0.1.0#letter") (param i32) (result i32) (local.get 0))
    (func (export "docs:echo/echo@0.1.0#total")
      (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
      (i32.add (local.get 0) (i32.add (local.get 5) (local.get 7))))"#;

async fn echo() -> Result<Host> {
    let host = Host::start()?;
    add(&host, &Plain::new(WIT, CODE), &[]).await?;
    Ok(host)
}

#[tokio::test]
async fn arguments_are_checked_with_the_place_of_each_fault() -> Result<()> {
    let host = echo().await?;
    let fine = json!({"p": {"x": 1}, "xs": [1, 2, 3], "more": 10});
    ensure!(result(&host, "echo-total", fine).await? == 14);
    for (arguments, expected) in [
        (json!({}), vec!["/p", "/xs"]),
        (json!({"p": {"x": 1}, "xs": [], "z/~": 1}), vec!["/z~1~0"]),
        (json!({"p": {}, "xs": []}), vec!["/p/x"]),
        (json!({"p": {"x": 256}, "xs": []}), vec!["/p/x"]),
        (json!({"p": {"x": 1, "y": 2}, "xs": []}), vec!["/p/y"]),
        (
            json!({"p": {"x": 1, "label": 3}, "xs": [0, -1, 1.5]}),
            vec!["/p/label", "/xs/1", "/xs/2"],
        ),
        (json!({"p": null, "xs": "no"}), vec!["/p", "/xs"]),
        (json!({"p": {"x": 1}, "xs": [], "more": -1}), vec!["/more"]),
    ] {
        let answer = host
            .call("echo-total", arguments.clone(), json!({}))
            .await?;
        ensure!(answer.code() == Some("invalid_input"), "{}", answer.body);
        let places = places(&answer);
        let shown = || format!("{arguments}: {}", answer.body);
        ensure!(places.len() == expected.len(), "{}", shown());
        // Which prefix the arguments have in the request is the door's own.
        ensure!(
            places
                .iter()
                .zip(&expected)
                .all(|(at, end)| at.ends_with(end)),
            "{}",
            shown()
        );
    }
    host.stop()
}

/// IN-08: integers past 2^53, as numbers and as text; fractions and `null` in their place.
#[tokio::test]
async fn whole_numbers_of_64_bits_are_exact() -> Result<()> {
    let host = echo().await?;
    let largest = (1_u64 << 53) - 1;
    for (u, s) in [
        (json!(0), json!(0)),
        (json!(largest), json!(-9_007_199_254_740_991_i64)),
        (json!("9007199254740992"), json!("-9007199254740992")),
        (json!("9007199254740993"), json!("9007199254740993")),
        (json!("18446744073709551615"), json!("-9223372036854775808")),
        (json!("9223372036854775808"), json!("9223372036854775807")),
    ] {
        let answer = result(&host, "echo-wide", json!({"u": u, "s": s})).await?;
        ensure!(answer == json!([u, s]), "{answer}");
    }
    // Text where a number would do, and a number written with a point.
    let answer = result(&host, "echo-wide", json!({"u": "7", "s": -7.0})).await?;
    ensure!(answer == json!([7, -7]), "{answer}");
    for (u, s, place) in [
        (json!(largest + 1), json!(0), "/u"),
        (json!(-1), json!(0), "/u"),
        (json!("18446744073709551616"), json!(0), "/u"),
        (json!("007"), json!(0), "/u"),
        (json!("+7"), json!(0), "/u"),
        (json!(""), json!(0), "/u"),
        (json!(0), json!("9223372036854775808"), "/s"),
        (json!(0), json!("-0"), "/s"),
        (json!(0), json!(0.5), "/s"),
        (json!(0), json!(1e19), "/s"),
        (json!(0), json!(null), "/s"),
    ] {
        let answer = host
            .call("echo-wide", json!({"u": u, "s": s}), json!({}))
            .await?;
        says(&answer, "invalid_input", place).with_context(|| format!("{u} {s}"))?;
    }
    host.stop()
}

/// IN-08: text of each length, in which the last characters before a boundary differ in width.
#[tokio::test]
async fn text_of_every_length_comes_back() -> Result<()> {
    let host = echo().await?;
    let calls = (0..=4_096).map(|length| {
        let host = &host;
        async move {
            let text = text(length);
            let answer = result(host, "echo-text", json!({"text": text})).await?;
            ensure!(answer == text, "{length} bytes came back changed");
            Ok(())
        }
    });
    let calls = futures::stream::iter(calls).buffer_unordered(AT_ONCE);
    calls.try_collect::<()>().await?;
    for c in [
        "\0",
        "\u{7f}",
        "\u{d7ff}",
        "\u{e000}",
        "\u{ffff}",
        "\u{10ffff}",
        "\u{1f600}",
    ] {
        ensure!(result(&host, "echo-letter", json!({"c": c})).await? == c);
    }
    for c in ["", "ab", "e\u{301}"] {
        let answer = host.call("echo-letter", json!({"c": c}), json!({})).await?;
        says(&answer, "invalid_input", "/c")?;
    }
    host.stop()
}

/// Text of so many bytes: characters of one to four bytes by turns, then what fits.
fn text(length: usize) -> String {
    const CHARS: [char; 7] = [
        '\u{1f600}',
        'é',
        '"',
        '\u{ffff}',
        '\0',
        '\u{10ffff}',
        '\u{2028}',
    ];
    let mut text = String::with_capacity(length);
    for c in CHARS.iter().cycle().skip(length % CHARS.len()) {
        if text.len() + c.len_utf8() > length {
            break;
        }
        text.push(*c);
    }
    while text.len() < length {
        text.push('z');
    }
    text
}

/// What a guest returns against its own types is its fault, and nothing more.
#[tokio::test]
async fn answers_that_break_their_types_are_refused() -> Result<()> {
    let host = Host::start()?;
    let wit = "package docs:liar@0.1.0;
        interface lies {
            enum kind { low, high }
            not-utf8: func() -> string;
            beyond: func() -> string;
            misaligned: func() -> list<u64>;
            endless: func() -> list<u64>;
            surrogate: func() -> char;
            too-high: func() -> char;
            no-case: func() -> kind;
            neither: func() -> result;
            neither-there: func() -> list<option<u8>>;
        }
        world liar { export lies; }";
    let function = |name: &str, value: &str| {
        format!(r#"(func (export "docs:liar/lies@0.1.0#{name}") (result i32) (i32.const {value}))"#)
    };
    let functions = [
        ("not-utf8", "16"),
        ("beyond", "24"),
        ("misaligned", "32"),
        ("endless", "40"),
        ("surrogate", "0xd800"),
        ("too-high", "0x110000"),
        ("no-case", "2"),
        ("neither", "2"),
        ("neither-there", "48"),
    ];
    let data = r#"
        (data (i32.const 16) "\00\04\00\00\02\00\00\00")
        (data (i32.const 24) "\ff\ff\ff\7f\10\00\00\00")
        (data (i32.const 32) "\01\04\00\00\01\00\00\00")
        (data (i32.const 40) "\00\04\00\00\ff\ff\ff\ff")
        (data (i32.const 48) "\00\04\00\00\01\00\00\00")
        (data (i32.const 1024) "\ff\fe")"#;
    let code = functions.map(|(name, value)| function(name, value));
    let plain = Plain::new(wit, &format!("{}{data}", code.concat()));
    add(&host, &plain, &[]).await?;
    for (name, _) in functions {
        let tool = format!("liar-{name}");
        let answer = host.call(&tool, json!({}), json!({})).await?;
        says(&answer, "invalid_output", "").context(name)?;
        ensure!(
            answer.body["error"]["details"]["tool"] == tool,
            "{}",
            answer.body
        );
    }
    ensure!(host.get("/api/v1/health").await?.status == 200);
    host.stop()
}
