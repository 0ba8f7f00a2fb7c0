//! The peer that does as little as can be: a loop around the `kube` crate, in a process of its own.

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};

use crate::applying::{AT_ONCE, OBJECTS};

/// The word on the command line that makes this process the loop.
pub const WORD: &str = "bare-apply";

/// Applies the objects to a namespace of the current cluster.
pub fn apply(namespace: &str) {
    // `main` of the program does this; here nobody else does.
    rustls::crypto::ring::default_provider().install_default().expect("nobody was first");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime starts");
    runtime.block_on(async {
        let client = Client::try_default().await.expect("the testbed has a kubeconfig");
        let objects: Api<ConfigMap> = Api::namespaced(client, namespace);
        let manner = PatchParams::apply("bare");
        let each = stream::iter(0..OBJECTS).map(|number| {
            let (objects, manner) = (&objects, &manner);
            async move {
                let name = format!("object-{number}");
                let object = serde_json::json!({
                    "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": namespace },
                    "data": { "number": number.to_string() },
                });
                objects.patch(&name, manner, &Patch::Apply(&object)).await
            }
        });
        let applied: Vec<ConfigMap> =
            each.buffer_unordered(AT_ONCE).try_collect().await.expect("the server takes them all");
        assert_eq!(applied.len(), OBJECTS);
    });
}
