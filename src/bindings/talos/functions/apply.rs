//! Giving a node its configuration.

use std::time::Duration;

use rhai::{Dynamic, Map, NativeCallContext, plugin::*};
use serde_json::{Value, json};
use talos::{
    api::machine::{ApplyConfigurationRequest, apply_configuration_request::Mode},
    prost_types,
};

use super::{
    connect::read_or_given,
    look::{known, object, text},
    sequence::word,
};
use crate::{
    bindings::talos::{
        condition::{self, Role},
        guard,
        machines::{Maintenance, Talos},
        opening,
        reach::{Node, machine, only},
        resources,
    },
    host::{
        effect::{Effect, digest},
        wait::Waiting,
    },
    script::{
        conductor::Outcome,
        context::{Call, Change, Changed, Settled},
        fault::{Fault, Kind},
        options::Options,
        values::{at, tree::Tree, yaml},
    },
};

#[export_module]
pub mod functions {
    /// Gives a node its configuration.
    #[rhai_fn(global, name = "apply_config", pure, return_raw)]
    pub fn apply_config(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        configuration: Dynamic,
    ) -> Outcome<Dynamic> {
        configure(&context, talos, node, &configuration, Map::new())
    }

    /// Gives a node its configuration, or a node in maintenance its first one.
    ///
    /// A node in maintenance installs Talos then and boots; it answers by the talosconfig of its cluster afterwards. The
    /// configuration of a worker is not given to a control plane, nor the other way round, unless that is asked for.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection; a node in maintenance is given its configuration without naming it
    /// - `node` (text): the node
    /// - `configuration` (text or secret): a file, relative to the runbook's folder, or the configuration itself
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `mode` (text, `auto`): `auto`: boot if that is needed; `no-reboot`; `reboot`; `staged`: at the next boot; or `try`: take it
    ///   back after `try_timeout`, unless something else is applied before
    /// - `try_timeout` (duration, `1m`): how long it is tried
    /// - `dry_run` (boolean, `false`): only tell what it would change
    /// - `change_role` (boolean, `false`): also if the node becomes something else than it is
    /// - `timeout` (duration, `2m`): how long the node may take to answer
    ///
    /// # Returns
    /// An object with `mode`, in which it was applied, `details`, which has the difference where `dry_run` was asked for, and
    /// `warnings`.
    ///
    /// # Effect
    /// The node has the configuration. A resume looks whether it has; with `dry_run` nothing is changed.
    ///
    /// # Faults
    /// - `invalid`: the node refuses it, and says why
    /// - `refused`: the node would become something else than it is, or somebody said no
    /// - `unsupported`: the node does not know that mode
    /// - `unreachable`: no endpoint gets through to it
    /// - `denied`: the certificate may not do it
    /// - `in_doubt`: the connection broke, and nobody knows whether it was applied
    /// - `parse`: it is no YAML
    /// - `file`: the file can't be read
    /// - `usage`: there is no such mode
    /// - `timeout`: the node does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// let blank = talos::wait_maintenance("10.17.13.86");
    /// step "configure" { blank.apply_config("controlplane.yaml"); }
    /// ```
    ///
    /// ```rhai cluster
    /// let lab = talos::connect("talosconfig");
    /// print(lab.apply_config("10.17.13.86", "controlplane.yaml", #{ dry_run: true }).details);
    /// ```
    #[rhai_fn(global, name = "apply_config", pure, return_raw)]
    pub fn apply_config_with_options(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        configuration: Dynamic,
        options: Map,
    ) -> Outcome<Dynamic> {
        configure(&context, talos, node, &configuration, options)
    }

    /// Gives a node in maintenance its first configuration.
    #[rhai_fn(global, name = "apply_config", pure, return_raw)]
    pub fn apply_first_config(
        context: NativeCallContext,
        node: &mut Maintenance,
        configuration: Dynamic,
    ) -> Outcome<Dynamic> {
        configure_blank(&context, node, &configuration, Map::new())
    }

