//! The language host: Rhai, its values and what is added to them.
