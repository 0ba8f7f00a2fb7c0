//! The definitions are those that the real client carries with it.

use std::{collections::BTreeMap, fs, path::Path};

use prost::Message as _;
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto};

use crate::definitions;

/// The files in talosctl, by the package that we have for them.
const CARRIED: [(&str, &str); 11] = [
    ("cluster/cluster.proto", "cluster"),
    ("common/common.proto", "common"),
    ("google/rpc/status.proto", "google.rpc"),
    ("inspect/inspect.proto", "inspect"),
    ("machine/machine.proto", "machine"),
    ("resource/config/config.proto", "cosi.meta"),
    ("storage/storage.proto", "storage"),
    ("time/time.proto", "time"),
    ("v1alpha1/meta.proto", "cosi.meta"),
    ("v1alpha1/resource.proto", "cosi.resource"),
    ("v1alpha1/state.proto", "cosi.resource"),
];

/// What nobody should call any more, what nobody may, and what has nothing to do with calls: a name, or how names begin.
const LEFT_OUT: [&str; 26] = [
    "common.DataResponse",
    "common.PEMEncoded*",
    "common.URL",
    "cosi.meta.MachineType*",
    "cosi.resource.Create*",
    "cosi.resource.Destroy*",
    "cosi.resource.State.Create",
    "cosi.resource.State.Destroy",
    "cosi.resource.State.Update",
    "cosi.resource.Update*",
    "machine.CNIConfig",
    "machine.ClusterConfig",
    "machine.ClusterNetworkConfig",
    "machine.ControlPlaneConfig",
    "machine.DHCPOptionsConfig",
    "machine.EtcdRemoveMember",
    "machine.EtcdRemoveMemberRequest",
    "machine.EtcdRemoveMemberResponse",
    "machine.GenerateConfiguration*",
    "machine.InstallConfig",
    "machine.MachineConfig",
    "machine.MachineService.EtcdRemoveMember",
    "machine.MachineService.GenerateConfiguration",
    "machine.NetworkConfig",
    "machine.NetworkDeviceConfig",
    "machine.RouteConfig",
];

fn is_left_out(what: &str) -> bool {
    LEFT_OUT.iter().any(|left_out| match left_out.strip_suffix('*') {
        Some(beginning) => what.starts_with(beginning),
        None => what.strip_prefix(left_out).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '.'])),
    })
}

/// Where the files of descriptors begin in the bytes of a program.
fn beginnings(program: &[u8]) -> Vec<&[u8]> {
    let lines = program.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let starts = lines.map(|(at, _)| &program[at..]);
    starts.filter(|rest| rest.get(2..).is_some_and(|rest| CARRIED.iter().any(|(name, _)| is(rest, name)))).collect()
}

fn is(rest: &[u8], name: &str) -> bool {
    rest.starts_with(name.as_bytes()) && rest.get(name.len()) == Some(&0x12)
}

/// The file of descriptors that begins here.
fn carried(begins: &[u8]) -> Option<FileDescriptorProto> {
    let mut rest = begins;
    // Field by field, up to the syntax, which is written last.
    loop {
        let key = prost::encoding::decode_varint(&mut rest).ok()?;
        let length = usize::try_from(prost::encoding::decode_varint(&mut rest).ok()?).ok()?;
        rest = rest.get(length..)?;
        if key >> 3 == 12 {
            return FileDescriptorProto::decode(&begins[..begins.len() - rest.len()]).ok();
        }
    }
}

/// Everything that travels, a line each: `machine.Reboot 2 actor_id …`.
fn lines(file: &FileDescriptorProto, package: &str) -> BTreeMap<String, String> {
    let mut lines = BTreeMap::new();
    let renamed = |name: &str| name.replace("cosi.resource.meta.", "cosi.meta.");
    fn enumeration(lines: &mut BTreeMap<String, String>, path: &str, described: &EnumDescriptorProto) {
        let path = format!("{path}.{}", described.name());
        for value in &described.value {
            lines.insert(format!("{path} {}", value.number()), value.name().to_owned());
        }
    }
    fn message(
        lines: &mut BTreeMap<String, String>,
        path: &str,
        described: &DescriptorProto,
        renamed: &dyn Fn(&str) -> String,
    ) {
        let path = format!("{path}.{}", described.name());
        lines.insert(path.clone(), "message".to_owned());
        for field in &described.field {
            let said = format!(
                "{} {:?} {:?} {} {}",
                field.name(),
                field.label(),
                field.r#type(),
                renamed(field.type_name()),
                field.proto3_optional()
            );
            lines.insert(format!("{path} {}", field.number()), said);
        }
        described.enum_type.iter().for_each(|inner| enumeration(lines, &path, inner));
        described.nested_type.iter().for_each(|inner| message(lines, &path, inner, renamed));
    }
    file.message_type.iter().for_each(|described| message(&mut lines, package, described, &renamed));
    file.enum_type.iter().for_each(|described| enumeration(&mut lines, package, described));
    for service in &file.service {
        for method in &service.method {
            let said = format!(
                "{} {} -> {} {}",
                method.client_streaming(),
                method.input_type(),
                method.server_streaming(),
                method.output_type()
            );
            lines.insert(format!("{package}.{}.{}", service.name(), method.name()), said);
        }
    }
    lines
}

fn client() -> Option<Vec<u8>> {
    let program = testbed::programs()?.assets.join("talosctl");
    if !Path::new(&program).exists() {
        testbed::say("real arm: skipped, because `talosctl` is not there");
        return None;
    }
    Some(fs::read(program).unwrap())
}

#[test]
fn whatever_talosctl_knows_of_is_defined_as_it_has_it() {
    let Some(program) = client() else { return };
    let ours: BTreeMap<String, String> =
        definitions::read().file.iter().flat_map(|file| lines(file, file.package())).collect();
    let beginnings = beginnings(&program);
    let mut differences = Vec::new();
    for (name, package) in CARRIED {
        let mut named = beginnings.iter().filter(|rest| is(&rest[2..], name));
        let file = named.find_map(|rest| carried(rest)).unwrap_or_else(|| panic!("talosctl has no {name}"));
        for (what, theirs) in lines(&file, package) {
            match ours.get(&what) {
                Some(said) if *said == theirs => {}
                None if is_left_out(&what) => {}
                other => differences.push(format!("{what}: {theirs}, and not {other:?}")),
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
