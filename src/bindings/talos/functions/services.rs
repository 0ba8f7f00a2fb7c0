//! Starting and ending services of a node.

use std::time::Duration;

use rhai::{NativeCallContext, plugin::*};
use serde_json::Value;
use talos::api::machine::{ServiceRestartRequest, ServiceStartRequest, ServiceStopRequest};

use crate::{
    bindings::talos::{
        machines::Talos,
        reach::{Node, machine, only},
    },
    host::effect::{Effect, digest},
    script::{
        conductor::Outcome,
        context::{Call, Change, Changed},
        fault::Fault,
    },
};

/// How long a service may take.
const CHANGE: Duration = Duration::from_secs(120);

#[export_module]
pub mod functions {
    /// Starts a service of a node.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    /// - `service` (text): its id: `kubelet`, or one of an extension
    ///
    /// # Returns
    /// What the node says.
    ///
    /// # Effect
    /// The service runs.
    ///
    /// # Faults
    /// - `failed`: there is no such service, or nobody may start it
    /// - `denied`: the certificate may not do it
    /// - `unreachable`: no endpoint gets through to the node
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// step "tailscale" { talos::connect().start_service("10.17.13.86", "ext-tailscale"); }
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn start_service(context: NativeCallContext, talos: &mut Talos, node: &str, service: &str) -> Outcome<String> {
        let request = ServiceStartRequest { id: service.to_owned() };
        change(&context, talos, node, "start service", service, |node| async move {
            let started = node.once(|channel| {
                let request = request.clone();
                async move { machine(channel).service_start(request).await }
            });
            Ok(only(started.await?.messages)?.resp)
        })
    }

    /// Ends a service of a node.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    /// - `service` (text): its id, of an extension
    ///
    /// # Returns
    /// What the node says.
    ///
    /// # Effect
    /// The service does not run.
    ///
    /// # Faults
    /// - `failed`: there is no such service, or nobody may end it
    /// - `denied`: the certificate may not do it
    /// - `unreachable`: no endpoint gets through to the node
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// step "tailscale" { talos::connect().stop_service("10.17.13.86", "ext-tailscale"); }
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn stop_service(context: NativeCallContext, talos: &mut Talos, node: &str, service: &str) -> Outcome<String> {
        let request = ServiceStopRequest { id: service.to_owned() };
        change(&context, talos, node, "stop service", service, |node| async move {
            let stopped = node.once(|channel| {
                let request = request.clone();
                async move { machine(channel).service_stop(request).await }
            });
            Ok(only(stopped.await?.messages)?.resp)
        })
    }

    /// Ends a service of a node and starts it anew.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    /// - `service` (text): its id: `kubelet`, or one of an extension
    ///
    /// # Returns
    /// What the node says.
    ///
    /// # Effect
    /// The service runs anew.
    ///
    /// # Faults
    /// - `failed`: there is no such service, or nobody may restart it
    /// - `denied`: the certificate may not do it
    /// - `unreachable`: no endpoint gets through to the node
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// let lab = talos::connect();
    /// step "kubelet" {
    ///     lab.restart_service("10.17.13.86", "kubelet");
    ///     lab.wait_service("10.17.13.86", "kubelet");
    /// }
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn restart_service(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        service: &str,
    ) -> Outcome<String> {
        let request = ServiceRestartRequest { id: service.to_owned() };
        change(&context, talos, node, "restart service", service, |node| async move {
            let restarted = node.once(|channel| {
                let request = request.clone();
                async move { machine(channel).service_restart(request).await }
            });
            Ok(only(restarted.await?.messages)?.resp)
        })
    }
}

fn change<F>(
    context: &NativeCallContext,
    talos: &Talos,
    name: &str,
    verb: &str,
    service: &str,
    work: impl FnOnce(Node) -> F + Send + 'static,
) -> Outcome<String>
where
    F: Future<Output = Result<String, Fault>> + Send + 'static,
{
    let node = talos.node(name).map_err(|fault| context.raise(fault))?;
    let effect = Effect {
        verb: verb.to_owned(),
        object: format!("{talos}: {service} on node {node}"),
        digest: digest(&[talos.to_string().as_bytes(), name.as_bytes(), service.as_bytes()]),
        repeatable: true,
        destroys: None,
    };
    context.change(Change::repeatable(effect, CHANGE, async move {
        let said = work(node).await?;
        Ok(Changed { detail: Some(said.clone()), value: said, kept: Value::Null })
    }))
}
