//! What a resumed run takes from its journal, from where it runs, and what it says of that.

use std::fs;

use crate::support::program::Runbook;

/// Three steps with values, the last of which fails until it is mended.
const BOOK: &str = r#"
let base = 1;
fn double(n) { n * 2 }
// Finds it.
let found = step "find" { print("find"); base + 10 };
step "use" { print(`use ${double(found)}`); }
step "end" { print("end"); throw "broken"; }
"#;

fn failed(text: &str, printed: &str) -> Runbook {
    let book = Runbook::new(text);
    book.run().fails(1).stdout(printed).stderr_has("broken");
    book
}

#[track_caller]
fn mended(book: &Runbook) {
    book.edit("throw \"broken\";", "");
}

#[test]
fn finished_steps_are_replayed_with_their_values() {
    let book = failed(BOOK, "find\nuse 22\nend\n");
    mended(&book);
    let ended = book.resume().done().stdout("end\n");
    ended
        .stderr_has("step find: replayed")
        .stderr_has("step use: replayed")
        .stderr_has("on from here, because its text changed")
        .stderr_has("-step \"end\" { print(\"end\"); throw \"broken\"; }");
}

#[test]
fn comments_and_white_space_change_nothing() {
    let book = failed(BOOK, "find\nuse 22\nend\n");
    book.edit("// Finds it.", "//! Another intro\n\n/* block */\n// Finds it, slowly.\n// And carefully.");
    book.edit("{ n * 2 }", "{\n    // twice\n    n*2\n}");
    book.edit("{ print(\"find\");", "{\n\n    print( \"find\" ); // here\n");
    book.resume().fails(1).stdout("end\n").stderr_has("because it had not finished");
}

#[test]
fn an_edited_step_runs_and_all_after_it() {
    let book = failed(BOOK, "find\nuse 22\nend\n");
    mended(&book);
    book.edit("base + 10", "base + 20");
    let ended = book.resume().done().stdout("find\nuse 42\nend\n");
    ended.stderr_has("its text changed").stderr_has("+let found = step \"find\" { print(\"find\"); base + 20 };");
}

#[test]
fn an_edited_function_runs_the_steps_that_call_it() {
    let book = failed(BOOK, "find\nuse 22\nend\n");
    mended(&book);
    book.edit("n * 2", "n * 3");
    let ended = book.resume().done().stdout("use 33\nend\n");
    ended.stderr_has("something it calls in `book.rhai` changed").stderr_has("+fn double(n) { n * 3 }");
}

#[test]
fn an_edited_closure_runs_the_steps_that_call_it() {
    let book = failed(
        "let greet = || print(\"hello\");\nstep \"free\" { print(\"free\"); }\nstep \"a\" { greet.call(); }\nstep \"b\" { throw \"broken\"; }",
        "free\nhello\n",
    );
    mended(&book);
    book.edit("\"hello\"", "\"good day\"");
    book.resume().done().stdout("good day\n");
}

#[test]
fn an_edited_constant_or_variable_runs_the_steps_that_read_it() {
    let book = failed(BOOK, "find\nuse 22\nend\n");
    mended(&book);
    book.edit("let base = 1;", "let base = 2;");
    book.resume().done().stdout("find\nuse 24\nend\n").stderr_has("`base`, which it reads, is another");
    let book =
        failed("const N = 1; fn f() { global::N }\nstep \"a\" { print(f()); } step \"b\" { throw \"broken\"; }", "1\n");
    mended(&book);
    book.edit("N = 1", "N = 2");
    book.resume().done().stdout("2\n");
}

#[test]
fn an_edited_import_runs_the_steps_that_use_it() {
    let book = Runbook::new(
        "import \"lib\" as lib;\nstep \"free\" { print(\"free\"); }\nstep \"a\" { print(lib::word()); }\nstep \"b\" { throw \"broken\"; }",
    );
    let book = book
        .file("lib.rhai", "import \"deep\" as deep; fn word() { deep::word() }")
        .file("deep.rhai", "fn word() { \"one\" }");
    book.run().fails(1).stdout("free\none\n").stderr_has("broken");
    mended(&book);
    book.write("deep.rhai", "fn word() { \"two\" }");
    book.resume().done().stdout("two\n").stderr_has("something it calls in `deep.rhai` changed");
}

