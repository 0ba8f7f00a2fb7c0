//! The standard library, by its own tests and by the examples in its documentation.

use super::{Scripts, shared};

const KUBERNETES: &str = include_str!("../../stdlib/kubernetes.rhai");
const KUBERNETES_TEST: &str = include_str!("../../stdlib/kubernetes_test.rhai");

#[test]
fn every_test_of_the_standard_library_passes() {
    let Some(bed) = shared() else { return };
    let mut wrong = Vec::new();
    let tests = KUBERNETES_TEST.lines().filter_map(|line| line.strip_prefix("fn test_")?.split('(').next());
    for (number, test) in tests.enumerate() {
        let space = bed.space(&format!("stdlib-{number}"));
        let call = format!("test_{test}(k8s::connect(#{{ namespace: \"{space}\" }}))");
        let text = format!("{KUBERNETES_TEST}\n{call}");
        if let Some(diagnostic) = bed.script().diagnostic("kubernetes_test.rhai", &text) {
            wrong.push(format!("{test}: {}", diagnostic.message));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_function_of_the_standard_library_has_an_example_that_runs() {
    let Some(bed) = shared() else { return };
    let space = bed.space("stdlib-examples");
    let (mut documented, mut wrong) = (0, Vec::new());
    for documentation in KUBERNETES.split("\n\n").filter(|part| part.starts_with("///")) {
        let Some((_, function)) = documentation.split_once("\nfn ") else { continue };
        let name = function.split('(').next().unwrap();
        documented += 1;
        let lines = documentation.lines().map_while(|line| line.strip_prefix("///")).map(str::trim_start);
        let example: Vec<&str> =
            lines.skip_while(|line| *line != "```rhai cluster").skip(1).take_while(|line| *line != "```").collect();
        let script = example.join("\n");
        let start =
            format!("import \"kubernetes\" as kubernetes; let cluster = k8s::connect(#{{ namespace: \"{space}\" }});");
        match (example.is_empty(), bed.script().run(&format!("{start}\n{script}"))) {
            (false, Ok(_)) => {}
            (true, _) => wrong.push(format!("{name}: it has no example")),
            (_, Err(error)) => wrong.push(format!("{name}: {error}")),
        }
    }
    let public = KUBERNETES.lines().filter(|line| line.starts_with("fn ")).count();
    assert_eq!(documented, public, "every function that is not private is documented");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
