//! Values through schema, decoder, engine and encoder, and back: the real engine runs a component
//! that returns what it is given.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Instant;

use cofferdam_egress::{self as egress, Client, Owner, Session};
use cofferdam_policy::Describe;
use cofferdam_process::Launcher;
use cofferdam_types::Digest;
use cofferdam_types::call::Deaf;
use cofferdam_values::{Case, Field, Type};
use proptest::arbitrary::any;
use proptest::collection::vec;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value as Json, json};
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::*;
use crate::budget::Budget;
use crate::capability::filesystem::Files;
use crate::capability::secrets::Held;
use crate::capability::tool_call::Depth;
use crate::limiter::Limiter;
use crate::meter::Meter;
use crate::schedule::{History, Slice};
use crate::state::{self, Inside, Links};
use crate::warrant::Warrant;
use generate::{Bytes, returns, ty, validator, value};

#[path = "../../../values/tests/values/generate.rs"]
#[expect(dead_code, reason = "what bends JSON is for the suite of the values")]
mod generate;

/// Types, and values of each.
const TYPES: usize = 100;
const EACH: usize = 200;
/// What must occur among the types.
const KINDS: [&str; 22] = [
    "Bool",
    "S8",
    "U8",
    "S16",
    "U16",
    "S32",
    "U32",
    "S64",
    "U64",
    "F32",
    "F64",
    "Char",
    "String",
    "List",
    "Tuple",
    "Record",
    "Variant",
    "Enum",
    "Flags",
    "Option(Option",
    "Option",
    "Result",
];
/// What an answer may take: more than any value here.
const BYTES_MAX: u64 = 1 << 20;
/// Parameters that don't fit into registers are passed by one pointer to where they lie, which is
/// how a result that is a tuple of the same types is returned. With this many numbers after it no
/// value fits, so that the guest has only to return the pointer it gets, whatever the type.
const PAD: usize = 17;

/// Gives back its arguments; each call has a memory of its own, so nothing is ever freed.
const ECHO: &str = r#"(module
  (memory (export "memory") 2)
  (global $next (mut i32) (i32.const 1024))
  (func (export "echo") (param i32) (result i32) (local.get 0))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $at) (local.get 3)))
    (local.get $at)))"#;

/// Writes types as WIT. Fields and cases are called by their position: the generator's names are
/// chosen for JSON, and most of them are none in WIT.
#[derive(Default)]
struct Declarations {
    text: String,
    count: usize,
}

impl Declarations {
    /// The type as WIT refers to it, and the same type with the names that it has there.
    fn declare(&mut self, ty: &Type) -> (String, Type) {
        let scalar = |text: &str| (text.to_owned(), ty.clone());
        match ty {
            Type::Bool => scalar("bool"),
            Type::S8 => scalar("s8"),
            Type::U8 => scalar("u8"),
            Type::S16 => scalar("s16"),
            Type::U16 => scalar("u16"),
            Type::S32 => scalar("s32"),
            Type::U32 => scalar("u32"),
            Type::S64 => scalar("s64"),
            Type::U64 => scalar("u64"),
            Type::F32 => scalar("f32"),
            Type::F64 => scalar("f64"),
            Type::Char => scalar("char"),
            Type::String => scalar("string"),
            Type::List(item) => {
                let (text, item) = self.declare(item);
                (format!("list<{text}>"), Type::List(Arc::new(item)))
            }
            Type::Option(item) => {
                let (text, item) = self.declare(item);
                (format!("option<{text}>"), Type::Option(Arc::new(item)))
            }
            Type::Tuple(types) => {
                let types = types.iter().map(|ty| self.declare(ty));
                let (texts, types): (Vec<_>, Vec<_>) = types.unzip();
                (
                    format!("tuple<{}>", texts.join(", ")),
                    Type::Tuple(types.into()),
                )
            }
            Type::Record(fields) => self.record(fields),
            Type::Variant(cases) => self.variant(cases),
            Type::Enum(names) => {
                let names = positions(names.len());
                (self.named("enum", &names), Type::Enum(names.into()))
            }
            Type::Flags(names) => {
                let names = positions(names.len());
                (self.named("flags", &names), Type::Flags(names.into()))
            }
            Type::Result { ok, err } => {
                let (ok_text, ok) = self.payload(ok.as_deref());
                let (err_text, err) = self.payload(err.as_deref());
                let text = match (&ok, &err) {
                    (None, None) => "result".to_owned(),
                    (Some(_), None) => format!("result<{ok_text}>"),
                    _ => format!("result<{ok_text}, {err_text}>"),
                };
                let [ok, err] = [ok, err].map(|ty| ty.map(Arc::new));
                (text, Type::Result { ok, err })
            }
        }
    }

