//! Rules that definitions write in CEL (`x-kubernetes-validations`).

use serde_json::{Value, json};

use super::{
    arms::Arm,
    definitions::{DEFINITIONS, Defined, WIDGETS, definition, one_version},
    values::{map, tried, widget},
};

bodies! {
    a_rule_that_is_no_rule_is_refused
    a_rule_holds_or_its_message_is_told
    a_message_may_be_computed
    a_rule_says_why_and_where
    changes_have_rules
    rules_for_changes_may_do_without_what_was
    rules_look_into_lists_and_maps
    rules_of_items_are_told_at_the_items
    what_is_not_there_can_be_asked_for
    names_that_are_no_words_are_escaped
    texts_can_be_taken_apart
    lists_can_be_counted_and_sorted
    patterns_are_matched_and_found
    quantities_are_compared
    addresses_of_the_web_are_taken_apart
    addresses_of_networks_are_understood
    formats_are_named
    versions_are_compared
    times_and_durations_are_compared
    numbers_or_texts_are_told_apart
    rules_that_fail_to_compute_are_told
    rules_wait_until_the_schema_holds
    rules_of_the_whole_see_the_name
    optional_values_are_chosen_from
}

fn ruled(properties: Value, rules: Value) -> Value {
    json!({"type": "object", "properties": properties, "x-kubernetes-validations": rules})
}

/// A rule on `self.text` (a text) each, of which the object says the number; all others are not asked.
fn texts<'a>(arm: &'a Arm, tries: &[(&str, &[&str])]) -> Defined<'a> {
    let mut properties = json!({});
    let mut objects = Vec::new();
    for (index, (rule, texts)) in tries.iter().enumerate() {
        let name = format!("t{index}");
        properties[&name] = json!({"type": "string", "maxLength": 100, "x-kubernetes-validations": [{"rule": rule}]});
        objects.extend(texts.iter().map(|text| json!({&name: text})));
    }
    tried(arm, map(properties), &objects)
}

fn a_rule_holds_or_its_message_is_told(arm: &Arm) {
    let spec = ruled(
        json!({"least": {"type": "integer"}, "most": {"type": "integer"}, "name": {"type": "string", "x-kubernetes-validations": [
            {"rule": "self.startsWith('a')"}, {"rule": "self != 'ab'", "message": "not this one"},
        ]}}),
        json!([{"rule": "!has(self.least) || !has(self.most) || self.least <= self.most", "message": "least is more than most"}]),
    );
    let _defined = tried(
        arm,
        spec,
        &[
            json!({"least": 1, "most": 2, "name": "abc"}),
            json!({"least": 3, "most": 2}),
            json!({"name": "b"}),
            json!({"name": "ab"}),
            json!({}),
            json!({"name": ""}),
        ],
    );
}

fn a_message_may_be_computed(arm: &Arm) {
    let spec = ruled(
        json!({"least": {"type": "integer"}, "most": {"type": "integer"}, "text": {"type": "string", "maxLength": 5}}),
        json!([
            {"rule": "self.least <= self.most", "messageExpression": "'most is ' + (self.most > 1 ? 'small' : 'tiny')"},
            {"rule": "!has(self.text) || self.text != 'x'", "message": "plain", "messageExpression": "self.text == 'x' ? '' : 'never'"},
            {"rule": "!has(self.text) || self.text != 'y'", "message": "plain", "messageExpression": "'a\\nb'"},
        ]),
    );
    let _defined = tried(
        arm,
        spec,
        &[
            json!({"least": 1, "most": 2}),
            json!({"least": 3, "most": 2}),
            json!({"least": 1, "most": 2, "text": "x"}),
            json!({"least": 1, "most": 2, "text": "y"}),
        ],
    );
}

fn a_rule_says_why_and_where(arm: &Arm) {
    let deep = json!({"type": "object", "properties": {"b": {"type": "string"}, "list": {"type": "array", "items": {"type": "string"}}}});
    let spec = ruled(
        json!({"a": {"type": "integer"}, "deep": deep, "odd-key": {"type": "integer"}}),
        json!([
            {"rule": "self.a != 1", "reason": "FieldValueForbidden", "fieldPath": ".a"},
            {"rule": "self.a != 2", "reason": "FieldValueRequired", "fieldPath": ".deep.b", "message": "b is wanted"},
            {"rule": "self.a != 3", "reason": "FieldValueDuplicate", "message": "twice"},
            {"rule": "self.a != 4", "reason": "FieldValueInvalid", "fieldPath": ".deep"},
            {"rule": "self.a != 5", "fieldPath": "['odd-key']"},
        ]),
    );
    let objects: Vec<Value> = (0..6).map(|a| json!({"a": a, "deep": {"b": "x"}, "odd-key": 7})).collect();
    let _defined = tried(arm, spec, &objects);
}

