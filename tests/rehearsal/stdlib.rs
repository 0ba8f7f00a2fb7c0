//! The standard library's policy, by its own tests: each is rehearsed in a world of its own, which lies in the folder `stdlib`.

use std::{fs, path::Path};

use super::side_by_side;
use crate::support::{program::Runbook, rehearsal::Play};

/// The modules whose tests are rehearsed, by their worlds.
fn modules() -> Vec<String> {
    let worlds = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rehearsal/stdlib");
    let names = fs::read_dir(worlds).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut modules: Vec<String> = names.map(|name| name.trim_end_matches(".world.yaml").to_owned()).collect();
    modules.sort();
    modules
}

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
}

#[test]
fn every_test_of_a_module_passes_in_its_world() {
    let modules = modules().into_iter().map(|module| {
        let world = text(&format!("tests/rehearsal/stdlib/{module}.world.yaml"));
        (text(&format!("stdlib/{module}_test.rhai")), module, world)
    });
    let tests = modules.flat_map(|(script, module, world)| {
        let names = script.lines().filter_map(|line| line.strip_prefix("fn ")?.split_once(") {").map(|(head, _)| head));
        let tests = names.filter_map(|head| head.strip_prefix("test_")?.split_once('('));
        let tests: Vec<_> = tests.map(|(name, given)| (name.to_owned(), !given.is_empty())).collect();
        assert!(!tests.is_empty(), "{module} has no tests");
        tests.into_iter().map(move |test| (module.clone(), script.clone(), world.clone(), test))
    });
    side_by_side(tests.collect(), |(module, script, world, (test, takes_a_cluster))| {
        let folder = tempfile::tempdir().unwrap();
        let runbook = folder.path().join("test.rhai");
        let given = if takes_a_cluster { "k8s::connect()" } else { "" };
        fs::write(&runbook, format!("{script}\nstep \"test\" {{ test_{test}({given}); }}\n")).unwrap();
        fs::write(folder.path().join("test.world.yaml"), world).unwrap();
        let told = Play::of(&runbook, 1).run();
        assert_eq!(told.status, 0, "{module}: {test}\n{}", told.said);
    });
}

#[test]
fn every_function_of_a_module_is_documented_with_an_example_that_fits() {
    for module in modules() {
        let source = text(&format!("stdlib/{module}.rhai"));
        let mut documented = 0;
        let mut examples = format!("import \"{module}\" as {module};\nlet cluster = k8s::connect();\n");
        for documentation in source.split("\n\n").filter(|part| part.starts_with("///")) {
            let Some((_, function)) = documentation.split_once("\nfn ") else { continue };
            let name = function.split('(').next().unwrap();
            documented += 1;
            for section in ["# Parameters", "# Example"] {
                assert!(documentation.contains(section), "{module}::{name}: it has no section `{section}`");
            }
            let lines = documentation.lines().map_while(|line| line.strip_prefix("///"));
            let lines = lines.map(|line| line.strip_prefix(' ').unwrap_or(line));
            let example: Vec<&str> =
                lines.skip_while(|line| *line != "```rhai cluster").skip(1).take_while(|line| *line != "```").collect();
            assert!(!example.is_empty(), "{module}::{name}: its example is empty");
            // Steps have names of their own.
            let example = example.join("\n").replace("step \"", &format!("step \"{documented} "));
            examples += &format!("{{\n{example}\n}}\n");
        }
        let public = source.lines().filter(|line| line.starts_with("fn ")).count();
        assert_eq!(documented, public, "{module}: every function that is not private is documented");
        Runbook::new(&examples).call(["check", "book.rhai"]).done();
    }
}
