//! What a rehearsal does to files: it sees the runbook's folder as it is, and leaves it as it was.

use crate::support::program::Runbook;

#[test]
fn a_rehearsal_sees_the_folder_of_its_runbook_and_leaves_it_as_it_was() {
    let book = Runbook::new(
        r#"
        step "change" {
            print(fs::list("."));
            print(fs::read("kubeconfig"));
            fs::write("kubeconfig", "made up");
            fs::append("old/notes.txt", "and more");
            fs::write("new/deep/file.txt", "new");
            fs::remove("secrets.yaml");
            fs::copy("old", "older");
            fs::remove("old");
            print(fs::glob("**/*.txt"));
            print(fs::list("."));
            print(`${fs::read("kubeconfig")}, ${fs::read("older/notes.txt")}, ${fs::exists("old/notes.txt")}`);
            fs::write("old/again.txt", "again");
            print(fs::list("old"));
        }
    "#,
    );
    let book = book.file("kubeconfig", "the real one").file("secrets.yaml", "keep").file("old/notes.txt", "notes ");
    let link = book.folder().join("link");
    std::os::unix::fs::symlink("old/notes.txt", &link).unwrap();
    let told = book.call(["rehearse", "book.rhai"]).done();
    told.stdout(
        r#"["book.rhai", "kubeconfig", "link", "old/", "secrets.yaml"]
the real one
["new/deep/file.txt", "older/notes.txt"]
["book.rhai", "kubeconfig", "link", "new/", "older/"]
made up, notes and more, false
["again.txt"]
"#,
    )
    .stderr_has("destroys: old/notes.txt");
    let read = |name: &str| std::fs::read_to_string(book.folder().join(name)).unwrap();
    assert_eq!(
        (read("kubeconfig"), read("secrets.yaml"), read("link")),
        ("the real one".to_owned(), "keep".to_owned(), "notes ".to_owned())
    );
    assert!(!book.folder().join("new").exists() && !book.folder().join("older").exists());
}

#[test]
fn a_link_leads_where_it_leads_and_no_further() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("private"), "private").unwrap();
    let book = Runbook::new(
        r#"
        step "write" {
            fs::write("by-link/notes.txt", "changed");
            print(fs::read("folder/notes.txt"));
            try { print(fs::read("out/private")); } catch (fault) { print(fault.kind); }
        }
    "#,
    );
    let book = book.file("folder/notes.txt", "notes");
    std::os::unix::fs::symlink("folder", book.folder().join("by-link")).unwrap();
    std::os::unix::fs::symlink(outside.path(), book.folder().join("out")).unwrap();
    let told = book.call(["rehearse", "book.rhai"]).fails(0);
    let refused = told.stdout.lines().last().unwrap().to_owned();
    told.stdout_has("changed\n");
    assert_ne!(refused, "private");
    assert_eq!(std::fs::read_to_string(book.folder().join("folder/notes.txt")).unwrap(), "notes");
}

#[test]
fn a_kubeconfig_in_the_folder_of_the_runbook_is_not_touched() {
    let book = Runbook::new(
        r#"
        step "merge" {
            let lab = #{ apiVersion: "v1", kind: "Config", clusters: [#{ name: "lab", cluster: #{ server: "https://lab:6443" } }],
                contexts: [#{ name: "lab", context: #{ cluster: "lab", user: "me" } }], users: [#{ name: "me", user: #{} }] };
            kubeconfig::merge(lab, #{ kubeconfig: "kubeconfig" });
            print(kubeconfig::read(#{ kubeconfig: "kubeconfig" }).contexts.map(|it| it.name));
        }
    "#,
    );
    let real = "apiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\nusers: []\n";
    let book = book.file("kubeconfig", real);
    book.call(["rehearse", "book.rhai"]).done().stdout("[\"lab\"]\n");
    assert_eq!(std::fs::read_to_string(book.folder().join("kubeconfig")).unwrap(), real);
}
