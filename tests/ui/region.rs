use cozyscript::ui::region::Region;

fn lines(texts: &[&str]) -> Vec<(String, usize)> {
    texts.iter().map(|text| (text.to_string(), text.len())).collect()
}

#[test]
fn only_lines_that_changed_are_written_again() {
    let mut region = Region::default();
    assert_eq!(region.draw(lines(&["one", "two", "three"]), 80), "\x1b[?25lone\x1b[K\r\ntwo\x1b[K\r\nthree\x1b[K");
    assert_eq!(region.draw(lines(&["one", "2", "three"]), 80), "\r\x1b[2A\r\n2\x1b[K\r\n");
    assert_eq!(region.draw(lines(&["one", "2", "three"]), 80), "");
}

#[test]
fn a_region_that_shrinks_leaves_nothing_behind() {
    let mut region = Region::default();
    region.draw(lines(&["one", "two"]), 80);
    assert_eq!(region.draw(lines(&["one"]), 80), "\r\x1b[1A\x1b[J");
}

#[test]
fn a_cleared_region_gives_the_cursor_back() {
    let mut region = Region::default();
    region.draw(lines(&["one", "two"]), 80);
    assert_eq!(region.clear(80), "\r\x1b[1A\x1b[J\x1b[?25h");
    assert_eq!(region.clear(80), "");
}

#[test]
fn a_narrower_window_has_broken_the_lines_that_stand_there() {
    let mut region = Region::default();
    region.draw(lines(&["0123456789", "0123456789"]), 20);
    assert_eq!(region.draw(lines(&["01234"]), 6), "\r\x1b[3A\x1b[J01234\x1b[K\x1b[J");
}
