//! Entries of every capability, side by side: what a rule, a profile or a delegation says.

use std::sync::Arc;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value as Json;

use crate::capability::Capability;
use crate::capability::tool_call::CallCaps;
use crate::node::{Node, Place, Value};
use crate::origin::{Located, Origin};
use crate::slice::{Layer, Party, Slice};
use crate::walk::{Site, Walk};

/// Below which word an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// It gives.
    Allow,
    /// It takes away, whatever gives.
    Deny,
}

impl Side {
    /// The key in a policy file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// An entry as somebody wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// Of which capability.
    pub capability: &'static str,
    /// Below which word.
    pub side: Side,
    /// The entry itself, its keys in order.
    pub entry: Json,
    /// What gives more than it seems to.
    pub dangers: Vec<String>,
    /// Where it stands, for denials.
    pub origin: Origin,
    /// Where it stands in its text.
    pub(crate) place: Place,
}

/// What one party says about one capability.
pub(crate) type Share<C> = Arc<[Located<C>]>;

/// Entries of one capability, each read by itself so that all mistakes are found.
fn entries<C: Capability>(
    node: &Node,
    side: Side,
    home: &Site,
    walk: &mut Walk,
    written: &mut Vec<Written>,
) -> Vec<Located<C>> {
    let mut all = Vec::new();
    for item in walk.list(node) {
        let Some(entry) = walk.read::<C::Entry>(item) else {
            continue;
        };
        let read = match side {
            Side::Allow => C::allow(entry),
            Side::Deny => C::deny(entry),
        };
        let value = match read {
            Ok(value) => value,
            Err(fault) => {
                walk.fault(item, fault);
                continue;
            }
        };
        let origin = home.origin(item.place);
        written.push(Written {
            capability: C::NAME,
            side,
            entry: item.to_json(),
            dangers: match side {
                Side::Allow => value.dangers(),
                Side::Deny => Vec::new(),
            },
            origin: origin.clone(),
            place: item.place,
        });
        all.push(Located { value, origin });
    }
    all
}

fn bound<C: Capability>(share: &Share<C>, side: Side, arguments: &Json) -> Share<C> {
    if !share
        .iter()
        .any(|entry| entry.value.is_bound_by_arguments())
    {
        return share.clone();
    }
    let narrow = |entry: &Located<C>| {
        let value = match (entry.value.bound(arguments), side) {
            (Some(value), _) => value,
            (None, Side::Allow) => return None,
            // An argument that is missing doesn't lift a deny.
            (None, Side::Deny) => entry.value.clone(),
        };
        Some(Located {
            value,
            origin: entry.origin.clone(),
        })
    };
    share.iter().filter_map(narrow).collect()
}

fn is_bound<C: Capability>(share: &Share<C>) -> bool {
    share
        .iter()
        .any(|entry| entry.value.is_bound_by_arguments())
}

fn slice<C: Capability>(allows: &Share<C>, denies: &Share<C>) -> Slice<C> {
    if allows.is_empty() {
        return Slice::nothing();
    }
    let first = Layer {
        party: Party::Policy,
        allows: allows.clone(),
    };
    Slice::new(first, denies.clone())
}

fn within<C: Capability>(slice: Slice<C>, party: Party, share: &Share<C>) -> Slice<C> {
    if slice.is_nothing() {
        return slice;
    }
    slice.within(Layer {
        party,
        allows: share.clone(),
    })
}

fn below<C: Capability>(slice: Slice<C>, caller: &Slice<C>, caps: &CallCaps) -> Slice<C> {
    if !caps.delegate.has(C::NAME) {
        slice.below(&Slice::nothing())
    } else if caps.own {
        slice
    } else {
        slice.below(caller)
    }
}

fn schema_of<C: Capability>(generator: &mut SchemaGenerator) -> Schema {
    let entry = generator.subschema_for::<C::Entry>();
    json_schema!({ "type": "array", "items": entry })
}

