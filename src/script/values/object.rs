//! `Object`: how scripts hold what clusters and files hold. Reads like a map, is copied only where it is changed.

use std::sync::Arc;

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, EvalAltResult, ImmutableString, Map};

use super::absent::{self, Doing, absent_error};
use super::fields::Fields;
use super::path::{self, Path};
use super::tree::Tree;
use crate::script::fault::Fault;
use crate::script::{values::json, values::numbers, values::yaml};

/// A tree with named fields, as scripts see it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object(Arc<Fields>);

impl From<Arc<Fields>> for Object {
    fn from(fields: Arc<Fields>) -> Self {
        Self(fields)
    }
}

impl From<Object> for Tree {
    fn from(object: Object) -> Self {
        Self::Map(object.0)
    }
}

/// A tree that is not a map comes back as it was.
impl TryFrom<Tree> for Object {
    type Error = Tree;

    fn try_from(tree: Tree) -> Result<Self, Tree> {
        match tree {
            Tree::Map(fields) => Ok(Self(fields)),
            other => Err(other),
        }
    }
}

impl Object {
    pub fn fields(&self) -> &Arc<Fields> {
        &self.0
    }

    pub fn tree(&self) -> Tree {
        Tree::Map(self.0.clone())
    }
}

/// `for field in object { field.key, field.value }`
impl IntoIterator for Object {
    type Item = Object;
    type IntoIter = std::vec::IntoIter<Object>;

    fn into_iter(self) -> Self::IntoIter {
        let field = |(name, value): (&ImmutableString, &Tree)| {
            let key = (ImmutableString::from("key"), Tree::Text(name.clone()));
            let value = (ImmutableString::from("value"), value.clone());
            Object(Arc::new(Fields::from_unsorted(vec![key, value]).expect("the two names differ")))
        };
        self.0.iter().map(field).collect::<Vec<_>>().into_iter()
    }
}

/// Makes the type and its functions known to scripts.
pub fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Object>("Object");
    engine.register_iterator::<Object>();
    engine.register_global_module(exported_module!(functions).into());
    numbers::register(engine);
}

type Outcome<T> = Result<T, Box<EvalAltResult>>;

fn refuse(reason: impl Into<Fault>, context: &NativeCallContext) -> Box<EvalAltResult> {
    reason.into().raise(context)
}

fn tree_of(value: &Dynamic, context: &NativeCallContext) -> Outcome<Tree> {
    Tree::from_dynamic(value).map_err(|error| refuse(error, context))
}

fn parse(path: &str, context: &NativeCallContext) -> Outcome<Path> {
    Path::parse(path).map_err(|error| refuse(error, context))
}

fn mix(object: &mut Object, other: &Fields) {
    let fields = Arc::make_mut(&mut object.0);
    for (name, value) in other.iter() {
        fields.insert(name.clone(), value.clone());
    }
}

fn fields_of(map: Map, context: &NativeCallContext) -> Outcome<Object> {
    let tree = tree_of(&map.into(), context)?;
    Ok(Object::try_from(tree).expect("a map becomes a map"))
}

fn is_same(object: &Object, map: Map) -> bool {
    // A map with a closure in it is no tree, hence no object's equal.
    Tree::from_dynamic(&map.into()).is_ok_and(|tree| object.tree().equals(&tree))
}

fn find_native(value: Dynamic, path: &str, default: Dynamic, context: &NativeCallContext) -> Outcome<Dynamic> {
    let found = path::find_native(&value, &parse(path, context)?);
    Ok(found.filter(|found| !found.is_unit()).unwrap_or(default))
}

#[export_module]
mod functions {
    #[rhai_fn(index_get, pure)]
    pub fn read(context: NativeCallContext, object: &mut Object, name: &str) -> Dynamic {
        match object.0.get(name) {
            Some(Tree::Map(fields)) => {
                absent::found(&object.0, name, fields);
                Dynamic::from(Object(fields.clone()))
            }
            Some(value) => value.to_dynamic(),
            None => {
                absent::missed(&object.0, name, context.call_position());
                Dynamic::UNIT
            }
        }
    }

    #[rhai_fn(index_set, return_raw)]
    pub fn write(
        context: NativeCallContext,
        object: &mut Object,
        name: ImmutableString,
        value: Dynamic,
    ) -> Outcome<()> {
        let value = Tree::from_dynamic(&value).map_err(|error| refuse(error.within(&name), &context))?;
        Arc::make_mut(&mut object.0).insert(name, value);
        Ok(())
    }

    /// The field `tag`: the language has a mark of that name on every value, which nobody means.
    #[rhai_fn(get = "tag", pure)]
    pub fn read_tag(context: NativeCallContext, object: &mut Object) -> Dynamic {
        read(context, object, "tag")
    }

    #[rhai_fn(set = "tag", return_raw)]
    pub fn write_tag(context: NativeCallContext, object: &mut Object, value: Dynamic) -> Outcome<()> {
        write(context, object, "tag".into(), value)
    }

    #[rhai_fn(get = "tag", return_raw, pure)]
    pub fn read_tag_below_absent(context: NativeCallContext, absent: &mut ()) -> Outcome<Dynamic> {
        read_below_absent(context, absent, "tag")
    }

