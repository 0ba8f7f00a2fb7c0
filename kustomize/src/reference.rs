//! Fields that name other objects, and follow them when their names change.

use serde_json::Value;

use crate::{
    fields::FieldSpec,
    identity::{Identity, Sort},
    resource::Resource,
};

/// Which fields name objects of a kind.
struct References {
    to: Sort,
    from: Vec<FieldSpec>,
}

/// Where the pods of a kind are described.
const PODS: [(&str, &str); 9] = [
    ("CronJob", "spec/jobTemplate/spec/template/spec"),
    ("DaemonSet", "spec/template/spec"),
    ("Deployment", "spec/template/spec"),
    ("Job", "spec/template/spec"),
    ("Pod", "spec"),
    ("PodTemplate", "template/spec"),
    ("ReplicaSet", "spec/template/spec"),
    ("ReplicationController", "spec/template/spec"),
    ("StatefulSet", "spec/template/spec"),
];

/// A kind begins at the margin, and the fields that name it follow. `pods/` stands for wherever pods are described.
fn references() -> Vec<References> {
    let mut references: Vec<References> = Vec::new();
    for line in include_str!("references.txt").lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix("  ") {
            None => {
                let (group, kind) = line.rsplit_once('/').unwrap_or(("", line));
                let to = Sort { group: group.to_owned(), kind: kind.to_owned(), ..Sort::default() };
                references.push(References { to, from: Vec::new() });
            }
            Some(line) => {
                let Some(last) = references.last_mut() else { continue };
                match line.strip_prefix("pods/") {
                    Some(line) => last.from.extend(of_pods(line)),
                    None => last.from.push(FieldSpec::read(line)),
                }
            }
        }
    }
    references
}

/// Behind the path may stand kinds, after a minus, whose pods are left out.
fn of_pods(line: &str) -> impl Iterator<Item = FieldSpec> {
    let mut words = line.split_whitespace();
    let path = words.next().unwrap_or_default();
    let without: Vec<&str> = words.map(|word| word.trim_start_matches('-')).collect();
    PODS.iter().filter(move |(kind, _)| !without.contains(kind)).map(move |(kind, pods)| FieldSpec {
        of: Sort { kind: (*kind).to_owned(), ..Sort::default() },
        path: format!("{pods}/{path}"),
        create: false,
    })
}

/// Lets every field that names an object have the name it has now.
pub fn follow(resources: &mut [Resource]) -> Result<(), String> {
    let references = references();
    for place in 0..resources.len() {
        let mut object = resources[place].object.clone();
        let referrer = Referrer { resource: &resources[place], all: resources };
        referrer.follow(&mut object, &references).map_err(|why| format!("{}: {why}", referrer.resource.identity()))?;
        resources[place].object = object;
    }
    Ok(())
}

struct Referrer<'r> {
    resource: &'r Resource,
    all: &'r [Resource],
}

/// What a field refers to.
struct Wanted<'w> {
    to: &'w Sort,
    path: &'w str,
    name: &'w str,
    /// The namespace, where that is said beside the name.
    home: Option<&'w str>,
    /// Whether the field has room for a namespace.
    is_map: bool,
}

impl<'r> Referrer<'r> {
    fn follow(&self, object: &mut Value, references: &[References]) -> Result<(), String> {
        let first = self.resource.first_identity();
        for References { to, from } in references {
            for field in from.iter().filter(|field| first.sort.fits(&field.of)) {
                // The object is of its kind now, whatever it was at first.
                let here = FieldSpec { of: Sort::default(), ..field.clone() };
                here.change(object, &Value::Null, &mut |value| self.update(value, to, &field.path))?;
            }
        }
        Ok(())
    }

