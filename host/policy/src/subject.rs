use cofferdam_types::Digest;
use cofferdam_types::tool::ToolSpec;

/// The tool that a decision is about.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Its component's digest.
    pub digest: Digest,
    /// What it says about itself.
    pub spec: &'a ToolSpec,
    /// The tenant or person that published it, as rules name them by `owner:`.
    pub owner: Option<&'a str>,
    /// What its component imports, as in `wasi:http/outgoing-handler@0.2.6`.
    pub imports: &'a [String],
    /// Whether it declares what it needs.
    pub kind: Kind,
}

/// How it is known what a tool needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// It says so; what it doesn't say it doesn't get.
    Declared,
    /// By what its component imports. It gets as much of that as policy gives, and starts with
    /// less.
    Plain,
}

impl<'a> Subject<'a> {
    /// A tool of which only the spec is known.
    pub fn declared(digest: Digest, spec: &'a ToolSpec) -> Self {
        Self {
            digest,
            spec,
            owner: None,
            imports: &[],
            kind: Kind::Declared,
        }
    }
}
