//! The algebra that every capability shares.
//!
//! A call may do what every layer allows and nobody denies. It is decided here once, so that a
//! deny wins, the order of rules never matters, and one more allow never takes anything away,
//! whatever the capability.

use std::fmt::Debug;
use std::sync::Arc;

use crate::origin::{Located, Origin};

/// One entry of an allow or a deny list: which uses of a capability it covers, and how much of it
/// an allow gives.
pub trait Pattern: Debug + Send + Sync + 'static {
    /// One use of the capability: a request, the opening of a file, the start of a program.
    type Ask: ?Sized;
    /// How much an allow gives: sizes, counts, rates. `()` when a use is all or nothing.
    type Caps: Caps;

    /// True when this entry covers the use.
    fn covers(&self, ask: &Self::Ask) -> bool;

    /// How much an allow that covers a use gives of it.
    fn caps(&self) -> Self::Caps;
}

/// Quantities that belong to an allow.
pub trait Caps: Clone {
    /// What two allows of one layer give together: in each quantity the larger.
    fn widest(self, other: Self) -> Self;

    /// What two layers leave: in each quantity the smaller.
    fn narrowest(self, other: Self) -> Self;
}

impl Caps for () {
    fn widest(self, (): Self) {}

    fn narrowest(self, (): Self) {}
}

/// Who has to allow a use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Party {
    /// The operator, by the policy's rules.
    Policy,
    /// The agent at work, by what it carries.
    Agent,
    /// The task it works on.
    Task,
    /// Whoever called, by what they delegate; for a call of a tool by a tool, the calling tool's
    /// own grant.
    Caller,
}

impl Party {
    /// The word in denials and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Agent => "agent",
            Self::Task => "task",
            Self::Caller => "caller",
        }
    }
}

/// What one party allows.
#[derive(Debug, Clone)]
pub struct Layer<P> {
    /// Who.
    pub party: Party,
    /// Everything it allows; empty is nothing.
    pub allows: Arc<[Located<P>]>,
}

/// What a call may do with one capability. No layers at all is nothing.
#[derive(Debug, Clone)]
pub struct Slice<P> {
    layers: Vec<Layer<P>>,
    denies: Arc<[Located<P>]>,
}

/// A use that is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed<'a, C> {
    /// The first entry of the first layer that covers it, as written: for the record.
    pub by: &'a Origin,
    /// How much of it.
    pub caps: C,
}

/// Why a use is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused<'a> {
    /// This party allows nothing that covers it.
    NotGranted(Party),
    /// An entry denies it, whatever allows it.
    Denied(&'a Origin),
}

impl<P> Slice<P> {
    /// Nothing.
    pub fn nothing() -> Self {
        Self {
            layers: Vec::new(),
            denies: Arc::new([]),
        }
    }

    /// What the first party allows, short of what is denied.
    pub fn new(first: Layer<P>, denies: Arc<[Located<P>]>) -> Self {
        Self {
            layers: vec![first],
            denies,
        }
    }

    /// The same, short of what `layer` does not allow.
    pub fn within(mut self, layer: Layer<P>) -> Self {
        self.layers.push(layer);
        self
    }

    /// True when no use can be allowed.
    pub fn is_nothing(&self) -> bool {
        self.layers.is_empty() || self.layers.iter().any(|layer| layer.allows.is_empty())
    }

    /// Each party that has a say, with what it allows.
    pub fn layers(&self) -> &[Layer<P>] {
        &self.layers
    }

    /// What is denied whatever is allowed.
    pub fn denies(&self) -> &[Located<P>] {
        &self.denies
    }
}

impl<P: Clone> Slice<P> {
    /// The same, short of what `caller` does not allow either; what the caller is denied is denied.
    pub fn below(mut self, caller: &Self) -> Self {
        let layer = |allows: Arc<[Located<P>]>| Layer {
            party: Party::Caller,
            allows,
        };
        if caller.layers.is_empty() {
            self.layers.push(layer(Arc::new([])));
        }
        let theirs = caller
            .layers
            .iter()
            .map(|theirs| layer(theirs.allows.clone()));
        self.layers.extend(theirs);
        if !caller.denies.is_empty() {
            let denies = self.denies.iter().chain(caller.denies.iter());
            self.denies = denies.cloned().collect();
        }
        self
    }
}

