use schemars::JsonSchema;
use serde::Deserialize;

/// A capability by its word in policy files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is described where it is granted")]
pub enum Word {
    Filesystem,
    Network,
    Sockets,
    Subprocess,
    Environment,
    Secrets,
    KeyValue,
    ToolCall,
    Clocks,
    Random,
}

/// A set of capabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words(u16);

impl Words {
    /// All.
    pub const ALL: Self = Self(u16::MAX);
    /// None.
    pub const NONE: Self = Self(0);

    /// True when the capability is among them.
    pub fn contains(self, word: Word) -> bool {
        self.0 & Self::bit(word) != 0
    }

    pub(super) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    fn bit(word: Word) -> u16 {
        1 << word as u16
    }
}

impl FromIterator<Word> for Words {
    fn from_iter<I: IntoIterator<Item = Word>>(words: I) -> Self {
        Self(words.into_iter().fold(0, |set, word| set | Self::bit(word)))
    }
}