#[test]
fn a_file_that_comes_or_goes_runs_the_steps_that_listed_its_folder() {
    for (step, noted) in [
        ("print(fs::list(\"maps\").len());", "maps/"),
        ("print(fs::glob(\"maps/*.yaml\").len());", "maps/*.yaml"),
        ("print(k8s::manifests(\"maps\").len());", "maps/"),
    ] {
        let map = |name: &str| format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}}}");
        let book = Runbook::new(&format!("step \"a\" {{ {step} }}\nstep \"b\" {{ throw \"broken\"; }}"))
            .file("maps/a.yaml", &map("a"))
            .file("maps/b.yaml", &map("b"));
        book.run().fails(1).stdout("2\n").stderr_has("broken");
        book.resume().fails(1).stdout("").stderr_has("because it had not finished");
        book.write("maps/c.yaml", &map("c"));
        book.resume()
            .fails(1)
            .stdout("3\n")
            .stderr_has(&format!("`maps/c.yaml`, in `{noted}`, which it lists, is new"));
        fs::remove_file(book.folder().join("maps/a.yaml")).unwrap();
        mended(&book);
        book.resume().done().stdout("2\n").stderr_has(&format!("`maps/a.yaml`, in `{noted}`, which it lists, is gone"));
    }
}

#[test]
fn what_the_run_itself_makes_in_a_folder_is_no_edit_of_it() {
    let book = Runbook::new(
        r#"
step "list" { fs::list("."); print(fs::list("old").len()); }
step "change" { fs::write("made/here.txt", "x"); fs::remove("old/gone.txt"); }
step "end" { throw "broken"; }
"#,
    )
    .file("old/gone.txt", "x");
    book.run().fails(1).stdout("1\n").stderr_has("broken");
    mended(&book);
    book.resume().done().stdout("").stderr_has("step list: replayed");
}

#[test]
fn an_edited_file_runs_the_steps_that_read_it() {
    let book = Runbook::new("step \"free\" { print(\"free\"); }\nstep \"a\" { print(fs::read(\"motd\")); }\nstep \"b\" { throw \"broken\"; }").file("motd", "hello");
    book.run().fails(1).stdout("free\nhello\n").stderr_has("broken");
    mended(&book);
    book.write("motd", "good day");
    book.resume().done().stdout("good day\n").stderr_has("the file `motd`, which it reads, changed");
}

#[test]
fn outer_variables_that_a_step_set_are_set() {
    let book = failed(
        "let list = []; let map = #{}; let n = 0.5; step \"a\" { list.push(\"x\"); map.key = [1, ()]; n += 1; print(\"a\"); } step \"b\" { print(`${list} ${map} ${n}`); throw \"broken\"; }",
        "a\n[\"x\"] #{\"key\": [1, ()]} 1.5\n",
    );
    mended(&book);
    book.resume().done().stdout("[\"x\"] #{\"key\": [1, ()]} 1.5\n");
}

#[test]
fn an_inserted_step_runs_and_all_after_it() {
    let book = failed(BOOK, "find\nuse 22\nend\n");
    mended(&book);
    book.edit("step \"use\"", "step \"new\" { print(\"new\"); }\nstep \"use\"");
    book.resume().done().stdout("new\nuse 22\nend\n").stderr_has("it was not reached before");
}

#[test]
fn a_removed_step_changes_nothing_for_the_others() {
    let book = failed(BOOK, "find\nuse 22\nend\n");
    mended(&book);
    book.edit("step \"use\" { print(`use ${double(found)}`); }\n", "");
    book.resume().done().stdout("end\n");
}

#[test]
fn a_renamed_step_is_a_new_one() {
    let book = failed(BOOK, "find\nuse 22\nend\n");
    mended(&book);
    book.edit("step \"use\"", "step \"apply\"");
    book.resume().done().stdout("use 22\nend\n").stderr_has("it was not reached before");
}

#[test]
fn of_nested_steps_only_the_changed_ones_run() {
    let book = failed(
        "step \"outer\" { print(\"outer\"); step \"one\" { print(\"one\"); } step \"two\" { print(\"two\"); } step \"three\" { print(\"three\"); } }\nstep \"end\" { throw \"broken\"; }",
        "outer\none\ntwo\nthree\n",
    );
    mended(&book);
    book.edit("print(\"two\")", "print(\"zwei\")");
    book.resume().done().stdout("outer\nzwei\nthree\n").stderr_has("step outer/one: replayed");
}

#[test]
fn the_rounds_of_a_loop_are_known_by_their_key() {
    let book = failed(
        "for node in [\"a\", \"b\", \"c\"] { step \"drain\" key node { print(node); if node == \"c\" { throw \"broken\"; } } }",
        "a\nb\nc\n",
    );
    book.edit("[\"a\", \"b\", \"c\"]", "[\"b\", \"a\", \"c\"]");
    book.resume().fails(1).stdout("c\n").stderr_has("broken");
}

#[test]
fn the_rounds_of_a_loop_without_a_key_are_known_by_number_and_by_what_they_read() {
    let book = failed(
        "for node in [\"a\", \"b\", \"c\"] { step \"drain\" { print(node); if node == \"c\" { throw \"broken\"; } } }",
        "a\nb\nc\n",
    );
    book.resume().fails(1).stdout("c\n").stderr_has("broken");
    book.edit("[\"a\", \"b\", \"c\"]", "[\"a\", \"x\", \"c\"]");
    book.resume().fails(1).stdout("x\nc\n").stderr_has("`node`, which it reads, is another");
}

