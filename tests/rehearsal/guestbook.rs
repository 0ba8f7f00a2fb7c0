//! The first example, in a rehearsal and on a real control plane, side by side: both are held against one transcript.

use crate::support::{rehearsal::Play, transcript::compare};

#[test]
fn the_guestbook_says_in_a_rehearsal_what_it_says_on_a_real_control_plane() {
    let told = Play::of("examples/guestbook.rhai", 1).run();
    assert_eq!(told.status, 0, "{}", told.said);
    let marks =
        [(" a rehearsal on examples/guestbook.world.yaml, nothing real is touched:", ""), ("rehearsal done", "done")];
    let said = marks.iter().fold(told.said, |said, (mark, real)| {
        assert!(said.contains(mark), "it does not say that it is a rehearsal: {said}");
        said.replace(mark, real)
    });
    compare("guestbook.txt", &said);
}
