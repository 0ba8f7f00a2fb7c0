//! Charts, installed by Helm.

use super::console::Console;

const FILES: &[(&str, &str)] = &[
    ("shop/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\nappVersion: '7'\ndescription: A shop\n"),
    ("shop/values.yaml", "colour: blue\nreplicas: 1\nimage: nginx:1\n"),
    (
        "shop/templates/settings.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-settings}\ndata: {colour: {{ .Values.colour }}}\n",
    ),
    (
        "shop/templates/web.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: {{ .Release.Name }}}\nspec:\n  replicas: {{ .Values.replicas }}\n  \
         selector: {matchLabels: {app: {{ .Release.Name }}}}\n  template:\n    metadata: {labels: {app: {{ .Release.Name }}}}\n    \
         spec: {containers: [{name: web, image: '{{ .Values.image }}'}]}\n---\napiVersion: v1\nkind: Service\n\
         metadata: {name: {{ .Release.Name }}}\nspec: {selector: {app: {{ .Release.Name }}}, ports: [{port: 80}]}\n",
    ),
    (
        "shop/templates/prepare.yaml",
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {{ .Release.Name }}-prepare\n  annotations:\n    \
         helm.sh/hook: pre-install,pre-upgrade\n    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded\nspec:\n  \
         template: {spec: {restartPolicy: Never, containers: [{name: main, image: 'busybox:1'}]}}\n",
    ),
    ("shop/templates/NOTES.txt", "The shop is {{ .Values.colour }}.\n"),
];

pub fn a_chart_lives_and_dies(console: &Console) {
    for (name, text) in FILES {
        console.file(name, text);
    }
    for line in [
        "helm list",
        "helm status shop",
        "helm install shop shop --dry-run=server",
        "helm install shop shop --wait --timeout=60s",
        "helm install shop shop",
        "helm list",
        "helm status shop",
        "helm get values shop",
        "helm get manifest shop",
        "kubectl get configmap shop-settings -o yaml",
        "helm upgrade shop shop --set=colour=green --set=image=nginx:2 --wait --timeout=60s",
        "helm upgrade shop shop --set=replicas=many",
        "helm history shop",
        "kubectl get configmap shop-settings -o jsonpath={.data}",
        "helm rollback shop 1 --wait --timeout=60s",
        "kubectl get deployment shop -o jsonpath={.spec.template.spec.containers[0].image}",
        "helm rollback shop 9",
        "helm history shop",
        "kubectl delete configmap shop-settings",
        "helm upgrade shop shop --reuse-values",
        "helm uninstall shop --keep-history",
        "helm list --all",
        "kubectl get configmap,deployment,service -o name",
        "helm uninstall shop",
        "helm uninstall shop",
    ] {
        console.run(line);
    }
}