#[test]
fn of_branches_only_the_unfinished_ones_run() {
    let book = failed(
        "parallel for node in [\"a\", \"b\"] { step \"drain\" { if node == \"b\" { time::sleep(\"300ms\"); print(node); throw \"broken\"; } print(node); } }",
        "a\nb\n",
    );
    mended(&book);
    book.edit("if node == \"b\" { time::sleep(\"300ms\"); print(node);  }", "");
    book.resume().done().stdout_has("b");
    let book = failed(
        "parallel { step \"a\" { print(\"a\"); } step \"b\" { time::sleep(\"300ms\"); print(\"b\"); throw \"broken\"; } }",
        "a\nb\n",
    );
    mended(&book);
    book.resume().done().stdout("b\n");
}

#[test]
fn a_branch_after_a_changed_one_runs_and_one_beside_it_does_not() {
    let book = failed(
        "parallel { step \"a\" { print(\"a\"); } step \"b\" after \"a\" { print(\"b\"); } step \"c\" after \"b\" { print(\"c\"); } }\nstep \"beside\" {} step \"end\" { throw \"broken\"; }",
        "a\nb\nc\n",
    );
    mended(&book);
    book.edit("print(\"b\")", "print(\"B\")");
    book.resume().done().stdout("B\nc\n");
}

#[test]
fn a_handle_is_made_again_and_what_follows_still_holds() {
    let book = failed(
        "let greet = step \"connect\" { print(\"connect\"); |x| x + 1 }; step \"use\" { print(greet.call(1)); } step \"end\" { throw \"broken\"; }",
        "connect\n2\n",
    );
    mended(&book);
    book.resume().done().stdout("connect\n");
}

#[test]
fn a_value_too_large_to_keep_is_made_again() {
    let book = failed(
        "let long = step \"a\" { print(\"a\"); let text = \"0123456789abcdef\"; while text.len() < 2000000 { text += text; } text }; step \"b\" { print(long.len() > 10); } step \"end\" { throw \"broken\"; }",
        "a\ntrue\n",
    );
    mended(&book);
    book.resume().done().stdout("a\n");
    assert!(fs::metadata(book.journal()).unwrap().len() < 100_000);
}

#[test]
fn a_failed_run_is_resumed_from_any_folder_and_after_a_move() {
    let book = failed(BOOK, "find\nuse 22\nend\n");
    mended(&book);
    let elsewhere = book.folder().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let ended = book.resume().from(&elsewhere).args(["--until", "use"]).done();
    ended.stderr_has("replayed");
    let book = failed(BOOK, "find\nuse 22\nend\n");
    mended(&book);
    fs::create_dir(book.folder().join("moved")).unwrap();
    fs::rename(book.folder().join("book.rhai"), book.folder().join("moved/book.rhai")).unwrap();
    book.resume().fails(2).stderr_has("is not there");
    book.resume().args(["--runbook", "moved/book.rhai"]).done().stdout("end\n").stderr_has("its text changed");
}

#[test]
fn the_newest_unfinished_run_is_resumed_and_a_done_one_is_not() {
    let book = failed(BOOK, "find\nuse 22\nend\n");
    let run = book.journal().file_stem().unwrap().to_string_lossy().into_owned();
    mended(&book);
    book.resume().done().stdout("end\n");
    book.resume().fails(2).stderr_has("there is no unfinished run");
    book.call(["resume", &run]).fails(2).stderr_has("is done");
    book.call(["resume", "bok-1"]).fails(2).stderr_has("there is no run `bok-1`");
}

#[test]
fn a_run_that_was_killed_goes_on_after_its_last_finished_step() {
    let book = Runbook::new("step \"a\" { print(\"a\"); } step \"b\" { print(\"b\"); time::sleep(\"1h\"); }");
    book.run().start().until("b\n").signal("KILL").ends(-1).stdout("a\nb\n");
    book.edit("time::sleep(\"1h\");", "");
    book.resume().done().stdout("b\n");
}

#[test]
fn a_variable_that_a_step_only_sets_is_none_that_it_reads() {
    let book = failed(
        "let mode = \"one\"; step \"a\" { mode = \"set\"; print(\"a\"); } step \"b\" { print(mode); throw \"broken\"; }",
        "a\nset\n",
    );
    mended(&book);
    book.edit("let mode = \"one\"", "let mode = \"set\"");
    book.resume().done().stdout("set\n");
}

#[test]
fn a_variable_that_a_step_may_leave_as_it_is_is_one_that_it_reads() {
    let book = failed(
        "let mode = 1; step \"a\" { if mode == 3 { mode = 4; } print(mode); } step \"b\" { throw \"broken\"; }",
        "1\n",
    );
    mended(&book);
    book.edit("let mode = 1", "let mode = 3");
    book.resume().done().stdout("4\n");
}
