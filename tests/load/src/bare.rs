//! The baseline: the engine with nothing of ours around it. A fresh store and instance for every
//! call, with fuel, epoch, a memory limit and captured output, set as the host sets them.

use anyhow::Result;
use wasmtime::component::{Component, InstancePre, Linker, ResourceTable};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store,
    StoreLimits, StoreLimitsBuilder,
};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use wasmtime::component::HasSelf;

/// The bindings a person would generate who embeds the engine by hand.
mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "sdk",
        imports: { default: trappable },
        exports: { default: async },
    });
}

use bindings::cofferdam::tool::{log, progress};

/// How instances get their memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allocation {
    Pooling,
    OnDemand,
}

struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    limits: StoreLimits,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl log::Host for State {
    fn write(&mut self, _: log::Level, _: String, _: String) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl progress::Host for State {
    fn report(&mut self, _: f64, _: Option<f64>, _: String) -> wasmtime::Result<()> {
        Ok(())
    }
}

/// A component ready to be called.
pub(crate) struct Bare {
    engine: Engine,
    tools: bindings::SdkPre<State>,
}

impl Bare {
    pub(crate) fn new(component: &[u8], allocation: Allocation) -> Result<Self> {
        let mut config = Config::new();
        config.concurrency_support(false);
        config.consume_fuel(true);
        config.epoch_interruption(true);
        if allocation == Allocation::Pooling {
            let mut pool = PoolingAllocationConfig::default();
            pool.linear_memory_keep_resident(256 << 10);
            pool.table_keep_resident(16 << 10);
            pool.async_stack_keep_resident(32 << 10);
            pool.pagemap_scan(Enabled::Auto);
            config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        }
        let engine = Engine::new(&config)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        log::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
        progress::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
        let component = Component::new(&engine, component)?;
        let prepared: InstancePre<State> = linker.instantiate_pre(&component)?;
        Ok(Self {
            engine,
            tools: bindings::SdkPre::new(prepared)?,
        })
    }

    /// One call: what it answers, as text.
    pub(crate) async fn call(&self, function: &str, arguments: &str) -> Result<String> {
        let wasi = WasiCtxBuilder::new()
            .stdout(MemoryOutputPipe::new(64 << 10))
            .stderr(MemoryOutputPipe::new(64 << 10))
            .build();
        let limits = StoreLimitsBuilder::new().memory_size(64 << 20).build();
        let mut store = Store::new(
            &self.engine,
            State {
                wasi,
                table: ResourceTable::new(),
                limits,
            },
        );
        store.limiter(|state| &mut state.limits);
        store.set_fuel(10_000_000_000)?;
        store.epoch_deadline_async_yield_and_update(2);
        let instance = self.tools.instantiate_async(&mut store).await?;
        let answer = instance
            .cofferdam_tool_tools()
            .call_call(&mut store, function, arguments)
            .await?;
        answer.map_err(|error| anyhow::anyhow!("{}: {}", error.code, error.message))
    }
}