fn changes_have_rules(arm: &Arm) {
    let spec = ruled(
        json!({
            "fixed": {"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "fixed is immutable"}]},
            "grows": {"type": "integer", "x-kubernetes-validations": [{"rule": "self >= oldSelf"}]},
            "list": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "maxItems": 10,
                "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "value": {"type": "integer",
                    "x-kubernetes-validations": [{"rule": "self >= oldSelf", "message": "values grow"}]}}}},
            "optional": {"type": "string"},
        }),
        json!([{"rule": "!has(oldSelf.optional) || has(self.optional)", "message": "optional stays once it is there"}]),
    );
    let schema = json!({"type": "object", "properties": {"spec": spec}});
    let _defined = Defined::new(arm, &definition("widgets", "Widget", one_version(schema)), WIDGETS);
    let path = format!("{WIDGETS}/w");
    arm.create(
        WIDGETS,
        widget("w", json!({"fixed": "a", "grows": 5, "list": [{"name": "x", "value": 5}], "optional": "o"})),
    );
    for spec in [
        json!({"fixed": "b"}),
        json!({"fixed": null}),
        json!({"fixed": "c"}),
        json!({"grows": 4}),
        json!({"grows": 6}),
        json!({"list": [{"name": "y", "value": 1}, {"name": "x", "value": 4}]}),
        json!({"list": [{"name": "y", "value": 1}, {"name": "x", "value": 6}]}),
        json!({"optional": null}),
        json!({"optional": "p"}),
    ] {
        arm.patch(&path, "merge", json!({"spec": spec}));
    }
    arm.apply(&format!("{path}?force=true"), "me", widget("w", json!({"grows": 1})));
}

fn rules_for_changes_may_do_without_what_was(arm: &Arm) {
    let spec = map(json!({"a": {"type": "integer", "x-kubernetes-validations": [
        {"rule": "oldSelf.hasValue() ? self >= oldSelf.value() : self >= 10", "optionalOldSelf": true, "message": "it grows, and begins at 10"},
    ]}}));
    let schema = json!({"type": "object", "properties": {"spec": spec}});
    let _defined = Defined::new(arm, &definition("widgets", "Widget", one_version(schema)), WIDGETS);
    arm.create(WIDGETS, widget("w", json!({"a": 5})));
    arm.create(WIDGETS, widget("w", json!({"a": 15})));
    arm.patch(&format!("{WIDGETS}/w"), "merge", json!({"spec": {"a": 14}}));
    arm.patch(&format!("{WIDGETS}/w"), "merge", json!({"spec": {"a": 16}}));
}

fn rules_look_into_lists_and_maps(arm: &Arm) {
    let item = json!({"type": "object", "properties": {"name": {"type": "string", "maxLength": 20}, "port": {"type": "integer"}}});
    let spec = ruled(
        json!({
            "list": {"type": "array", "maxItems": 10, "items": item}, "map": {"type": "object", "maxProperties": 10, "additionalProperties": {"type": "integer"}},
            "set": {"type": "array", "x-kubernetes-list-type": "set", "maxItems": 5, "items": {"type": "string", "maxLength": 10}},
        }),
        json!([
            {"rule": "!has(self.list) || self.list.all(x, self.list.exists_one(y, x.name == y.name))", "message": "names are there once"},
            {"rule": "!has(self.list) || self.list.exists(x, x.port == 80)", "message": "one is 80"},
            {"rule": "!has(self.list) || self.list.filter(x, x.port > 100).size() < 2", "message": "few are great"},
            {"rule": "!has(self.list) || self.list.map(x, x.port).sum() < 1000", "message": "all are small"},
            {"rule": "!has(self.map) || self.map.all(key, self.map[key] > 0 && key.size() < 4)", "message": "the map is right"},
            {"rule": "!has(self.map) || 'a' in self.map", "message": "a is there"},
            {"rule": "!has(self.set) || self.set == ['x', 'y']", "message": "the set is x and y"},
        ]),
    );
    let _defined = tried(
        arm,
        spec,
        &[
            json!({"list": [{"name": "a", "port": 80}], "map": {"a": 1}, "set": ["x", "y"]}),
            json!({"list": [{"name": "a", "port": 80}, {"name": "a", "port": 81}]}),
            json!({"list": [{"name": "a", "port": 81}]}),
            json!({"list": [{"name": "a", "port": 80}, {"name": "b", "port": 800}, {"name": "c", "port": 150}]}),
            json!({"map": {"a": 0}}),
            json!({"map": {"a": 1, "long": 2}}),
            json!({"map": {"b": 1}}),
            json!({"set": ["x", "z"]}),
            json!({"list": []}),
        ],
    );
}

