//! Configurations of machines and the secrets behind them: made, changed and judged here, without asking a node.

use rcgen::KeyPair;
use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde_json::{Value, json};
use talos::{
    configuration::{Configuration, Contract, Invalid},
    generate::Plan,
    patch::{Patch, apply},
    secrets::{self, Algorithm, Secrets},
    talosconfig::{self, Talosconfig},
    validate::{Mode, validate},
};

use super::connect::{read_or_given, texts};
use crate::{
    bindings::talos::resources::remember_secrets,
    host::{Host, keys, secrets::Secret},
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        options::Options,
        values::{tree::Tree, yaml},
    },
    wire::{certificate::facts_of_chain, signer::Signer},
};

#[export_module]
pub mod functions {
    /// Makes the secrets of a new cluster: authorities, keys and tokens, from which its configurations are made.
    ///
    /// They are the system's chance, never the run's seed. The journal doesn't hold them: a step whose value they are runs again
    /// when the run is resumed, and makes others. Write them where they are to be kept within the same step. The key of service
    /// accounts is one on the curve P-256, as `talosctl` made it up to 1.6, and not of RSA: Talos and Kubernetes take either.
    ///
    /// # Returns
    /// A `Secret`: the file that `talosctl gen secrets` writes, and takes.
    ///
    /// # Example
    /// ```rhai
    /// step "the secrets of the lab" {
    ///     fs::write("secrets.yaml", talos::gen_secrets());
    /// }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn gen_secrets(context: NativeCallContext) -> Outcome<Secret> {
        let host = context.host();
        let made = Secrets::generate(&Source(&host))
            .map_err(|why| context.raise(Fault::new(Kind::Usage, format!("the secrets can't be made: {why}"))))?;
        remember_parts(&host, &made);
        Ok(kept(&host, "talos secrets", made.write()))
    }

    /// Makes the configurations of a new cluster.
    #[rhai_fn(return_raw)]
    pub fn gen_config(context: NativeCallContext, name: &str, endpoint: &str, secrets: Dynamic) -> Outcome<Map> {
        generated(&context, name, endpoint, &secrets, Map::new())
    }

    /// Makes the configurations of a new cluster, as `talosctl gen config` does.
    ///
    /// # Parameters
    /// - `name` (text): what the cluster is called
    /// - `endpoint` (text): where its control plane is asked, as a URL: `https://10.17.13.253:6443`
    /// - `secrets` (text or secret): a file of secrets, relative to the runbook's folder, or the secrets themselves
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `talos_version` (text, `v1.11.5`): for which version of Talos, from 1.8 to 1.12
    /// - `kubernetes_version` (text): without a `v`; what that version of Talos comes with, if it isn't said
    /// - `additional_sans` (text or list): further names and addresses of the control plane
    /// - `install_disk` (text, `/dev/sda`): where Talos is installed
    /// - `install_image` (text): from which image; that of the version, if it isn't said
    /// - `dns_domain` (text, `cluster.local`): the domain of services
    /// - `registry_mirrors` (map): registries, and the URL or the URLs where they are asked instead
    /// - `persist` (boolean, `true`): keep the configuration over boots
    /// - `cluster_discovery` (boolean, `true`): let members find each other
    /// - `kubespan` (boolean, `false`): let them speak to each other through WireGuard
    /// - `patches` (any): patches for all machines, as `talos::patch` takes them
    /// - `controlplane_patches` (any): further ones for control planes
    /// - `worker_patches` (any): further ones for workers
    /// - `endpoints` (text or list): the nodes that the talosconfig asks
    ///
    /// # Returns
    /// A map with `controlplane`, `worker` and `talosconfig`, each a `Secret`. The talosconfig has a certificate of its own, valid
    /// for a year.
    ///
    /// # Faults
    /// - `usage`: an option can't be used
    /// - `parse`: the secrets or a patch can't be read, or don't fit
    /// - `file`: a file can't be read
    ///
    /// # Example
    /// ```rhai
    /// step "configurations" {
    ///     let made = talos::gen_config("lab", "https://10.17.13.253:6443", talos::gen_secrets(), #{
    ///         install_disk: "/dev/nvme0n1",
    ///         patches: #{ machine: #{ time: #{ servers: ["time.example.org"] } } },
    ///     });
    ///     talos::validate(made.controlplane);
    ///     fs::write("controlplane.yaml", made.controlplane);
    /// }
    /// ```
    #[rhai_fn(name = "gen_config", return_raw)]
    pub fn gen_config_with_options(
        context: NativeCallContext,
        name: &str,
        endpoint: &str,
        secrets: Dynamic,
        options: Map,
    ) -> Outcome<Map> {
        generated(&context, name, endpoint, &secrets, options)
    }

    /// Gives a configuration with patches.
    #[rhai_fn(return_raw)]
    pub fn patch(context: NativeCallContext, configuration: Dynamic, patches: Dynamic) -> Outcome<Dynamic> {
        patched(&context, &configuration, &patches, Map::new())
    }

    /// Gives a configuration with patches, as `talosctl machineconfig patch` does. Nothing is written or sent.
    ///
    /// What a patch says counts, lists grow, links, volumes and the like are found by their names, and `$patch: delete` takes
    /// away. Documents that aren't there yet are added. A patch may also be a list of steps of RFC 6902.
    ///
    /// # Parameters
    /// - `configuration` (text or secret): a file, relative to the runbook's folder, or the configuration itself
    /// - `patches` (text, secret, map or list): a file, YAML or JSON as a text, a map, or a list of patches
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `talos_version` (text, `v1.12`): by the rules of which version
    ///
    /// # Returns
    /// The configuration: a `Secret` if it was given as one, or else a text.
    ///
    /// # Faults
    /// - `parse`: the configuration or a patch can't be read
    /// - `invalid`: a patch doesn't fit the configuration
    /// - `file`: a file can't be read
    /// - `usage`: there is no such version
    ///
    /// # Example
    /// ```rhai
    /// let worker = "machine:\n  type: worker\n  network:\n    interfaces:\n      - interface: eth0\n        dhcp: true\n";
    /// let patched = talos::patch(worker, #{ machine: #{ network: #{ interfaces: [#{ interface: "eth0", mtu: 9000 }] } } });
    /// print(patched);
    /// ```
    #[rhai_fn(name = "patch", return_raw)]
    pub fn patch_with_options(
        context: NativeCallContext,
        configuration: Dynamic,
        patches: Dynamic,
        options: Map,
    ) -> Outcome<Dynamic> {
        patched(&context, &configuration, &patches, options)
    }

    /// Judges a configuration for machines of metal.
    #[rhai_fn(name = "validate", return_raw)]
    pub fn validate_it(context: NativeCallContext, configuration: Dynamic) -> Outcome<Array> {
        judged(&context, &configuration, Map::new())
    }

    /// Judges a configuration, as `talosctl validate` does and in its words. No node is asked.
    ///
    /// Expressions that choose disks and volumes aren't judged: the node does that.
    ///
    /// # Parameters
    /// - `configuration` (text or secret): a file, relative to the runbook's folder, or the configuration itself
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `mode` (text, `metal`): for which machines: or `cloud`, or `container`
    /// - `strict` (boolean, `false`): warnings are errors
    /// - `talos_version` (text, `v1.12`): by the shapes of which version
    ///
    /// # Returns
    /// A list of warnings.
    ///
    /// # Faults
    /// - `invalid`: it isn't valid; the message has everything that is wrong
    /// - `parse`: it can't be read
    /// - `file`: the file can't be read
    /// - `usage`: there is no such mode or version
    ///
    /// # Example
    /// ```rhai
    /// let made = talos::gen_config("lab", "https://10.17.13.253:6443", talos::gen_secrets());
    /// for warning in talos::validate(made.worker, #{ mode: "cloud", strict: true }) { print(warning); }
    /// ```
    #[rhai_fn(name = "validate", return_raw)]
    pub fn validate_with_options(context: NativeCallContext, configuration: Dynamic, options: Map) -> Outcome<Array> {
        judged(&context, &configuration, options)
    }

    /// Says what a talosconfig says: its contexts, and who one is with each of them.
    ///
    /// # Parameters
    /// - `talosconfig` (text or secret): a file, relative to the runbook's folder, or the talosconfig itself
    ///
    /// # Returns
    /// An `Object` with `context`, the name of the current one, and `contexts`, a list of objects with `name`, `endpoints`, `nodes`,
    /// and, where there is a certificate, `subject`, `not_after` and `days_left`.
    ///
    /// # Faults
    /// - `parse`: it is none, or a certificate in it can't be read
    /// - `file`: the file can't be read
    ///
    /// # Example
    /// ```rhai
    /// let made = talos::gen_config("lab", "https://10.17.13.253:6443", talos::gen_secrets(), #{ endpoints: "10.17.13.86" });
    /// let lab = talos::contexts(made.talosconfig).contexts[0];
    /// print(`${lab.name} is asked at ${lab.endpoints}, as ${lab.subject}, for ${lab.days_left} days`);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn contexts(context: NativeCallContext, talosconfig: Dynamic) -> Outcome<Dynamic> {
        let host = context.host();
        let facts = read_talosconfig(&host, &talosconfig).and_then(|read| facts(&host, &read));
        facts.map(|facts| Tree::from_json(facts).to_dynamic()).map_err(|fault| context.raise(fault))
    }

    /// Puts the contexts of two talosconfigs together, as `talosctl config merge` does. Nothing is written.
    ///
    /// Nothing is lost: a context whose name is taken is called `name-1`. The current context is that of the second one.
    ///
    /// # Parameters
    /// - `talosconfig` (text or secret): a file, relative to the runbook's folder, or the talosconfig itself
    /// - `other` (text or secret): the one whose contexts come in, likewise
    ///
    /// # Returns
    /// A `Secret`: the talosconfig with all of them.
    ///
    /// # Faults
    /// - `parse`: one of them is none
    /// - `file`: a file can't be read
    ///
    /// # Example
    /// ```rhai
    /// let of = |name| talos::gen_config(name, "https://10.17.13.253:6443", talos::gen_secrets()).talosconfig;
    /// print(talos::contexts(talos::merge_talosconfig(of.call("lab"), of.call("home"))).context);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn merge_talosconfig(context: NativeCallContext, talosconfig: Dynamic, other: Dynamic) -> Outcome<Secret> {
        let host = context.host();
        let read = |given: &Dynamic| read_talosconfig(&host, given).map_err(|fault| context.raise(fault));
        let (mut one, other) = (read(&talosconfig)?, read(&other)?);
        one.merge(&other);
        Ok(kept(&host, "talosconfig", one.text()))
    }
}