impl<P: Pattern> Slice<P> {
    /// Decides about one use.
    ///
    /// **Errors**: [`Refused`], a deny before a missing allow: what is denied stays so whatever
    /// would be granted on top.
    pub fn decide(&self, ask: &P::Ask) -> Result<Allowed<'_, P::Caps>, Refused<'_>> {
        if let Some(deny) = self.denies.iter().find(|deny| deny.value.covers(ask)) {
            return Err(Refused::Denied(&deny.origin));
        }
        let mut allowed: Option<Allowed<'_, P::Caps>> = None;
        for layer in &self.layers {
            let mut covering = layer.allows.iter().filter(|allow| allow.value.covers(ask));
            let first = covering.next().ok_or(Refused::NotGranted(layer.party))?;
            let caps = covering.fold(first.value.caps(), |caps, allow| {
                caps.widest(allow.value.caps())
            });
            allowed = Some(match allowed {
                None => Allowed {
                    by: &first.origin,
                    caps,
                },
                Some(outer) => Allowed {
                    by: outer.by,
                    caps: outer.caps.narrowest(caps),
                },
            });
        }
        allowed.ok_or(Refused::NotGranted(Party::Policy))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Covers the numbers of a range and gives as many as its width.
    #[derive(Debug, Clone)]
    struct Range(u8, u8);

    impl Caps for u8 {
        fn widest(self, other: Self) -> Self {
            self.max(other)
        }

        fn narrowest(self, other: Self) -> Self {
            self.min(other)
        }
    }

    impl Pattern for Range {
        type Ask = u8;
        type Caps = u8;

        fn covers(&self, ask: &u8) -> bool {
            (self.0..self.1).contains(ask)
        }

        fn caps(&self) -> u8 {
            self.1.saturating_sub(self.0)
        }
    }

    fn located(ranges: &[(u8, u8)]) -> Arc<[Located<Range>]> {
        ranges
            .iter()
            .map(|(from, to)| Located {
                value: Range(*from, *to),
                origin: Origin::builtin("test"),
            })
            .collect()
    }

    fn slice(layers: &[Vec<(u8, u8)>], denies: &[(u8, u8)]) -> Slice<Range> {
        Slice {
            layers: layers
                .iter()
                .map(|allows| Layer {
                    party: Party::Policy,
                    allows: located(allows),
                })
                .collect(),
            denies: located(denies),
        }
    }

    fn decided(slice: &Slice<Range>, ask: u8) -> Option<u8> {
        slice.decide(&ask).ok().map(|allowed| allowed.caps)
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(
            Slice::<Range>::nothing().decide(&1),
            Err(Refused::NotGranted(Party::Policy))
        );
        assert!(slice(&[vec![]], &[]).is_nothing());
        assert_eq!(decided(&slice(&[vec![]], &[]), 1), None);
    }

    fn ranges() -> impl Strategy<Value = Vec<(u8, u8)>> {
        prop::collection::vec((0_u8..24, 0_u8..24), 0..6)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(crate::testing::cases()))]

        #[test]
        fn agrees_with_sets(
            layers in prop::collection::vec(ranges(), 1..4),
            denies in ranges(),
            ask in 0_u8..24,
        ) {
            let in_any = |set: &[(u8, u8)]| set.iter().any(|(from, to)| *from <= ask && ask < *to);
            let expected = layers.iter().all(|layer| in_any(layer)) && !in_any(&denies);
            prop_assert_eq!(decided(&slice(&layers, &denies), ask).is_some(), expected);
        }

        #[test]
        fn one_more_allow_takes_nothing_and_one_more_deny_gives_nothing(
            layers in prop::collection::vec(ranges(), 1..4),
            denies in ranges(),
            more in (0_u8..24, 0_u8..24),
            place in any::<prop::sample::Index>(),
            ask in 0_u8..24,
        ) {
            let before = decided(&slice(&layers, &denies), ask);
            let mut wider = layers.clone();
            wider[place.index(layers.len())].push(more);
            prop_assert!(decided(&slice(&wider, &denies), ask) >= before);
            let mut stricter = denies.clone();
            stricter.push(more);
            prop_assert!(decided(&slice(&layers, &stricter), ask) <= before);
        }

        #[test]
        fn order_never_matters(
            mut layers in prop::collection::vec(ranges(), 1..4),
            mut denies in ranges(),
            ask in 0_u8..24,
        ) {
            let before = decided(&slice(&layers, &denies), ask);
            layers.reverse();
            for layer in &mut layers {
                layer.reverse();
            }
            denies.reverse();
            prop_assert_eq!(decided(&slice(&layers, &denies), ask), before);
        }
    }
}
