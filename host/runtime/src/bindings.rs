//! The host's side of `wit/tool.wit`, generated.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "sdk",
    imports: { default: trappable },
    exports: { default: async },
});