/// Chance, keys and the time, as the host has them.
struct Source<'h>(&'h Host);

impl secrets::Source for Source<'_> {
    type Signer = Signer;

    fn fill(&self, bytes: &mut [u8]) {
        self.0.entropy.fill(bytes);
    }

    fn key(&self, algorithm: Algorithm) -> Vec<u8> {
        let algorithm = match algorithm {
            Algorithm::EcdsaP256 => keys::Algorithm::EcdsaP256,
            Algorithm::Ed25519 => keys::Algorithm::Ed25519,
        };
        self.0.keys.make(algorithm).to_vec()
    }

    fn signer(&self, pkcs8: &[u8]) -> Result<Signer, rcgen::Error> {
        KeyPair::try_from(pkcs8).map(Signer)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.clock.now().as_second()).unwrap_or_default()
    }
}

fn kept(host: &Host, reference: &str, text: String) -> Secret {
    let secret = Secret::new(reference, text);
    host.secrets.remember(&secret);
    secret
}

fn remember_parts(host: &Host, secrets: &Secrets) {
    let parts = secrets.parts().map(|(name, value)| Secret::new(format!("talos secrets: {name}"), value.to_owned()));
    host.secrets.remember_all(parts);
}

fn unreadable(what: &str, why: &Invalid) -> Fault {
    Fault::new(Kind::Parse, format!("{what} can't be read: {}", why.discreet()))
}

