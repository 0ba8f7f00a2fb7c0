//! What kubectl makes by itself, without a file.

use super::console::Console;

pub fn things_are_made(console: &Console) {
    for line in [
        "kubectl create configmap settings --from-literal=colour=blue --from-literal=size=3",
        "kubectl create configmap settings --from-literal=colour=red",
        "kubectl create secret generic key --from-literal=token=abc",
        "kubectl create secret docker-registry images --docker-server=registry.example.test --docker-username=me --docker-password=secret",
        "kubectl create deployment web --image=nginx:1 --replicas=2 --port=80",
        "kubectl create deployment Web_1 --image=nginx:1",
        "kubectl create service clusterip web --tcp=80:8080",
        "kubectl create service nodeport door --tcp=80",
        "kubectl create service externalname away --external-name=example.test",
        "kubectl create service loadbalancer front --tcp=443:8443",
        "kubectl create job once --image=busybox:1 -- true",
        "kubectl create cronjob hourly --image=busybox:1 --schedule='0 * * * *' -- date",
        "kubectl create cronjob never --image=busybox:1 --schedule='whenever'",
        "kubectl create job again --from=cronjob/hourly",
        "kubectl create serviceaccount robot",
        "kubectl create role reader --verb=get,list --resource=pods,pods/log,deployments.apps",
        "kubectl create role odd --verb=get --resource=nonsense",
        "kubectl create rolebinding reading --role=reader --serviceaccount=SPACE:robot",
        "kubectl create quota little --hard=pods=20,configmaps=10",
        "kubectl create quota wrong --hard=pods=many",
        "kubectl create poddisruptionbudget web --selector=app=web --min-available=1",
        "kubectl create ingress web --rule=shop.example.test/*=web:80",
        "kubectl run shell --image=busybox:1 --labels=app=shell --dry-run=server -o name",
        "kubectl run shell --image=busybox:1 --restart=Sometimes",
        "kubectl expose deployment web --port=8000 --target-port=80 --name=exposed",
        "kubectl expose deployment nobody --port=80",
        "kubectl autoscale deployment web --min=1 --max=3 --cpu=80%",
        "kubectl get configmap settings -o yaml",
        "kubectl get service exposed -o jsonpath='{.spec.ports}{.spec.selector}'",
        "kubectl get secret key -o jsonpath={.data.token}",
        "kubectl get secret images -o jsonpath={.type}",
        "kubectl get configmap,service,serviceaccount,role,rolebinding,quota,ingress -o name",
        "kubectl get rolebinding reading -o jsonpath='{.roleRef}{.subjects}'",
    ] {
        console.run(line);
    }
    console.file("odd.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: odd}\ndate: {colour: blue}\n");
    console.run("kubectl create -f odd.yaml");
    console.run("kubectl create -f odd.yaml --validate=warn");
    console.run("kubectl create -f nowhere.yaml");
}
