//! What is there, and what could be.

use super::console::Console;

const THINGS: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {app: web}}
data: {colour: blue, page: \"<html>\\n</html>\\n\"}
---
apiVersion: v1
kind: Secret
metadata: {name: key}
stringData: {token: abc}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}], sessionAffinity: ClientIP}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: little}
spec: {hard: {pods: '7', services: '3'}}
---
apiVersion: v1
kind: LimitRange
metadata: {name: sizes}
spec: {limits: [{type: Container, max: {memory: 1Gi}, default: {memory: 64Mi}}]}
---
apiVersion: v1
kind: Pod
metadata: {name: waiting, labels: {app: web}, annotations: {note: some words}}
spec:
  schedulerName: nobody
  initContainers: [{name: first, image: 'busybox:1', command: [sh, -c, 'exit 0']}]
  containers:
  - name: web
    image: nginx:1
    ports: [{containerPort: 8080, name: http}]
    env: [{name: COLOUR, valueFrom: {configMapKeyRef: {name: settings, key: colour}}}, {name: TOKEN, valueFrom: {secretKeyRef: {name: key, key: token}}}]
    readinessProbe: {httpGet: {path: /ready, port: http}}
    livenessProbe: {tcpSocket: {port: 8080}}
    volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, emptyDir: {}}]
  tolerations: [{key: special, operator: Exists, effect: NoSchedule}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: 'nginx:1', resources: {limits: {cpu: 200m}}}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: later}
spec: {suspend: true, template: {spec: {restartPolicy: Never, containers: [{name: main, image: 'busybox:1'}]}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: hourly}
spec: {suspend: true, schedule: '0 * * * *', jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: 'busybox:1'}]}}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {rules: [{host: shop.example.test, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}]}}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}], ports: [{port: 8080}]}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [''], resources: [pods, pods/log], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reading}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: robot, namespace: SPACE}]
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {storageClassName: none, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store}
spec:
  replicas: 0
  serviceName: store
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec: {containers: [{name: main, image: 'redis:1'}]}
";

pub fn things_are_described(console: &Console) {
    console.file("things.yaml", &console.placed(THINGS));
    console.quietly("kubectl apply -f things.yaml");
    console.quietly("kubectl wait quota/little --for=jsonpath={.status.used.services}=1 --timeout=30s");
    for what in [
        "configmap settings",
        "secret key",
        "serviceaccount robot",
        "service web",
        "quota little",
        "limitrange sizes",
        "pod waiting",
        "deployment web",
        "job later",
        "cronjob hourly",
        "ingress web",
        "networkpolicy closed",
        "role reader",
        "rolebinding reading",
        "statefulset store",
        "configmap nobody",
        "configmap -l app=web",
        "nonsense",
    ] {
        console.run(&format!("kubectl describe {what}"));
    }
}

pub fn it_is_known_what_there_is(console: &Console) {
    for line in [
        "kubectl version",
        "kubectl api-versions",
        "kubectl api-resources --sort-by=name --cached=false",
        "kubectl api-resources --api-group=apps -o wide",
        "kubectl explain deployment.spec.strategy",
        "kubectl explain pods.spec.containers.livenessProbe.exec --recursive",
        "kubectl explain cronjob --api-version=batch/v1",
        "kubectl explain nonsense",
        "kubectl explain pod.spec.nonsense",
        "kubectl get nonsense",
        "kubectl get --raw /healthz",
        "kubectl get --raw /nonsense",
        "kubectl get --raw /api/v1/namespaces/SPACE/nonsense",
        "kubectl get pod nobody",
        "kubectl get pods -o name -l 'app in (web'",
        "kubectl get pods -o name --field-selector=spec.nonsense=1",
        "kubectl get configmap -o name",
        "kubectl get configmap/kube-root-ca.crt serviceaccount/default -o name",
        "kubectl auth can-i create deployments",
        "kubectl auth can-i get pods --subresource=log --as=viewer",
        "kubectl auth can-i --list --as=viewer",
        "kubectl auth can-i get nonsense",
        "kubectl auth whoami",
        "kubectl get pods --as=viewer",
        "kubectl create configmap settings --as=viewer",
        "kubectl top nodes",
        "kubectl top pods",
        "kubectl create token default --duration=1m",
    ] {
        console.run(line);
    }
}

