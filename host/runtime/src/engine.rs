//! The engine's settings. The compiler child and the host must agree on every one of them, or the
//! host refuses what the child compiled.

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, WasmFeatures,
};

use crate::error::Error;
use crate::schedule::guests_max;

/// Stack of a guest in bytes. Interpreters compiled to wasm recurse deeply; half of this is the
/// engine's own default.
const WASM_STACK_BYTES: usize = 1 << 20;
/// Stack of the fiber a guest runs on: the guest's own and as much again for host functions.
const FIBER_STACK_BYTES: usize = 2 << 20;
/// Largest single memory in bytes that any limit can allow; the address space is set aside.
pub(crate) const MEMORY_BYTES_MAX: usize = 1 << 30;
/// Largest table in elements; the tables of an interpreter with a few thousand functions fit.
const TABLE_ELEMENTS_MAX: usize = 20_000;
/// Core instances, memories and tables of one component: toolchains make up to a dozen.
pub(crate) const CORE_INSTANCES_MAX: u32 = 64;
const MEMORIES_MAX: u32 = 16;
const TABLES_MAX: u32 = 64;
/// Kept mapped in a slot between calls: resetting this much is cheaper than faulting it in again.
const MEMORY_RESIDENT_BYTES: usize = 256 << 10;
const TABLE_RESIDENT_BYTES: usize = 16 << 10;
const STACK_RESIDENT_BYTES: usize = 32 << 10;

/// The proposals that are on, as the engine names them; `features.rs` says why these.
fn features() -> WasmFeatures {
    WasmFeatures::MUTABLE_GLOBAL
        | WasmFeatures::SATURATING_FLOAT_TO_INT
        | WasmFeatures::SIGN_EXTENSION
        | WasmFeatures::REFERENCE_TYPES
        | WasmFeatures::CALL_INDIRECT_OVERLONG
        | WasmFeatures::MULTI_VALUE
        | WasmFeatures::BULK_MEMORY
        | WasmFeatures::BULK_MEMORY_OPT
        | WasmFeatures::SIMD
        | WasmFeatures::FLOATS
        | WasmFeatures::EXTENDED_CONST
        // The engine's own adapters between the parts of a composed component need it. A module
        // that uses it itself does not get here: validation refuses it.
        | WasmFeatures::MULTI_MEMORY
        | WasmFeatures::COMPONENT_MODEL
}

fn config() -> Config {
    let mut config = Config::new();
    config.wasm_features(WasmFeatures::all(), false);
    config.wasm_features(features(), true);
    config.concurrency_support(false);
    config.consume_fuel(true);
    config.epoch_interruption(true);
    config.max_wasm_stack(WASM_STACK_BYTES);
    config.async_stack_size(FIBER_STACK_BYTES);
    config
}

/// The engine of the compiler child: it compiles and never runs anything.
pub(crate) fn compiler() -> Result<Engine, Error> {
    Engine::new(&config()).map_err(Error::engine)
}

/// The engine of the host, with places for `live` guests at once that no tool called.
pub(crate) fn host(live: u32) -> Result<Engine, Error> {
    let live = guests_max(live);
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(live);
    pool.total_stacks(live);
    pool.total_core_instances(live.saturating_mul(4).max(CORE_INSTANCES_MAX));
    pool.total_memories(live.saturating_mul(2).max(MEMORIES_MAX));
    pool.total_tables(live.saturating_mul(4).max(TABLES_MAX));
    pool.max_core_instances_per_component(CORE_INSTANCES_MAX);
    pool.max_memories_per_component(MEMORIES_MAX);
    pool.max_tables_per_component(TABLES_MAX);
    pool.max_tables_per_module(TABLES_MAX);
    pool.max_memories_per_module(1);
    pool.max_memory_size(MEMORY_BYTES_MAX);
    pool.table_elements(TABLE_ELEMENTS_MAX);
    pool.linear_memory_keep_resident(MEMORY_RESIDENT_BYTES);
    pool.table_keep_resident(TABLE_RESIDENT_BYTES);
    pool.async_stack_keep_resident(STACK_RESIDENT_BYTES);
    pool.pagemap_scan(Enabled::Auto);
    let mut config = config();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config).map_err(Error::engine)
}
