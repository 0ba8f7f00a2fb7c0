//! What is read, made, changed and judged, held against the real talosctl, which is given the same.

mod generate;
mod patch;
mod reading;
mod secrets;
mod talosconfig;
mod validate;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519};
use serde_json::Value;
use talos::{
    secrets::{Algorithm, Secrets, Source},
    yaml,
};

/// talosctl, and a folder to work in.
struct Talosctl {
    program: PathBuf,
    folder: tempfile::TempDir,
}

/// What it said.
struct Said {
    fine: bool,
    out: String,
    err: String,
}

impl Talosctl {
    /// None, and told, if it isn't there.
    fn find() -> Option<Self> {
        let program = testbed::programs()?.assets.join("talosctl");
        if !program.exists() {
            testbed::say("real arm: skipped, because `talosctl` is not there");
            return None;
        }
        Some(Self { program, folder: tempfile::tempdir().unwrap() })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn run(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(self.folder.path()).env("HOME", self.folder.path());
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said { fine: output.status.success(), out: text(output.stdout), err: text(output.stderr) }
    }

    fn read(&self, name: impl AsRef<Path>) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }
}

/// Counts up: what is made of it differs, and is the same each time. Signatures of keys are left to chance.
struct Counting(Mutex<u8>);

fn source() -> Counting {
    Counting(Mutex::new(0))
}

impl Source for Counting {
    type Signer = KeyPair;

    fn fill(&self, bytes: &mut [u8]) {
        let mut next = self.0.lock().unwrap();
        for byte in bytes {
            *next = next.wrapping_mul(5).wrapping_add(17);
            *byte = *next;
        }
    }

    fn key(&self, algorithm: Algorithm) -> Vec<u8> {
        let algorithm = match algorithm {
            Algorithm::EcdsaP256 => &PKCS_ECDSA_P256_SHA256,
            Algorithm::Ed25519 => &PKCS_ED25519,
        };
        KeyPair::generate_for(algorithm).unwrap().serialize_der()
    }

    fn signer(&self, pkcs8: &[u8]) -> Result<KeyPair, rcgen::Error> {
        KeyPair::try_from(pkcs8)
    }

    fn now(&self) -> u64 {
        std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()
    }
}

fn secrets() -> Secrets {
    Secrets::generate(&source()).unwrap()
}

/// Every document of a text.
fn values(text: &str) -> Vec<Value> {
    yaml::read(text).unwrap_or_else(|error| panic!("{error}:\n{text}")).iter().map(yaml::Node::value).collect()
}

/// Where two are not the same.
fn differences(ours: &[Value], theirs: &[Value]) -> Vec<String> {
    let mut found = Vec::new();
    compare(&Value::from(ours), &Value::from(theirs), "", &mut found);
    found
}

fn compare(ours: &Value, theirs: &Value, path: &str, found: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(one), Value::Object(other)) => {
            for name in one.keys().chain(other.keys().filter(|name| !one.contains_key(*name))) {
                match (one.get(name), other.get(name)) {
                    (Some(one), Some(other)) => compare(one, other, &format!("{path}.{name}"), found),
                    (one, other) => found.push(format!("{path}.{name}: ours {one:?}, theirs {other:?}")),
                }
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                compare(one, other, &format!("{path}[{index}]"), found);
            }
        }
        (one, other) if one == other => {}
        (one, other) => found.push(format!("{path}: ours {one}, theirs {other}")),
    }
}