const SHOP: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.SPACE.example.test}
spec:
  group: SPACE.example.test
  scope: Namespaced
  names: {plural: widgets, kind: Widget, shortNames: [wg], categories: [shop]}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
    additionalPrinterColumns:
    - {name: Size, type: integer, jsonPath: .spec.size}
    - {name: Made, type: date, jsonPath: .metadata.creationTimestamp}
    - {name: Note, type: string, jsonPath: .spec.note, priority: 1}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, labels: {team: blue}}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: 'shop:1'}, {name: side, image: 'side:1'}]}
";

const WIDGETS: &str = "
apiVersion: SPACE.example.test/v1
kind: Widget
metadata: {name: large}
spec: {size: 3, note: some words}
---
apiVersion: SPACE.example.test/v1
kind: Widget
metadata: {name: small}
spec: {size: 1}
";

pub fn things_are_listed(console: &Console) {
    console.file("things.yaml", &console.placed(THINGS));
    console.file("shop.yaml", &console.placed(SHOP));
    console.file("widgets.yaml", &console.placed(WIDGETS));
    console.quietly("kubectl apply -f things.yaml -f shop.yaml");
    console.quietly("kubectl wait crd/widgets.SPACE.example.test --for=condition=Established --timeout=30s");
    console.quietly("kubectl apply -f widgets.yaml");
    console.quietly("kubectl rollout status deployment/shop --timeout=60s");
    for line in [
        "kubectl get pods",
        "kubectl get pods -o wide -l app=shop",
        "kubectl get pods waiting --show-labels",
        "kubectl get pods -L app,tier --no-headers",
        "kubectl get pods --field-selector=status.phase=Pending",
        "kubectl get deployments",
        "kubectl get deployments -o wide",
        "kubectl get rs,sts -o wide",
        "kubectl get jobs,cronjobs",
        "kubectl get svc",
        "kubectl get svc web -o wide",
        "kubectl get endpointslices",
        "kubectl get ingress",
        "kubectl get networkpolicies",
        "kubectl get pvc",
        "kubectl get cm,secrets,sa",
        "kubectl get limits",
        "kubectl get roles,rolebindings",
        "kubectl get rolebindings -o wide",
        "kubectl get crd widgets.SPACE.example.test",
        "kubectl get widgets",
        "kubectl get wg -o wide --sort-by=.spec.size",
        "kubectl get shop large",
        "kubectl get all",
        "kubectl get deploy shop -o jsonpath='{.spec.template.spec.containers[*].image}'",
        "kubectl get deploy -o custom-columns=NAME:.metadata.name,WANTED:.spec.replicas,TEAM:.metadata.labels.team",
        "kubectl get deploy shop -o go-template='{{range .spec.template.spec.containers}}{{.name}} {{end}}'",
        "kubectl get namespace SPACE",
        "kubectl get nodes -o name",
        "kubectl get pods,nonsense",
        "kubectl get pods -l app=nobody",
    ] {
        console.run(line);
    }
    let mut watching = console.start("kubectl get widgets --watch");
    watching.until("small");
    console.quietly("kubectl patch widget large --type=merge -p '{\"spec\":{\"size\":4}}'");
    console.quietly("kubectl delete widget small");
    // What is deleted is told as it was.
    let told = [watching.until("large"), watching.until("small")].concat();
    console.note(&format!("$ kubectl get widgets --watch\n{}", console.plain(&told)));
    watching.end();
    console.quietly("kubectl delete crd widgets.SPACE.example.test");
}
