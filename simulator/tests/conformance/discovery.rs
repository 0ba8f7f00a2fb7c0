//! What a server says of itself.

use serde_json::{Value, json};

use super::arms::Arm;

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

bodies! {
    its_groups_and_versions_are_listed
    its_resources_are_listed
    all_comes_at_once_to_whoever_asks_for_that
    what_it_does_not_serve_is_not_found
    it_counts_what_it_is_asked
    it_says_how_it_is
    its_documents_have_an_index
    the_shape_of_a_kind_is_published
    the_requests_of_a_kind_are_published
    version_2_is_there_for_older_clients
}

fn its_groups_and_versions_are_listed(arm: &Arm) {
    arm.get("/apis/apps");
    arm.get("/apis/rbac.authorization.k8s.io");
    arm.get("/apis/autoscaling");
    let groups = arm.look("/apis").body["groups"].as_array().cloned().unwrap_or_default();
    let built_in = ["apps", "batch", "events.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io"];
    for name in built_in {
        assert!(groups.iter().any(|group| group["name"] == name), "{name}");
    }
    assert_eq!(arm.look("/api").body["versions"][0], "v1");
}

fn its_resources_are_listed(arm: &Arm) {
    let groups = ["/api/v1", "/apis/apps/v1", "/apis/batch/v1", "/apis/policy/v1", "/apis/authorization.k8s.io/v1"];
    for path in groups {
        // The digests of storage versions are of the server's own making.
        let mut list = arm.look(path).body;
        for resource in list["resources"].as_array_mut().into_iter().flatten() {
            resource.as_object_mut().map(|resource| resource.remove("storageVersionHash"));
        }
        arm.note(path, list);
    }
}

fn all_comes_at_once_to_whoever_asks_for_that(arm: &Arm) {
    for path in ["/api", "/apis"] {
        let answer = arm.look_as(path, AGGREGATED);
        assert_eq!(answer.form, AGGREGATED);
        let built_in = |group: &Value| {
            let name = group["metadata"]["name"].as_str().unwrap_or_default();
            !name.contains('.') || name.ends_with(".k8s.io")
        };
        let groups = answer.body["items"].as_array().into_iter().flatten().filter(|group| built_in(group)).cloned();
        arm.note(path, groups.collect());
    }
}

fn what_it_does_not_serve_is_not_found(arm: &Arm) {
    arm.get("/nowhere");
    arm.get("/apis/nowhere.example.org");
    arm.get("/apis/nowhere.example.org/v1");
    arm.get("/apis/nowhere.example.org/v1/things");
    arm.get("/apis/apps/v7");
    arm.get("/apis/apps/v1/things");
    arm.get("/api/v7");
    arm.get("/livez/nothing");
}

fn it_says_how_it_is(arm: &Arm) {
    for path in ["/healthz", "/livez", "/readyz", "/livez/ping", "/readyz/etcd-readiness"] {
        arm.get(path);
    }
    for path in ["/healthz?verbose", "/livez?verbose", "/readyz?verbose"] {
        arm.get(path);
    }
}

