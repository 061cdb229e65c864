//! How large a type may be: parts are shared, so a short component can name an endless type.

use std::sync::Arc;

use crate::{Field, Signature, Type};

/// Most nodes of a signature with every part written out, as its schema writes it: a type, a field,
/// a case and a name are one each, and one more for each 64 bytes of a name. Signatures of real
/// components have fewer than a hundred; at 60 to 400 bytes of schema for each node, this many are
/// what a model or a person could still be shown.
pub const NODES_MAX: usize = 2_000;
/// Deepest nesting of types; a scalar is 1. Real components stay below 10. Each level is up to four
/// levels of schema and two of JSON, and so this many keep within the 64 of any JSON the host takes.
pub const DEPTH_MAX: usize = 14;

/// A longer name counts as more than one node: the schema writes it out at each use.
const NODE_NAME_BYTES: usize = 64;

/// A type past its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooLarge {
    /// More than [`NODES_MAX`] nodes.
    #[error("its types have more than {NODES_MAX} parts with everything written out")]
    Nodes,
    /// Deeper than [`DEPTH_MAX`].
    #[error("its types nest deeper than {DEPTH_MAX}")]
    Depth,
}

impl Type {
    /// The count of nodes with every part written out, which stops at one more than [`NODES_MAX`]:
    /// the whole count of a type may take years.
    pub fn nodes(&self) -> usize {
        let mut walk = Walk {
            left: NODES_MAX,
            depth_max: usize::MAX,
        };
        match walk.of(self, 1) {
            Ok(()) => NODES_MAX - walk.left,
            Err(_) => NODES_MAX + 1,
        }
    }

    /// Whether the type keeps within its bounds.
    pub fn check(&self) -> Result<(), TooLarge> {
        Walk::bounded().of(self, 1)
    }
}

impl Signature {
    /// Whether parameters and result together keep within the bounds of a type.
    pub fn check(&self) -> Result<(), TooLarge> {
        let mut walk = Walk::bounded();
        walk.fields(&self.params, 1)?;
        self.result.iter().try_for_each(|ty| walk.of(ty, 1))
    }
}

struct Walk {
    left: usize,
    depth_max: usize,
}

impl Walk {
    fn bounded() -> Self {
        Self {
            left: NODES_MAX,
            depth_max: DEPTH_MAX,
        }
    }

    fn of(&mut self, ty: &Type, depth: usize) -> Result<(), TooLarge> {
        if depth > self.depth_max {
            return Err(TooLarge::Depth);
        }
        self.count(1)?;
        let deeper = depth + 1;
        match ty {
            Type::Bool
            | Type::S8
            | Type::U8
            | Type::S16
            | Type::U16
            | Type::S32
            | Type::U32
            | Type::S64
            | Type::U64
            | Type::F32
            | Type::F64
            | Type::Char
            | Type::String => Ok(()),
            Type::List(item) | Type::Option(item) => self.of(item, deeper),
            Type::Tuple(items) => items.iter().try_for_each(|item| self.of(item, deeper)),
            Type::Record(fields) => self.fields(fields, deeper),
            Type::Variant(cases) => cases.iter().try_for_each(|case| {
                self.name(&case.name)?;
                case.ty.iter().try_for_each(|ty| self.of(ty, deeper))
            }),
            Type::Enum(names) | Type::Flags(names) => {
                names.iter().try_for_each(|name| self.name(name))
            }
            Type::Result { ok, err } => {
                let mut payloads = ok.iter().chain(err);
                payloads.try_for_each(|ty: &Arc<Type>| self.of(ty, deeper))
            }
        }
    }

    fn fields(&mut self, fields: &[Field], depth: usize) -> Result<(), TooLarge> {
        fields.iter().try_for_each(|field| {
            self.name(&field.name)?;
            self.of(&field.ty, depth)
        })
    }

    fn name(&mut self, name: &str) -> Result<(), TooLarge> {
        self.count(1 + name.len() / NODE_NAME_BYTES)
    }

    fn count(&mut self, nodes: usize) -> Result<(), TooLarge> {
        self.left = self.left.checked_sub(nodes).ok_or(TooLarge::Nodes)?;
        Ok(())
    }
}
