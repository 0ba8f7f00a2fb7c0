//! Connecting: which kubeconfig, which context.

use rhai::{Map, NativeCallContext, plugin::*};

use crate::{
    host::{Host, wait::Waiting},
    kubeconfig::{Kubeconfig, SERVICE_ACCOUNT, Source, Target, found, in_cluster, named, read},
    kubernetes::{client::Cluster, secrets},
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        options::Options,
    },
};

/// Reading the files and keys of a connection.
const DEADLINE: std::time::Duration = std::time::Duration::from_secs(10);

/// The keys under which kubeconfigs are kept in Secrets: Cluster API's, Kamaji's, vcluster's, and what people write.
const KEYS: [&str; 5] = ["value", "super-admin.conf", "admin.conf", "config", "kubeconfig"];

#[export_module]
pub mod functions {
    /// Connects to the cluster of the current context.
    #[rhai_fn(return_raw)]
    pub fn connect(context: NativeCallContext) -> Outcome<Cluster> {
        open(&context, None, Map::new())
    }

    /// Connects to the cluster of a context.
    #[rhai_fn(name = "connect", return_raw)]
    pub fn connect_to(context: NativeCallContext, name: &str) -> Outcome<Cluster> {
        open(&context, Some(name), Map::new())
    }

    /// Connects to the cluster of the current context, as the options say.
    #[rhai_fn(name = "connect", return_raw)]
    pub fn connect_with_options(context: NativeCallContext, options: Map) -> Outcome<Cluster> {
        open(&context, None, options)
    }

    /// Connects to the cluster of a context.
    ///
    /// The kubeconfig is found and merged as kubectl does: the file in the option `kubeconfig`, or the files in the variable
    /// `KUBECONFIG`, or `~/.kube/config`; where there are none and the script runs in a pod, it is the cluster of that pod.
    /// Nothing is sent until something is asked of the cluster. Users may log in with a token, a token file, a client
    /// certificate, a username and password, or a credential plugin (`exec`), which is asked when something is first asked of
    /// the cluster, and again when what it gave has expired or is refused.
    ///
    /// # Parameters
    /// - `name` (text): the context; without it the current one
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `kubeconfig` (text): a kubeconfig file, relative to the runbook's folder
    /// - `text` (text or secret): the kubeconfig itself
    /// - `secret` (text): the Secret that holds the kubeconfig, as `namespace/name`, in the cluster `from`
    /// - `key` (text, `value`, `super-admin.conf`, `admin.conf`, `config`, `kubeconfig`, or the only one): the Secret's key
    /// - `from` (cluster): the cluster that holds the Secret
    /// - `in_cluster` (boolean, `false`): the cluster of the pod that this runs in
    /// - `service_account` (text, the usual one): where the pod's `token`, `ca.crt` and `namespace` are
    /// - `context` (text): the context, where it is not given as a parameter
    /// - `namespace` (text, the context's own): the namespace that is meant where none is named
    /// - `resolve` (text): where to connect to instead of the server's own address, such as `10.17.13.244:443`; the server's
    ///   name stays the one that is asked for and that its certificate must have
    /// - `tls_server_name` (text, the server's name): the name that the server's certificate must have
    /// - `proxy` (text or secret, the kubeconfig's `proxy-url`, else `HTTPS_PROXY`): the proxy's URL (`http://`,
    ///   `https://` or `socks5://`, with `user:password@` perhaps), or `none`; one at `https://` is always verified
    /// - `insecure` (boolean, `false`): nobody checks who answers; it is warned of
    ///
    /// # Returns
    /// A `Cluster`.
    ///
    /// # Faults
    /// - `file`: there is no kubeconfig, or it names a file that can't be read
    /// - `parse`: the kubeconfig can't be understood; the message says where
    /// - `not_found`: there is no context, Secret or key of that name
    /// - `unsupported`: the user logs in with an `auth-provider`, or with a plugin that needs a terminal
    /// - `tls`: a certificate or key in the kubeconfig can't be used
    /// - `usage`: options contradict each other
    ///
    /// # Example
    /// ```rhai cluster
    /// let lab = k8s::connect("testbed", #{ namespace: "default" });
    /// print(lab.list("namespaces").len());
    /// ```
    ///
    /// ```rhai cluster
    /// // A cluster that the first one made, reached before its name is in the DNS.
    /// let lab = k8s::connect();
    /// let harvey = k8s::connect(#{
    ///     from: lab, secret: "tenant-test/kubernetes-harvey-admin-kubeconfig", resolve: "10.17.13.244:443",
    /// });
    /// ```
    #[rhai_fn(name = "connect", return_raw)]
    pub fn connect_to_with_options(context: NativeCallContext, name: &str, options: Map) -> Outcome<Cluster> {
        open(&context, Some(name), options)
    }

    /// Returns the name of the cluster's context.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    ///
    /// # Returns
    /// A text.
    ///
    /// # Example
    /// ```rhai cluster
    /// print(cluster.context());
    /// ```
    #[rhai_fn(global, name = "context", pure)]
    pub fn context_of(cluster: &mut Cluster) -> String {
        cluster.context().to_owned()
    }

    /// Returns the host and port of the cluster's API server.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    ///
    /// # Returns
    /// A text.
    ///
    /// # Example
    /// ```rhai cluster
    /// print(cluster.server());
    /// ```
    #[rhai_fn(global, name = "server", pure)]
    pub fn server_of(cluster: &mut Cluster) -> String {
        cluster.server().to_owned()
    }
}

