//! Texts that somebody mutilated: they are read or refused, and nothing else happens.

use talos::{
    configuration::{Configuration, Contract},
    patch::{Patch, apply},
    secrets::Secrets,
    talosconfig,
    validate::{Findings, Mode, validate},
};

use super::secrets;

const RICH: &str = include_str!("rich.yaml");
const PATCHES: &str = "machine: { network: { interfaces: [{ interface: eth0, $patch: delete }] }, nodeLabels: { a: b } }\n---\n\
                       apiVersion: v1alpha1\nkind: VolumeConfig\nname: EPHEMERAL\nprovisioning: { minSize: 10GB }\n";
const STEPS: &str =
    "- { op: add, path: /machine/certSANs/-, value: x }\n- { op: move, from: /machine/install, path: /machine/x }\n";

const SELECTOR: &str = "disk.size > 100u * GiB && !system_disk && disk.symlinks.exists(s, s.startsWith('/dev/x'))\n\
                        \x20 || (has(disk.wwid) ? [1, 2.5, b'x'][0] == 5 : {'a': -1}['a'] in [0x1F, null])";

/// What mutations put in.
const PIECES: [&str; 24] = [
    "{",
    "}",
    "[",
    "]",
    ": ",
    "- ",
    "\n",
    "  ",
    "&a ",
    "*a",
    "<<: ",
    "!!binary ",
    "'",
    "\"",
    "|\n",
    "---\n",
    "$patch: delete",
    "null",
    "~",
    "0x",
    "-1",
    "1e999",
    "9223372036854775808",
    "\u{0}ü",
];

/// So many in a run of the tests; `COZYSCRIPT_MUTATIONS` says another number.
const USUALLY: u64 = 2_000;

fn mutated(text: &str, chance: &mut fastrand::Rng) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..chance.usize(1..8) {
        let at = chance.usize(0..=letters.len());
        match chance.u8(0..4) {
            0 if at < letters.len() => letters[at] = chance.char('\u{1}'..'\u{ff}'),
            1 => {
                let end = (at + chance.usize(0..40)).min(letters.len());
                letters.drain(at..end);
            }
            2 => {
                let end = (at + chance.usize(0..200)).min(letters.len());
                let piece = letters[at..end].to_vec();
                let to = chance.usize(0..=letters.len());
                letters.splice(to..to, piece);
            }
            _ => {
                letters.splice(at..at, chance.choice(PIECES).unwrap().chars());
            }
        }
    }
    letters.into_iter().collect()
}

#[test]
fn mutilated_texts_are_read_or_refused() {
    let count = std::env::var("COZYSCRIPT_MUTATIONS").map_or(USUALLY, |count| count.parse().unwrap());
    let config = super::talosconfig::text();
    let bundle = secrets().write();
    let good = Patch::read(PATCHES, Contract::V1_12).unwrap();
    let threads = std::thread::available_parallelism().unwrap().get() as u64;
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (config, bundle, good) = (&config, &bundle, &good);
            scope.spawn(move || {
                let mut chance = fastrand::Rng::with_seed(thread);
                for _ in 0..count / threads {
                    one(chance.u8(0..6), config, bundle, good, &mut chance);
                }
            });
        }
    });
}

fn one(kind: u8, config: &str, bundle: &str, good: &Patch, chance: &mut fastrand::Rng) {
    match kind {
        0 => {
            let text = mutated(config, chance);
            if let Ok(mut config) = talosconfig::read(&text) {
                if let Ok((_, context)) = config.chosen(None) {
                    let _ = (context.endpoints(), context.authority(), context.identity().is_ok());
                }
                config.merge(&config.clone());
                assert_eq!(talosconfig::read(&config.text()).as_ref(), Ok(&config), "{text}");
            }
        }
        1 => drop(Secrets::read(&mutated(bundle, chance))),
        2 => {
            let text = mutated(RICH, chance);
            let _ = apply(&text, std::slice::from_ref(good), Contract::V1_12);
            if let Ok(read) = Configuration::read(&text, Contract::V1_12) {
                let _ = validate(&read, Mode::Metal, true);
                Configuration::read(&read.text(), Contract::V1_12).unwrap_or_else(|error| panic!("{error}\n{text}"));
            }
        }
        3 => drop(judged(&mutated(SELECTOR, chance))),
        kind => {
            let (text, base) = match kind {
                4 => (mutated(PATCHES, chance), RICH),
                _ => (mutated(STEPS, chance), RICH.split("---\n").next().unwrap()),
            };
            if let Ok(patch) = Patch::read(&text, Contract::V1_12) {
                let _ = apply(base, &[patch], Contract::V1_12);
            }
        }
    }
}

/// What is wrong with a volume whose disk is chosen so; nothing, if YAML has no such letters.
fn judged(selector: &str) -> Option<Findings> {
    let chosen = serde_json::to_string(selector).unwrap();
    let text = format!(
        "apiVersion: v1alpha1\nkind: UserVolumeConfig\nname: a\n\
         provisioning: {{ maxSize: 1GB, diskSelector: {{ match: {chosen} }} }}\n"
    );
    let read = Configuration::read(&text, Contract::V1_12).ok()?;
    Some(validate(&read, Mode::Metal, true))
}

#[test]
fn what_nests_deeper_than_anybody_writes_is_left_to_the_machine() {
    for (before, middle, after) in [
        ("(", "true", ")"),
        ("!", "true", ""),
        ("!(", "true", ")"),
        ("", "true", " && true"),
        ("", "disk", ".x"),
        ("", "disk", "[0]"),
        ("[", "", "]"),
        ("true ? true : ", "true", ""),
        ("", "disk.symlinks", ".map(s, s)"),
    ] {
        for depth in [10, 90, 200, 1_000, 100_000] {
            let text = format!("{}{middle}{}", before.repeat(depth), after.repeat(depth));
            let found = judged(&text).unwrap();
            assert!(depth < 100_000 || found.errors.is_empty(), "{depth} times {before}{after}: {}", found.text());
        }
    }
}
