//! What an agent, a task or a caller carries: the most they can pass on to a call.

use crate::error::PolicyError;
use crate::permissions::{Permissions, Shares, Side, Written};
use crate::read::{self, Format};
use crate::slice::Party;
use crate::walk::{Site, Walk};

/// What one party passes on. A capability it doesn't name it doesn't pass on.
///
/// **Shape**: the grammar of a rule's `allow`, as in `{"network": [{"host": "api.example.org"}]}`.
#[derive(Debug, Clone)]
pub struct Delegation {
    pub(crate) shares: Shares,
    pub(crate) is_bound: bool,
    written: Vec<Written>,
}

/// A delegation and whose it is.
#[derive(Debug, Clone, Copy)]
pub struct Carried<'a> {
    /// Who.
    pub party: Party,
    /// What they carry.
    pub delegation: &'a Delegation,
}

impl Delegation {
    /// Reads one. `bearer` names who carries it, for messages: `agent writer`.
    ///
    /// **Errors**: [`PolicyError::Invalid`] with every mistake and its place.
    pub fn parse(text: &[u8], format: Format, bearer: &str) -> Result<Self, PolicyError> {
        let node =
            read::read(text, format).map_err(|mistakes| PolicyError::invalid(bearer, mistakes))?;
        let site = Site {
            rule: bearer.into(),
            file: None,
        };
        let (mut walk, mut written) = (Walk::default(), Vec::new());
        let allow = Permissions::read(&node, Side::Allow, &[], &site, &mut walk, &mut written);
        if !walk.is_clean() {
            return Err(PolicyError::invalid(bearer, walk.finish()));
        }
        let shares = Shares::of(std::iter::once(&allow));
        Ok(Self {
            is_bound: shares.is_bound(),
            shares,
            written,
        })
    }

    /// What it says, entry by entry.
    pub fn entries(&self) -> &[Written] {
        &self.written
    }
}
