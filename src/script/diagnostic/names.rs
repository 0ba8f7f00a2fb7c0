//! What could have been named where an error came up: functions and their forms, fields, variables.

use rhai::Token;

use super::{language_fault::Scene, passage::Passage, type_words::type_word};

impl Scene<'_> {
    /// Every registered function with the types of its parameters.
    pub fn functions(&self) -> Vec<(String, Vec<String>)> {
        self.registered(|name| name.starts_with(|c: char| c.is_alphabetic()).then(|| name.to_owned()))
    }

    /// The names of the fields registered for a type.
    pub fn fields(&self, holder: &str) -> Vec<String> {
        let fields = self.registered(|name| name.strip_prefix("get$").map(str::to_owned));
        let of_holder = |types: &[String]| types.first().is_some_and(|first| type_word(first) == type_word(holder));
        fields.into_iter().filter(|(_, types)| of_holder(types)).map(|(name, _)| name).collect()
    }

    fn registered(&self, wanted: impl Fn(&str) -> Option<String> + Copy) -> Vec<(String, Vec<String>)> {
        self.script.engine.collect_fn_metadata(
            None,
            |info| {
                let name = wanted(&info.metadata.name)?;
                let types =
                    info.metadata.params_info.iter().map(|parameter| {
                        parameter.split_once(':').map_or("Dynamic", |(_, name)| name).trim().to_owned()
                    });
                let module = if info.namespace.is_empty() { String::new() } else { format!("{}::", info.namespace) };
                Some((format!("{module}{name}"), types.collect()))
            },
            true,
        )
    }

    /// How a function may be called, shortest first.
    pub fn forms(&self, name: &str) -> Vec<String> {
        let registered = self.functions().into_iter().filter(|(known, _)| known == name).map(|(_, types)| {
            let words: Vec<&str> = types.iter().map(|name| type_word(name)).collect();
            format!("`{name}({})`", words.join(", "))
        });
        let mut forms: Vec<String> = registered.chain(self.own_forms(name)).collect();
        forms.sort_by_key(|form| (form.matches(", ").count(), form.len(), form.clone()));
        forms.dedup();
        forms
    }

    /// The forms of a function that the source itself declares.
    fn own_forms(&self, name: &str) -> Vec<String> {
        let Some(passage) = self.passage else { return Vec::new() };
        let declared = passage.tokens().enumerate().filter(|(_, token)| matches!(token, Token::Fn));
        let own = declared.filter(|(index, _)| identifier(passage.token(index + 1)) == Some(name));
        own.map(|(index, _)| {
            let parameters: Vec<String> =
                passage.arguments(index + 2).iter().map(|range| passage.quote(range)).collect();
            format!("`{name}({})`", parameters.join(", "))
        })
        .collect()
    }

    pub fn own_functions(&self) -> impl Iterator<Item = &str> {
        self.names_after(&Token::Fn)
    }

    /// The names of variables that the source declares anywhere.
    pub fn declared(&self) -> impl Iterator<Item = &str> {
        self.names_after(&Token::Let).chain(self.names_after(&Token::Const)).chain(self.names_after(&Token::For))
    }

    pub fn names_after(&self, keyword: &Token) -> impl Iterator<Item = &str> {
        let tokens = self.passage.into_iter().flat_map(Passage::tokens);
        let following = self.passage.into_iter().flat_map(Passage::tokens).skip(1);
        let pairs = tokens.zip(following).filter(move |(token, _)| *token == keyword);
        pairs.filter_map(|(_, next)| identifier(Some(next))).collect::<Vec<_>>().into_iter()
    }
}

fn identifier(token: Option<&Token>) -> Option<&str> {
    match token? {
        Token::Identifier(name) => Some(name.as_str()),
        _ => None,
    }
}
