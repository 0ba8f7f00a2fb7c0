//! The program: the only place that ends the process.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A rehearsal is a great many small objects, on a thread of their own; the system's allocator spends a quarter of it.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    // Two providers in one process make rustls panic: this one is chosen before anything speaks TLS.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        unreachable!("nothing was run before");
    }
    cozyscript::cli::main(std::env::args_os()).into()
}