fn rules_of_items_are_told_at_the_items(arm: &Arm) {
    let item = ruled(
        json!({"a": {"type": "integer", "x-kubernetes-validations": [{"rule": "self < 10"}]}}),
        json!([{"rule": "self.a != 5", "message": "not five"}]),
    );
    let spec = map(json!({
        "list": {"type": "array", "maxItems": 5, "items": item}, "map": {"type": "object", "maxProperties": 5, "additionalProperties": item},
    }));
    let _defined = tried(
        arm,
        spec,
        &[
            json!({"list": [{"a": 1}], "map": {"k": {"a": 1}}}),
            json!({"list": [{"a": 1}, {"a": 5}]}),
            json!({"list": [{"a": 11}]}),
            json!({"map": {"k": {"a": 5}}}),
            json!({"map": {"k.l": {"a": 12}}}),
        ],
    );
}

fn what_is_not_there_can_be_asked_for(arm: &Arm) {
    let spec = ruled(
        json!({"a": {"type": "string"}, "deep": map(json!({"b": {"type": "string"}, "c": {"type": "string", "nullable": true}})), "number": {"type": "number"}}),
        json!([
            {"rule": "has(self.a) != has(self.deep)", "message": "one of both"},
            {"rule": "!has(self.deep) || has(self.deep.b)", "message": "b is there"},
            {"rule": "!has(self.deep) || !has(self.deep.c) || self.deep.c != 'x'", "message": "c is not x"},
            {"rule": "!has(self.number) || self.number > 1.5", "message": "more than 1.5"},
        ]),
    );
    let _defined = tried(
        arm,
        spec,
        &[
            json!({"a": "1"}),
            json!({"deep": {"b": "1"}}),
            json!({}),
            json!({"a": "1", "deep": {"b": "1"}}),
            json!({"deep": {}}),
            json!({"deep": {"b": "1", "c": null}}),
            json!({"deep": {"b": "1", "c": "x"}}),
            json!({"a": "1", "number": 2}),
            json!({"a": "1", "number": 1}),
        ],
    );
}

fn names_that_are_no_words_are_escaped(arm: &Arm) {
    let spec = ruled(
        json!({"odd-key": {"type": "string"}, "with.dot": {"type": "string"}, "a/b": {"type": "string"}, "in": {"type": "string"}, "x__y": {"type": "string"}, "namespace": {"type": "string"}}),
        json!([{"rule": "self.odd__dash__key == 'a' && self.with__dot__dot == 'b' && self.a__slash__b == 'c' && self.__in__ == 'd' && self.x__underscores__y == 'e' && self.__namespace__ == 'f'", "message": "all are right"}]),
    );
    let _defined = tried(
        arm,
        spec,
        &[
            json!({"odd-key": "a", "with.dot": "b", "a/b": "c", "in": "d", "x__y": "e", "namespace": "f"}),
            json!({"odd-key": "z", "with.dot": "b", "a/b": "c", "in": "d", "x__y": "e", "namespace": "f"}),
        ],
    );
}

fn texts_can_be_taken_apart(arm: &Arm) {
    let _defined = texts(
        arm,
        &[
            ("self.split(',').size() == 2", &["a,b", "a", "a,b,c"]),
            ("self.lowerAscii() == 'abc'", &["ABC", "x"]),
            ("self.upperAscii() == 'ABC'", &["abc", "x"]),
            ("self.trim() == 'a'", &[" a ", "b"]),
            ("self.replace('a', 'b') == 'bb'", &["aa", "cc"]),
            ("self.substring(1) == 'bc'", &["abc", "xyz"]),
            ("self.substring(1, 2) == 'b'", &["abc", "xyz"]),
            ("self.indexOf('b') == 1", &["abc", "xyz"]),
            ("self.lastIndexOf('b') == 3", &["abab", "xyz"]),
            ("self.charAt(0) == 'a'", &["abc", "xyz"]),
            ("self.contains('b') && self.endsWith('c')", &["abc", "xyz"]),
            ("self.size() == 3", &["äöü", "a"]),
            ("'%s-%d'.format([self, 5]) == 'a-5'", &["a", "b"]),
        ],
    );
}

