//! A thousand objects applied server-side: by the program, by `kubectl`, and by a bare loop.

use std::{
    cell::Cell,
    fmt::Write,
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    bare,
    contest::{Times, contest},
    cozyscript,
    kubernetes::Testbed,
    table::{Row, millis, ratio},
    write,
};

pub const OBJECTS: usize = 1000;
pub const AT_ONCE: usize = 128;
const ROUNDS: usize = 5;

pub const NEW: &str = "1,000 ConfigMaps by server-side apply";
pub const AGAIN: &str = "… again, when nothing changed";

pub fn rows(testbed: &Testbed, folder: &Path) -> Vec<Row> {
    let namespace = |number: usize| format!("round-{number}");
    let new = contest(
        ROUNDS,
        [
            &|| applies(testbed, folder, &made(testbed, &namespace(next()))),
            &|| kubectl_applies(testbed, folder, &made(testbed, &namespace(next()))),
            &|| loop_applies(testbed, &made(testbed, &namespace(next()))),
        ],
    );
    // The first round, which isn't measured, makes them.
    let [ours, kubectls, loops] = ["again-ours", "again-kubectl", "again-loop"].map(|name| made(testbed, name));
    let again = contest(
        ROUNDS,
        [&|| applies(testbed, folder, &ours), &|| kubectl_applies(testbed, folder, &kubectls), &|| {
            loop_applies(testbed, &loops)
        }],
    );
    [both(NEW, &new), both(AGAIN, &again)].into_iter().flatten().collect()
}

fn both(subject: &str, [ours, kubectl, bare]: &[Times; 3]) -> [Row; 2] {
    let row = |peer: &str, theirs: &Times, most: f64| {
        let ratio = ratio(ours.median(), theirs.median());
        let row = Row::timed(subject, ours).beside(peer, millis(theirs.median()), ratio);
        row.target(&format!("≤{most}×"), ratio <= most)
    };
    [row("kubectl apply --server-side", kubectl, 0.25), row("a bare loop around kube", bare, 1.3)]
}

/// A number that no round before had.
fn next() -> usize {
    thread_local! {
        static NEXT: Cell<usize> = const { Cell::new(0) };
    }
    NEXT.replace(NEXT.get() + 1)
}

/// A namespace for the objects.
fn made(testbed: &Testbed, namespace: &str) -> String {
    let mut command = testbed.kubectl();
    command.args(["create", "namespace", namespace]).stdout(Stdio::null());
    let status = command.status().expect("kubectl starts");
    assert!(status.success(), "the namespace `{namespace}` is made");
    namespace.to_owned()
}

fn applies(testbed: &Testbed, folder: &Path, namespace: &str) -> Command {
    let runbook = format!(
        r#"
let cluster = k8s::connect(#{{ namespace: "{namespace}" }});
step "apply" {{
    let objects = [];
    for number in 0..{OBJECTS} {{
        objects.push(#{{
            apiVersion: "v1", kind: "ConfigMap", metadata: #{{ name: `object-${{number}}`, namespace: "{namespace}" }},
            data: #{{ number: `${{number}}` }},
        }});
    }}
    cluster.apply(objects, #{{ concurrency: {AT_ONCE} }});
    ()
}}
"#
    );
    write(folder, "apply.rhai", &runbook);
    testbed.known_to(cozyscript(folder, &["apply.rhai", "--quiet"]))
}

fn kubectl_applies(testbed: &Testbed, folder: &Path, namespace: &str) -> Command {
    let mut manifest = String::new();
    for number in 0..OBJECTS {
        write!(
            manifest,
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: object-{number}, namespace: {namespace}}}\n\
             data: {{number: \"{number}\"}}\n"
        )
        .expect("a text can be written to");
    }
    write(folder, "manifest.yaml", &manifest);
    let mut command = testbed.kubectl();
    command.current_dir(folder).args(["apply", "--server-side", "-f", "manifest.yaml"]);
    command
}

fn loop_applies(testbed: &Testbed, namespace: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program knows where it is"));
    command.args([bare::WORD, namespace]);
    testbed.known_to(command)
}
