//! Objects as `kubectl create` sends them.

use serde_json::json;
use simulator::kubernetes::protobuf::{self, Unreadable};

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    // Numbers beyond 15 take a second byte.
    let head = match u16::from(number) << 3 | 2 {
        small @ ..0x80 => vec![u8::try_from(small).unwrap()],
        great => vec![u8::try_from(great & 0x7f | 0x80).unwrap(), u8::try_from(great >> 7).unwrap()],
    };
    [head, vec![u8::try_from(bytes.len()).unwrap()], bytes.to_vec()].concat()
}

fn enveloped(version: &[u8], kind: &[u8], object: &[u8]) -> Vec<u8> {
    let kind = [field(1, version), field(2, kind)].concat();
    [b"k8s\0".to_vec(), field(1, &kind), field(2, object), field(3, b""), field(4, b"")].concat()
}

/// A ConfigMap `motd` with the text `hello`, as a client of Kubernetes writes it.
fn message() -> Vec<u8> {
    // Whoever has no time of creation yet sends an empty one.
    let metadata = [field(1, b"motd"), field(3, b""), field(8, b"")].concat();
    let data = [field(1, b"text"), field(2, b"hello")].concat();
    enveloped(b"v1", b"ConfigMap", &[field(1, &metadata), field(2, &data)].concat())
}

#[test]
fn an_object_is_read_by_the_numbers_of_its_fields() {
    let object = protobuf::read(&message()).unwrap();
    let metadata = json!({"name": "motd", "namespace": "", "creationTimestamp": null});
    assert_eq!(
        object,
        json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata, "data": {"text": "hello"}})
    );
}

/// A schema of a type, with more of it.
fn schema(of: &[u8], more: &[u8]) -> Vec<u8> {
    [field(5, of), more.to_vec()].concat()
}

#[test]
fn where_a_schema_may_be_something_else_it_is_read_too() {
    let text = schema(b"string", b"");
    let list = schema(b"array", &field(24, &field(1, &text)));
    let lists = schema(b"array", &field(24, &[field(2, &text), field(2, &text)].concat()));
    let map = schema(b"object", &field(30, &[&[1 << 3, 1][..], &field(2, &text)].concat()));
    let open = schema(b"object", &field(30, &[1 << 3, 1]));
    let closed = schema(b"object", &field(30, &[1 << 3, 0]));
    let property = |name: &[u8], schema: &[u8]| field(29, &[field(1, name), field(2, schema)].concat());
    for (schema, read) in [
        (list, json!({"type": "array", "items": {"type": "string"}})),
        (lists, json!({"type": "array", "items": [{"type": "string"}, {"type": "string"}]})),
        (map, json!({"type": "object", "additionalProperties": {"type": "string"}})),
        (open, json!({"type": "object", "additionalProperties": true})),
        (closed, json!({"type": "object", "additionalProperties": false})),
    ] {
        let version = field(4, &field(1, &property(b"it", &schema)));
        let definition = field(2, &field(7, &version));
        let object = enveloped(b"apiextensions.k8s.io/v1", b"CustomResourceDefinition", &definition);
        let object = protobuf::read(&object).unwrap();
        assert_eq!(object["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["it"], read);
    }
}

#[test]
fn what_is_no_message_is_refused() {
    assert_eq!(protobuf::read(b"{}"), Err(Unreadable::NoMessage));
    let mut torn = message();
    torn.truncate(20);
    assert_eq!(protobuf::read(&torn), Err(Unreadable::Torn));
}

#[test]
fn no_mutation_of_a_message_makes_reading_it_panic() {
    let mut dice = fastrand::Rng::with_seed(7);
    for _ in 0..20_000 {
        let mut bytes = message();
        for _ in 0..dice.usize(1..4) {
            let at = dice.usize(..bytes.len());
            match dice.u8(..3) {
                0 => bytes[at] = dice.u8(..),
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, dice.u8(..)),
            }
        }
        // Whatever comes of it, it comes.
        drop(protobuf::read(&bytes));
    }
}
