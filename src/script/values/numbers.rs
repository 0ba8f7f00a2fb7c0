//! Unsigned integers beyond `i64`, compared with the numbers that scripts write.

use rhai::Engine;

/// Registers `==`, `<` and the like between `u64` and integers or floats, in both orders.
pub fn register(engine: &mut Engine) {
    macro_rules! compare {
        ($($operator:literal $compare:tt),*) => {$(
            engine.register_fn($operator, |left: u64, right: i64| i128::from(left) $compare i128::from(right));
            engine.register_fn($operator, |left: i64, right: u64| i128::from(left) $compare i128::from(right));
            engine.register_fn($operator, |left: u64, right: f64| (left as f64) $compare right);
            engine.register_fn($operator, |left: f64, right: u64| left $compare (right as f64));
        )*};
    }
    compare!("==" ==, "!=" !=, "<" <, "<=" <=, ">" >, ">=" >=);
}