fn lists_can_be_counted_and_sorted(arm: &Arm) {
    let list = |rule: &str| json!({"type": "array", "maxItems": 5, "items": {"type": "integer"}, "x-kubernetes-validations": [{"rule": rule}]});
    let spec = map(json!({
        "sorted": list("self.isSorted()"), "sum": list("self.sum() == 6"), "least": list("self.min() == 1"), "most": list("self.max() == 3"),
        "first": list("self.indexOf(2) == 1"), "last": list("self.lastIndexOf(2) == 2"), "slice": list("self.slice(0, 2) == [1, 2]"), "flat": list("[self, [4]].flatten().size() == 3"),
        "sort": list("self.sort() == [1, 2, 3]"), "distinct": list("self.distinct().size() == 2"),
    }));
    let _defined = tried(
        arm,
        spec,
        &[
            json!({"sorted": [1, 2, 3]}),
            json!({"sorted": [2, 1]}),
            json!({"sum": [1, 2, 3]}),
            json!({"sum": [1]}),
            json!({"least": [3, 1]}),
            json!({"least": [3]}),
            json!({"most": [3, 1]}),
            json!({"most": [1]}),
            json!({"first": [1, 2, 2]}),
            json!({"first": [1]}),
            json!({"last": [1, 2, 2]}),
            json!({"last": [1]}),
            json!({"slice": [1, 2, 3]}),
            json!({"slice": [2, 2, 3]}),
            json!({"flat": [1, 2]}),
            json!({"flat": [1]}),
            json!({"sort": [3, 1, 2]}),
            json!({"sort": [3]}),
            json!({"distinct": [1, 1, 2]}),
            json!({"distinct": [1]}),
            json!({"least": []}),
        ],
    );
}

fn patterns_are_matched_and_found(arm: &Arm) {
    let _defined = texts(
        arm,
        &[
            ("self.matches('^[a-z]+$')", &["abc", "ABC"]),
            ("self.find('[0-9]+') == '12'", &["a12b34", "abc"]),
            ("self.findAll('[0-9]+') == ['12', '34']", &["a12b34", "abc"]),
            ("self.findAll('[0-9]+', 1) == ['12']", &["a12b34", "abc"]),
            ("self.matches('b')", &["abc", "x"]),
        ],
    );
}

fn quantities_are_compared(arm: &Arm) {
    let _defined = texts(
        arm,
        &[
            ("isQuantity(self)", &["10Mi", "1.5G", "ten", "100m", "1e3"]),
            ("quantity(self).isGreaterThan(quantity('1Gi'))", &["2Gi", "1Mi"]),
            ("quantity(self).isLessThan(quantity('1k'))", &["100m", "1M"]),
            ("quantity(self).compareTo(quantity('1000')) == 0", &["1k", "2k"]),
            ("quantity(self) == quantity('1024Ki')", &["1Mi", "1M"]),
            ("quantity(self).add(quantity('1')).asInteger() == 3", &["2", "5"]),
            ("quantity(self).sub(1).asInteger() == 1", &["2", "1"]),
            ("quantity(self).asApproximateFloat() > 1.4", &["1500m", "1"]),
            ("quantity(self).isInteger()", &["5", "500m"]),
        ],
    );
}

fn addresses_of_the_web_are_taken_apart(arm: &Arm) {
    let _defined = texts(
        arm,
        &[
            ("isURL(self)", &["https://example.com/a", "not a url", "/path"]),
            ("url(self).getScheme() == 'https'", &["https://a.b", "http://a.b"]),
            ("url(self).getHost() == 'a.b:80'", &["http://a.b:80/c", "http://x"]),
            ("url(self).getHostname() == 'a.b'", &["http://a.b:80/c", "http://x"]),
            ("url(self).getPort() == '80'", &["http://a.b:80/c", "http://x"]),
            ("url(self).getEscapedPath() == '/c%20d'", &["http://a.b/c%20d", "http://x"]),
            ("url(self).getQuery()['k'] == ['1', '2']", &["http://a.b/?k=1&k=2", "http://x/?k=1"]),
        ],
    );
}

