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

impl Word {
    const ALL: [Self; 10] = [
        Self::Filesystem,
        Self::Network,
        Self::Sockets,
        Self::Subprocess,
        Self::Environment,
        Self::Secrets,
        Self::KeyValue,
        Self::ToolCall,
        Self::Clocks,
        Self::Random,
    ];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Filesystem => "filesystem",
            Self::Network => "network",
            Self::Sockets => "sockets",
            Self::Subprocess => "subprocess",
            Self::Environment => "environment",
            Self::Secrets => "secrets",
            Self::KeyValue => "key_value",
            Self::ToolCall => "tool_call",
            Self::Clocks => "clocks",
            Self::Random => "random",
        }
    }
}

impl Words {
    /// All.
    pub const ALL: Self = Self(u16::MAX);
    /// None.
    pub const NONE: Self = Self(0);

    /// True when the capability is among them.
    pub fn contains(self, word: Word) -> bool {
        self.0 & Self::bit(word) != 0
    }

    /// True when the capability of this word is among them; an unknown one never is.
    pub(crate) fn has(self, name: &str) -> bool {
        Word::ALL
            .into_iter()
            .any(|word| word.as_str() == name && self.contains(word))
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
