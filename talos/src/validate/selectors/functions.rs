//! The functions and operators of CEL, and what they take and give.

use super::types::Type;

/// Each with its forms: a letter for each of what it takes, and one behind `>` for what it gives. With a point before it, the first is
/// what it is called on.
///
/// `b` bool, `i` int, `u` uint, `d` double, `s` string, `y` bytes, `t` time, `D` duration, `T` a type, `l` a list of `e`, `m` a map from
/// `k` to `e`, `*` anything.
const FORMS: [(&str, &str); 46] = [
    ("!_", "b>b"),
    ("-_", "i>i d>d"),
    ("@in", "el>b km>b"),
    ("@not_strictly_false", "b>b"),
    ("_!=_", "ee>b"),
    ("_%_", "ii>i uu>u"),
    ("_&&_", "bb>b"),
    ("_*_", "ii>i uu>u dd>d"),
    ("_+_", "ii>i uu>u dd>d ss>s yy>y ll>l DD>D tD>t Dt>t"),
    ("_-_", "ii>i uu>u dd>d tt>D tD>t DD>D"),
    ("_/_", "ii>i uu>u dd>d"),
    ("_<=_", COMPARED),
    ("_<_", COMPARED),
    ("_==_", "ee>b"),
    ("_>=_", COMPARED),
    ("_>_", COMPARED),
    ("_?_:_", "bee>e"),
    ("_[_]", "li>e mk>e"),
    ("_||_", "bb>b"),
    ("bool", "b>b s>b"),
    ("bytes", "y>y s>y"),
    ("contains", ".ss>b"),
    ("double", "d>d i>d s>d u>d"),
    ("duration", "D>D i>D s>D"),
    ("dyn", "e>*"),
    ("endsWith", ".ss>b"),
    ("getDate", OF_DAYS),
    ("getDayOfMonth", OF_DAYS),
    ("getDayOfWeek", OF_DAYS),
    ("getDayOfYear", OF_DAYS),
    ("getFullYear", OF_DAYS),
    ("getHours", OF_TIMES),
    ("getMilliseconds", OF_TIMES),
    ("getMinutes", OF_TIMES),
    ("getMonth", OF_DAYS),
    ("getSeconds", OF_TIMES),
    ("glob", "ss>b"),
    ("int", "i>i d>i D>i s>i t>i u>i"),
    ("matches", "ss>b .ss>b"),
    ("size", "s>i y>i l>i m>i .s>i .y>i .l>i .m>i"),
    ("startsWith", ".ss>b"),
    ("string", "s>s b>s y>s d>s D>s i>s t>s u>s"),
    ("timestamp", "t>t i>t s>t"),
    ("type", "e>T"),
    ("uint", "u>u d>u i>u s>u"),
    ("@iterated", "l>e m>k"),
];

const COMPARED: &str = "bb>b ii>b uu>b dd>b ss>b yy>b tt>b DD>b";
const OF_DAYS: &str = ".t>i .ts>i";
const OF_TIMES: &str = ".t>i .ts>i .D>i";

/// What comes of a call, if there is such a function at all: a type, or nothing if it doesn't take these.
pub fn call(name: &str, called_on_first: bool, given: &[Type]) -> Option<Option<Type>> {
    let (_, forms) = FORMS.iter().find(|(known, _)| *known == name)?;
    let results: Vec<Type> = forms
        .split(' ')
        .filter_map(|form| match form.strip_prefix('.') {
            Some(form) if called_on_first => result(form, given),
            None if !called_on_first => result(form, given),
            _ => None,
        })
        .collect();
    Some((!results.is_empty()).then(|| Type::of_all(results)))
}

/// What is known of `k` and `e`.
struct Known {
    key: Type,
    element: Type,
}

fn result(form: &str, given: &[Type]) -> Option<Type> {
    let (taken, gives) = form.split_once('>')?;
    if taken.chars().count() != given.len() {
        return None;
    }
    let mut known = Known { key: Type::Any, element: Type::Any };
    for (letter, given) in taken.chars().zip(given) {
        let fits = known.of(letter).both(given)?;
        match (letter, fits) {
            ('e', element) => known.element = element,
            ('k', key) => known.key = key,
            ('l', Type::List(element)) => known.element = *element,
            ('m', Type::Map(key, element)) => known = Known { key: *key, element: *element },
            _ => {}
        }
    }
    Some(known.of(gives.chars().next()?))
}

impl Known {
    fn of(&self, letter: char) -> Type {
        match letter {
            'b' => Type::Bool,
            'i' => Type::Int,
            'u' => Type::Uint,
            'd' => Type::Double,
            's' => Type::Text,
            'y' => Type::Bytes,
            't' => Type::Time,
            'D' => Type::Duration,
            'T' => Type::Kind,
            'e' => self.element.clone(),
            'k' => self.key.clone(),
            'l' => Type::List(Box::new(self.element.clone())),
            'm' => Type::Map(Box::new(self.key.clone()), Box::new(self.element.clone())),
            _ => Type::Any,
        }
    }
}
