//! Configurations of new clusters: field by field what talosctl makes of the same options.

use talos::{
    configuration::{Configuration, Contract},
    generate::Plan,
    patch::Patch,
    validate::{Findings, Mode, validate},
};

use super::{Talosctl, differences, secrets, source, values};

/// What can be said otherwise than usual, as talosctl is told it.
const OPTIONS: [&[&str]; 13] = [
    &["--additional-sans", "lab.example.org,10.5.0.9"],
    &["--dns-domain", "lab.internal"],
    &["--install-disk", "/dev/nvme0n1"],
    &["--install-image", "factory.talos.dev/installer/abc:v1.11.5"],
    &["--kubernetes-version", "1.33.4"],
    &["--persist=false"],
    &["--registry-mirror", "docker.io=https://mirror.example.org", "--registry-mirror", "ghcr.io=http://10.5.0.1:5000"],
    &["--with-cluster-discovery=false"],
    &["--with-kubespan"],
    &["--config-patch", "{machine: {sysctls: {vm.nr_hugepages: \"1024\"}}, cluster: {network: {cni: {name: none}}}}"],
    &["--config-patch-control-plane", "[{op: add, path: /cluster/allowSchedulingOnControlPlanes, value: true}]"],
    &["--config-patch-worker", "{machine: {nodeLabels: {role: storage}, kubelet: {extraArgs: {max-pods: 250}}}}"],
    &["--talos-version", "v1.9"],
];

fn plan(name: &str, endpoint: &str, arguments: &[&str]) -> Plan {
    let mut plan = Plan::new(name, endpoint, "v1.11.5").unwrap();
    let mut arguments = arguments.iter();
    while let Some(option) = arguments.next() {
        let mut value = || (*arguments.next().unwrap()).to_owned();
        let mut patches = || vec![Patch::read(&value(), Contract::V1_11).unwrap()];
        match *option {
            "--additional-sans" => plan.additional_names = value().split(',').map(str::to_owned).collect(),
            "--dns-domain" => plan.dns_domain = value(),
            "--install-disk" => plan.install_disk = value(),
            "--install-image" => plan.install_image = Some(value()),
            "--kubernetes-version" => plan.kubernetes = value(),
            "--persist=false" => plan.persist = false,
            "--registry-mirror" => {
                let said = value();
                let (registry, url) = said.split_once('=').unwrap();
                plan.registry_mirrors.push((registry.to_owned(), vec![url.to_owned()]));
            }
            "--with-cluster-discovery=false" => plan.discovery = false,
            "--with-kubespan" => plan.kubespan = true,
            "--config-patch" => plan.patches = patches(),
            "--config-patch-control-plane" => plan.patches_of_control_planes = patches(),
            "--config-patch-worker" => plan.patches_of_workers = patches(),
            // The versions before have what 1.11 has.
            "--talos-version" => plan.contract = Contract::of(&value()).unwrap(),
            other => panic!("{other}"),
        }
    }
    plan
}

#[test]
fn configurations_are_those_of_talosctl_of_the_same_options() {
    let Some(talosctl) = Talosctl::find() else { return };
    let secrets = secrets();
    talosctl.write("secrets.yaml", &secrets.write());
    let mut combinations: Vec<Vec<&str>> = vec![Vec::new()];
    for (index, one) in OPTIONS.iter().enumerate() {
        combinations.push(one.to_vec());
        let others = [1, 5].map(|step| OPTIONS[(index + step) % OPTIONS.len()]);
        combinations.extend(others.iter().map(|other| [*one, *other].concat()));
    }
    let endpoints = ["https://10.5.0.2:6443", "https://lab.example.org", "https://[fd00::1]:7443/"];
    for (number, combination) in combinations.iter().enumerate() {
        let (name, endpoint) = (format!("lab-{number}"), endpoints[number % endpoints.len()]);
        let generated = plan(&name, endpoint, combination).generate(&secrets, &source()).unwrap();
        let usual = ["gen", "config", &name, endpoint, "--with-secrets", "secrets.yaml", "--force", "-o", "made"];
        let plain = ["--with-docs=false", "--with-examples=false"];
        let said = talosctl.run(&[&usual[..], &plain, combination].concat());
        assert!(said.fine, "{combination:?}: {}", said.err);
        for (file, ours) in [("controlplane.yaml", &generated.control_plane), ("worker.yaml", &generated.worker)] {
            let theirs = talosctl.read(format!("made/{file}"));
            let differences = differences(&values(ours), &values(&theirs));
            assert!(differences.is_empty(), "{file} of {combination:?} for {endpoint}: {differences:?}");
        }
        let theirs = &values(&talosctl.read("made/talosconfig"))[0];
        let ours = &values(&generated.talosconfig.text())[0];
        assert_eq!(ours["context"], theirs["context"]);
        let (ours, theirs) = (&ours["contexts"][&name], &theirs["contexts"][&name]);
        for field in ["endpoints", "ca"] {
            assert_eq!(ours[field], theirs[field], "{field} of the talosconfig");
        }
    }
}