    fn update(&self, field: &mut Value, to: &Sort, path: &str) -> Result<(), String> {
        match field {
            Value::Array(items) => items.iter_mut().try_for_each(|item| self.update(item, to, path)),
            Value::Object(parts) => {
                let text = |name: &str| parts.get(name).and_then(Value::as_str);
                let name = text("name").ok_or_else(|| format!("what `{path}` refers to has no name"))?;
                let wanted = Wanted { to, path, name, home: text("namespace"), is_map: true };
                let Some(found) = self.find(&wanted)? else { return Ok(()) };
                parts.insert("name".to_owned(), found.name().into());
                if !found.namespace().is_empty() {
                    parts.insert("namespace".to_owned(), found.namespace().into());
                }
                Ok(())
            }
            Value::String(name) => {
                if let Some(found) = self.find(&Wanted { to, path, name, home: None, is_map: false })? {
                    found.name().clone_into(name);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The object that once had this name, if it can be told from others that did.
    fn find(&self, wanted: &Wanted) -> Result<Option<&'r Resource>, String> {
        let Wanted { to, path, name, home, is_map } = *wanted;
        let mut found: Vec<&Resource> = self.all.iter().filter(|other| self.reaches(other)).collect();
        if let Some(home) = home {
            let began_there = |other: &&Resource| other.first_identity().home() == home;
            match found.iter().any(began_there) {
                true => found.retain(began_there),
                false => found.retain(|other| other.identity().home() == home),
            }
        }
        let role = self.role(path);
        let was = |other: &Resource, fits: &dyn Fn(&Identity) -> bool| other.past_identities().any(|past| fits(&past));
        found.retain(|other| {
            was(other, &|past| past.name == name)
                && was(other, &|past| past.sort.fits(to))
                && role.as_ref().is_none_or(|role| was(other, &|past| past.sort.fits(role)))
                && self.may_name(other)
        });
        for none_fits_any in [true, false] {
            if found.len() > 1 {
                found.retain(|other| has_same_ends(other, self.resource, none_fits_any));
            }
        }
        let same = |one: &Resource, other: &Resource| {
            one.name() == other.name() && (!is_map || one.namespace() == other.namespace())
        };
        match found.as_slice() {
            [] => Ok(None),
            [one, others @ ..] if others.iter().all(|other| same(one, other)) => Ok(Some(one)),
            several => {
                let names: Vec<String> = several.iter().map(|other| other.identity().to_string()).collect();
                Err(format!("`{name}` at `{path}` could be any of {}", names.join(", ")))
            }
        }
    }

    /// Whether it can be named from here: in the same namespace, in none, or in one that a RoleBinding speaks of.
    fn reaches(&self, other: &Resource) -> bool {
        let (own, its) = (self.resource.identity(), other.identity());
        own.is_of_the_cluster()
            || its.is_of_the_cluster()
            || own.home() == its.home()
            || self.service_account_homes().any(|home| home == its.namespace)
    }

    fn service_account_homes(&self) -> impl Iterator<Item = &str> {
        let subjects = self.resource.object.get("subjects").and_then(Value::as_array);
        let subjects = subjects.filter(|_| self.resource.kind() == "RoleBinding");
        subjects
            .into_iter()
            .flatten()
            .filter(|subject| subject["kind"] == "ServiceAccount")
            .filter_map(|subject| subject.get("namespace").and_then(Value::as_str))
    }

    fn may_name(&self, other: &Resource) -> bool {
        let (own, its) = (self.resource.identity(), other.identity());
        own.is_of_the_cluster()
            || its.is_of_the_cluster()
            || other.kind() == "ServiceAccount"
            || own.home() == its.home()
    }

    /// What a `roleRef` says of the kind of what it names.
    fn role(&self, path: &str) -> Option<Sort> {
        let role = self.resource.object.get("roleRef").filter(|_| path.ends_with("roleRef/name"))?;
        let part = |name: &str| role.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Sort { group: part("apiGroup")?, kind: part("kind")?, ..Sort::default() })
    }
}

/// Whether two objects got their prefixes and suffixes from the same kustomizations.
fn has_same_ends(one: &Resource, other: &Resource, none_fits_any: bool) -> bool {
    let same = |one: &[String], other: &[String]| {
        (none_fits_any && (one.is_empty() || other.is_empty()))
            || one.iter().rev().zip(other.iter().rev()).all(|(one, other)| one == other)
                && (one.is_empty() == other.is_empty())
    };
    same(&one.prefixes, &other.prefixes) && same(&one.suffixes, &other.suffixes)
}
