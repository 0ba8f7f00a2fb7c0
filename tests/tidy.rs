//! The house rules that no compiler checks. Each test collects everything that breaks its rule, then says what to do.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The crates beside the program's own.
const CRATES: [&str; 6] = ["documents", "kustomize", "simulator", "sops", "talos", "testbed"];

/// The folders with what people wrote.
const TEXTS: [&str; 17] = [
    "src",
    "tests",
    "benches",
    "examples",
    "stdlib",
    "runbooks",
    "documents/src",
    "kustomize/src",
    "kustomize/tests",
    "simulator/src",
    "simulator/tests",
    "sops/src",
    "sops/tests",
    "talos/proto",
    "talos/src",
    "talos/tests",
    "testbed/src",
];

/// Every file below a folder, by its path from the root; nothing that is hidden or built.
fn files(folder: &str) -> Vec<String> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("the folder can be listed").path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    let mut found: Vec<String> = found
        .iter()
        .map(|path| path.strip_prefix(root()).expect("it lies below").to_string_lossy().into_owned())
        .collect();
    found.sort();
    found
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn rust(folder: &str) -> Vec<(String, String)> {
    let paths = files(folder).into_iter().filter(|path| path.ends_with(".rs"));
    paths.map(|path| (path.clone(), read(&path))).collect()
}

#[track_caller]
fn none(broken: &[String], what_to_do: &str) {
    assert!(broken.is_empty(), "{what_to_do}:\n  {}\n", broken.join("\n  "));
}

/// The code of a source without its comments and texts.
fn code(text: &str) -> String {
    let without_comments = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    without_comments.collect::<Vec<_>>().join("\n")
}

/// The folders of the crate that a source names: `crate::x`, `crate::{x, y::z}`.
fn named(text: &str) -> BTreeSet<String> {
    let code = code(text);
    let mut named = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            named.insert(word(rest));
            continue;
        };
        let mut depth = 1;
        let mut item = String::new();
        for letter in group.chars() {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => {
                    named.insert(word(item.trim_start()));
                    item.clear();
                    continue;
                }
                _ => {}
            }
            if depth == 0 {
                named.insert(word(item.trim_start()));
                break;
            }
            item.push(letter);
        }
    }
    named.remove("");
    named
}

fn word(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

fn may_name() -> BTreeMap<String, BTreeSet<String>> {
    let text = read("src/ARCHITECTURE.md");
    let table = text.split("| folder | may name |").nth(1).expect("the table is there");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let mut cells = row
            .trim_matches('|')
            .split('|')
            .map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>());
        let folder = cells.next().and_then(|names| names.into_iter().next()).expect("a row names its folder");
        (folder, cells.next().expect("a row has two cells").into_iter().collect())
    })
    .collect()
}

fn folder_of(path: &str) -> String {
    let inner = path.strip_prefix("src/").expect("it lies in src");
    word(inner)
}

#[test]
fn every_folder_names_only_what_the_architecture_lets_it() {
    let table = may_name();
    let mut broken = Vec::new();
    for (path, text) in rust("src") {
        let folder = folder_of(&path);
        if folder == "main" || folder == "lib" {
            continue;
        }
        let Some(allowed) = table.get(&folder) else {
            broken.push(format!("{path}: `{folder}` is not in the table"));
            continue;
        };
        for name in named(&text) {
            if name != folder && !allowed.contains(&name) {
                broken.push(format!("{path} names `{name}`"));
            }
        }
    }
    none(&broken, "move it to where it may be known, or change the table in src/ARCHITECTURE.md and say why");
}

#[test]
fn a_binding_names_no_other_binding() {
    let mut broken = Vec::new();
    for (path, text) in rust("src/bindings") {
        let own = path.split('/').nth(2).unwrap_or_default().to_owned();
        for (at, _) in code(&text).match_indices("bindings::") {
            let other = word(&code(&text)[at + "bindings::".len()..]);
            if !own.ends_with(".rs") && !other.is_empty() && other != own {
                broken.push(format!("{path} names the binding `{other}`"));
            }
        }
    }
    none(&broken, "bindings meet in scripts");
}