fn contract(options: &Options) -> Result<Contract, Fault> {
    let version = options.text("talos_version").unwrap_or_default();
    Contract::of(&version).map_err(|unknown| Fault::new(Kind::Usage, unknown.to_string()))
}

/// A configuration, and what it is called in messages.
fn configuration(host: &Host, given: &Dynamic) -> Result<(String, String), Fault> {
    let (text, path) = read_or_given(host, given, "configuration")?;
    let shown = path.map_or_else(|| "the configuration".to_owned(), |path| format!("`{path}`"));
    if let Ok(documents) = yaml::read_all(&text, &shown) {
        remember_secrets(host, &shown, &documents);
    }
    Ok((text, shown))
}

/// Patches as scripts write them: files, texts, maps, and lists of them.
fn patches(host: &Host, given: &Dynamic, contract: Contract) -> Result<Vec<Patch>, Fault> {
    if let Some(list) = given.read_lock::<Array>() {
        // Steps of RFC 6902 are one patch, and a list as well.
        let steps = !list.is_empty() && list.iter().all(step);
        if !steps {
            let read = list.iter().map(|item| patches(host, item, contract));
            return Ok(read.collect::<Result<Vec<_>, _>>()?.concat());
        }
    }
    let (text, shown) = patch_text(host, given)?;
    let shown = shown.map_or_else(|| "the patch".to_owned(), |path| format!("the patch `{path}`"));
    Patch::read(&text, contract).map(|patch| vec![patch]).map_err(|why| unreadable(&shown, &why))
}

