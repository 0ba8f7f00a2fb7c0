//! What our own words for envsubst and ssh-keygen say, held against those programs.

use std::{
    collections::BTreeMap,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use cozyscript::bindings::template::substitute::{Rules, Style, Unfilled, substitute};

use super::{shared, testbed::say};
use crate::support::Script;

const VALUES: [(&str, &str); 3] = [("A", "a"), ("B", "b c"), ("E", "")];

const TEMPLATES: [&str; 26] = [
    "${A}",
    "$A",
    "$$A",
    "$${A}",
    "$$$A",
    "$$${A}",
    "$$$$${B}",
    "a$",
    "a$ b",
    "$$",
    "$$$",
    "$1",
    "$(A)",
    "$A-B",
    "$A.x",
    "$_",
    "é$A é",
    "${E}",
    "$E|",
    "${E:-x}",
    "${A:-x}",
    "${NO:-x y}",
    "${NO:=${A}}",
    "${NO:-$A}",
    "${NO:-$$A}",
    "${NO:-a}b}",
];

/// What a program makes of a text; nothing if it refuses it.
fn reference(program: &Path, arguments: &[&str], text: &str) -> Option<String> {
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(VALUES)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

fn ours(text: &str, style: Style, otherwise: Option<&str>) -> Result<String, Unfilled> {
    let values = BTreeMap::from(VALUES);
    let lookup = |name: &str| values.get(name).copied().or(otherwise).map(str::to_owned);
    substitute(text, &Rules { style, only: None }, &lookup)
}

fn found(program: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file());
    if found.is_none() {
        say(&format!("real arm: skipped, because there is no `{program}`"));
    }
    found
}

#[test]
fn templates_are_filled_as_envsubst_fills_them() {
    let Some(envsubst) = found("envsubst") else { return };
    let text = TEMPLATES.join("\n");
    // Where we find fault with a name that has no value, it puts in nothing.
    assert_eq!(ours(&text, Style::Envsubst, Some("")).ok(), reference(&envsubst, &[], &text));
}

#[test]
fn templates_are_filled_as_flux_fills_them() {
    let Some(bed) = shared() else { return };
    let flux = bed.programs().join("flux");
    if !flux.is_file() {
        return say("real arm: skipped, because there is no `flux`");
    }
    let text = TEMPLATES.join("\n") + "\n";
    assert_eq!(ours(&text, Style::Flux, None).ok(), reference(&flux, &["envsubst", "--strict"], &text));
    for wrong in ["${NO}", "${A", "${}", "${ A }", "${A.B}", "${A-B}", "${A:-"] {
        assert_eq!(reference(&flux, &["envsubst", "--strict"], wrong), None, "{wrong}");
        assert!(ours(wrong, Style::Flux, None).is_err(), "{wrong}");
    }
}

#[test]
fn keys_are_those_that_ssh_keygen_reads() {
    let Some(keygen) = found("ssh-keygen") else { return };
    let folder = tempfile::tempdir().unwrap();
    let script = Script::new(&cozyscript::bindings::all(), folder.path());
    let made = r#"
        let key = ssh::key("flux@lab");
        fs::write("id", key.private);
        fs::write("id.pub", key.public + "\n");
        if ssh::public(key.private) != key.public { throw "another key" }
        fs::write("hosts", ssh::known_host("git.example.org:2222", key.public) + "\n" + ssh::known_host("::1", key.public) + "\n");
        [key.public, key.fingerprint]
    "#;
    let made: rhai::Array = script.value(made);
    let said = |arguments: &[&str]| {
        let output = Command::new(&keygen).args(arguments).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(said(&["-y", "-f", "id"]), made[0].to_string());
    assert_eq!(said(&["-l", "-f", "id.pub"]), format!("256 {} flux@lab (ED25519)", made[1]));
    assert!(said(&["-F", "[git.example.org]:2222", "-f", "hosts"]).contains("found: line 1"));
    assert!(said(&["-F", "::1", "-f", "hosts"]).contains("found: line 2"));

    said(&["-q", "-t", "ecdsa", "-N", "", "-C", "theirs", "-f", "other"]);
    let told = said(&["-l", "-f", "other.pub"]);
    let ours: String = script.value(r#"ssh::fingerprint(fs::read("other.pub"))"#);
    assert_eq!(told.split(' ').nth(1), Some(ours.as_str()));
    assert!(script.fault(r#"ssh::public("no key")"#).message.starts_with("the private key can't be read"));
    for wrong in [r#"ssh::known_host("a b", fs::read("id.pub"))"#, r#"ssh::known_host("a:b", fs::read("id.pub"))"#] {
        assert!(script.fault(wrong).hint.is_some(), "{wrong}");
    }
}
