//! Runbooks as documents.

use crate::support::program::Runbook;

const BOOK: &str = r##"#!/usr/bin/env cozyscript
//! # Water
//!
//! We bring the water back.

let depth = param("depth", #{ default: 3, help: "in metres | or feet" });
let key = param("key", #{ secret: true, from: "env:KEY" });
let site = param("site", #{ help: "which well" });

// ## First things first
//
// All that follows needs a pump.
//
// The old one is *broken*.
step "pump" timeout 5m {
    // Nobody knows why.
    print(`depth ${depth}`);
}
// Then we drink.

/// Drinks.
fn drink(much) {
    // In small sips.
    much
}

let said = `
// no prose
` + "```"; // nor is this

step "drink" { drink(1); }
"##;

#[test]
fn a_runbook_is_a_document() {
    let book = Runbook::new(BOOK);
    let document = book.call(["docs", "book.rhai"]).done().stdout_has("# Water").stdout.clone();
    insta::assert_snapshot!(document, @r##"
    # Water

    We bring the water back.

    | parameter | what | if it is not given |
    |---|---|---|
    | `depth` | in metres \| or feet | `3` |
    | `key` |  | taken from `env:KEY`, or else asked for |
    | `site` | which well | asked for |

    ```rhai
    let depth = param("depth", #{ default: 3, help: "in metres | or feet" });
    let key = param("key", #{ secret: true, from: "env:KEY" });
    let site = param("site", #{ help: "which well" });
    ```

    ## First things first

    All that follows needs a pump.

    ### pump

    The old one is *broken*.

    ```rhai
    step "pump" timeout 5m {
        // Nobody knows why.
        print(`depth ${depth}`);
    }
    ```

    Then we drink.

    ````rhai
    /// Drinks.
    fn drink(much) {
        // In small sips.
        much
    }

    let said = `
    // no prose
    ` + "```"; // nor is this
    ````

    ### drink

    ```rhai
    step "drink" { drink(1); }
    ```
    "##);
}

#[test]
fn a_document_loses_nothing_of_its_runbook() {
    for folder in ["examples", "runbooks", "stdlib"] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "rhai") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let book = Runbook::new(&text);
            let document = book.call(["docs", "book.rhai"]).done().stdout_has("# ").stdout.clone();
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                let bare = line.trim_start_matches("#!").trim_start_matches(['/', '!']).trim();
                assert!(document.contains(bare), "{}: `{line}` is not in\n{document}", path.display());
            }
        }
    }
}

#[test]
fn what_is_no_runbook_has_no_document() {
    let book = Runbook::new("step \"a\" {");
    book.call(["docs", "book.rhai"]).fails(2).stderr_has("never closed");
    book.call(["docs", "nowhere.rhai"]).fails(2).stderr_has("is not there");
    book.call(["docs", "book.rhai", "--faults"]).fails(2).stderr_has("cannot be used with");
}

#[test]
fn a_runbook_is_a_page_that_stands_alone() {
    let book =
        Runbook::new(&BOOK.replace("The old one is *broken*.", "The old one is *broken* <script>alert(1)</script>."));
    let page = book.call(["docs", "book.rhai", "--html"]).done().stdout_has("<h1>").stdout.clone();
    for part in [
        "<title>Water</title>",
        "<h1>Water</h1>",
        "<td><code>depth</code></td><td>in metres | or feet</td>",
        "<li><a href=\"#pump\">pump</a></li>",
        "<section class=\"step\" id=\"drink\">\n<h3><a href=\"#drink\">drink</a></h3>",
        "The old one is <em>broken</em> &lt;script&gt;alert(1)&lt;/script&gt;.",
        "<span class=\"keyword\">step</span> <span class=\"text\">&quot;pump&quot;</span> timeout <span class=\"number\">5m</span> {",
        "<span class=\"comment\">// Nobody knows why.</span>",
        "<span class=\"function\">print</span>(",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    for fetched in ["<script", "src=", "http://", "https://", "@import", "url("] {
        assert!(!page.contains(fetched), "{fetched}\n{page}");
    }
}

#[test]
fn only_a_runbook_is_a_page() {
    Runbook::new("").call(["docs", "--functions", "--html"]).fails(2).stderr_has("--html");
}
