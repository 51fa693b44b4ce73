//! Text to expression: words with their places, then recursive descent with a bounded depth.

use shared::Glob;
use shared::duration::split_unit;
use shared::pattern::PatternError;
use shared::point::parse_value;

use crate::metrics::column::Column;
use crate::metrics::condition::{Compare, Condition, OPERATORS};
use crate::metrics::filter::{BadExpr, Expr};
use crate::metrics::series::Moved;

/// Parentheses and negations in each other.
const MAX_DEPTH: usize = 32;

const NOT_JOINED: &str = "expected and, or";
const SURPLUS: &str = "nothing more belongs here";

#[derive(Debug, Clone, Copy, PartialEq)]
enum Token<'a> {
    Word(&'a str),
    /// In quotes, so never a name or a connective.
    Quoted(&'a str),
    Compare(Compare),
    /// `~`
    Like,
    Not,
    And,
    Or,
    Open,
    Close,
}

/// The symbols besides [`OPERATORS`], the longer ones first.
const SYMBOLS: [(&str, Token<'_>); 8] = [
    ("&&", Token::And),
    ("||", Token::Or),
    ("!", Token::Not),
    ("~", Token::Like),
    ("&", Token::And),
    ("|", Token::Or),
    ("(", Token::Open),
    (")", Token::Close),
];

fn symbols() -> impl Iterator<Item = (&'static str, Token<'static>)> {
    let operators = OPERATORS.into_iter();
    operators.map(|(symbol, compare)| (symbol, Token::Compare(compare))).chain(SYMBOLS)
}

pub(super) fn filter(text: &str) -> Result<Expr, BadExpr> {
    let mut parser = Parser::new(text)?;
    let expr = parser.any(0)?;
    match parser.peek() {
        None => Ok(expr),
        Some(Token::Close) => Err(parser.bad("a ( is missing before this")),
        Some(_) => Err(parser.bad(SURPLUS)),
    }
}

pub(in crate::metrics) fn alert(text: &str) -> Result<(Glob, Condition), BadExpr> {
    let mut parser = Parser::new(text)?;
    parser.expect_key()?;
    let pattern = parser.pattern()?;
    let mut compared = Column::Last;
    if let Some(Token::Word(word)) = parser.peek()
        && !word.starts_with(|c: char| c.is_ascii_digit())
    {
        let unknown =
            || parser.bad(&format!("no number is called {word}; {}", numbers(Column::compared())));
        compared = column(word, Column::compared()).ok_or_else(unknown)?;
        parser.skip();
    }
    let condition = parser.condition(compared)?;
    if parser.peek().is_some() { Err(parser.bad(SURPLUS)) } else { Ok((pattern, condition)) }
}

struct Parser<'a> {
    text: &'a str,
    /// With their places, in bytes.
    tokens: Vec<(usize, Token<'a>)>,
    next: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Result<Self, BadExpr> {
        let mut parser = Self { text: text.trim_end(), tokens: Vec::new(), next: 0 };
        let mut rest = parser.text.trim_start();
        while !rest.is_empty() {
            let at = parser.text.len() - rest.len();
            let (token, length) = if let Some(quoted) = rest.strip_prefix('"') {
                let end = quoted.find('"');
                let length = end.ok_or_else(|| parser.bad_at(at, "a \" without its end"))?;
                (Token::Quoted(&quoted[..length]), length + 2)
            } else if let Some((symbol, token)) =
                symbols().find(|(symbol, _)| rest.starts_with(symbol))
            {
                (token, symbol.len())
            } else {
                let ends_word = |c: char| c.is_whitespace() || "<>=!()&|~\"".contains(c);
                let word = rest.split(ends_word).next().unwrap_or(rest);
                let connectives = [("and", Token::And), ("or", Token::Or), ("not", Token::Not)];
                let mut connectives = connectives.into_iter();
                let connective = connectives.find(|(name, _)| name.eq_ignore_ascii_case(word));
                (connective.map_or(Token::Word(word), |(_, token)| token), word.len())
            };
            parser.tokens.push((at, token));
            rest = rest[length..].trim_start();
        }
        Ok(parser)
    }

    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.next).map(|&(_, token)| token)
    }

    fn skip(&mut self) {
        self.next = (self.next + 1).min(self.tokens.len());
    }

    fn next(&mut self) -> Option<Token<'a>> {
        let token = self.peek();
        self.skip();
        token
    }

    /// Skips the token if it comes next.
    fn accept(&mut self, token: Token<'_>) -> bool {
        let comes = self.peek() == Some(token);
        if comes {
            self.skip();
        }
        comes
    }

    /// Where the next token stands, in bytes.
    fn place(&self) -> usize {
        self.tokens.get(self.next).map_or(self.text.len(), |&(at, _)| at)
    }

    /// What is wrong with the next token.
    fn bad(&self, reason: &str) -> BadExpr {
        self.bad_at(self.place(), reason)
    }

    fn bad_at(&self, at: usize, reason: &str) -> BadExpr {
        BadExpr { at: self.text[..at].chars().count(), reason: reason.to_owned() }
    }

    fn any(&mut self, depth: usize) -> Result<Expr, BadExpr> {
        let mut all = vec![self.all(depth)?];
        while self.accept(Token::Or) {
            all.push(self.all(depth)?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Expr::Any(all) })
    }

    fn all(&mut self, depth: usize) -> Result<Expr, BadExpr> {
        let mut all = vec![self.term(depth)?];
        while !matches!(self.peek(), None | Some(Token::Or | Token::Close)) {
            if !self.accept(Token::And) {
                return Err(self.not_joined(all.last()));
            }
            all.push(self.term(depth)?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Expr::All(all) })
    }

    /// Something stands behind a term without anything between the two.
    fn not_joined(&self, before: Option<&Expr>) -> BadExpr {
        match &self.tokens[self.next..] {
            // It may be on its way to one of them.
            [(_, Token::Word(word))] if ["and", "or"].iter().any(|way| way.starts_with(word)) => {
                self.bad_at(self.text.len(), NOT_JOINED)
            }
            [(_, Token::Word(_) | Token::Quoted(_)), rest @ ..]
                if !matches!(rest.first(), Some((_, Token::Compare(_) | Token::Like)))
                    && matches!(before, Some(Expr::Matches(_) | Expr::Contains(_))) =>
            {
                self.bad(&format!("{NOT_JOINED}; no key has a blank in it"))
            }
            _ => self.bad(NOT_JOINED),
        }
    }

    fn term(&mut self, depth: usize) -> Result<Expr, BadExpr> {
        if depth > MAX_DEPTH {
            return Err(self.bad("too deep"));
        }
        match self.peek() {
            Some(Token::Not) => {
                self.skip();
                Ok(Expr::Not(Box::new(self.term(depth + 1)?)))
            }
            Some(Token::Open) => {
                self.skip();
                let inner = self.any(depth + 1)?;
                if self.accept(Token::Close) { Ok(inner) } else { Err(self.bad("a ) is missing")) }
            }
            Some(Token::Word(word)) => self.named(word),
            Some(Token::Quoted(word)) => self.key(word),
            Some(Token::Compare(_) | Token::Like) => Err(self.bad("a name is missing before this")),
            None | Some(Token::And | Token::Or | Token::Close) => {
                Err(self.bad("a glob or a comparison is missing"))
            }
        }
    }

    fn named(&mut self, word: &str) -> Result<Expr, BadExpr> {
        let after = self.tokens.get(self.next + 1);
        let is_compared = matches!(after, Some((_, Token::Compare(_) | Token::Like)));
        let is = |name: &str| word.eq_ignore_ascii_case(name);
        let is_percent = matches!(after, Some((_, Token::Word("%"))));
        if is_percent && is(Column::Moved.word()) {
            self.skip();
            self.skip();
            Ok(Expr::Condition(self.condition(Column::MovedShare)?))
        } else if let Some(column) = column(word, Column::filtered())
            && (is_compared || !column.is_of_comparison())
        {
            self.skip();
            Ok(Expr::Condition(self.condition(column)?))
        } else if is_compared && is("key") {
            self.skip();
            self.key_condition()
        } else if is_compared && is("time") {
            Err(self.bad("times are not compared; age is, as in age < 1h"))
        } else if is_compared {
            let is_key = word.contains('.');
            let hint = if is_key {
                format!("write key = {word} and last > 3")
            } else {
                numbers(Column::filtered())
            };
            Err(self.bad(&format!("no column is called {word}; {hint}")))
        } else if is("stale") {
            self.skip();
            Ok(Expr::Stale)
        } else if let Some(word) = Moved::WORDS.into_iter().find(|moved| is(moved)) {
            self.skip();
            Ok(Expr::Moved(word))
        } else {
            self.key(word)
        }
    }

    /// A word alone: a glob for the whole key, or a part of it.
    fn key(&mut self, word: &str) -> Result<Expr, BadExpr> {
        if word.contains(['*', '?', '{', '}', '[', ']']) {
            return Ok(Expr::Matches(self.pattern()?));
        }
        self.skip();
        Ok(Expr::Contains(word.to_lowercase()))
    }

    fn key_condition(&mut self) -> Result<Expr, BadExpr> {
        let negated = self.accept(Token::Compare(Compare::NotEqual));
        if !(negated || self.accept(Token::Compare(Compare::Equal)) || self.accept(Token::Like)) {
            return Err(self.bad("keys are compared with =, != and ~"));
        }
        let matches = Expr::Matches(self.pattern()?);
        Ok(if negated { Expr::Not(Box::new(matches)) } else { matches })
    }

    /// An alert begins with a key: a condition alone is not one on a key called `rate`.
    fn expect_key(&self) -> Result<(), BadExpr> {
        let compares =
            |token: Option<&(usize, Token<'_>)>| matches!(token, Some((_, Token::Compare(_))));
        let Some((_, first)) = self.tokens.first() else {
            return Err(self.bad("a key is missing, as in palm.cpu > 90"));
        };
        let is_column =
            matches!(first, Token::Word(word) if column(word, Column::compared()).is_some());
        if compares(self.tokens.first()) || (is_column && compares(self.tokens.get(1))) {
            let rest = self.text.trim_start();
            return Err(self.bad(&format!("a key is missing before this, as in palm.cpu {rest}")));
        }
        Ok(())
    }

    fn pattern(&mut self) -> Result<Glob, BadExpr> {
        let bad = self.bad("a key or a pattern is missing");
        let Some(Token::Word(word) | Token::Quoted(word)) = self.next() else { return Err(bad) };
        let wrong = |why: PatternError| BadExpr {
            at: bad.at + why.character,
            reason: why.reason.to_string(),
        };
        word.parse().map_err(wrong)
    }

    fn condition(&mut self, column: Column) -> Result<Condition, BadExpr> {
        let compare = match self.peek() {
            Some(Token::Compare(compare)) => compare,
            Some(Token::Like) => return Err(self.bad("~ compares keys only")),
            _ => return Err(self.bad("one of < <= > >= = != is missing")),
        };
        self.skip();
        let Some(Token::Word(word)) = self.peek() else {
            return Err(self.bad("a number is missing"));
        };
        let limit = number(word, column).map_err(|wanted| match word.strip_suffix(',') {
            Some(before) if number(before, column).is_ok() => {
                self.bad_at(self.place() + before.len(), NOT_JOINED)
            }
            _ => self.bad(&format!("expected {wanted}")),
        })?;
        self.skip();
        Ok(Condition { column, compare, limit })
    }
}

