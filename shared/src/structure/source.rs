//! One source file: its modules and the paths that its product code names.
//!
//! A scanner and no parser: it knows comments, literals, attributes, `mod`, `use` and paths. Items
//! under `#[cfg(test)]` are left out, unless they are asked for.

use std::collections::BTreeMap;

/// What one module holds.
#[derive(Debug, Default)]
pub struct Module {
    /// Child modules; `None` when the child has a file of its own.
    pub children: BTreeMap<String, Option<Module>>,
    /// Names brought in by `use`, with the paths that they stand for.
    pub imports: BTreeMap<String, Vec<String>>,
    /// Every path named, those of `use` included.
    pub paths: Vec<Vec<String>>,
}

/// Scans the text of a file.
pub fn scan(text: &str) -> Module {
    scan_tokens(&tokens(text), false)
}

/// Scans a file, with or without what is under `#[cfg(test)]`.
pub fn scan_tokens(tokens: &[SourceToken], with_tests: bool) -> Module {
    let mut scanner = Scanner { tokens, at: 0, with_tests };
    let mut module = Module::default();
    scanner.items(&mut module);
    module
}

/// The smallest piece of a source that means something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceToken {
    /// A name, a keyword or a number.
    Word(String),
    /// `::`
    Separator,
    /// Any other character outside comments and literals.
    Mark(char),
}

