//! As whom containers run, and what they may do.

use std::collections::BTreeSet;

use super::volumes::descending;
use crate::kubernetes::{
    answer::Cause,
    rules::{
        field::{Field, in_range, one_of, required},
        form,
    },
};

/// Numbers of users and groups.
const NUMBERS: std::ops::RangeInclusive<i64> = 0..=2_147_483_647;

pub fn check_pod(spec: &Field<'_>) -> Vec<Cause> {
    let context = spec.at("securityContext");
    let mut wrong: Vec<Cause> =
        ["fsGroup", "runAsUser", "runAsGroup"].iter().filter_map(|name| in_range(&context.at(name), NUMBERS)).collect();
    wrong.extend(context.at("supplementalGroups").items().filter_map(|group| in_range(&group, NUMBERS)));
    let shared = spec.at("shareProcessNamespace");
    if shared.is_true() && spec.at("hostPID").is_true() {
        let why = "ShareProcessNamespace and HostPID cannot both be enabled";
        wrong.push(context.at("shareProcessNamespace").with(shared.value).invalid(why));
    }
    let mut names = BTreeSet::new();
    for name in context.at("sysctls").items().map(|sysctl| sysctl.at("name")) {
        if let Some(missing) = required(&name, "") {
            wrong.push(missing);
        } else if !form::is_sysctl(name.text()) {
            wrong.push(name.invalid(form::SYSCTL));
        } else if !names.insert(name.text()) {
            wrong.push(name.duplicate());
        }
    }
    wrong.extend(one_of(&context.at("fsGroupChangePolicy"), &["Always", "OnRootMismatch"]));
    wrong.extend(profiles(&context));
    wrong.extend(one_of(&context.at("supplementalGroupsPolicy"), &["Merge", "Strict"]));
    wrong.extend(one_of(&context.at("seLinuxChangePolicy"), &["MountOption", "Recursive"]));
    wrong
}

pub fn check_container(container: &Field<'_>, spec: &Field<'_>) -> Vec<Cause> {
    let context = container.at("securityContext");
    let mut wrong: Vec<Cause> =
        ["runAsUser", "runAsGroup"].iter().filter_map(|name| in_range(&context.at(name), NUMBERS)).collect();
    let mount = context.at("procMount");
    wrong.extend(one_of(&mount, &["Default", "Unmasked"]));
    if mount.text() == "Unmasked" && spec.at("hostUsers").value != false {
        wrong.push(mount.invalid("`hostUsers` must be false to use `Unmasked`"));
    }
    wrong.extend(profiles(&context));
    wrong
}

/// What the kernel lets through, by seccomp and AppArmor.
fn profiles(context: &Field<'_>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let seccomp = context.at("seccompProfile");
    if seccomp.is_set() {
        let (kind, local) = (seccomp.at("type"), seccomp.at("localhostProfile"));
        wrong.extend(required(&kind, "type is required when seccompProfile is set"));
        if !kind.is_empty() {
            wrong.extend(one_of(&kind, &["Localhost", "RuntimeDefault", "Unconfined"]));
        }
        if kind.text() == "Localhost" && !local.is_set() {
            wrong.push(local.required("must be set when seccomp type is Localhost"));
        } else if kind.text() == "Localhost" {
            wrong.extend(descending(&local));
        } else if local.is_set() {
            wrong.push(local.with(seccomp.value).invalid("can only be set when seccomp type is Localhost"));
        }
    }
    let armor = context.at("appArmorProfile");
    if armor.is_set() {
        let (kind, local) = (armor.at("type"), armor.at("localhostProfile"));
        if kind.text() == "Localhost" {
            if !local.is_set() {
                wrong.push(local.required("must be set when AppArmor type is Localhost"));
            }
        } else if local.is_set() {
            wrong.push(local.invalid("can only be set when AppArmor type is Localhost"));
        }
        if kind.is_empty() {
            wrong.push(kind.required("type is required when appArmorProfile is set"));
        } else {
            wrong.extend(one_of(&kind, &["Localhost", "RuntimeDefault", "Unconfined"]));
        }
    }
    wrong
}