    /// Gives a node in maintenance its first configuration, as the options say.
    #[rhai_fn(global, name = "apply_config", pure, return_raw)]
    pub fn apply_first_config_with_options(
        context: NativeCallContext,
        node: &mut Maintenance,
        configuration: Dynamic,
        options: Map,
    ) -> Outcome<Dynamic> {
        configure_blank(&context, node, &configuration, options)
    }
}

/// What is to be applied, and how.
pub struct Applying {
    pub request: ApplyConfigurationRequest,
    role: Option<Role>,
    timeout: Duration,
}

impl Applying {
    fn read(context: &NativeCallContext, configuration: &Dynamic, options: &Options) -> Result<Self, Fault> {
        let (text, path) = read_or_given(&context.host(), configuration, "configuration")?;
        let shown = path.unwrap_or_else(|| "the configuration".to_owned());
        let documents = yaml::read_all(&text, &shown)
            .map_err(|error| Fault::new(Kind::Parse, format!("{shown} is no configuration: {error}")))?;
        resources::remember_secrets(&context.host(), &shown, &documents);
        let role = documents.iter().find_map(|document| at::text(document, &["machine", "type"]));
        Ok(Self { role: role.and_then(Role::of_word), ..Self::of("talos::apply_config", text, options)? })
    }

    /// A configuration that is known to be one.
    pub fn of(function: &str, text: String, options: &Options) -> Result<Self, Fault> {
        let modes = [
            ("auto", Mode::Auto),
            ("no-reboot", Mode::NoReboot),
            ("reboot", Mode::Reboot),
            ("staged", Mode::Staged),
            ("try", Mode::Try),
        ];
        let mode = word(function, "mode", &options.text("mode").unwrap_or_default(), &modes)?;
        let tried = prost_types::Duration::try_from(options.deadline("try_timeout")?).map_err(|_| {
            Fault::new(Kind::Usage, format!("option `try_timeout` of `{function}` is longer than a node counts"))
        })?;
        Ok(Self {
            role: None,
            request: ApplyConfigurationRequest {
                data: text.into_bytes(),
                mode: mode.into(),
                dry_run: options.flag("dry_run"),
                try_mode_timeout: (mode == Mode::Try).then_some(tried),
            },
            timeout: options.deadline("timeout")?,
        })
    }

    /// What an effect is made of, but for how it is settled.
    fn effect(&self, whose: &str, repeatable: bool) -> Effect {
        Effect {
            verb: "apply config".to_owned(),
            object: whose.to_owned(),
            digest: digest(&[whose.as_bytes(), &self.request.data, &self.request.mode.to_le_bytes()]),
            repeatable,
            destroys: None,
        }
    }
}

/// What a node says to its configuration.
#[derive(Clone)]
pub struct Applied {
    mode: String,
    details: String,
    warnings: Vec<String>,
}

impl Applied {
    fn kept(&self) -> Value {
        json!({ "mode": self.mode, "details": self.details, "warnings": self.warnings })
    }

    pub fn changed(value: Self) -> Changed<Self> {
        let detail = value.details.lines().next().map(str::to_owned).filter(|line| !line.is_empty());
        Changed { kept: value.kept(), detail, value }
    }

    /// What is known of one that no answer came to.
    pub fn assumed() -> Self {
        Self { mode: "auto".to_owned(), details: String::new(), warnings: Vec::new() }
    }

    fn of_kept(kept: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let warnings = kept["warnings"].as_array().into_iter().flatten().map(text).collect();
        Self { mode: text(&kept["mode"]), details: text(&kept["details"]), warnings }
    }

    fn told(self, context: &NativeCallContext, node: &Node) -> Dynamic {
        for warning in &self.warnings {
            context.host().events.warn_once(format!("node `{node}`: {warning}"));
        }
        object([
            ("mode", text(&self.mode)),
            ("details", text(&self.details)),
            ("warnings", self.warnings.iter().map(|warning| text(warning)).collect::<Tree>()),
        ])
        .to_dynamic()
    }
}