/// Splits a file; comments and literals are left out.
pub fn tokens(text: &str) -> Vec<SourceToken> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            comment_length(rest)
        } else if let Some(length) = literal_length(rest) {
            length
        } else if rest.starts_with("::") {
            tokens.push(SourceToken::Separator);
            2
        } else if first.is_alphanumeric() || first == '_' {
            let is_end = |character: char| !(character.is_alphanumeric() || character == '_');
            let length = rest.find(is_end).unwrap_or(rest.len());
            tokens.push(SourceToken::Word(rest[..length].to_owned()));
            length
        } else {
            if !first.is_whitespace() {
                tokens.push(SourceToken::Mark(first));
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

/// Length of a block comment; they nest.
fn comment_length(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
        } else {
            at += 1;
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// Length of the string or character at the front, or of a lifetime's quote.
fn literal_length(text: &str) -> Option<usize> {
    let unprefixed = text.trim_start_matches(['b', 'c', 'r']);
    let prefix = text.len() - unprefixed.len();
    if prefix > 2 {
        return None;
    }
    let hashes = unprefixed.len() - unprefixed.trim_start_matches('#').len();
    let is_raw = text[..prefix].contains('r');
    if is_raw && unprefixed[hashes..].starts_with('"') {
        let end = format!("\"{}", "#".repeat(hashes));
        let start = prefix + hashes + 1;
        let length = text[start..].find(&end).map(|found| start + found + end.len());
        return Some(length.unwrap_or(text.len()));
    }
    if unprefixed.starts_with('"') {
        return Some(prefix + quoted_length(unprefixed, '"'));
    }
    if !unprefixed.starts_with('\'') {
        return None;
    }
    let mut inside = unprefixed[1..].chars();
    match (inside.next(), inside.next()) {
        (Some('\\'), _) | (Some(_), Some('\'')) => Some(prefix + quoted_length(unprefixed, '\'')),
        _ => Some(prefix + 1),
    }
}

/// Length of a literal from its opening quote to its closing one.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if character == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

struct Scanner<'a> {
    tokens: &'a [SourceToken],
    at: usize,
    with_tests: bool,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<&SourceToken> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<SourceToken> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn take(&mut self, mark: char) -> bool {
        let found = self.peek() == Some(&SourceToken::Mark(mark));
        self.at += usize::from(found);
        found
    }

    fn word(&mut self) -> Option<String> {
        let Some(SourceToken::Word(word)) = self.peek() else { return None };
        let word = word.clone();
        self.at += 1;
        Some(word)
    }

    /// Items and expressions alike, up to the end of the block that they are in.
    fn items(&mut self, module: &mut Module) {
        let mut depth = 0;
        while let Some(token) = self.peek() {
            match token {
                SourceToken::Mark('#') => {
                    if self.attribute_is_for_tests() && !self.with_tests {
                        self.skip_item();
                    }
                }
                SourceToken::Mark('{') => {
                    depth += 1;
                    self.at += 1;
                }
                SourceToken::Mark('}') => {
                    self.at += 1;
                    if depth == 0 {
                        return;
                    }
                    depth -= 1;
                }
                SourceToken::Word(word) if word == "use" => {
                    self.at += 1;
                    self.use_tree(&mut Vec::new(), module);
                }
                SourceToken::Word(word) if word == "mod" => {
                    self.at += 1;
                    self.child(module);
                }
                SourceToken::Word(_) | SourceToken::Separator => {
                    let path = self.path();
                    if path.len() > 1 {
                        module.paths.push(path);
                    }
                }
                SourceToken::Mark(_) => self.at += 1,
            }
        }
    }

    fn child(&mut self, module: &mut Module) {
        let Some(name) = self.word() else { return };
        if self.take('{') {
            let mut child = Module::default();
            self.items(&mut child);
            module.children.insert(name, Some(child));
        } else if self.take(';') {
            module.children.insert(name, None);
        }
    }

    /// Words between separators. A separator at the front names an external crate.
    fn path(&mut self) -> Vec<String> {
        let mut path = Vec::new();
        if self.peek() == Some(&SourceToken::Separator) {
            self.at += 1;
        }
        while let Some(word) = self.word() {
            path.push(word);
            if self.peek() != Some(&SourceToken::Separator) {
                break;
            }
            self.at += 1;
        }
        path
    }

    /// The rest of a `use` after `prefix`.
    fn use_tree(&mut self, prefix: &mut Vec<String>, module: &mut Module) {
        let before = prefix.len();
        prefix.extend(self.path());
        if self.take('{') {
            while self.peek().is_some() && !self.take('}') {
                self.use_tree(prefix, module);
                self.take(',');
            }
        } else {
            self.take('*');
            let mut path = prefix.clone();
            if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
                path.pop();
            }
            let mut name = path.last().cloned();
            if self.peek() == Some(&SourceToken::Word("as".to_owned())) {
                self.at += 1;
                name = self.word();
            }
            if let Some(name) = name {
                module.imports.insert(name, path.clone());
                module.paths.push(path);
            } else {
                // Something else than a tree: never stay where it is.
                self.at += 1;
            }
        }
        prefix.truncate(before);
    }

    /// Takes an attribute; answers whether it is `cfg` of something with `test`.
    fn attribute_is_for_tests(&mut self) -> bool {
        self.at += 1;
        self.take('!');
        if !self.take('[') {
            return false;
        }
        let is_cfg = self.peek() == Some(&SourceToken::Word("cfg".to_owned()));
        let (mut depth, mut names_test) = (1, false);
        while depth > 0 {
            match self.next() {
                Some(SourceToken::Mark('[')) => depth += 1,
                Some(SourceToken::Mark(']')) => depth -= 1,
                Some(SourceToken::Word(word)) => names_test |= word == "test",
                Some(_) => {}
                None => break,
            }
        }
        is_cfg && names_test
    }

    /// Skips an item, a field or a statement with the attributes before it.
    fn skip_item(&mut self) {
        while self.peek() == Some(&SourceToken::Mark('#')) {
            self.attribute_is_for_tests();
        }
        let is_use = self.peek() == Some(&SourceToken::Word("use".to_owned()));
        // A comma ends a field and no item, whose generics may hold commas.
        let is_field = self.tokens.get(self.at + 1) == Some(&SourceToken::Mark(':'));
        let mut depth = 0;
        while let Some(token) = self.peek() {
            match token {
                SourceToken::Mark('(' | '[' | '{') => depth += 1,
                SourceToken::Mark(')' | ']' | '}') if depth == 0 => return,
                SourceToken::Mark(')' | ']') => depth -= 1,
                SourceToken::Mark('}') => {
                    depth -= 1;
                    if depth == 0 && !is_use {
                        self.at += 1;
                        return;
                    }
                }
                SourceToken::Mark(end)
                    if depth == 0 && (*end == ';' || is_field && *end == ',') =>
                {
                    self.at += 1;
                    return;
                }
                _ => {}
            }
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        scan(text).paths.iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn paths_are_those_of_uses_and_of_expressions() {
        for (text, expected) in [
            ("use a::b;", &["a::b"][..]),
            (
                "pub(crate) use a::{self, b::{C, d as e}, f::*};",
                &["a", "a::b::C", "a::b::d", "a::f"],
            ),
            ("use {a::b, c::d};", &["a::b", "c::d"]),
            ("fn f(x: a::B) -> c::D<e::F> { g::h(i, j) }", &["a::B", "c::D", "e::F", "g::h"]),
            ("// use a::b;\n/* a::b /* a::b */ a::b */ /// a::b", &[]),
            (r##"let a = "b::c \" d::e"; r#"f::g " h::i"#; b"j::k"; b'"'; l::m"##, &["l::m"]),
            (r"fn f<'a>(x: &'a a::B) { '\''; 'x'; c::d }", &["a::B", "c::d"]),
            ("#[derive(a::B)] struct C { d: e::F }", &["e::F"]),
            ("#[cfg(test)] mod tests { use a::b; } use c::d;", &["c::d"]),
            ("#[cfg(test)] #[path = \"x\"] use a::{b, c}; use d::e;", &["d::e"]),
            ("#[cfg(any(test, unix))] fn f<A, B>() { a::b() } c::d", &["c::d"]),
            ("struct S { #[cfg(test)] a: b::C, d: e::F }", &["e::F"]),
            ("#[cfg(unix)] use a::b;", &["a::b"]),
        ] {
            assert_eq!(paths(text), expected, "{text}");
        }
    }

    #[test]
    fn children_are_inline_or_files() {
        let module = scan("mod a; pub mod b { use c::d; mod e; } #[cfg(test)] mod f; use g::h;");
        assert_eq!(module.children.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert!(module.children["a"].is_none());
        let inline = module.children["b"].as_ref().unwrap();
        assert_eq!((inline.paths.len(), inline.children.len()), (1, 1));
        assert_eq!(module.paths, [["g", "h"]]);
    }
}
