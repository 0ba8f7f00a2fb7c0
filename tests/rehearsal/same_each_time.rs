//! Equal runbook, world and seed give equal transcripts, byte for byte.

use std::{collections::BTreeSet, sync::Mutex};

use super::{all_runbooks, side_by_side};
use crate::support::rehearsal::Play;

const SEEDS: u64 = 100;

/// Whatever could differ: branches side by side, chance, keys, pauses with jitter, names that a server makes, watches.
const CHANCES: &str = r#"
let cluster = k8s::connect();
let tries = 0;

step "side by side" {
    parallel for number in 0..6 {
        sleep(`${random::integer(1, 50)}ms`);
        let made = cluster.create(#{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ generateName: `map-${number % 2}-` } });
        print(`${number}: ${made.metadata.name} ${made.metadata.uid}`);
    }
}

step "again" retry 2 {
    tries += 1;
    if tries < 3 { fail("not yet"); }
}

step "keys" {
    for algorithm in ["ecdsa-p256", "ecdsa-p384", "ed25519"] {
        let lab = tls::authority("the lab's", #{ algorithm: algorithm });
        let site = tls::certificate("a.lab", lab, #{ algorithm: algorithm });
        print(site.certificate);
    }
    print(ssh::key("a@lab").public);
    print(random::text(12));
    fs::write("kept/notes.txt", `${time::now()} ${random::integer(1, 1000000)}`);
    print(fs::read("kept/notes.txt"));
    print(fs::temp().path);
}

step "pods" {
    cluster.apply(#{
        apiVersion: "apps/v1", kind: "Deployment", metadata: #{ name: "web" },
        spec: #{
            replicas: 3, selector: #{ matchLabels: #{ app: "web" } },
            template: #{ metadata: #{ labels: #{ app: "web" } }, spec: #{ containers: [#{ name: "web", image: "web:1" }] } },
        },
    });
    cluster.wait("deployment", "web");
    for pod in cluster.list("pods") { print(`${pod.metadata.name} on ${pod.spec.nodeName}`); }
}
"#;

#[test]
fn equal_seeds_give_equal_transcripts_and_others_others() {
    let folder = tempfile::tempdir().unwrap();
    let runbook = folder.path().join("chances.rhai");
    std::fs::write(&runbook, CHANCES).unwrap();
    let transcripts = Mutex::new(BTreeSet::new());
    side_by_side((0..SEEDS).collect(), |seed| {
        let told = Play::of(&runbook, seed).run();
        assert_eq!(told.status, 0, "of seed {seed}: {}", told.said);
        assert_eq!(told.said, Play::of(&runbook, seed).run().said, "of seed {seed}");
        transcripts.lock().unwrap().insert(told.said);
    });
    assert_eq!(transcripts.into_inner().unwrap().len() as u64, SEEDS, "each seed has a transcript of its own");
}

#[test]
fn every_runbook_says_the_same_the_second_time() {
    side_by_side(all_runbooks(), |runbook| {
        let said = || Play::of(&runbook, 7).run().said;
        assert_eq!(said(), said(), "{runbook}");
    });
}
