//! How large the program is.

use std::path::Path;

use crate::{program, table::Row};

pub fn rows(_: &Path) -> Vec<Row> {
    let bytes = std::fs::metadata(program()).expect("the program was built").len();
    let size = format!("{:.1} MB", bytes as f64 / 1e6);
    vec![Row::new("release binary", size, String::new()).target("≤20 MB", bytes <= 20_000_000)]
}