fn it_counts_what_it_is_asked(arm: &Arm) {
    let all = "/api/v1/namespaces/SPACE/podtemplates";
    let one = format!("{all}/counted");
    let template = json!({
        "apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "counted"},
        "template": {"spec": {"containers": [{"name": "main", "image": "example.com/main"}]}},
    });
    arm.create(&format!("{all}?dryRun=All"), template.clone());
    arm.create(all, template.clone());
    arm.create(all, template.clone());
    arm.get(&one);
    arm.get(&format!("{all}/missing"));
    arm.get(all);
    arm.replace(&one, template.clone());
    arm.patch(&one, "merge", json!({"metadata": {"labels": {"counted": "yes"}}}));
    arm.apply(&one, "somebody", json!({"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "counted"}}));
    arm.delete(&one);
    arm.delete(all);
    let told = arm.look("/metrics");
    let text = told.body.as_str().unwrap_or_default();
    for (code, dry_run, scope, verb) in [
        (201, "All", "resource", "POST"),
        (201, "", "resource", "POST"),
        (409, "", "resource", "POST"),
        (200, "", "resource", "GET"),
        (404, "", "resource", "GET"),
        (200, "", "namespace", "LIST"),
        (200, "", "resource", "PUT"),
        (200, "", "resource", "PATCH"),
        (200, "", "resource", "APPLY"),
        (200, "", "resource", "DELETE"),
        (200, "", "namespace", "DELETE"),
    ] {
        let counted = format!(
            "apiserver_request_total{{code=\"{code}\",component=\"apiserver\",dry_run=\"{dry_run}\",group=\"\",\
             resource=\"podtemplates\",scope=\"{scope}\",subresource=\"\",verb=\"{verb}\",version=\"v1\"}} "
        );
        arm.note(&counted, json!(text.lines().any(|line| line.starts_with(&counted))));
    }
    for family in ["apiserver_request_total", "apiserver_resource_objects", "kubernetes_build_info"] {
        let said = |line: &&str| ["HELP", "TYPE"].iter().any(|part| line.starts_with(&format!("# {part} {family} ")));
        arm.note(family, json!(text.lines().filter(said).collect::<Vec<_>>()));
    }
    let build = text.lines().find(|line| line.starts_with("kubernetes_build_info{"));
    arm.note("the build", json!(build));
    let objects = "apiserver_resource_objects{group=\"apps\",resource=\"deployments\"} ";
    arm.note("the objects of a kind", json!(text.lines().any(|line| line.starts_with(objects))));
}

fn its_documents_have_an_index(arm: &Arm) {
    let paths = arm.look("/openapi/v3").body["paths"].clone();
    for place in ["api/v1", "apis/apps/v1", "apis/rbac.authorization.k8s.io/v1"] {
        let path = paths[place]["serverRelativeURL"].as_str().unwrap_or_default().to_owned();
        assert!(path.starts_with(&format!("/openapi/v3/{place}?hash=")), "{path}");
        assert_eq!(arm.look(&path).code, 200);
    }
}

fn the_shape_of_a_kind_is_published(arm: &Arm) {
    let document = arm.look("/openapi/v3/apis/apps/v1").body;
    let schemas = &document["components"]["schemas"];
    arm.note("Deployment", schemas["io.k8s.api.apps.v1.Deployment"].clone());
    arm.note("DeploymentList", schemas["io.k8s.api.apps.v1.DeploymentList"].clone());
    arm.note("Probe", schemas["io.k8s.api.core.v1.Probe"].clone());
    arm.note("info", document["info"].clone());
}

fn the_requests_of_a_kind_are_published(arm: &Arm) {
    let document = arm.look("/openapi/v3/apis/apps/v1").body;
    let paths = document["paths"].as_object().cloned().unwrap_or_default();
    let paths = paths.keys().filter(|path| !path.contains("/watch/") && !path.ends_with("/v1/"));
    let mut paths: Vec<&String> = paths.collect();
    paths.sort();
    arm.note("paths", serde_json::json!(paths));
    let item = &document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"];
    for method in ["get", "put", "patch", "delete"] {
        let operation = &item[method];
        arm.note(method, operation["x-kubernetes-group-version-kind"].clone());
        arm.note(method, operation["x-kubernetes-action"].clone());
    }
    let named = |parameter: &Value| parameter["name"].clone();
    let parameters = item["patch"]["parameters"].as_array().into_iter().flatten().map(named).collect::<Vec<_>>();
    arm.note("parameters", serde_json::json!(parameters));
}

fn version_2_is_there_for_older_clients(arm: &Arm) {
    let document = arm.look("/openapi/v2").body;
    arm.note("Deployment", document["definitions"]["io.k8s.api.apps.v1.Deployment"].clone());
    arm.note("DeploymentSpec", document["definitions"]["io.k8s.api.apps.v1.DeploymentSpec"].clone());
}
