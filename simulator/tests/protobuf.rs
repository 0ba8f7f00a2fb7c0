//! Objects as `kubectl create` sends them.

use serde_json::json;
use simulator::kubernetes::protobuf::{self, Unreadable};

/// A ConfigMap `motd` with the text `hello`, as a client of Kubernetes writes it.
fn message() -> Vec<u8> {
    let field = |number: u8, bytes: &[u8]| [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat();
    let kind = [field(1, b"v1"), field(2, b"ConfigMap")].concat();
    // Whoever has no time of creation yet sends an empty one.
    let metadata = [field(1, b"motd"), field(3, b""), field(8, b"")].concat();
    let data = [field(1, b"text"), field(2, b"hello")].concat();
    let object = [field(1, &metadata), field(2, &data)].concat();
    [b"k8s\0".to_vec(), field(1, &kind), field(2, &object), field(3, b""), field(4, b"")].concat()
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
