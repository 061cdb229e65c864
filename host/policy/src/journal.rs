use std::collections::BTreeMap;

use cofferdam_types::audit::CountedDenial;
use cofferdam_types::call::{Denial, Use};

/// Different uses kept of one call: some 300 KB. A tool that walks a tree can have more; the rest
/// is counted.
const USES_MAX: usize = 1_024;
/// Different refusals kept of one call.
const DENIALS_MAX: usize = 32;
/// Most bytes kept of a resource's name: room for a long path.
const RESOURCE_BYTES_MAX: usize = 256;

/// What a call did with its grant, as the audit keeps it: equal uses and equal refusals are one
/// entry with a count, and the number of entries is bounded.
#[derive(Debug, Default)]
pub struct Journal {
    places: BTreeMap<(String, String, String), usize>,
    uses: Vec<Use>,
    uses_dropped: u64,
    denials: Vec<CountedDenial>,
    denials_dropped: u64,
}

/// What is left of a journal when its call is over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Journaled {
    /// The uses, in the order of their first.
    pub uses: Vec<Use>,
    /// Uses that are not among them.
    pub uses_dropped: u64,
    /// The refusals, in the order of their first.
    pub denials: Vec<CountedDenial>,
    /// Refusals that are not among them.
    pub denials_dropped: u64,
}

impl Journal {
    /// Notes a use that was allowed, in the words of its capability.
    pub fn used(&mut self, capability: &str, operation: String, resource: &str, bytes: u64) {
        let key = (capability.to_owned(), operation, cut(resource));
        if let Some(place) = self.places.get(&key) {
            let known = &mut self.uses[*place];
            known.count = known.count.saturating_add(1);
            known.bytes = known.bytes.saturating_add(bytes);
        } else if self.uses.len() < USES_MAX {
            self.uses.push(Use {
                capability: key.0.clone(),
                operation: key.1.clone(),
                resource: key.2.clone(),
                count: 1,
                bytes,
            });
            self.places.insert(key, self.uses.len() - 1);
        } else {
            self.uses_dropped = self.uses_dropped.saturating_add(1);
        }
    }

    /// Notes a refusal.
    pub fn denied(&mut self, denial: Denial) {
        let denial = Denial {
            resource: cut(&denial.resource),
            ..denial
        };
        let known = self.denials.iter_mut().find(|known| known.denial == denial);
        if let Some(known) = known {
            known.count = known.count.saturating_add(1);
        } else if self.denials.len() < DENIALS_MAX {
            self.denials.push(denial.into());
        } else {
            self.denials_dropped = self.denials_dropped.saturating_add(1);
        }
    }

    /// What there is to tell.
    pub fn finish(self) -> Journaled {
        Journaled {
            uses: self.uses,
            uses_dropped: self.uses_dropped,
            denials: self.denials,
            denials_dropped: self.denials_dropped,
        }
    }
}

/// The name, cut to what is kept of it; a cut one ends in `…`.
fn cut(resource: &str) -> String {
    if resource.len() <= RESOURCE_BYTES_MAX {
        return resource.to_owned();
    }
    let end = resource.floor_char_boundary(RESOURCE_BYTES_MAX);
    format!("{}…", &resource[..end])
}

#[cfg(test)]
mod tests {
    use cofferdam_types::call::DenialCode;

    use super::*;

    fn denial(resource: &str) -> Denial {
        Denial {
            capability: "filesystem".to_owned(),
            operation: "read".to_owned(),
            resource: resource.to_owned(),
            code: DenialCode::NotGranted,
            rule: "built-in/default".to_owned(),
            file: None,
            line: None,
            reason: String::new(),
            smallest_grant: String::new(),
        }
    }

    #[test]
    fn equal_ones_are_counted_and_others_bounded() {
        let mut journal = Journal::default();
        for n in 0..USES_MAX + 3 {
            for bytes in [1, 10] {
                journal.used("filesystem", "read".to_owned(), &format!("/{n}"), bytes);
            }
        }
        for n in 0..DENIALS_MAX + 3 {
            journal.denied(denial(&format!("/{n}")));
            journal.denied(denial(&format!("/{n}")));
        }
        let journaled = journal.finish();
        assert_eq!(journaled.uses.len(), USES_MAX);
        assert!(
            journaled
                .uses
                .iter()
                .all(|kept| kept.count == 2 && kept.bytes == 11)
        );
        assert_eq!(journaled.uses_dropped, 6);
        assert_eq!(journaled.denials.len(), DENIALS_MAX);
        assert!(journaled.denials.iter().all(|kept| kept.count == 2));
        assert_eq!(journaled.denials_dropped, 6);
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        for name in ["x".repeat(5_000), "é".repeat(5_000), "x🦀".repeat(5_000)] {
            let mut journal = Journal::default();
            journal.used("filesystem", "read".to_owned(), &name, 0);
            journal.denied(denial(&name));
            let journaled = journal.finish();
            for kept in [
                &journaled.uses[0].resource,
                &journaled.denials[0].denial.resource,
            ] {
                assert!(kept.len() <= RESOURCE_BYTES_MAX + '…'.len_utf8());
                assert!(name.starts_with(kept.trim_end_matches('…')));
            }
        }
    }
}
