//! The runbook and the example that roll out an image, on a real control plane.

use std::path::Path;

use super::{Bed, shared};
use crate::support::transcript::{program, said};

fn roll_out(bed: &Bed, journal: &Path, space: &str, image: &str, more: &[&str]) -> (i32, String) {
    let mut command = program(journal);
    command.arg("runbooks/rollout.rhai").env("KUBECONFIG", bed.kubeconfig());
    for set in ["context=testbed", &format!("namespace={space}"), "name=web", &format!("image={image}")] {
        command.args(["--set", set]);
    }
    said(command.args(more))
}

fn image(bed: &Bed, space: &str) -> String {
    bed.kubectl(&["get", "deployment", "web", "-n", space, "-o", "jsonpath={.spec.template.spec.containers[0].image}"])
}

#[test]
fn an_image_is_rolled_out_only_if_somebody_says_so_and_taken_back_if_it_does_not_come_up() {
    let Some(bed) = shared() else { return };
    let space = bed.space("rollout");
    let journal = tempfile::tempdir().unwrap();
    bed.kubectl(&["create", "deployment", "web", "-n", &space, "--image=web:1"]);
    bed.kubectl(&["rollout", "status", "deployment/web", "-n", &space, "--timeout=60s"]);

    let (status, told) = roll_out(&bed, journal.path(), &space, "web:2", &[]);
    assert_eq!((status, image(&bed, &space).as_str()), (4, "web:1"), "{told}");
    assert!(told.contains("kubectl-create"), "{told}");

    let yes = "ask@roll out web:2 in place of web:1?";
    let (status, told) = roll_out(&bed, journal.path(), &space, "web:2", &["--yes", yes]);
    assert_eq!((status, image(&bed, &space).as_str()), (0, "web:2"), "{told}");

    // There is no room for a third pod beside the one that runs.
    bed.kubectl(&["create", "quota", "full", "-n", &space, "--hard=pods=1"]);
    bed.kubectl(&["wait", "quota/full", "-n", &space, "--for=jsonpath={.status.used.pods}=1", "--timeout=60s"]);
    let yes = "ask@roll out web:3 in place of web:2?";
    let (status, told) = roll_out(&bed, journal.path(), &space, "web:3", &["--yes", yes, "--set", "patience=4s"]);
    assert_eq!((status, image(&bed, &space).as_str()), (1, "web:2"), "{told}");
    assert!(told.contains("web:3 does not come up: back to web:2"), "{told}");
    assert!(told.contains("exceeded quota: full"), "{told}");
}

#[test]
fn the_example_rolls_out_and_goes_back() {
    let Some(bed) = shared() else { return };
    let journal = tempfile::tempdir().unwrap();
    let mut command = program(journal.path());
    command.args(["examples/rollout.rhai", "--set", "namespace=rollout-and-back"]).env("KUBECONFIG", bed.kubeconfig());
    let (status, told) = said(&mut command);
    assert_eq!(status, 0, "{told}");
    let undone = "undo testbed: deployment/web in rollout-and-back to the revision before (back to revision 1";
    for part in [undone, "deployment/web in rollout-and-back to be rolled out: met", "ScalingReplicaSet"] {
        assert!(told.contains(part), "`{part}` is not in {told}");
    }
}
