//! Kustomizations: folders whose files add up to objects. It fetches nothing: what isn't below the runbook's folder is refused.

use rhai::{Array, NativeCallContext, plugin::*};

use crate::{
    kubernetes::kustomization,
    script::{binding::Binding, conductor::Outcome, context::Call, values::tree::Tree},
};

pub const BINDING: Binding = Binding {
    name: "kustomize",
    summary: "builds objects of a folder with a kustomization",
    functions: |module| {
        combine_with_exported_module!(module, "kustomize", functions);
    },
    types: |_| {},
};

#[export_module]
mod functions {
    /// Builds the objects of a folder with a `kustomization.yaml`, as `kubectl kustomize` does.
    ///
    /// It knows bases, components, patches of both forms, generators of ConfigMaps and Secrets, images, replicas, labels,
    /// annotations, namespaces, prefixes and suffixes, replacements, and the order of what it gives. It doesn't know charts, plugins,
    /// variables and what is on other machines, and refuses them by their names.
    ///
    /// # Parameters
    /// - `folder` (text): relative to the runbook's folder
    ///
    /// # Returns
    /// A list of objects, in the order in which they can be applied.
    ///
    /// # Faults
    /// - `parse`: something in a file is wrong, not there, or not supported; the message has the place
    ///
    /// # Example
    /// ```rhai
    /// if fs::exists("shop/kustomization.yaml") {
    ///     for object in kustomize::build("shop") {
    ///         print(`${object.kind} ${object.metadata.name}`);
    ///     }
    /// }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn build(context: NativeCallContext, folder: &str) -> Outcome<Array> {
        let objects = kustomization::build(&context.host().files, folder).map_err(|fault| context.raise(fault))?;
        Ok(objects.iter().map(Tree::to_dynamic).collect())
    }
}