async fn send(node: &Node, request: &ApplyConfigurationRequest) -> Result<Applied, Fault> {
    let answer = node
        .once(|channel| {
            let request = request.clone();
            async move { machine(channel).apply_configuration(request).await }
        })
        .await?;
    let answer = only(answer.messages)?;
    let mode = known(answer.mode, Mode::as_str_name).replace(' ', "-");
    Ok(Applied { mode, details: answer.mode_details, warnings: answer.warnings })
}

fn configure(
    context: &NativeCallContext,
    talos: &Talos,
    name: &str,
    configuration: &Dynamic,
    options: Map,
) -> Outcome<Dynamic> {
    let options = context.options("talos::apply_config", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let applying = Applying::read(context, configuration, &options).map_err(raise)?;
    let node = talos.node(name).map_err(raise)?;
    if applying.request.dry_run {
        return dry(context, &node, applying);
    }
    let (looked, becomes) = (node.clone(), applying.role);
    let allowed = options.flag("change_role");
    // Whether it may be is asked of a node that answers; one that doesn't is not configured either.
    context.wait(Waiting::request(format!("what node {node} is"), applying.timeout), |_| async move {
        let is = condition::role(&looked).await.ok().flatten();
        guard::changing_role(&looked, is, becomes, allowed)
    })?;
    // Applied again it makes no difference, but for one that boots each time.
    let repeatable = applying.request.mode() != Mode::Reboot;
    let effect = applying.effect(&format!("{talos}: node {node}"), repeatable);
    let settled = (node.clone(), applying.request.clone());
    change(context, &node, effect, applying, async move {
        let (node, request) = settled;
        let there = resources::machine_config(&node).await?;
        Ok(match there.is_some_and(|there| there.trim().as_bytes() == request.data.trim_ascii()) {
            true => Settled::Happened(Applied::changed(Applied::assumed())),
            false => Settled::DidNot,
        })
    })
}

fn configure_blank(
    context: &NativeCallContext,
    blank: &Maintenance,
    configuration: &Dynamic,
    options: Map,
) -> Outcome<Dynamic> {
    let options = context.options("talos::apply_config", options)?;
    let applying = Applying::read(context, configuration, &options).map_err(|fault| context.raise(fault))?;
    let node = blank.node().clone();
    if applying.request.dry_run {
        return dry(context, &node, applying);
    }
    let effect = applying.effect(&format!("node {node} in maintenance"), false);
    let settled = node.clone();
    change(context, &node, effect, applying, async move {
        let (host, address) = (settled.host(), settled.address());
        Ok(match opening::maintenance(host, &address, &[]).await {
            Ok(_) => Settled::DidNot,
            Err(fault) if fault.kind == Kind::Tls => Settled::Happened(Applied::changed(Applied::assumed())),
            Err(fault) => Settled::Unknown { why: fault.message, assumed: Applied::changed(Applied::assumed()) },
        })
    })
}

/// Asks what it would change.
pub fn dry(context: &NativeCallContext, node: &Node, applying: Applying) -> Outcome<Dynamic> {
    let waiting = Waiting::request(format!("what a configuration would change of node {node}"), applying.timeout);
    let (asked, request) = (node.clone(), applying.request);
    let applied = context.wait(waiting, |_| async move { send(&asked, &request).await })?;
    Ok(applied.told(context, node))
}

/// Applies it, if the engine agrees.
pub fn change(
    context: &NativeCallContext,
    node: &Node,
    effect: Effect,
    applying: Applying,
    settle: impl Future<Output = Result<Settled<Applied>, Fault>> + Send + 'static,
) -> Outcome<Dynamic> {
    let (sent, request) = (node.clone(), applying.request);
    let applied = context.change(Change {
        effect,
        deadline: applying.timeout,
        perform: Box::new(move |_| Box::pin(async move { Ok(Applied::changed(send(&sent, &request).await?)) })),
        recall: Box::new(|kept| Box::pin(async move { Ok(Applied::of_kept(&kept)) })),
        settle: Box::pin(settle),
    })?;
    Ok(applied.told(context, node))
}
