//! Going on where a run stopped: at the last of many steps.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use crate::{contest::contest, cozyscript, table::Row, write};

const STEPS: usize = 200;

pub fn rows(folder: &Path) -> Vec<Row> {
    let mut text = String::from("let total = 0;\n");
    for number in 1..STEPS {
        text.push_str(&format!(
            "// Adds {number} to what there is.\nstep \"step {number}\" {{ total += {number}; `${{total}}` }}\n\n"
        ));
    }
    // The last step fails as long as the file is not there.
    text.push_str(&format!("step \"step {STEPS}\" {{ if !fs::exists(\"ready\") {{ throw \"not yet\"; }} total }}\n"));
    write(folder, "long.rhai", &text);
    let failed = cozyscript(folder, &["long.rhai"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert_eq!(failed.expect("the program starts").code(), Some(1), "the last step fails");
    write(folder, "ready", "");

    let journal = std::fs::read_dir(folder.join("journals")).expect("a run has a journal").next();
    let journal = journal.expect("a run has a journal").expect("the folder can be read").path();
    let stopped = std::fs::read(&journal).expect("the journal can be read");
    let resume = || -> Command {
        std::fs::write(&journal, &stopped).expect("the journal can be written");
        cozyscript(folder, &["resume"])
    };
    let [times] = contest(20, [&resume]);
    let met = times.median() < Duration::from_millis(100);
    vec![Row::timed("resume to step 200 of 200", &times).target("<100 ms", met)]
}