fn open(context: &NativeCallContext, name: Option<&str>, options: Map) -> Outcome<Cluster> {
    let options = context.options("k8s::connect", options)?;
    let host = context.host();
    let target = target(context, &host, name, &options)?;
    if target.insecure {
        let server = target.server.authority().map(ToString::to_string).unwrap_or_default();
        host.events.warn_once(format!(
            "nobody checks who answers as `{}` at `{server}`: {}",
            target.context,
            if options.flag("insecure") {
                "`insecure` says so"
            } else {
                "its kubeconfig has `insecure-skip-tls-verify`"
            }
        ));
    }
    let what = format!("the connection to {}", target.context);
    context.wait(Waiting::request(what, DEADLINE), |_| async move { Cluster::open(&host, &target) })
}

/// What to connect to: a context of a kubeconfig, or this pod's own cluster, as the options change it.
fn target(context: &NativeCallContext, host: &Host, name: Option<&str>, options: &Options) -> Outcome<Target> {
    let sources = ["kubeconfig", "text", "secret", "in_cluster"];
    let given: Vec<&str> = sources.into_iter().filter(|source| options.value(source).is_some()).collect();
    let usage = |message: &str, hint: &str| context.raise(Fault::new(Kind::Usage, message).hint(hint));
    if let [first, second, ..] = given[..] {
        return Err(usage(&format!("both `{first}` and `{second}` are given"), "keep one of them"));
    }
    if options.value("secret").is_some() != options.value("from").is_some() {
        return Err(usage("`secret` and `from` go together", "name the Secret, and the cluster that holds it"));
    }
    if name.is_some() && options.value("context").is_some() {
        return Err(usage("the context is given twice", "leave the option `context` out"));
    }
    let raised = |fault| context.raise(fault);
    let named = options.text("context");
    let name = name.or(named.as_deref());
    let mut target = if options.flag("in_cluster") || given.is_empty() && is_pod_without_kubeconfig(host) {
        if name.is_some() {
            return Err(usage("this pod's own cluster has no contexts", "leave the context or `in_cluster` out"));
        }
        let folder = options.text("service_account").unwrap_or_else(|| SERVICE_ACCOUNT.to_owned());
        in_cluster(host, &folder).map_err(raised)?
    } else {
        kubeconfig(context, host, options)?.target(name).map_err(raised)?
    };
    adjust(&mut target, options);
    Ok(target)
}

fn is_pod_without_kubeconfig(host: &Host) -> bool {
    let is_set = |name: &str| host.environment.variable(name).is_some_and(|value| !value.is_empty());
    let home = host.environment.home().map(|home| home.join(".kube/config"));
    is_set("KUBERNETES_SERVICE_HOST")
        && !is_set("KUBECONFIG")
        && home.is_none_or(|config| host.files.read_personal(&config).is_err())
}

/// The kubeconfig that the options or the environment name.
fn kubeconfig(context: &NativeCallContext, host: &Host, options: &Options) -> Outcome<Kubeconfig> {
    let raised = |fault| context.raise(fault);
    if let Some(name) = options.text("secret") {
        return in_secret(context, &name, options);
    }
    if let Some(text) = options.secret("text") {
        return read(vec![(Source::Text("text".to_owned()), text.expose().to_owned())]).map_err(raised);
    }
    match options.text("kubeconfig") {
        Some(path) => named(host, &path).and_then(|file| read(vec![file])).map_err(raised),
        None => found(host).map_err(raised),
    }
}

/// The kubeconfig in a Secret of another cluster.
fn in_secret(context: &NativeCallContext, name: &str, options: &Options) -> Outcome<Kubeconfig> {
    let usage = |message: String, hint: &str| context.raise(Fault::new(Kind::Usage, message).hint(hint));
    let Some((namespace, name)) = name.split_once('/').filter(|(_, name)| !name.is_empty() && !name.contains('/'))
    else {
        return Err(usage(format!("`{name}` names no Secret"), "write it as `namespace/name`"));
    };
    let from = options.value("from").unwrap_or_default();
    let Some(cluster) = from.clone().try_cast::<Cluster>() else {
        return Err(usage(
            format!("`from` is a {}, not a cluster", from.type_name()),
            "give it what `k8s::connect` gave",
        ));
    };
    let (cluster, key) = (cluster.here(), options.text("key"));
    let (namespace, name) = (namespace.to_owned(), name.to_owned());
    let what = format!("the kubeconfig in secret/{name} in {namespace}");
    context.wait(Waiting::request(what, DEADLINE), |_| async move {
        let resource = cluster.resolve("secrets").await?;
        let secret = cluster.read(&resource, &namespace, &name).await?;
        let (key, value) = secrets::value(&secret, key.as_deref(), &KEYS)
            .map_err(|fault| fault.note(format!("looked in secret/{name} in {namespace} of {cluster}")))?;
        read(vec![(Source::Text(format!("secret/{name} in {namespace}, key {key}")), value)])
    })
}

/// What the options say differently from the kubeconfig.
fn adjust(target: &mut Target, options: &Options) {
    if let Some(namespace) = options.text("namespace") {
        target.namespace = namespace;
    }
    target.resolve = options.text("resolve");
    if let Some(proxy) = options.secret("proxy") {
        target.proxy = Some(proxy.expose().to_owned());
    }
    if let Some(name) = options.text("tls_server_name") {
        target.tls_server_name = Some(name);
    }
    if options.flag("insecure") {
        target.insecure = true;
        target.authority = None;
    }
}