/// A patch as a text, and the file it is in, if it is in one.
pub fn patch_text(host: &Host, given: &Dynamic) -> Result<(String, Option<String>), Fault> {
    if !given.is_string() && !given.is::<Secret>() {
        return Ok((Tree::from_dynamic(given).map_err(Fault::from)?.wire_json().to_string(), None));
    }
    let inline = given.read_lock::<rhai::ImmutableString>().filter(|text| text.starts_with(['{', '[']));
    match inline.map(|text| text.to_string()) {
        Some(text) => Ok((text, None)),
        None => read_or_given(host, given, "patch"),
    }
}

fn step(item: &Dynamic) -> bool {
    Tree::from_dynamic(item).is_ok_and(|tree| {
        let value = tree.wire_json();
        value.get("op").is_some() && value.get("path").is_some()
    })
}

fn generated(context: &NativeCallContext, name: &str, endpoint: &str, secrets: &Dynamic, options: Map) -> Outcome<Map> {
    let options = context.options("talos::gen_config", options)?;
    let host = context.host();
    let made = plan(&host, name, endpoint, &options).and_then(|plan| {
        let (text, path) = read_or_given(&host, secrets, "file of secrets")?;
        let shown = path.map_or_else(|| "the file of secrets".to_owned(), |path| format!("`{path}`"));
        let secrets = Secrets::read(&text).map_err(|why| unreadable(&shown, &why))?;
        remember_parts(&host, &secrets);
        plan.generate(&secrets, &Source(&host)).map_err(|why| {
            Fault::new(Kind::Parse, format!("the configurations of `{name}` can't be made: {}", why.discreet()))
        })
    });
    let made = made.map_err(|fault| context.raise(fault))?;
    if let Some(key) = talos_key(&made.talosconfig) {
        kept(&host, &format!("talos {name}: the key of the talosconfig"), key);
    }
    let parts =
        [("controlplane", made.control_plane), ("worker", made.worker), ("talosconfig", made.talosconfig.text())];
    let secret = |part: &str, text| Dynamic::from(kept(&host, &format!("talos {name}: {part}"), text));
    Ok(parts.into_iter().map(|(part, text)| (part.into(), secret(part, text))).collect())
}

fn talos_key(talosconfig: &Talosconfig) -> Option<String> {
    let (_, context) = talosconfig.chosen(None).ok()?;
    Some(context.identity().ok()??.key)
}

fn plan(host: &Host, name: &str, endpoint: &str, options: &Options) -> Result<Plan, Fault> {
    let version = options.text("talos_version").unwrap_or_default();
    let mut plan =
        Plan::new(name, endpoint, &version).map_err(|why| Fault::new(Kind::Usage, why.discreet().to_owned()))?;
    if let Some(version) = options.text("kubernetes_version") {
        plan.kubernetes = version.trim_start_matches('v').to_owned();
    }
    plan.additional_names = texts(options, "additional_sans")?;
    plan.endpoints = texts(options, "endpoints")?;
    plan.install_disk = options.text("install_disk").unwrap_or_default();
    plan.install_image = options.text("install_image");
    plan.dns_domain = options.text("dns_domain").unwrap_or_default();
    plan.persist = options.flag("persist");
    plan.discovery = options.flag("cluster_discovery");
    plan.kubespan = options.flag("kubespan");
    if let Some(mirrors) = options.value("registry_mirrors") {
        plan.registry_mirrors = registry_mirrors(&mirrors)?;
    }
    let given = |name: &str| match options.value(name) {
        Some(given) => patches(host, &given, plan.contract),
        None => Ok(Vec::new()),
    };
    let (all, control_planes, workers) = (given("patches")?, given("controlplane_patches")?, given("worker_patches")?);
    (plan.patches, plan.patches_of_control_planes, plan.patches_of_workers) = (all, control_planes, workers);
    Ok(plan)
}