#[test]
fn only_the_rehearsal_names_the_simulator() {
    let others = rust("src").into_iter().filter(|(path, _)| !path.starts_with("src/rehearsal/"));
    let broken: Vec<String> =
        others.filter(|(_, text)| code(text).contains("simulator::")).map(|(path, _)| path).collect();
    none(&broken, "go through `rehearsal`");
}

#[test]
fn only_bindings_name_what_talos_speaks() {
    let others = rust("src").into_iter().filter(|(path, _)| !path.starts_with("src/bindings/"));
    let broken: Vec<String> = others.filter(|(_, text)| code(text).contains("talos::")).map(|(path, _)| path).collect();
    none(&broken, "go through a script");
}

#[test]
fn what_talos_speaks_knows_no_world_and_no_runbook() {
    let broken: Vec<String> = rust("talos/src")
        .into_iter()
        .filter(|(_, text)| ["cozyscript", "simulator::", "rhai"].iter().any(|name| code(text).contains(name)))
        .map(|(path, _)| path)
        .collect();
    none(&broken, "leave it to those who use the crate");
}

#[test]
fn nothing_is_unfinished() {
    let marks = ["todo!(", "unimplemented!(", "dbg!(", "#[ignore", "FIXME", "XXX", "TODO"];
    let mut broken = Vec::new();
    for folder in TEXTS {
        for path in files(folder).into_iter().filter(|path| *path != "tests/tidy.rs") {
            let Ok(text) = fs::read_to_string(root().join(&path)) else { continue };
            for (number, line) in text.lines().enumerate() {
                for mark in marks.iter().filter(|mark| line.contains(**mark)) {
                    broken.push(format!("{path}:{}: {mark}", number + 1));
                }
            }
        }
    }
    none(&broken, "finish it, or take it out");
}

#[test]
fn only_the_screen_and_the_command_line_write_to_the_streams() {
    let mut broken = Vec::new();
    for (path, text) in rust("src") {
        if path.starts_with("src/ui/") || path.starts_with("src/cli/") {
            continue;
        }
        for macro_name in ["println!", "eprintln!", "print!(", "eprint!("] {
            if code(&text).contains(macro_name) {
                broken.push(format!("{path}: {macro_name}"));
            }
        }
    }
    none(&broken, "emit an event, or return a value");
    assert!(read("src/bindings/mod.rs").contains("#![deny(clippy::print_stdout, clippy::print_stderr)]"));
}

#[test]
fn the_world_is_reached_in_its_own_modules_only() {
    let owners = ["src/host/real.rs", "src/host/real/tcp.rs", "src/cli/beside.rs"];
    let mut broken = Vec::new();
    for (path, text) in rust("src") {
        let opts_out = text.contains("allow(clippy::disallowed") || text.contains("expect(clippy::disallowed");
        if opts_out && !owners.contains(&path.as_str()) {
            broken.push(format!("{path} lifts a ban of .clippy.toml"));
        }
    }
    none(&broken, "go through the host's ports; the owners of the world are listed in tests/tidy.rs");
    for ban in [
        "SystemTime::now",
        "Instant::now",
        "thread::sleep",
        "TcpStream::connect",
        "block_on",
        "env::var",
        "process::exit",
    ] {
        assert!(read(".clippy.toml").contains(ban), ".clippy.toml no longer bans {ban}");
    }
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let mut broken = Vec::new();
    let mut in_dependencies = false;
    let manifests = CRATES.map(|package| read(&format!("{package}/Cargo.toml")));
    for line in read("Cargo.toml").lines().chain(manifests.iter().flat_map(|manifest| manifest.lines())) {
        if line.starts_with('[') {
            in_dependencies = line.ends_with("dependencies]");
        } else if in_dependencies && line.contains('=') && !line.contains(" # ") {
            broken.push(line.to_owned());
        }
    }
    none(&broken, "write its reason behind it: `name = \"1\" # reason`");
}