    fn record(&mut self, fields: &[Field]) -> (String, Type) {
        let (mut body, mut renamed) = (Vec::new(), Vec::new());
        for (name, field) in positions(fields.len()).into_iter().zip(fields) {
            let (text, ty) = self.declare(&field.ty);
            body.push(format!("{name}: {text}").into());
            renamed.push(Field { name, ty });
        }
        (self.named("record", &body), Type::Record(renamed.into()))
    }

    fn variant(&mut self, cases: &[Case]) -> (String, Type) {
        let (mut body, mut renamed) = (Vec::new(), Vec::new());
        for (name, case) in positions(cases.len()).into_iter().zip(cases) {
            let (text, ty) = self.payload(case.ty.as_ref());
            body.push(match ty {
                Some(_) => format!("{name}({text})").into(),
                None => name.clone(),
            });
            renamed.push(Case { name, ty });
        }
        (self.named("variant", &body), Type::Variant(renamed.into()))
    }

    fn payload(&mut self, ty: Option<&Type>) -> (String, Option<Type>) {
        ty.map_or_else(
            || ("_".to_owned(), None),
            |ty| {
                let (text, ty) = self.declare(ty);
                (text, Some(ty))
            },
        )
    }

    fn named(&mut self, kind: &str, members: &[Arc<str>]) -> String {
        self.count += 1;
        let name = format!("t{}", self.count);
        let members = members.join(", ");
        writeln!(self.text, "{kind} {name} {{ {members} }}").expect("a text takes any");
        name
    }
}

fn positions(count: usize) -> Vec<Arc<str>> {
    (0..count).map(|index| format!("n{index}").into()).collect()
}

/// A component with `echo: func(value: T, pad: …) -> tuple<T, …>`, and T with its names there.
fn echo(ty: &Type) -> (Vec<u8>, Type) {
    let mut declarations = Declarations::default();
    let (text, ty) = declarations.declare(ty);
    let pad = format!("tuple<{}>", vec!["u64"; PAD].join(", "));
    let wit = format!(
        "package test:echo; interface types {{ {} type t = {text}; }} world echo {{ use types.{{t}};
         export echo: func(value: t, pad: {pad}) -> tuple<t, {pad}>; }}",
        declarations.text
    );
    let mut resolve = Resolve::default();
    let package = resolve.push_str("echo.wit", &wit).expect("WIT");
    let world = resolve.select_world(&[package], None).expect("a world");
    let mut module = wat::parse_str(ECHO).expect("a module");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("WIT");
    let encoder = ComponentEncoder::default().module(&module);
    let component = encoder.and_then(|mut encoder| encoder.encode());
    (component.expect("a component"), ty)
}

/// Every generated type that WIT has, and at first the widest ones.
fn types(runner: &mut TestRunner) -> Vec<Type> {
    let cases = positions(300).into_iter().enumerate().map(|(index, name)| {
        let ty = (index % 3 == 0).then_some(Type::S64);
        Case { name, ty }
    });
    let wide = [
        Type::Flags(positions(32).into()),
        Type::Flags(positions(9).into()),
        Type::Enum(positions(300).into()),
        Type::Variant(cases.collect()),
        Type::List(Arc::new(Type::Flags(positions(17).into()))),
    ];
    let drawn = std::iter::repeat_with(|| ty(&mut Bytes(&draw(runner, 60)), 4));
    // Most generated types are scalars, which stand in the others too.
    let drawn = drawn.filter(|ty| exists(ty) && (4..200).contains(&ty.nodes()));
    wide.into_iter().chain(drawn).take(TYPES).collect()
}

fn draw(runner: &mut TestRunner, count: usize) -> Vec<u8> {
    let bytes = vec(any::<u8>(), count).new_tree(runner);
    bytes.expect("any bytes will do").current()
}