    #[rhai_fn(index_get, return_raw, pure)]
    pub fn read_below_absent(context: NativeCallContext, _absent: &mut (), name: &str) -> Outcome<Dynamic> {
        Err(absent_error(absent::explain(name, context.call_position(), Doing::Reading), &context))
    }

    #[rhai_fn(index_set, return_raw)]
    pub fn write_below_absent(
        context: NativeCallContext,
        _absent: &mut (),
        name: &str,
        _value: Dynamic,
    ) -> Outcome<()> {
        Err(absent_error(absent::explain(name, context.call_position(), Doing::Setting), &context))
    }

    #[rhai_fn(index_get, return_raw, pure)]
    pub fn read_item_below_absent(context: NativeCallContext, _absent: &mut (), index: i64) -> Outcome<Dynamic> {
        let below = format!("[{index}]");
        Err(absent_error(absent::explain(&below, context.call_position(), Doing::Reading), &context))
    }

    #[rhai_fn(index_set, return_raw)]
    pub fn write_item_below_absent(
        context: NativeCallContext,
        _absent: &mut (),
        index: i64,
        _value: Dynamic,
    ) -> Outcome<()> {
        let below = format!("[{index}]");
        Err(absent_error(absent::explain(&below, context.call_position(), Doing::Setting), &context))
    }

    /// Returns the names of the fields, sorted.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let pod = #{ metadata: #{ name: "web-0" } }.to_object();
    /// assert(pod.metadata.keys() == ["name"]);
    /// ```
    #[rhai_fn(pure)]
    pub fn keys(object: &mut Object) -> Array {
        object.0.names().map(|name| name.clone().into()).collect()
    }

    /// Returns the values of the fields, in the order of their names.
    #[rhai_fn(pure)]
    pub fn values(object: &mut Object) -> Array {
        object.0.iter().map(|(_, value)| value.to_dynamic()).collect()
    }

    /// Returns how many fields there are.
    #[rhai_fn(pure)]
    pub fn len(object: &mut Object) -> i64 {
        i64::try_from(object.0.len()).expect("memory ends before `i64`")
    }

    /// Returns whether there are no fields.
    #[rhai_fn(pure)]
    pub fn is_empty(object: &mut Object) -> bool {
        object.0.is_empty()
    }

    /// Returns whether something lies at the path; a name with dots in it is found as it is. `"name" in object` asks the same.
    #[rhai_fn(return_raw, pure)]
    pub fn contains(context: NativeCallContext, object: &mut Object, path: &str) -> Outcome<bool> {
        Ok(object.0.contains(path) || path::find(&object.tree(), &parse(path, &context)?).is_some())
    }

    /// Returns what lies at the path, `()` if nothing does.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let pod = #{ spec: #{ containers: [#{ image: "redis:7" }] } }.to_object();
    /// assert(pod.get("spec.containers[0].image") == "redis:7");
    /// assert(pod.get("spec.containers.5.image") == ());
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn get(context: NativeCallContext, object: &mut Object, path: &str) -> Outcome<Dynamic> {
        get_or(context, object, path, Dynamic::UNIT)
    }

    /// Returns what lies at the path, or the default if that is nothing or `null`.
    #[rhai_fn(name = "get", return_raw, pure)]
    pub fn get_or(context: NativeCallContext, object: &mut Object, path: &str, default: Dynamic) -> Outcome<Dynamic> {
        if let Some(value) = object.0.get(path) {
            return Ok(if value.is_null() { default } else { value.to_dynamic() });
        }
        let path = parse(path, &context)?;
        Ok(path::find(&object.tree(), &path).filter(|value| !value.is_null()).map_or(default, Tree::to_dynamic))
    }

    /// Returns what lies at the path in a map, `()` if nothing does.
    #[rhai_fn(name = "get", return_raw)]
    pub fn get_in_map(context: NativeCallContext, map: Map, path: &str) -> Outcome<Dynamic> {
        find_native(map.into(), path, Dynamic::UNIT, &context)
    }

    /// Returns what lies at the path in a map, or the default if that is nothing.
    #[rhai_fn(name = "get", return_raw)]
    pub fn get_in_map_or(context: NativeCallContext, map: Map, path: &str, default: Dynamic) -> Outcome<Dynamic> {
        find_native(map.into(), path, default, &context)
    }

    /// Returns what lies at the path in an array (`"0.name"`), `()` if nothing does.
    #[rhai_fn(name = "get", return_raw)]
    pub fn get_in_array(context: NativeCallContext, array: Array, path: &str) -> Outcome<Dynamic> {
        find_native(array.into(), path, Dynamic::UNIT, &context)
    }

    /// Returns what lies at the path in an array, or the default if that is nothing.
    #[rhai_fn(name = "get", return_raw)]
    pub fn get_in_array_or(context: NativeCallContext, array: Array, path: &str, default: Dynamic) -> Outcome<Dynamic> {
        find_native(array.into(), path, default, &context)
    }

