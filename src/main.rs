//! The program: the only place that ends the process.

use std::process::ExitCode;

fn main() -> ExitCode {
    cozyscript::cli::main(std::env::args_os()).into()
}
