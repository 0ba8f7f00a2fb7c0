//! Where imports come from.

use crate::support::program::Runbook;

const SAYS: &str = "import \"words\" as words; print(words::say());";

fn say(what: &str) -> String {
    format!("fn say() {{ \"{what}\" }}")
}

#[test]
fn a_module_is_looked_for_beside_the_importing_file_and_then_on_the_search_path() {
    let book = Runbook::new(SAYS).file("first/words.rhai", &say("first")).file("second/words.rhai", &say("second"));
    let searching = ["--library", "second", "--library", "first"];
    book.run().args(searching).done().stdout("second\n");
    book.run()
        .fails(2)
        .stderr_has("there is nothing to import as `words`")
        .stderr_has("looked in the standard library");
    book.write("words.rhai", &say("beside"));
    book.run().args(searching).done().stdout("beside\n");
}

#[test]
fn a_module_imports_what_lies_beside_it() {
    let book = Runbook::new("import \"lib/outer\" as outer; print(outer::say());")
        .file("lib/outer.rhai", "import \"inner\" as inner; fn say() { import \"inner\" as inner; inner::say() }")
        .file("lib/inner.rhai", &say("from the inside"))
        .file("inner.rhai", &say("from the outside"));
    book.run().done().stdout("from the inside\n");
}

#[test]
fn a_standard_module_is_replaced_by_one_that_is_named_and_not_by_what_lies_beside() {
    let book = Runbook::new("import \"kubernetes\" as kubernetes; print(\"ready\");")
        .file("kubernetes.rhai", "nonsense(")
        .file("own/kubernetes.rhai", "print(\"my own\");");
    book.run().done().stdout("ready\n");
    book.run().args(["--library", "own"]).done().stdout("my own\nready\n");
}