#[test]
fn what_is_made_is_valid_and_read_again_as_it_is() {
    let secrets = secrets();
    for version in ["v1.8", "v1.11.5", "v1.12.4"] {
        let plan = Plan::new("lab", "https://10.5.0.2:6443", version).unwrap();
        for control_plane in [true, false] {
            let text = plan.machine(&secrets, control_plane).unwrap();
            let read = Configuration::read(&text, plan.contract).unwrap();
            assert_eq!(read.text(), text);
            for mode in [Mode::Metal, Mode::Cloud, Mode::Container] {
                let Findings { warnings, errors } = validate(&read, mode, false);
                assert!(errors.is_empty(), "{version} in {mode}: {errors:?}");
                assert_eq!(warnings.len(), usize::from(version == "v1.12.4"), "{warnings:?}");
            }
        }
    }
}

#[test]
fn a_cluster_of_another_version_is_refused_by_name() {
    let error = Plan::new("lab", "https://10.5.0.2:6443", "v1.14.0").unwrap_err().to_string();
    assert_eq!(error, "nothing is known here of configurations for Talos `v1.14.0`, only of those for 1.8 to 1.12");
    let error = Plan::new("lab", "10.5.0.2", "v1.11.5").unwrap_err().to_string();
    assert_eq!(error, "the endpoint `10.5.0.2` is no URL; is `https://10.5.0.2:6443` meant?");
}

/// What Talos' own library makes for 1.12, which this talosctl doesn't know, with the names of secrets in their places.
const OF_1_12: [(&str, bool, bool); 4] = [
    (include_str!("recorded/1.12-controlplane.yaml"), true, false),
    (include_str!("recorded/1.12-worker.yaml"), false, false),
    (include_str!("recorded/1.12-controlplane-otherwise.yaml"), true, true),
    (include_str!("recorded/1.12-worker-otherwise.yaml"), false, true),
];

#[test]
fn configurations_for_1_12_are_those_that_were_recorded() {
    let secrets = secrets();
    for (theirs, control_plane, otherwise) in OF_1_12 {
        let mut plan = Plan::new("lab", "https://10.5.0.2:6443", "v1.12.4").unwrap();
        if otherwise {
            plan.additional_names = vec!["lab.example.org".to_owned()];
            (plan.persist, plan.discovery, plan.kubespan) = (false, false, true);
            let mirror = |registry: &str, url: &str| (registry.to_owned(), vec![url.to_owned()]);
            plan.registry_mirrors =
                vec![mirror("ghcr.io", "http://10.5.0.1:5000"), mirror("docker.io", "https://mirror.example.org")];
        }
        let mut ours = plan.machine(&secrets, control_plane).unwrap();
        let certificates = ["etcd", "k8s", "k8saggregator", "os"].map(|name| format!("certs.{name}.crt"));
        let certificates = certificates.map(|name| (name.clone(), secrets.text(&name)));
        for (name, value) in secrets.parts().chain(certificates) {
            ours = ours.replace(value, &format!("({name})"));
        }
        let differences = differences(&values(&ours), &values(theirs));
        assert!(differences.is_empty(), "control plane {control_plane}, otherwise {otherwise}: {differences:?}");
    }
}