macro_rules! permissions {
    ($($field:ident: $kind:ty,)*) => {
        /// What a rule, a profile or a delegation says about each capability.
        #[derive(Debug, Clone, Default)]
        pub(crate) struct Permissions {
            $(pub(crate) $field: Vec<Located<$kind>>,)*
        }

        /// The entries that several parts say together.
        #[derive(Debug, Clone)]
        pub(crate) struct Shares {
            $(pub(crate) $field: Share<$kind>,)*
        }

        /// What a call may do with each capability.
        #[derive(Debug, Clone)]
        pub(crate) struct Slices {
            $(pub(crate) $field: Slice<$kind>,)*
        }

        /// The word of every capability, as policy files have it.
        pub const CAPABILITIES: &[&str] = &[$(<$kind as Capability>::NAME,)*];

        impl Permissions {
            /// Reads a map from capability to entries. `extra` keys are somebody else's.
            pub(crate) fn read(
                node: &Node,
                side: Side,
                extra: &[&str],
                home: &Site,
                walk: &mut Walk,
                written: &mut Vec<Written>,
            ) -> Self {
                let mut all = Self::default();
                if !matches!(node.value, Value::Map(_)) {
                    let kind = node.kind();
                    walk.mistake(node.place, format!("expected a map by capability, found {kind}"));
                }
                for (key, node) in node.fields() {
                    match key.text.as_str() {
                        $(<$kind as Capability>::NAME => {
                            all.$field = entries::<$kind>(node, side, home, walk, written);
                        })*
                        word if extra.contains(&word) => {}
                        word => walk.mistake(key.place, unknown(word, extra)),
                    }
                }
                all
            }
        }

        impl Shares {
            pub(crate) fn of<'a>(parts: impl Iterator<Item = &'a Permissions> + Clone) -> Self {
                Self {
                    $($field: parts.clone().flat_map(|part| part.$field.iter().cloned()).collect(),)*
                }
            }

            /// Without those whose word `keep` refuses.
            pub(crate) fn only(mut self, keep: impl Fn(&str) -> bool) -> Self {
                $(if !keep(<$kind as Capability>::NAME) {
                    self.$field = Arc::new([]);
                })*
                self
            }

            /// These for one call, narrowed by its arguments.
            pub(crate) fn bound(&self, side: Side, arguments: &Json) -> Self {
                Self { $($field: bound(&self.$field, side, arguments),)* }
            }

            /// Whether any of them depends on the arguments.
            pub(crate) fn is_bound(&self) -> bool {
                false $(|| is_bound(&self.$field))*
            }

            /// The words of those that say anything.
            pub(crate) fn words(&self) -> Vec<&'static str> {
                let mut words = Vec::new();
                $(if !self.$field.is_empty() {
                    words.push(<$kind as Capability>::NAME);
                })*
                words
            }
        }

        impl Slices {
            pub(crate) fn nothing() -> Self {
                Self { $($field: Slice::nothing(),)* }
            }

            pub(crate) fn new(allows: &Shares, denies: &Shares) -> Self {
                Self { $($field: slice(&allows.$field, &denies.$field),)* }
            }

            /// The same, short of what `party` doesn't carry.
            pub(crate) fn within(self, party: Party, shares: &Shares) -> Self {
                Self { $($field: within(self.$field, party, &shares.$field),)* }
            }

            /// The same for a tool that the tool with `caller` calls under these caps.
            pub(crate) fn below(self, caller: &Self, caps: &CallCaps) -> Self {
                Self { $($field: below(self.$field, &caller.$field, caps),)* }
            }

            /// The words of those that allow anything.
            pub(crate) fn words(&self) -> Vec<&'static str> {
                let mut words = Vec::new();
                $(if !self.$field.is_nothing() {
                    words.push(<$kind as Capability>::NAME);
                })*
                words
            }
        }

        /// The schema of a map from capability to entries.
        pub(crate) fn schema(generator: &mut SchemaGenerator) -> Schema {
            let mut properties = serde_json::Map::new();
            $(properties.insert(
                <$kind as Capability>::NAME.to_owned(),
                schema_of::<$kind>(generator).to_value(),
            );)*
            json_schema!({
                "type": "object",
                "properties": properties,
                "additionalProperties": false,
            })
        }
    };
}

permissions! {
    filesystem: crate::capability::filesystem::Filesystem,
    network: crate::capability::network::Network,
    sockets: crate::capability::sockets::Sockets,
    subprocess: crate::capability::subprocess::Subprocess,
    environment: crate::capability::environment::Environment,
    secrets: crate::capability::secrets::Secret,
    key_value: crate::capability::key_value::KeyValue,
    tool_call: crate::capability::tool_call::ToolCall,
    clocks: crate::capability::clocks::Clocks,
    random: crate::capability::random::Random,
}

fn unknown(word: &str, extra: &[&str]) -> String {
    let mut known = CAPABILITIES.to_vec();
    known.extend(extra);
    format!("unknown key `{word}`, expected one of {}", known.join(", "))
}
