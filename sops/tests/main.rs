//! Files of SOPS, held against what SOPS and age themselves wrote.

use serde_json::json;
use sops::{
    Part, Regex, Rules, Unopened,
    age::{self, Identity, Recipient},
    open, seal,
};

/// Of Flux's own tests: a Secret that SOPS 3.10 encrypted, and its key.
const SECRET: &str = include_str!("vectors/secret.yaml");
const KEY: &str = include_str!("vectors/key.txt");

/// Of SOPS' own tests: a text that age encrypted.
const TEXT: &str = include_str!("vectors/text.age");
const TEXT_KEY: &str = "AGE-SECRET-KEY-1G0Q5K9TV4REQ3ZSQRMTMG8NSWQGYT0T7TZ33RAZEE0GZYVZN0APSU24RK7";

fn keys(text: &str) -> Vec<Identity> {
    Identity::read_all(text).unwrap()
}

/// Bytes that follow from nothing, and repeat.
fn random() -> impl FnMut(&mut [u8]) {
    let mut next = 1_u32;
    move |bytes| {
        for byte in bytes {
            next = next.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = next.to_be_bytes()[0];
        }
    }
}

#[test]
fn what_age_encrypted_is_opened() {
    assert_eq!(&**age::open(TEXT, &keys(TEXT_KEY)).unwrap(), b"data");
}

#[test]
fn a_key_and_its_recipient_are_written_as_age_does() {
    let key = &keys(TEXT_KEY)[0];
    assert_eq!(*key.written(), TEXT_KEY);
    assert_eq!(key.recipient().written(), "age1lzd99uklcjnc0e7d860axevet2cz99ce9pq6tzuzd05l5nr28ams36nvun");
    assert_eq!(Recipient::read(&key.recipient().written()), Some(key.recipient()));
}

#[test]
fn a_file_of_sops_is_opened() {
    let opened = open(SECRET, &keys(KEY)).unwrap();
    assert_eq!(
        opened.values,
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "global-age-secret", "namespace": "default"},
            "type": "Opaque",
            "stringData": {"key": "global-value"},
        })
    );
    assert_eq!(opened.secret, [[Part::Name("stringData".to_owned()), Part::Name("key".to_owned())]]);
}

#[test]
fn a_wrong_key_is_told_with_those_it_is_for() {
    let why = open(SECRET, &keys(TEXT_KEY)).unwrap_err();
    let told = "none of the keys opens it: it is for age1henwn645drkd3fa34t27t2w2x0nsgw3w4h62gmg5x5xflyjpy38s5cncph";
    assert_eq!(why.to_string(), told);
}

#[test]
fn whatever_is_changed_is_noticed() {
    for (from, to) in
        [("name: global-age-secret", "name: other"), ("namespace: default\n", "namespace: default\n  labels: {a: b}\n")]
    {
        assert_eq!(open(&SECRET.replace(from, to), &keys(KEY)).unwrap_err(), Unopened::Changed, "{from}");
    }
    let moved = SECRET.replace("  key: ENC", "  other: ENC");
    let told = "`stringData.other`: it was changed, or moved to another place";
    assert_eq!(open(&moved, &keys(KEY)).unwrap_err().to_string(), told);
    let plain = "a: b\n";
    assert_eq!(open(plain, &keys(KEY)).unwrap_err().to_string(), "it has no `sops`: it isn't encrypted");
}

#[test]
fn what_is_sealed_is_opened_by_each_of_its_recipients_and_nobody_else() {
    let mut random = random();
    let (one, other) = (Identity::new(&mut random), Identity::new(&mut random));
    let stranger = Identity::new(&mut random);
    let values = json!({
        "text": "päss word", "empty": "", "whole": -3, "float": 1.5, "large": 1e21, "yes": true, "no": false, "nothing": null,
        "list": ["a", {"b": [1, 2]}], "open_unencrypted": {"a": "b", "c": 3},
    });
    let recipients = [one.recipient(), other.recipient()];
    let text = seal(values.clone(), &recipients, &Rules::default(), "2026-11-22T03:00:00Z", &mut random).unwrap();
    assert!(!text.contains("päss") && text.contains("unencrypted_suffix: _unencrypted"), "{text}");
    let told = [one.recipient().written(), other.recipient().written()];
    for key in [one, other] {
        assert_eq!(open(&text, &[key]).unwrap().values, values);
    }
    assert_eq!(open(&text, &[stranger]).unwrap_err(), Unopened::OtherKeys(told.to_vec()));
}

#[test]
fn rules_say_what_is_sealed() {
    let mut random = random();
    let key = Identity::new(&mut random);
    let values = json!({"data": {"a": "hidden"}, "kind": "Secret", "a_secret": "hidden"});
    let with = |rules: Rules, random: &mut dyn FnMut(&mut [u8])| {
        let text = seal(values.clone(), &[key.recipient()], &rules, "2026-11-22T03:00:00Z", random).unwrap();
        let opened = open(&text, std::slice::from_ref(&key)).unwrap();
        assert_eq!(opened.values, values);
        opened.secret.len()
    };
    let expression = |text: &str| Some(Regex::new(text).unwrap());
    assert_eq!(with(Rules { encrypted_regex: expression("^(data|stringData)$"), ..Rules::default() }, &mut random), 1);
    assert_eq!(with(Rules { unencrypted_regex: expression("^kind$"), ..Rules::default() }, &mut random), 2);
    assert_eq!(with(Rules { encrypted_suffix: Some("_secret".to_owned()), ..Rules::default() }, &mut random), 1);
    assert_eq!(
        with(
            Rules { mac_only_encrypted: true, unencrypted_suffix: Some("kind".to_owned()), ..Rules::default() },
            &mut random
        ),
        2
    );
}