fn addresses_of_networks_are_understood(arm: &Arm) {
    let _defined = texts(
        arm,
        &[
            ("isIP(self)", &["10.0.0.1", "fd00::1", "x", "010.0.0.1"]),
            ("ip(self).family() == 4", &["10.0.0.1", "fd00::1"]),
            ("ip(self).isLoopback()", &["127.0.0.1", "10.0.0.1"]),
            ("ip(self) == ip('fd00::1')", &["fd00:0::1", "fd00::2"]),
            ("ip.isCanonical(self)", &["fd00::1", "fd00:0::1"]),
            ("ip(self).isGlobalUnicast()", &["10.0.0.1", "255.255.255.255"]),
            ("isCIDR(self)", &["10.0.0.0/8", "10.0.0.0", "10.0.0.1/8"]),
            ("cidr(self).containsIP('10.1.2.3')", &["10.0.0.0/8", "10.2.0.0/16"]),
            ("cidr(self).containsCIDR('10.1.0.0/16')", &["10.0.0.0/8", "10.2.0.0/16"]),
            ("cidr(self).prefixLength() == 8", &["10.0.0.0/8", "10.2.0.0/16"]),
            ("cidr(self).ip() == ip('10.0.0.0')", &["10.0.0.0/8", "10.2.0.0/16"]),
            ("cidr(self).masked() == cidr('10.0.0.0/8')", &["10.1.0.0/8", "10.2.0.0/16"]),
            ("string(ip(self)) == 'fd00::1'", &["fd00:0::1", "fd00::2"]),
        ],
    );
}

fn formats_are_named(arm: &Arm) {
    let _defined = texts(
        arm,
        &[
            ("!format.named('dns1123Label').value().validate(self).hasValue()", &["a-b", "A_b"]),
            ("!format.dns1123Subdomain().validate(self).hasValue()", &["a.b", "a..b"]),
            ("!format.uuid().validate(self).hasValue()", &["123e4567-e89b-12d3-a456-426614174000", "123"]),
            ("!format.date().validate(self).hasValue()", &["2026-01-02", "x"]),
            ("!format.datetime().validate(self).hasValue()", &["2026-01-02T03:04:05Z", "x"]),
            ("!format.qualifiedName().validate(self).hasValue()", &["a.b/c", "a b"]),
            ("!format.labelValue().validate(self).hasValue()", &["a", "a b"]),
            ("!format.uri().validate(self).hasValue()", &["https://a.b", "a b"]),
            ("!format.byte().validate(self).hasValue()", &["YQ==", "?"]),
        ],
    );
}

fn versions_are_compared(arm: &Arm) {
    let _defined = texts(
        arm,
        &[
            ("isSemver(self)", &["1.2.3", "1.2", "v1.2.3"]),
            ("semver(self).isGreaterThan(semver('1.2.3'))", &["1.3.0", "1.2.3-alpha"]),
            ("semver(self).major() == 2 && semver(self).minor() == 1", &["2.1.0", "1.0.0"]),
            ("semver(self).compareTo(semver('1.0.0')) == 0", &["1.0.0", "1.0.1"]),
            ("isSemver(self, true)", &["v1.0", "x"]),
        ],
    );
}

fn times_and_durations_are_compared(arm: &Arm) {
    let spec = map(json!({
        "time": {"type": "string", "format": "date-time", "x-kubernetes-validations": [{"rule": "self > timestamp('2026-01-01T00:00:00Z')"}, {"rule": "self.getFullYear() < 2030"}]},
        "length": {"type": "string", "format": "duration", "x-kubernetes-validations": [{"rule": "self < duration('1h')"}]},
        "text": {"type": "string", "maxLength": 10, "x-kubernetes-validations": [{"rule": "duration(self).getSeconds() >= 1 && duration(self).getSeconds() <= 60"}]},
    }));
    let _defined = tried(
        arm,
        spec,
        &[
            json!({"time": "2026-06-01T00:00:00Z", "length": "5m", "text": "30s"}),
            json!({"time": "2025-06-01T00:00:00Z"}),
            json!({"time": "2031-06-01T00:00:00Z"}),
            json!({"length": "2h"}),
            json!({"text": "2h"}),
            json!({"text": "soon"}),
        ],
    );
}

