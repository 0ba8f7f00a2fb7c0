//! How the program is linked.

#[expect(clippy::disallowed_methods, reason = "cargo tells its build scripts what is built by their environment")]
fn main() {
    println!("cargo::rerun-if-changed=.cargo");
    let is = |key: &str, value: &str| std::env::var(key).is_ok_and(|found| found == value);
    // At an address that is known ahead: nothing is relocated at each start, and no table of it is kept.
    if is("CARGO_CFG_TARGET_OS", "linux") && is("PROFILE", "release") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
        // And without the frames' tables and their index: a panic unwinds none of them.
        println!("cargo::rustc-link-arg-bins=-Wl,--no-eh-frame-hdr");
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{}/.cargo/frames.ld", env!("CARGO_MANIFEST_DIR"));
    }
}