    /// Puts a value at the path and makes the objects on the way.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let config = #{}.to_object();
    /// config.set("metadata.labels[\"app.kubernetes.io/name\"]", "redis");
    /// assert("app.kubernetes.io/name" in config.metadata.labels);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn set(context: NativeCallContext, object: &mut Object, path: &str, value: Dynamic) -> Outcome<()> {
        let value = Tree::from_dynamic(&value).map_err(|error| refuse(error.within(path), &context))?;
        path::set(&mut object.0, &parse(path, &context)?, value).map_err(|error| refuse(error, &context))
    }

    /// Takes out what lies at the path and returns it, `()` if nothing does.
    #[rhai_fn(return_raw)]
    pub fn remove(context: NativeCallContext, object: &mut Object, path: &str) -> Outcome<Dynamic> {
        let taken = path::remove(&mut object.0, &parse(path, &context)?);
        Ok(taken.map_or(Dynamic::UNIT, |tree| tree.to_dynamic()))
    }

    /// Takes the fields of the other over, as `+=` on maps does: a field that both have is replaced whole, not merged.
    #[rhai_fn(name = "+=", name = "mixin")]
    pub fn mix_object(object: &mut Object, other: Object) {
        mix(object, &other.0);
    }

    #[rhai_fn(name = "+=", name = "mixin", return_raw)]
    pub fn mix_map(context: NativeCallContext, object: &mut Object, map: Map) -> Outcome<()> {
        let other = fields_of(map, &context)?;
        mix(object, &other.0);
        Ok(())
    }

    #[rhai_fn(name = "+")]
    pub fn object_and_object(mut object: Object, other: Object) -> Object {
        mix(&mut object, &other.0);
        object
    }

    #[rhai_fn(name = "+", return_raw)]
    pub fn object_and_map(context: NativeCallContext, mut object: Object, map: Map) -> Outcome<Object> {
        mix_map(context, &mut object, map)?;
        Ok(object)
    }

    #[rhai_fn(name = "+", return_raw)]
    pub fn map_and_object(context: NativeCallContext, map: Map, other: Object) -> Outcome<Object> {
        let mut object = fields_of(map, &context)?;
        mix(&mut object, &other.0);
        Ok(object)
    }

    #[rhai_fn(name = "==")]
    pub fn object_is_object(object: Object, other: Object) -> bool {
        object.tree().equals(&other.tree())
    }

    #[rhai_fn(name = "!=")]
    pub fn object_is_not_object(object: Object, other: Object) -> bool {
        !object_is_object(object, other)
    }

    #[rhai_fn(name = "==")]
    pub fn object_is_map(object: Object, map: Map) -> bool {
        is_same(&object, map)
    }

    #[rhai_fn(name = "!=")]
    pub fn object_is_not_map(object: Object, map: Map) -> bool {
        !is_same(&object, map)
    }

    #[rhai_fn(name = "==")]
    pub fn map_is_object(map: Map, object: Object) -> bool {
        is_same(&object, map)
    }

    #[rhai_fn(name = "!=")]
    pub fn map_is_not_object(map: Map, object: Object) -> bool {
        !is_same(&object, map)
    }

    /// Returns the object as a native map, all the way down.
    #[rhai_fn(pure)]
    pub fn to_map(object: &mut Object) -> Dynamic {
        object.tree().to_native()
    }

    /// Returns the map as an `Object`.
    #[rhai_fn(return_raw)]
    pub fn to_object(context: NativeCallContext, map: Map) -> Outcome<Object> {
        fields_of(map, &context)
    }

    /// Returns compact JSON, fields sorted, secrets by reference.
    #[rhai_fn(name = "to_json", name = "to_string", name = "to_debug", pure)]
    pub fn object_to_json(object: &mut Object) -> String {
        json::write(&object.tree())
    }

    /// Returns the map as compact JSON, fields sorted, secrets by reference.
    #[rhai_fn(name = "to_json", return_raw)]
    pub fn map_to_json(context: NativeCallContext, map: Map) -> Outcome<String> {
        Ok(json::write(&tree_of(&map.into(), &context)?))
    }

    /// Returns the array as compact JSON, secrets by reference.
    #[rhai_fn(name = "to_json", return_raw)]
    pub fn array_to_json(context: NativeCallContext, array: Array) -> Outcome<String> {
        Ok(json::write(&tree_of(&array.into(), &context)?))
    }

    /// Returns the object as YAML, fields sorted, secrets by reference.
    #[rhai_fn(name = "to_yaml", pure)]
    pub fn object_to_yaml(object: &mut Object) -> String {
        yaml::write(&object.tree())
    }

    /// Returns the map as YAML, fields sorted, secrets by reference.
    #[rhai_fn(name = "to_yaml", return_raw)]
    pub fn map_to_yaml(context: NativeCallContext, map: Map) -> Outcome<String> {
        Ok(yaml::write(&tree_of(&map.into(), &context)?))
    }

    /// Returns the array as YAML, secrets by reference.
    #[rhai_fn(name = "to_yaml", return_raw)]
    pub fn array_to_yaml(context: NativeCallContext, array: Array) -> Outcome<String> {
        Ok(yaml::write(&tree_of(&array.into(), &context)?))
    }
}