fn numbers_or_texts_are_told_apart(arm: &Arm) {
    let spec = map(json!({"port": {"x-kubernetes-int-or-string": true, "maxLength": 10, "x-kubernetes-validations": [
        {"rule": "type(self) == string ? self != 'none' : self > 10", "message": "a port is more than 10"},
    ]}}));
    let _defined =
        tried(arm, spec, &[json!({"port": 80}), json!({"port": "http"}), json!({"port": 5}), json!({"port": "none"})]);
}

fn rules_that_fail_to_compute_are_told(arm: &Arm) {
    let spec = ruled(
        json!({"a": {"type": "integer"}, "b": {"type": "integer"}, "list": {"type": "array", "maxItems": 5, "items": {"type": "integer"}}, "map": {"type": "object", "maxProperties": 5, "additionalProperties": {"type": "integer"}}, "text": {"type": "string", "maxLength": 10}}),
        json!([
            {"rule": "!has(self.a) || self.a / self.b > 0", "message": "a by b"}, {"rule": "!has(self.list) || self.list[1] > 0"}, {"rule": "!has(self.map) || self.map['k'] > 0"},
            {"rule": "!has(self.text) || quantity(self.text).isInteger()"}, {"rule": "!has(self.text) || int(self.text) > 0"},
        ]),
    );
    let _defined = tried(
        arm,
        spec,
        &[
            json!({"a": 1, "b": 0}),
            json!({"a": 1}),
            json!({"list": [1]}),
            json!({"map": {"l": 1}}),
            json!({"text": "x"}),
        ],
    );
}

fn rules_wait_until_the_schema_holds(arm: &Arm) {
    let spec = json!({
        "type": "object", "required": ["needed"], "x-kubernetes-validations": [{"rule": "self.a != 1", "message": "not one"}],
        "properties": {"needed": {"type": "string", "maxLength": 3}, "a": {"type": "integer"}, "word": {"type": "string", "enum": ["x"]}, "low": {"type": "integer", "minimum": 3}},
    });
    let _defined = tried(
        arm,
        spec,
        &[
            json!({"a": 1, "needed": "x"}),
            json!({"a": 1}),
            json!({"a": "1", "needed": "x"}),
            json!({"a": 1, "needed": "long"}),
            json!({"a": 1, "needed": "x", "word": "y"}),
            json!({"a": 1, "needed": "x", "low": 1}),
        ],
    );
}

fn rules_of_the_whole_see_the_name(arm: &Arm) {
    let mut schema = ruled(
        json!({"spec": map(json!({"a": {"type": "string"}}))}),
        json!([{"rule": "self.metadata.name.startsWith('w')", "message": "names begin with w"}, {"rule": "self.metadata.name != self.spec.a", "messageExpression": "self.metadata.name + ' of kind ' + self.kind"}]),
    );
    schema["properties"]["metadata"] = json!({"type": "object"});
    let _defined = Defined::new(arm, &definition("widgets", "Widget", one_version(schema)), WIDGETS);
    arm.create(WIDGETS, widget("w", json!({"a": "x"})));
    arm.create(WIDGETS, widget("x", json!({"a": "y"})));
    arm.create(WIDGETS, widget("ww", json!({"a": "ww"})));
}

fn optional_values_are_chosen_from(arm: &Arm) {
    let spec = ruled(
        json!({"a": {"type": "integer"}, "map": {"type": "object", "maxProperties": 5, "additionalProperties": {"type": "string", "maxLength": 5}}}),
        json!([{"rule": "self.?a.orValue(5) > 3", "message": "a is more than 3"}, {"rule": "!has(self.map) || self.map[?'k'].orValue('x') == 'x'", "message": "k is x"}]),
    );
    let _defined = tried(arm, spec, &[json!({}), json!({"a": 1}), json!({"map": {}}), json!({"map": {"k": "y"}})]);
}

fn a_rule_that_is_no_rule_is_refused(arm: &Arm) {
    for rules in [
        json!([{"rule": "self.a =="}]),
        json!([{"rule": ""}]),
        json!([{"rule": "self.a == 1", "message": "a\nb"}]),
        json!([{"rule": "self.a == 1", "reason": "Nonsense"}]),
        json!([{"rule": "self.a == 1", "message": " "}]),
    ] {
        let schema = json!({"type": "object", "properties": {"spec": ruled(json!({"a": {"type": "integer"}}), rules)}});
        arm.create(DEFINITIONS, definition("widgets", "Widget", one_version(schema)));
    }
}
