//! The program: the only place that ends the process.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Two providers in one process make rustls panic: this one is chosen before anything speaks TLS.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        unreachable!("nothing was run before");
    }
    cozyscript::cli::main(std::env::args_os()).into()
}
