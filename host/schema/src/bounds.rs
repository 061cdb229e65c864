/// How large a schema may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// Largest schema in bytes of its text.
    pub bytes_max: usize,
    /// Deepest nesting of its JSON.
    pub nesting_max: usize,
    /// Most levels of the values that it describes: 1 for a schema that says nothing of what is
    /// inside, one more for each schema of a member or an item. Alternatives and references add none;
    /// a schema that names itself is deeper than any bound.
    pub depth_max: Option<usize>,
    /// Most parameters: members that it names for the value as a whole.
    pub parameters_max: Option<usize>,
}

impl Bounds {
    /// For schemas that were derived from types. Those of real tools take a few kilobytes; the
    /// nesting is that of any JSON the host takes.
    pub const DERIVED: Self = Self {
        bytes_max: 256 << 10,
        nesting_max: 64,
        depth_max: None,
        parameters_max: None,
    };
    /// For the arguments of a tool whose specification somebody wrote by hand: what a person can
    /// survey, and a model fill in without a mistake.
    pub const WRITTEN_ARGUMENTS: Self = Self {
        depth_max: Some(5),
        parameters_max: Some(16),
        ..Self::DERIVED
    };
    /// For the result of such a tool.
    pub const WRITTEN_RESULT: Self = Self {
        parameters_max: None,
        ..Self::WRITTEN_ARGUMENTS
    };
}

impl Default for Bounds {
    fn default() -> Self {
        Self::DERIVED
    }
}
