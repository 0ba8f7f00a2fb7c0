//! Talosconfigs that are written, and two that become one.

use talos::{
    pem,
    talosconfig::{Context, Renamed, Talosconfig, read},
};

use super::{Talosctl, secrets, source, values};

fn lab() -> Talosconfig {
    let secrets = secrets();
    let authority = pem::unwrap(secrets.text("certs.os.crt")).unwrap();
    let mut context = Context::new(vec!["10.5.0.2".to_owned()], &authority, &secrets.admin(&source()).unwrap());
    context.nodes = vec!["10.5.0.2".to_owned(), "10.5.0.3".to_owned()];
    Talosconfig::of("lab", context)
}

/// One as it is written.
pub fn text() -> String {
    lab().text()
}

#[test]
fn what_is_written_is_read_again_with_whatever_else_stands_there() {
    let lab = lab();
    let (name, context) = lab.chosen(None).unwrap();
    assert_eq!((name, context.identity().unwrap().is_some()), ("lab", true));
    assert_eq!(read(&lab.text()).unwrap(), lab);
    let more = "context: a\ncontexts:\n    a:\n        endpoints:\n            - x\n        auth:\n            basic:\n                username: u\n";
    assert_eq!(read(more).unwrap().text(), more);
}

#[test]
fn merging_keeps_both_and_renames_as_talosctl_does() {
    let (mut ours, other) = (lab(), lab());
    let (first, second) = (ours.text(), other.text());
    assert_eq!(ours.merge(&other), [Renamed { from: "lab".to_owned(), to: "lab-1".to_owned() }]);
    assert_eq!(ours.merge(&other), [Renamed { from: "lab".to_owned(), to: "lab-2".to_owned() }]);
    assert_eq!(ours.context, "lab-2");

    let Some(talosctl) = Talosctl::find() else { return };
    talosctl.write("theirs", &first);
    talosctl.write("other", &second);
    for _ in 0..2 {
        let said = talosctl.run(&["--talosconfig", "theirs", "config", "merge", "other"]);
        assert!(said.fine, "{}", said.err);
    }
    assert_eq!(values(&ours.text()), values(&talosctl.read("theirs")));
}