fn registry_mirrors(given: &Dynamic) -> Result<Vec<(String, Vec<String>)>, Fault> {
    let tree = Tree::from_dynamic(given).map_err(Fault::from)?.wire_json();
    let registries = tree.as_object().into_iter().flatten().map(|(registry, urls)| {
        let urls = match urls {
            Value::String(url) => Some(vec![url.clone()]),
            Value::Array(urls) => urls.iter().map(|url| url.as_str().map(str::to_owned)).collect(),
            _ => None,
        };
        urls.map(|urls| (registry.clone(), urls)).ok_or_else(|| {
            let hint = "`#{ \"docker.io\": \"https://mirror.example.org\" }`";
            Fault::new(Kind::Usage, format!("the mirrors of `{registry}` are a URL, or a list of URLs")).hint(hint)
        })
    });
    registries.collect()
}

fn patched(context: &NativeCallContext, given: &Dynamic, wanted: &Dynamic, options: Map) -> Outcome<Dynamic> {
    let options = context.options("talos::patch", options)?;
    let host = context.host();
    let made = contract(&options).and_then(|contract| {
        let (text, shown) = configuration(&host, given)?;
        Configuration::read(&text, contract).map_err(|why| unreadable(&shown, &why))?;
        let patches = patches(&host, wanted, contract)?;
        let cannot = |why: Invalid| Fault::new(Kind::Invalid, format!("{shown} can't be patched: {}", why.discreet()));
        apply(&text, &patches, contract).map_err(cannot)
    });
    let text = made.map_err(|fault| context.raise(fault))?;
    Ok(match given.read_lock::<Secret>() {
        Some(secret) => Dynamic::from(kept(&host, &format!("{}, patched", secret.reference()), text)),
        None => text.into(),
    })
}

fn judged(context: &NativeCallContext, given: &Dynamic, options: Map) -> Outcome<Array> {
    let options = context.options("talos::validate", options)?;
    let host = context.host();
    let found = contract(&options).and_then(|contract| {
        let mode: Mode = options.text("mode").unwrap_or_default().parse().map_err(|why: String| {
            Fault::new(Kind::Usage, why).hint("option `mode` is `metal`, `cloud` or `container`")
        })?;
        let (text, shown) = configuration(&host, given)?;
        let read = Configuration::read(&text, contract).map_err(|why| unreadable(&shown, &why))?;
        let findings = validate(&read, mode, options.flag("strict"));
        match findings.errors.as_slice() {
            [] => Ok(findings.warnings),
            errors => {
                let errors = errors.iter().map(|error| error.trim()).collect::<Vec<_>>().join("; ");
                Err(Fault::new(Kind::Invalid, format!("{shown} is not valid for {mode} mode: {errors}")))
            }
        }
    });
    let warnings = found.map_err(|fault| context.raise(fault))?;
    Ok(warnings.into_iter().map(Dynamic::from).collect())
}

fn read_talosconfig(host: &Host, given: &Dynamic) -> Result<Talosconfig, Fault> {
    let (text, path) = read_or_given(host, given, "talosconfig")?;
    let shown = path.map_or_else(|| "the talosconfig".to_owned(), |path| format!("`{path}`"));
    talosconfig::read(&text).map_err(|why| Fault::new(Kind::Parse, format!("{shown} can't be read: {why}")))
}

fn facts(host: &Host, talosconfig: &Talosconfig) -> Result<Value, Fault> {
    let contexts = talosconfig.contexts.iter().map(|(name, context)| {
        let wrong = |why: String| Fault::new(Kind::Parse, format!("context `{name}` of the talosconfig: {why}"));
        let mut facts = json!({ "name": name, "endpoints": context.endpoints, "nodes": context.nodes });
        if let Some(identity) = context.identity().map_err(|why| wrong(why.to_string()))? {
            let chain = CertificateDer::pem_slice_iter(identity.certificate.as_bytes());
            let chain: Vec<_> = chain.collect::<Result<_, _>>().map_err(|why| wrong(why.to_string()))?;
            let said = facts_of_chain(&chain, host.clock.now()).map_err(wrong)?.unwrap_or_default();
            for fact in ["subject", "not_after", "days_left"] {
                facts[fact] = said[fact].clone();
            }
        }
        Ok::<Value, Fault>(facts)
    });
    Ok(json!({ "context": talosconfig.context, "contexts": contexts.collect::<Result<Vec<_>, _>>()? }))
}
