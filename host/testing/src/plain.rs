use anyhow::{Context, Result};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{PackageMetadata, Resolve};

/// A component that exports functions with WIT types: its WIT, and its code as text.
///
/// The fixture has the memory and an allocator that never frees, above 64 KiB; what lies below
/// belongs to the code.
#[derive(Debug, Clone)]
pub struct Plain {
    wit: String,
    code: String,
    pages: u32,
    is_documented: bool,
    sections: Vec<u8>,
}

impl Plain {
    /// A component of the one world in `wit`. `code` is imports, functions and data of its core
    /// module, with `docs:calc/ops@0.1.0#mul` as the name of an interface's function.
    pub fn new(wit: &str, code: &str) -> Self {
        Self {
            wit: wit.to_owned(),
            code: code.to_owned(),
            pages: 2,
            is_documented: false,
            sections: Vec::new(),
        }
    }

    /// The same with more code.
    #[must_use]
    pub fn with(mut self, code: &str) -> Self {
        self.code.push_str(code);
        self
    }

    /// The same with so many pages of memory at the start.
    #[must_use]
    pub fn pages(self, pages: u32) -> Self {
        Self { pages, ..self }
    }

    /// The same with the comments of its WIT in a custom section.
    #[must_use]
    pub fn documented(self) -> Self {
        Self {
            is_documented: true,
            ..self
        }
    }

    /// The same with its own name in a custom section.
    #[must_use]
    pub fn called(self, name: &str) -> Self {
        let mut content = vec![0];
        sized(&mut content, &prefixed(name.as_bytes()));
        self.section("component-name", &content)
    }

    /// The same with its own version in a custom section.
    #[must_use]
    pub fn versioned(self, version: &str) -> Self {
        self.section("version", version.as_bytes())
    }

    /// The same with one more custom section.
    #[must_use]
    pub fn section(mut self, name: &str, content: &[u8]) -> Self {
        let mut section = prefixed(name.as_bytes());
        section.extend_from_slice(content);
        self.sections.push(0);
        sized(&mut self.sections, &section);
        self
    }

    /// The component's bytes.
    pub fn component(&self) -> Result<Vec<u8>> {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("plain.wit", &self.wit)?;
        let world = resolve.select_world(&[package], None)?;
        let mut module = wat::parse_str(self.module()).context("the guest's text")?;
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
        let mut component = ComponentEncoder::default()
            .validate(true)
            .module(&module)?
            .encode()?;
        if self.is_documented {
            let docs = PackageMetadata::extract(&resolve, package).encode()?;
            let documented = Self::new("", "").section(PackageMetadata::SECTION_NAME, &docs);
            component.extend(documented.sections);
        }
        component.extend_from_slice(&self.sections);
        Ok(component)
    }

    fn module(&self) -> String {
        let Self { code, pages, .. } = self;
        format!(
            r#"(module
              {code}
              (memory (export "memory") {pages})
              (global $next (mut i32) (i32.const 65536))
              (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
                (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
                (global.set $next (i32.add (local.get $at) (local.get 3)))
                (block $fits
                  (br_if $fits (i32.le_u (global.get $next) (i32.mul (memory.size) (i32.const 65536))))
                  (drop (memory.grow (i32.add (i32.shr_u (local.get 3) (i32.const 16)) (i32.const 1)))))
                (local.get $at)))"#
        )
    }
}

/// Bytes after their count.
fn prefixed(bytes: &[u8]) -> Vec<u8> {
    let mut prefixed = Vec::new();
    sized(&mut prefixed, bytes);
    prefixed
}

fn sized(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut count = bytes.len();
    while count >= 0x80 {
        out.push(count.to_le_bytes()[0] | 0x80);
        count >>= 7;
    }
    out.push(count.to_le_bytes()[0]);
    out.extend_from_slice(bytes);
}
