/// How large a schema may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// Largest schema in bytes of its text.
    pub bytes_max: usize,
    /// Deepest nesting of its JSON.
    pub nesting_max: usize,
}

impl Bounds {
    /// For schemas that were derived from types. Those of real tools take a few kilobytes; the
    /// nesting is that of any JSON the host takes.
    pub const DERIVED: Self = Self {
        bytes_max: 256 << 10,
        nesting_max: 64,
    };
}

impl Default for Bounds {
    fn default() -> Self {
        Self::DERIVED
    }
}
