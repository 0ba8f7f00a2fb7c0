use cozyscript::ui::{
    markdown::{lines, render},
    style::{Color, Style, Terminal},
};

use super::uncoloured;

#[test]
fn code_on_a_page_stays_whole_and_in_a_run_it_is_cut() {
    let style = uncoloured();
    let text = "```\ncluster.apply(yaml(\"web.yaml\"));\n```";
    assert_eq!(render(text, 16, style), "  cluster.apply(yaml(\"web.yaml\"));\n");
    assert_eq!(lines(text, 16, style)[0].width(), 16);
}

#[test]
fn a_page_keeps_its_shape() {
    let page = "\
# The *speed* run

We destroy **production** and bring it back, in order,
without `post-processing`. See [the handbook](https://example.org/book) or <https://example.org>.

## Order

- workers first: a node that is reset through another node's endpoint fails
  once that endpoint is gone
- then control planes
  1. etcd
  2. the rest

> A quote that is
> wrapped.

```sh
talosctl reset --graceful=false
```

| node | role          | pods |
|------|---------------|-----:|
| srv1 | control plane |   12 |
| srv2 | worker        |    7 |

---

The end of snake_case_names, 2 * 3 * 4 and \\*stars\\*.";
    insta::assert_snapshot!(render(page, 56, uncoloured()), @r#"
    The speed run

    We destroy production and bring it back, in order,
    without post-processing. See the handbook
    (https://example.org/book) or https://example.org.

    Order

    • workers first: a node that is reset through another
      node's endpoint fails once that endpoint is gone
    • then control planes
      1. etcd
      2. the rest

    │ A quote that is wrapped.

      talosctl reset --graceful=false

    node  role           pods
    ────  ─────────────  ────
    srv1  control plane    12
    srv2  worker            7

    ────────────────────────────────────────

    The end of snake_case_names, 2 * 3 * 4 and *stars*.
    "#);
}

#[test]
fn no_line_is_wider_than_the_window() {
    let page = "# 見出しがとても長いので折り返す必要があります\n\n- 日本語のリスト項目もまた折り返されます and `code` too\n\n| a | b |\n|--|--|\n| a long cell of a table | another long cell |\n\n```\na line of code that has no end in this window\n```";
    for width in 16..60 {
        for line in lines(page, width, uncoloured()) {
            assert!(line.width() <= width, "{width}: {line:?}");
        }
    }
}

#[test]
fn meaning_becomes_colour() {
    let style = Style::new(Color::Always, &Terminal { utf8: true, ..Terminal::default() }, false);
    assert_eq!(
        render("a **b c** `d` [e](f)", 80, style),
        "a \x1b[1mb c\x1b[0m \x1b[36md\x1b[0m e (\x1b[4;34mf\x1b[0m)\n"
    );
}
