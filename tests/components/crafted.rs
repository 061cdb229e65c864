use anyhow::{Context, Result, ensure};
use cofferdam_testing::{Guest, Host};

use crate::{Taken, offer};

/// A LEB128 number.
fn leb(mut value: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push((value & 0x7f) as u8);
    bytes
}

/// A component whose one section claims to be `length` bytes long.
fn section(id: u8, length: u32, content: &[u8]) -> Vec<u8> {
    let mut file = b"\0asm\x0d\0\x01\0".to_vec();
    file.push(id);
    file.extend(leb(length));
    file.extend_from_slice(content);
    file
}

fn text(component: &str) -> Result<Vec<u8>> {
    Ok(wat::parse_str(component)?)
}

/// A component around a core module.
fn core(definitions: &str) -> Result<Vec<u8>> {
    text(&format!("(component (core module {definitions}))"))
}

/// CO-01, CO-04 to CO-09, CO-11 and CO-16: the file, and a word of the reason.
#[expect(clippy::too_many_lines, reason = "a table")]
fn files() -> Result<Vec<(&'static str, Vec<u8>, &'static str)>> {
    let good = Guest::well_behaved().component()?;
    let mut newer = good.clone();
    newer[4] = 0x0e;
    let many = |definition: &str, count: usize| {
        text(&format!(
            "(component (core module {}))",
            definition.repeat(count)
        ))
    };
    let nested = (0..900).fold(b"\0asm\x0d\0\x01\0".to_vec(), |inner, _| {
        section(4, u32::try_from(inner.len()).expect("a small file"), &inner)
    });
    let mut names = section(0, 5 + (17 << 20), b"\x04name");
    names.resize(names.len() + (17 << 20), 0);
    let innermost = "(component (component $c0 (core module $m) (core instance (instantiate $m)))";
    let instances = (1..20).fold(innermost.to_owned(), |levels, level| {
        let inner = level - 1;
        levels
            + &format!(
                "(component $c{level} (alias outer 1 $c{inner} (component $i))
                   (instance (instantiate $i)) (instance (instantiate $i)))"
            )
    }) + "(instance (instantiate $c19)))";
    Ok(vec![
        ("empty", Vec::new(), "empty"),
        ("one byte", vec![0], "not a WebAssembly"),
        (
            "wrong magic",
            b"\0abc\x0d\0\x01\0".to_vec(),
            "not a WebAssembly",
        ),
        ("core module", text("(module)")?, "core module"),
        ("ELF", b"\x7fELF\x02\x01\x01\0".to_vec(), "precompiled"),
        ("gzip", b"\x1f\x8b\x08\0\0\0\0\0".to_vec(), "gzip"),
        ("another encoding", newer, "not a valid component"),
        (
            "a section beyond the end",
            section(1, u32::MAX, b""),
            "not a valid component",
        ),
        (
            "a count beyond the end",
            section(3, 5, &leb(u32::MAX)),
            "limit",
        ),
        (
            "an overlong number",
            section(3, 6, b"\xff\xff\xff\xff\xff\x7f"),
            "not a valid component",
        ),
        (
            "an unknown section",
            section(99, 0, b""),
            "not a valid component",
        ),
        ("17 MiB of names", names, "limit"),
        ("300,000 types", many("(type (func))", 300_000)?, "limit"),
        ("300,000 functions", many("(func)", 300_000)?, "limit"),
        (
            "60,000 locals",
            text(&format!(
                "(component (core module (func (local{}))))",
                " i64".repeat(60_000)
            ))?,
            "locals",
        ),
        ("900 levels", nested, "limit"),
        ("2^20 instances", text(&instances)?, "exports nothing"),
        (
            "an unknown import",
            text(r#"(component (import "acme:db/store@1.0.0" (instance (export "get" (func)))))"#)?,
            "acme:db/store@1.0.0",
        ),
        (
            "a newer WASI",
            text(r#"(component (import "wasi:cli/run@0.3.0" (instance (export "run" (func)))))"#)?,
            "wasi:cli/run@0.3.0",
        ),
        ("no exports", text("(component)")?, "exports nothing"),
        (
            "RS-04 memory64",
            core("(memory i64 1)")?,
            "not a valid component",
        ),
        (
            "RS-05 several memories",
            core("(memory 1) (memory 1)")?,
            "not a valid component",
        ),
        (
            "RS-16 garbage collection",
            core("(type (struct (field i32)))")?,
            "not a valid component",
        ),
        (
            "RS-16 exceptions",
            core("(tag $e) (func (throw $e))")?,
            "not a valid component",
        ),
        (
            "RS-16 threads",
            core("(memory 1 1 shared)")?,
            "not a valid component",
        ),
        (
            "RS-16 stack switching",
            core("(type $f (func)) (type (cont $f))")?,
            "not a valid component",
        ),
        (
            "tools of another type",
            text(
                r#"(component (component $c) (instance $i (instantiate $c)) (export "cofferdam:tool/tools@0.1.0" (instance $i)))"#,
            )?,
            "linked",
        ),
        ("an import of another type", mistyped()?, "linked"),
    ])
}

/// A guest that imports a WASI interface with a function of another type.
fn mistyped() -> Result<Vec<u8>> {
    let import = r#"(import "wasi:random/random@0.2.12" "get-random-u64" (func $random (param i32 i32) (result i64)))"#;
    let body = "(drop (call $random (i32.const 0) (i32.const 0))) (global.get $answer)";
    Guest::new(body).with(import).component_where(
        "random.wit",
        "get-random-u64: func() -> u64;",
        "get-random-u64: func(x: string) -> u64;",
    )
}

#[tokio::test]
async fn each_file_is_refused_with_its_cause() -> Result<()> {
    let host = Host::start()?;
    for (name, file, word) in files()? {
        let (taken, answer) = offer(&host, file).await.context(name)?;
        let message = answer.body["error"]["message"].as_str().unwrap_or_default();
        ensure!(taken == Taken::Refused, "{name}: accepted");
        ensure!(
            message.contains(word),
            "{name}: `{message}` does not say `{word}`"
        );
    }
    let (taken, _) = offer(&host, Guest::well_behaved().component()?).await?;
    ensure!(taken == Taken::Accepted);
    host.stop()
}

#[tokio::test]
async fn a_compilation_that_takes_too_much_is_stopped_and_disturbs_nobody() -> Result<()> {
    let host = Host::start()?;
    // One function with a jump table of a hundred thousand targets in nested blocks.
    let depth = 9_000;
    let code = format!(
        "{}(br_table {} (local.get 0)){}",
        "(block ".repeat(depth),
        (0..depth)
            .map(|target| target.to_string())
            .collect::<Vec<_>>()
            .join(" "),
        ")".repeat(depth)
    );
    let guest = Guest::well_behaved().with(&format!("(func (param i32) {code})"));
    let upload = offer(&host, guest.component()?);
    let probes = async {
        for _ in 0..20 {
            ensure!(host.get("/api/v1/health").await?.status == 200);
        }
        Ok(())
    };
    let (taken, probes) = tokio::join!(upload, probes);
    taken?;
    probes?;
    host.stop()
}

#[tokio::test]
async fn the_same_bytes_are_compiled_once() -> Result<()> {
    let host = Host::start()?;
    let component = Guest::well_behaved().component()?;
    let uploads = (0..100).map(|_| offer(&host, component.clone()));
    for answer in futures::future::join_all(uploads).await {
        ensure!(answer?.0 == Taken::Accepted);
    }
    let tools = host.get("/api/v1/tools").await?.ok()?;
    ensure!(
        tools["items"].as_array().map(Vec::len) == Some(1),
        "{tools}"
    );
    host.stop()
}
