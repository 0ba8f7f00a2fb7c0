use cozyscript::script::values::{
    tree::Tree,
    yaml::{self, Edit, EditError, edit},
};

const VALUES: &str = r#"# The shop.
replicas: 2   # for now

image:
  repository: "shop"   # ours
  tag: 'v1'
hosts:
- a.example.org # the first

- b.example.org
limits: {cpu: 100m, memory: 1Gi} # tight
env:
  - name: A
    value: x
  - name: B
nothing:
script: |
  set -e
  run   # not a comment
# The end.
"#;

fn tree(text: &str) -> Tree {
    yaml::read_one(text, "value").unwrap()
}

#[track_caller]
fn set(text: &str, path: &str, value: &str) -> String {
    edit(text, path, None, Edit::Set(&tree(value))).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[track_caller]
fn remove(text: &str, path: &str) -> String {
    edit(text, path, None, Edit::Remove).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[track_caller]
fn append(text: &str, path: &str, item: &str) -> String {
    edit(text, path, None, Edit::Append(&tree(item))).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The lines that an edit took away (`-`) and brought (`+`).
fn changed(edited: &str) -> String {
    let diff = similar::TextDiff::from_lines(VALUES, edited);
    let changes = diff.iter_all_changes().filter(|change| change.tag() != similar::ChangeTag::Equal);
    changes.map(|change| format!("{}{}", change.tag(), change.value())).collect()
}

#[test]
fn a_plain_value_is_set_and_its_comment_stays() {
    assert_eq!(changed(&set(VALUES, "replicas", "3")), "-replicas: 2   # for now\n+replicas: 3   # for now\n");
    assert_eq!(changed(&set(VALUES, "env[1].name", "C")), "-  - name: B\n+  - name: C\n");
    assert_eq!(changed(&set(VALUES, "hosts[-1]", "c.org")), "-- b.example.org\n+- c.org\n");
    assert_eq!(changed(&set(VALUES, "limits.cpu", "2")).lines().nth(1), Some("+limits: {cpu: 2, memory: 1Gi} # tight"));
}

#[test]
fn a_text_keeps_its_quotes_and_gets_them_where_it_needs_them() {
    assert_eq!(
        changed(&set(VALUES, "image.repository", "stall")).lines().nth(1),
        Some("+  repository: \"stall\"   # ours")
    );
    assert_eq!(changed(&set(VALUES, "image.tag", "it''s")).lines().nth(1), Some("+  tag: 'it''''s'"));
    for text in ["yes", "3", "null", "a: b", "a #b", "", " a", "- a", "12:30:45", "0644", "*a", "é", "a,b", "1e3", "~"]
    {
        for path in ["replicas", "limits.cpu", "hosts[0]", "fresh", "limits.fresh"] {
            let value = Tree::Text(text.into());
            let edited = edit(VALUES, path, None, Edit::Set(&value)).unwrap();
            assert!(edited.contains(text), "{edited}");
        }
    }
    assert_eq!(changed(&set(VALUES, "replicas", "'yes'")).lines().nth(1), Some("+replicas: \"yes\"   # for now"));
    assert_eq!(changed(&set(VALUES, "hosts[1]", "plain words/with:1")).lines().nth(1), Some("+- plain words/with:1"));
}

#[test]
fn a_field_that_is_not_there_is_made_with_those_on_the_way() {
    assert_eq!(changed(&set(VALUES, "image.pull", "Always")), "+  pull: Always\n");
    assert_eq!(changed(&set(VALUES, "env[0].from.secret", "s")), "+    from:\n+      secret: s\n");
    assert_eq!(changed(&set(VALUES, "nothing.at.all", "1")), "+  at:\n+    all: 1\n");
    assert_eq!(
        changed(&set(VALUES, "limits.disk", "1Ti")).lines().nth(1),
        Some("+limits: {cpu: 100m, memory: 1Gi, disk: 1Ti} # tight")
    );
    assert_eq!(changed(&set(VALUES, "new", "{a: 1}")), "+new:\n+  a: 1\n");
    assert_eq!(set("a: 1", "b", "2"), "a: 1\nb: 2");
    assert_eq!(set("", "a.b", "1"), "a:\n  b: 1\n");
    assert_eq!(set("# only this\n", "a", "1"), "# only this\na: 1\n");
    assert_eq!(set("{}", "a", "1"), "{a: 1}");
}

#[test]
fn a_collection_takes_the_place_of_a_value_and_the_other_way_round() {
    assert_eq!(
        changed(&set(VALUES, "replicas", "{min: 1, max: 3}")),
        "-replicas: 2   # for now\n+replicas:   # for now\n+  max: 3\n+  min: 1\n"
    );
    assert_eq!(changed(&set(VALUES, "image.tag", "[a, b]")), "-  tag: 'v1'\n+  tag:\n+    - a\n+    - b\n");
    assert_eq!(
        changed(&set(VALUES, "image", "shop")),
        "-image:\n-  repository: \"shop\"   # ours\n-  tag: 'v1'\n+image: shop\n"
    );
    assert_eq!(changed(&set(VALUES, "env[0]", "{name: Z}")), "-  - name: A\n-    value: x\n+  - name: Z\n");
    assert_eq!(changed(&set(VALUES, "limits", "[1]")).lines().nth(1), Some("+limits: [1] # tight"));
    assert_eq!(
        changed(&set(VALUES, "script", "a\nb\n")),
        "-script: |\n-  set -e\n-  run   # not a comment\n+script: a b\n"
    );
    let text = Tree::Text("one\ntwo\n".into());
    let edited = edit(VALUES, "image.tag", None, Edit::Set(&text)).unwrap();
    assert_eq!(changed(&edited), "-  tag: 'v1'\n+  tag: |\n+    one\n+    two\n");
}

#[test]
fn a_field_or_an_item_is_taken_out_with_its_lines_only() {
    assert_eq!(changed(&remove(VALUES, "replicas")), "-replicas: 2   # for now\n");
    assert_eq!(changed(&remove(VALUES, "image")), "-image:\n-  repository: \"shop\"   # ours\n-  tag: 'v1'\n");
    assert_eq!(changed(&remove(VALUES, "hosts[0]")), "-- a.example.org # the first\n");
    assert_eq!(changed(&remove(VALUES, "env[0].name")), "-  - name: A\n-    value: x\n+  - value: x\n");
    assert_eq!(changed(&remove(VALUES, "env[1].name")), "-  - name: B\n+  - {}\n");
    assert_eq!(changed(&remove(VALUES, "limits.cpu")).lines().nth(1), Some("+limits: {memory: 1Gi} # tight"));
    assert_eq!(changed(&remove(VALUES, "limits.memory")).lines().nth(1), Some("+limits: {cpu: 100m} # tight"));
    assert_eq!(changed(&remove(VALUES, "script")), "-script: |\n-  set -e\n-  run   # not a comment\n");
    assert_eq!(remove(VALUES, "no.such[3].thing"), VALUES);
    assert_eq!(remove("a:\n  b: 1\n", "a.b"), "a: {}\n");
    assert_eq!(remove("a:\n- 1\n", "a[0]"), "a: []\n");
}

#[test]
fn an_item_comes_to_the_end_of_its_list() {
    assert_eq!(changed(&append(VALUES, "hosts", "c")), "+- c\n");
    assert_eq!(changed(&append(VALUES, "env", "{name: C, value: z}")), "+  - name: C\n+    value: z\n");
    assert_eq!(append("a: [1, 2] # two\n", "a", "3"), "a: [1, 2, 3] # two\n");
    assert_eq!(append("a: []\n", "a", "{b: 1}"), "a: [{b: 1}]\n");
    assert_eq!(append("a: 1\n", "b", "2"), "a: 1\nb:\n- 2\n");
    assert_eq!(append("- a\n- - b\n", "[1]", "c"), "- a\n- - b\n  - c\n");
    let error = edit(VALUES, "image", None, Edit::Append(&Tree::Null)).unwrap_err();
    assert_eq!(error, EditError::NoList { at: "image".into() });
}

#[test]
fn of_several_documents_one_is_named() {
    let text = "a: 1\n--- # two\na: 2 # c\n...\n---\n# nothing\n---\na: 3\n";
    let three = |document| edit(text, "a", document, Edit::Set(&Tree::Int(9)));
    assert_eq!(three(None).unwrap_err(), EditError::WhichDocument { documents: 3 });
    assert_eq!(three(Some(3)).unwrap_err(), EditError::NoDocument { documents: 3, wanted: 3 });
    assert_eq!(three(Some(1)).unwrap(), text.replace("a: 2", "a: 9"));
    assert_eq!(three(Some(2)).unwrap(), text.replace("a: 3", "a: 9"));
}

#[test]
fn line_breaks_are_those_of_the_text() {
    assert_eq!(
        set("a: 1 # c\r\nb:\r\n  c: 1\r\n", "b.d", "{e: 2}"),
        "a: 1 # c\r\nb:\r\n  c: 1\r\n  d:\r\n    e: 2\r\n"
    );
    assert_eq!(remove("a: 1\r\nb: 2\r\n", "a"), "b: 2\r\n");
}

#[test]
fn what_other_places_repeat_is_refused_and_the_rest_of_such_a_text_is_not() {
    let text = "base: &base\n  replicas: 2\nweb:\n  <<: *base\n  name: web\njobs: *base\n";
    let why = |path: &str| match edit(text, path, None, Edit::Set(&Tree::Int(9))) {
        Err(EditError::Fixed { why, .. }) => why,
        other => panic!("{path}: {other:?}"),
    };
    assert!(why("jobs.replicas").contains("alias") && why("jobs").contains("alias"));
    assert!(why("base.replicas").contains("no longer say"), "it would change three places");
    assert_eq!(set(text, "web.replicas", "3"), text.replace("  name: web\n", "  name: web\n  replicas: 3\n"));
    assert_eq!(set(text, "web.name", "shop"), text.replace("name: web", "name: shop"));
}

#[test]
fn what_can_t_be_reached_says_so() {
    let error = |path: &str| edit(VALUES, path, None, Edit::Set(&Tree::Int(1))).unwrap_err().to_string();
    assert_eq!(error("replicas.min"), "`replicas` is an integer, so `min` cannot be set in it");
    assert_eq!(error("hosts[7]"), "`hosts` has 2 items, so `7` cannot be set in it");
    assert!(error("a..b").contains("is no path"));
    assert!(edit("a: [", "a", None, Edit::Remove).unwrap_err().to_string().starts_with("text:1:"));
}
