use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use prost::Message as _;
use talos::api::machine::{MachineStatusEvent, machine_status_event::MachineStage};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Files below a folder whose names end like that, by their path from it.
fn files(folder: &Path, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path.strip_prefix(folder).unwrap().to_string_lossy().into_owned()),
            }
        }
    }
    found.retain(|path| path.ends_with(ending));
    found.sort();
    found
}

/// The sources that the definitions make, by their path below `src/api`.
fn generated() -> BTreeMap<String, String> {
    let definitions = root().join("proto");
    let described = protox::compile(files(&definitions, ".proto"), [&definitions]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    tonic_prost_build::configure()
        .out_dir(folder.path())
        .build_transport(false)
        .generate_default_stubs(true)
        .compile_fds(described)
        .unwrap();
    let sources = files(folder.path(), ".rs").into_iter().map(|name| {
        let text = fs::read_to_string(folder.path().join(&name)).unwrap();
        (name.trim_end_matches(".rs").replace('.', "/") + ".rs", text)
    });
    sources.collect()
}

#[test]
fn the_api_is_what_its_definitions_make_of_it() {
    for (path, text) in generated() {
        let kept = root().join("src/api").join(&path);
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
