use cozyscript::script::fault::Kind;

use super::script;

#[test]
fn a_folder_adds_up_to_the_objects_of_its_bases() {
    let (script, _folder) = script(&[
        ("shop/production/kustomization.yaml", "namePrefix: p-\nresources: [../base]\n"),
        ("shop/base/kustomization.yaml", "resources: [web.yaml]\nconfigMapGenerator: [{name: web, literals: [a=b]}]\n"),
        ("shop/base/web.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"),
    ]);
    assert_eq!(
        script.value::<String>(
            r#"kustomize::build("shop/production").map(|o| `${o.kind} ${o.metadata.name}`).reduce(|all, one| all + one + ";", "")"#
        ),
        "ConfigMap p-web-4h2mbtbbt6;Service p-web;"
    );
}

#[test]
fn what_is_wrong_in_it_is_told_with_its_place() {
    let (script, _folder) = script(&[
        ("charts/kustomization.yaml", "resources: []\nhelmCharts: [{name: redis}]\n"),
        ("above/kustomization.yaml", "resources:\n- ../../elsewhere\n"),
    ]);
    for (folder, told) in [
        ("charts", "charts/kustomization.yaml:2: `helmCharts` is not supported"),
        ("above", "`../elsewhere/kustomization.yaml` lies outside of the runbook's folder"),
        ("gone", "gone: it is no folder with a `kustomization.yaml`"),
    ] {
        let fault = script.fault(&format!("kustomize::build({folder:?})"));
        assert_eq!(fault.kind, Kind::Parse, "{folder}");
        assert!(fault.message.contains(told), "{fault}");
    }
}