/// WIT has no tuple of nothing.
fn exists(ty: &Type) -> bool {
    match ty {
        Type::Tuple(types) => !types.is_empty() && types.iter().all(exists),
        Type::List(item) | Type::Option(item) => exists(item),
        Type::Record(fields) => fields.iter().all(|field| exists(&field.ty)),
        Type::Variant(cases) => cases.iter().filter_map(|case| case.ty.as_ref()).all(exists),
        Type::Result { ok, err } => ok.iter().chain(err).all(|ty| exists(ty)),
        _ => true,
    }
}

struct Host {
    engine: Engine,
    linker: Linker<State>,
    budget: Budget,
}

impl Host {
    fn plain(&self, component: &[u8]) -> Plain {
        let component = Component::new(&self.engine, component).expect("compiles");
        let instance = self.linker.instantiate_pre(&component).expect("links");
        Plain::new(&component, instance)
    }

    async fn call(&self, plain: &Plain, arguments: &str) -> Json {
        let describe = Describe::new(Digest::of(b""));
        let grant = describe.grant();
        let meter = Arc::new(Meter::new(grant.limits(), crate::ledger::Ledger::default()));
        let warrant = Warrant::new(grant.clone(), meter.clone());
        let client = Client::new(egress::Options::default()).expect("a client");
        let gate = Arc::new(warrant.clone());
        let session = Arc::new(Session::new(client, gate, None, Owner::default(), None));
        let inside = Inside {
            meter: &meter,
            session: &session,
            secrets: &Arc::new(Held::new(None, warrant)),
            host_variable: |_| None,
            files: Files::none(),
            links: Links {
                call: String::new(),
                observer: Arc::new(Deaf),
                launcher: Arc::new(Launcher {
                    program: "/nonexistent".into(),
                    argument: String::new(),
                }),
                owner: Owner::default(),
                secrets: None,
                spaces: None,
                tools: None,
                depth: Depth::ROOT,
                ledger: crate::ledger::Ledger::default(),
                ends: Instant::now() + grant.limits().deadline(),
            },
        };
        let slice = Arc::new(Slice::new(&Arc::new(History::new())));
        let reservation = self.budget.reserve_first(0).expect("room for nothing");
        let max = grant.limits().memory_bytes;
        let limiter = Limiter::new(meter.clone(), reservation, 0, max);
        let store = state::store(&self.engine, grant, limiter, &slice, inside);
        let answer = plain
            .call(store.expect("a store"), "echo", arguments, BYTES_MAX)
            .await;
        let text = answer.expect("runs").expect("answers");
        serde_json::from_str(&text).expect("JSON")
    }
}

#[tokio::test]
#[expect(
    clippy::print_stdout,
    reason = "the figures belong into the log of a run"
)]
async fn every_value_comes_back_from_a_guest_as_it_went() {
    let engine = crate::engine::host(4).expect("an engine");
    let mut linker = Linker::new(&engine);
    crate::capability::link(&mut linker).expect("links");
    let budget = Budget::new(1 << 30);
    let host = Host {
        engine,
        linker,
        budget,
    };
    let mut runner = TestRunner::deterministic();
    let begin = Instant::now();
    let mut count = 0;
    let types = types(&mut runner);
    let shown = format!("{types:?}");
    for kind in KINDS {
        assert!(shown.contains(kind), "no type has {kind}");
    }
    for ty in types {
        let (component, ty) = echo(&ty);
        let plain = host.plain(&component);
        let [function] = plain.interface.functions.as_slice() else {
            panic!("{ty:?}: {:?}", plain.interface);
        };
        assert_eq!(function.signature.params[0].ty, ty);
        let validator = validator(&ty);
        for _ in 0..EACH {
            let bytes = draw(&mut runner, 200);
            let value = value(&ty, &mut Bytes(&bytes));
            returns(&ty, &validator, &value);
            let json = ty.encode(value, usize::MAX).expect("encoded before");
            let pad: Vec<_> = bytes
                .iter()
                .take(PAD)
                .map(|byte| u64::from(*byte))
                .collect();
            let arguments = json!({"value": json, "pad": pad}).to_string();
            let answer = host.call(&plain, &arguments).await;
            // As text, in which 0.0 and -0.0 differ.
            assert_eq!(answer.to_string(), json!([json, pad]).to_string(), "{ty:?}");
            count += 1;
        }
    }
    println!("{count} values of {TYPES} types in {:?}", begin.elapsed());
    assert_eq!(count, TYPES * EACH);
}
