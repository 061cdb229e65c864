//! What a component may be made of.

use wasmparser::WasmFeatures as F;

/// The proposals that toolchains of components need. Everything else is off: most memory-safety
/// faults of engines were found in what is off here. The engine has nothing more but what its own
/// adapters need.
pub(crate) fn validated() -> F {
    F::MUTABLE_GLOBAL
        | F::SATURATING_FLOAT_TO_INT
        | F::SIGN_EXTENSION
        | F::REFERENCE_TYPES
        | F::CALL_INDIRECT_OVERLONG
        | F::MULTI_VALUE
        | F::BULK_MEMORY
        | F::BULK_MEMORY_OPT
        | F::SIMD
        | F::FLOATS
        | F::EXTENDED_CONST
        | F::COMPONENT_MODEL
}
