//! The host's side of `wit/tool.wit`, generated.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "sdk",
    imports: {
        "cofferdam:tool/key-value": async | trappable,
        "cofferdam:tool/process": async | trappable,
        "cofferdam:tool/secrets": async | trappable,
        default: trappable,
    },
    exports: { default: async },
});