/// Of these columns the one of this name, in any case: its word, or its heading without a blank.
fn column(word: &str, mut known: impl Iterator<Item = Column>) -> Option<Column> {
    let word = if word.eq_ignore_ascii_case("mean") { Column::Avg.word() } else { word };
    known.find(|column| {
        let heading = column.name().replace(' ', "");
        [column.word(), &heading].iter().any(|name| name.eq_ignore_ascii_case(word))
    })
}

fn numbers(known: impl Iterator<Item = Column>) -> String {
    let words: Vec<_> = known.map(Column::word).collect();
    let (last, others) = words.split_last().unwrap_or((&"", &[]));
    format!("there are {} and {last}", others.join(", "))
}

/// A number with a unit that suits the column.
///
/// # Errors
/// What is expected.
fn number(word: &str, column: Column) -> Result<f64, &'static str> {
    const SIZES: [(&str, f64); 13] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("kB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
        ("TB", 1e12),
        ("k", 1e3),
        ("K", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
    ];
    let milliseconds = || Some((word.strip_suffix("ms")?, 1e-3));
    let seconds = || split_unit(word).map(|(digits, seconds)| (digits, f64::from(seconds)));
    let size = |&(name, times): &(&str, f64)| Some((word.strip_suffix(name)?, times));
    let (unit, wanted) = match column {
        Column::Age => (milliseconds().or_else(seconds), "a duration such as 90s, 5m or 2h"),
        Column::MovedShare if word.ends_with('%') => {
            (word.strip_suffix('%').map(|digits| (digits, 1.0)), "a percentage such as 50%")
        }
        _ => (SIZES.iter().find_map(size), "a number such as 20, 1.5k or 2M"),
    };
    let (digits, times) = unit.unwrap_or((word, 1.0));
    let value = parse_value(digits.as_bytes()).ok().map(|value| value * times);
    value.filter(|value| value.is_finite()).ok_or(wanted)
}
