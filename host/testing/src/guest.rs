use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{PackageId, Resolve};

/// A tool component written as text: what a hostile author would hand-craft.
///
/// The component has one tool, `guest-run`, whose arguments and results are any JSON, and whose
/// code is `body`. Memory below 64 KiB belongs to the fixture; the guest allocates above it.
#[derive(Debug, Clone)]
pub struct Guest {
    /// Imports of the core module and other definitions before its functions.
    pub definitions: String,
    /// Pages of memory at the start.
    pub pages: u32,
    /// The manifest's text; the default describes `guest-run`.
    pub manifest: String,
    /// Code before the manifest is returned.
    pub describe: String,
    /// Code of the tool: must leave the address of the answer. `$answer` holds one that is valid.
    pub body: String,
    /// Code of the allocator, before it allocates.
    pub realloc: String,
}

/// The interfaces.
const WIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit");
/// Where the manifest lies.
const MANIFEST_AT: usize = 8192;
/// Where a valid answer lies: discriminant, address and length of the text.
const ANSWER_AT: usize = 64;
/// Where the text of the valid answer lies.
const TEXT_AT: usize = 256;

impl Guest {
    /// A tool that runs `body`.
    pub fn new(body: &str) -> Self {
        Self {
            definitions: String::new(),
            pages: 2,
            manifest: manifest(&[]),
            describe: String::new(),
            body: body.to_owned(),
            realloc: String::new(),
        }
    }

    /// A tool that answers `true` at once.
    pub fn well_behaved() -> Self {
        Self::new("(global.get $answer)")
    }

    /// The same tool with imports or other definitions.
    #[must_use]
    pub fn with(mut self, definitions: &str) -> Self {
        self.definitions.push_str(definitions);
        self
    }

    /// The same tool, declaring capabilities.
    #[must_use]
    pub fn declaring(mut self, capabilities: &[&str]) -> Self {
        self.manifest = manifest(capabilities);
        self
    }

    /// The same tool, declaring that it reads a workspace.
    #[must_use]
    pub fn named(mut self, component: &str, version: &str) -> Self {
        self.manifest = self
            .manifest
            .replace("\"name\":\"guest\"", &format!("\"name\":\"{component}\""))
            .replace(
                "\"version\":\"1.0.0\"",
                &format!("\"version\":\"{version}\""),
            );
        self
    }

    /// The component's bytes.
    pub fn component(&self) -> Result<Vec<u8>> {
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(WIT).context("the interfaces")?;
        self.encode(&resolve, package)
    }

    /// The component's bytes, for a WASI whose `file` says `other` where it says `line`.
    pub fn component_where(&self, file: &str, line: &str, other: &str) -> Result<Vec<u8>> {
        let copy = tempfile::tempdir()?;
        let deps = copy.path().join("deps");
        std::fs::create_dir(&deps)?;
        for entry in std::fs::read_dir(Path::new(WIT).join("deps"))? {
            let entry = entry?;
            std::fs::copy(entry.path(), deps.join(entry.file_name()))?;
        }
        std::fs::copy(
            Path::new(WIT).join("tool.wit"),
            copy.path().join("tool.wit"),
        )?;
        let text = std::fs::read_to_string(deps.join(file))?;
        ensure!(text.contains(line), "{file} has no `{line}`");
        std::fs::write(deps.join(file), text.replace(line, other))?;
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(copy.path())?;
        self.encode(&resolve, package)
    }

    fn encode(&self, resolve: &Resolve, package: PackageId) -> Result<Vec<u8>> {
        let mut module = wat::parse_str(self.module()).context("the guest's text")?;
        let world = resolve.select_world(&[package], Some("tool"))?;
        embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8)?;
        ComponentEncoder::default()
            .validate(true)
            .module(&module)?
            .encode()
    }

    fn module(&self) -> String {
        let Self {
            definitions,
            pages,
            manifest,
            describe,
            body,
            realloc,
        } = self;
        let length = manifest.len();
        let text = escaped(manifest);
        format!(
            r#"(module
              {definitions}
              (memory (export "memory") {pages})
              (global $answer i32 (i32.const {ANSWER_AT}))
              (global $next (mut i32) (i32.const 65536))
              (data (i32.const {TEXT_AT}) "true")
              (data (i32.const {MANIFEST_AT}) "{text}")
              (func (export "cofferdam:tool/tools@0.1.0#describe") (result i32)
                {describe}
                (i32.store (i32.const 32) (i32.const {MANIFEST_AT}))
                (i32.store (i32.const 36) (i32.const {length}))
                (i32.const 32))
              (func (export "cofferdam:tool/tools@0.1.0#call")
                (param i32 i32 i32 i32) (result i32) (local $i i32) (local $j i64)
                (i32.store (i32.const {ANSWER_AT}) (i32.const 0))
                (i32.store offset=4 (i32.const {ANSWER_AT}) (i32.const {TEXT_AT}))
                (i32.store offset=8 (i32.const {ANSWER_AT}) (i32.const 4))
                {body})
              (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
                {realloc}
                (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
                (global.set $next (i32.add (local.get $at) (local.get 3)))
                (block $fits
                  (br_if $fits (i32.le_u (global.get $next) (i32.mul (memory.size) (i32.const 65536))))
                  (drop (memory.grow (i32.add (i32.shr_u (local.get 3) (i32.const 16)) (i32.const 1)))))
                (local.get $at)))"#
        )
    }
}

/// The manifest of a component `guest` with the tool `run`.
fn manifest(capabilities: &[&str]) -> String {
    let kinds: Vec<Value> = capabilities
        .iter()
        .map(|kind| match *kind {
            "workspace" => json!({"kind": kind, "access": "read_write"}),
            kind => json!({"kind": kind}),
        })
        .collect();
    json!({"name": "guest", "version": "1.0.0", "tools": [{
        "function": "run", "description": "Does what a hostile guest does.",
        "args_schema": {"type": "object"}, "returns_schema": {},
        "capabilities": kinds,
    }]})
    .to_string()
}

/// Text as the strings of the text format want it.
pub fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |escaped, byte| {
        escaped + &format!("\\{byte:02x}")
    })
}