#[test]
fn every_source_is_part_of_a_binary() {
    let mut broken = Vec::new();
    let sources = TEXTS.iter().filter(|folder| ["src", "tests", "benches"].iter().any(|name| folder.ends_with(name)));
    for folder in sources {
        let sources = rust(folder);
        let package = CRATES.into_iter().find(|package| folder.starts_with(package));
        let manifest = read(&package.map_or("Cargo.toml".to_owned(), |package| format!("{package}/Cargo.toml")));
        for (path, _) in &sources {
            let inside = package.map_or(path.as_str(), |package| &path[package.len() + 1..]);
            let file = Path::new(path);
            let name = file.file_stem().expect("a source has a name").to_string_lossy().into_owned();
            let parent = file.parent().expect("it lies in a folder").to_string_lossy().into_owned();
            let entry =
                manifest.contains(&format!("\"{inside}\"")) || inside == "src/lib.rs" || inside == "src/main.rs";
            let (module, owners) = match name.as_str() {
                "mod" => {
                    let above =
                        file.parent().and_then(Path::parent).unwrap_or(Path::new("")).to_string_lossy().into_owned();
                    (file.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned(), above)
                }
                _ => (name.clone(), parent.clone()),
            };
            let declares = |text: &str| {
                text.lines().any(|line| {
                    let line = line
                        .trim()
                        .trim_start_matches("pub ")
                        .trim_start_matches("pub(crate) ")
                        .trim_start_matches("pub(super) ");
                    line == format!("mod {module};")
                })
            };
            let declared = sources.iter().any(|(other, text)| {
                let beside = Path::new(other).parent().map(|parent| parent.to_string_lossy().into_owned());
                let as_folder = other.strip_suffix(".rs").map(str::to_owned);
                (beside.as_deref() == Some(&owners) || as_folder.as_deref() == Some(&owners)) && declares(text)
            });
            if !entry && !declared {
                broken.push(path.clone());
            }
        }
    }
    none(&broken, "declare it with `mod`, or take it out");
}

#[test]
fn every_data_file_is_used() {
    let tests: String = rust("tests").into_iter().map(|(_, text)| text).collect();
    let modules: BTreeSet<String> = files("stdlib").into_iter().collect();
    let mut broken = Vec::new();
    for path in &modules {
        if let Some(name) = path.strip_suffix(".rhai").filter(|name| !name.ends_with("_test"))
            && !modules.contains(&format!("{name}_test.rhai"))
        {
            broken.push(format!("{path} has no {name}_test.rhai"));
        }
    }
    for path in files("tests/transcripts") {
        let name = Path::new(&path).file_name().expect("a file has a name").to_string_lossy().into_owned();
        if !tests.contains(&name) {
            broken.push(format!("{path} is compared with nothing"));
        }
    }
    none(&broken, "use it, or take it out");
}

#[test]
fn the_root_holds_what_a_reader_looks_for() {
    let expected: BTreeSet<&str> = [
        "CHANGELOG.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "README.md",
        "benches",
        "documents",
        "examples",
        "kustomize",
        "runbooks",
        "simulator",
        "sops",
        "src",
        "stdlib",
        "talos",
        "target",
        "testbed",
        "tests",
    ]
    .into();
    let broken: Vec<String> = fs::read_dir(root())
        .expect("the root can be listed")
        .map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.') && !expected.contains(name.as_str()))
        .collect();
    none(&broken, "tool configuration is hidden; everything else has a folder");
}

#[test]
fn the_repository_names_no_machine() {
    let mut broken = Vec::new();
    for folder in TEXTS {
        for path in files(folder) {
            let Ok(text) = fs::read_to_string(root().join(&path)) else { continue };
            for (number, line) in text.lines().enumerate() {
                let homes = ["home", "root", "Users"].map(|top| format!("/{top}/"));
                if homes.iter().any(|home| line.contains(home.as_str())) {
                    broken.push(format!("{path}:{}: {}", number + 1, line.trim()));
                }
            }
        }
    }
    none(&broken, "no path of a machine belongs here");
}

#[test]
fn the_readme_shows_the_example_as_it_is() {
    let shown =
        read("README.md").split("```rhai\n").nth(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned());
    assert_eq!(shown.as_deref(), Some(read("examples/hello.rhai").as_str()), "copy the example into the README");
}
