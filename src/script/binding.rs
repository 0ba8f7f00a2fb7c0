//! A binding: a module of functions that scripts see.

use rhai::{Engine, Module};

/// What a folder below `bindings` gives to the engine.
pub struct Binding {
    /// The module's name in scripts: `k8s`. Functions marked global are also reachable without it.
    pub name: &'static str,
    /// One line for the reference.
    pub summary: &'static str,
    /// Fills the module.
    pub functions: fn(&mut Module),
    /// Names its types, so that messages speak of `Cluster` and not of a Rust path.
    pub types: fn(&mut Engine),
}

impl Binding {
    pub fn register(&self, engine: &mut Engine) {
        (self.types)(engine);
        let mut module = Module::new();
        (self.functions)(&mut module);
        engine.register_static_module(self.name, module.into());
    }
}
