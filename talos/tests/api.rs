use std::{collections::BTreeMap, env, fs};

use prost::Message as _;
use talos::api::machine::{MachineStatusEvent, machine_status_event::MachineStage};

use crate::definitions;

/// The sources that the definitions make, by their path below `src/api`.
fn generated() -> BTreeMap<String, String> {
    let folder = tempfile::tempdir().unwrap();
    tonic_prost_build::configure()
        .out_dir(folder.path())
        .build_transport(false)
        .generate_default_stubs(true)
        .compile_fds(definitions::read())
        .unwrap();
    let sources = definitions::files(folder.path(), ".rs").into_iter().map(|name| {
        let text = fs::read_to_string(folder.path().join(&name)).unwrap();
        (name.trim_end_matches(".rs").replace('.', "/") + ".rs", text)
    });
    sources.collect()
}

#[test]
fn the_api_is_what_its_definitions_make_of_it() {
    for (path, text) in generated() {
        let kept = definitions::root().join("src/api").join(&path);
        if env::var_os("UPDATE").is_some() {
            fs::write(&kept, &text).unwrap();
        }
        let kept = fs::read_to_string(&kept).unwrap_or_default();
        assert!(kept == text, "src/api/{path} is another: run it with UPDATE=1");
    }
}

#[test]
fn a_stage_that_a_later_version_has_stays_what_it_is() {
    let later = MachineStatusEvent { stage: 42, status: None };
    let read = MachineStatusEvent::decode(later.encode_to_vec().as_slice()).unwrap();
    assert_eq!(read.stage, 42);
    assert_eq!(MachineStage::try_from(read.stage).ok(), None);
    assert_eq!(read.encode_to_vec(), later.encode_to_vec());
}
