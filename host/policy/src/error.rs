use std::fmt;

use thiserror::Error;

use crate::capability::Fault;
use crate::document::Source;
use crate::node::Place;
use crate::read::read;

/// Why a policy can't be used. Nothing of it takes effect.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PolicyError {
    /// The text isn't a policy. All mistakes that can be told apart, in the order of the file.
    #[error("{}", listed(file, mistakes))]
    Invalid {
        /// The file, or what stands for it.
        file: String,
        /// What is wrong; at least one.
        mistakes: Vec<Mistake>,
    },
    /// Nothing says which format it is.
    #[error("{file}: a policy file ends in .yaml, .yml, .toml or .json")]
    Extension {
        /// The file.
        file: String,
    },
}

/// One thing that is wrong in a policy's text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// Where.
    pub place: Place,
    /// What, for whoever wrote it.
    pub reason: String,
}

/// Most mistakes that are listed: beyond them the file isn't read but written anew.
const MISTAKES_MAX: usize = 100;

impl Mistake {
    pub(crate) fn new(place: Place, reason: impl Into<String>) -> Self {
        Self {
            place,
            reason: reason.into(),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}",
            self.place.line, self.place.column, self.reason
        )
    }
}

impl PolicyError {
    pub(crate) fn invalid(file: &str, mut mistakes: Vec<Mistake>) -> Self {
        mistakes.sort();
        mistakes.dedup();
        mistakes.truncate(MISTAKES_MAX);
        Self::Invalid {
            file: file.to_owned(),
            mistakes,
        }
    }

    /// A fault that only whoever looks at the machine can find, at its place in the text. Its
    /// pointer starts from the whole document.
    pub fn found(text: &[u8], source: &Source<'_>, fault: Fault) -> Self {
        let place = read(text, source.format).map(|node| node.at(&fault.pointer).place);
        let place = place.unwrap_or(Place::START);
        Self::invalid(&source.shown(), vec![Mistake::new(place, fault.reason)])
    }

    /// What is wrong and where; empty when the file was not read at all.
    pub fn mistakes(&self) -> &[Mistake] {
        match self {
            Self::Invalid { mistakes, .. } => mistakes,
            Self::Extension { .. } => &[],
        }
    }
}

fn listed(file: &str, mistakes: &[Mistake]) -> String {
    let lines: Vec<_> = mistakes
        .iter()
        .map(|mistake| format!("{file}:{mistake}"))
        .collect();
    lines.join("\n")
}
