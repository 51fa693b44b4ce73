//! Text to expression: words with their places, then recursive descent with a bounded depth.

use crate::metrics::column::Column;
use crate::metrics::filter::{BadExpr, Compare, Condition, Expr};
use shared::Glob;
use shared::duration::split_unit;
use shared::pattern::PatternError;

/// Parentheses and negations in each other.
const MAX_DEPTH: usize = 32;

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    /// In quotes, so never a name or a connective.
    Quoted(String),
    Compare(Compare),
    /// `~`
    Like,
    Not,
    And,
    Or,
    Open,
    Close,
}

pub(super) fn filter(text: &str) -> Result<Expr, BadExpr> {
    let mut parser = Parser::new(text)?;
    let expr = parser.any(0)?;
    match parser.peek() {
        None => Ok(expr),
        Some(Token::Close) => Err(parser.bad("a ( is missing before this")),
        Some(_) => Err(parser.bad("nothing more belongs here")),
    }
}

pub(in crate::metrics) fn alert(text: &str) -> Result<(Glob, Condition), BadExpr> {
    let mut parser = Parser::new(text)?;
    let at = parser.place();
    let pattern = match parser.next() {
        Some(Token::Word(word) | Token::Quoted(word)) => glob(&word, at)?,
        _ => return Err(bad(at, "a key or a pattern is missing")),
    };
    let mut number = Column::Last;
    if let Some(Token::Word(word)) = parser.peek()
        && !word.starts_with(|c: char| c.is_ascii_digit())
    {
        let unknown = || parser.bad(&format!("no number is called {word}; {}", numbers()));
        number = column(word).ok_or_else(unknown)?;
        parser.skip();
    }
    let condition = parser.condition(number)?;
    match parser.peek() {
        None => Ok((pattern, condition)),
        Some(_) => Err(parser.bad("nothing more belongs here")),
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
    end: usize,
}

impl Parser {
    fn new(text: &str) -> Result<Self, BadExpr> {
        let end = text.trim_end().chars().count();
        Ok(Self { tokens: tokens(text)?, at: 0, end })
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.skip();
        token
    }

    fn skip(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len());
    }

    /// Where the next token stands.
    fn place(&self) -> usize {
        self.tokens.get(self.at).map_or(self.end, |&(at, _)| at)
    }

    fn bad(&self, reason: &str) -> BadExpr {
        bad(self.place(), reason)
    }

    fn any(&mut self, depth: usize) -> Result<Expr, BadExpr> {
        let mut all = vec![self.all(depth)?];
        while self.peek() == Some(&Token::Or) {
            self.skip();
            all.push(self.all(depth)?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Expr::Any(all) })
    }

    fn all(&mut self, depth: usize) -> Result<Expr, BadExpr> {
        let mut all = vec![self.term(depth)?];
        loop {
            match self.peek() {
                Some(Token::And) => self.skip(),
                None | Some(Token::Or | Token::Close) => break,
                Some(_) => return Err(self.not_joined(all.last())),
            }
            all.push(self.term(depth)?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Expr::All(all) })
    }

    /// Something stands behind a term without anything between the two.
    fn not_joined(&self, before: Option<&Expr>) -> BadExpr {
        const EXPECTED: &str = "expected and, or";
        let behind = self.tokens.get(self.at..).unwrap_or_default();
        match behind {
            // It may be on its way to one of them.
            [(_, Token::Word(word))] if ["and", "or"].iter().any(|way| way.starts_with(word)) => {
                bad(self.end, EXPECTED)
            }
            [(_, Token::Word(_) | Token::Quoted(_)), rest @ ..]
                if !matches!(rest.first(), Some((_, Token::Compare(_) | Token::Like)))
                    && matches!(before, Some(Expr::Matches(_) | Expr::Contains(_))) =>
            {
                self.bad(&format!("{EXPECTED}; no key has a blank in it"))
            }
            _ => self.bad(EXPECTED),
        }
    }

    fn term(&mut self, depth: usize) -> Result<Expr, BadExpr> {
        if depth > MAX_DEPTH {
            return Err(self.bad("too deep"));
        }
        let at = self.place();
        match self.next() {
            Some(Token::Not) => Ok(Expr::Not(Box::new(self.term(depth + 1)?))),
            Some(Token::Open) => {
                let inner = self.any(depth + 1)?;
                match self.peek() {
                    Some(Token::Close) => self.skip(),
                    _ => return Err(self.bad("a ) is missing")),
                }
                Ok(inner)
            }
            Some(Token::Quoted(word)) => key(&word, at),
            Some(Token::Word(word)) => self.named(&word, at),
            Some(Token::Compare(_) | Token::Like) => Err(bad(at, "a name is missing before this")),
            None | Some(Token::And | Token::Or | Token::Close) => {
                Err(bad(at, "a glob or a comparison is missing"))
            }
        }
    }

    fn named(&mut self, word: &str, at: usize) -> Result<Expr, BadExpr> {
        let compared = matches!(self.peek(), Some(Token::Compare(_) | Token::Like));
        match column(word) {
            Some(column) => Ok(Expr::Condition(self.condition(column)?)),
            None if compared && word.eq_ignore_ascii_case("key") => self.key_condition(),
            None if compared && word.eq_ignore_ascii_case("time") => {
                Err(bad(at, "times are not compared; age is, as in age < 1h"))
            }
            None if compared && word.contains('.') => {
                let why = format!("no column is called {word}; write key = {word} and last > 3");
                Err(bad(at, &why))
            }
            None if compared => Err(bad(at, &format!("no column is called {word}; {}", numbers()))),
            None if word.eq_ignore_ascii_case("stale") => Ok(Expr::Stale),
            None => key(word, at),
        }
    }

    fn key_condition(&mut self) -> Result<Expr, BadExpr> {
        let negated = match self.peek() {
            Some(Token::Compare(Compare::NotEqual)) => true,
            Some(Token::Compare(Compare::Equal) | Token::Like) => false,
            _ => return Err(self.bad("keys are compared with =, != and ~")),
        };
        self.skip();
        let at = self.place();
        let matches = match self.next() {
            Some(Token::Word(word) | Token::Quoted(word)) => Expr::Matches(glob(&word, at)?),
            _ => return Err(bad(at, "a key or a pattern is missing")),
        };
        Ok(if negated { Expr::Not(Box::new(matches)) } else { matches })
    }

    fn condition(&mut self, column: Column) -> Result<Condition, BadExpr> {
        let compare = match self.peek() {
            Some(&Token::Compare(compare)) => compare,
            Some(Token::Like) => return Err(self.bad("~ compares keys only")),
            _ => return Err(self.bad("one of < <= > >= = != is missing")),
        };
        self.skip();
        let at = self.place();
        let limit = match self.next() {
            Some(Token::Word(word)) => number(&word, column, at)?,
            _ => return Err(bad(at, "a number is missing")),
        };
        Ok(Condition { column, compare, limit })
    }
}

fn bad(at: usize, reason: &str) -> BadExpr {
    BadExpr { at, reason: reason.to_owned() }
}

/// The column of this name, in any case, if it is one that is compared.
fn column(word: &str) -> Option<Column> {
    let word = if word.eq_ignore_ascii_case("mean") { Column::Avg.word() } else { word };
    Column::compared().find(|column| column.word().eq_ignore_ascii_case(word))
}

fn numbers() -> String {
    let words: Vec<_> = Column::compared().map(Column::word).collect();
    let (last, others) = words.split_last().unwrap_or((&"", &[]));
    format!("there are {} and {last}", others.join(", "))
}

fn glob(word: &str, at: usize) -> Result<Glob, BadExpr> {
    word.parse().map_err(|why: PatternError| bad(at + why.character, &why.reason.to_string()))
}

/// A word alone: a glob for the whole key, or a part of it.
fn key(word: &str, at: usize) -> Result<Expr, BadExpr> {
    let special = word.contains(['*', '?', '{', '}', '[', ']']);
    Ok(if special { Expr::Matches(glob(word, at)?) } else { Expr::Contains(word.to_lowercase()) })
}

/// A number with a unit that suits the field.
fn number(word: &str, column: Column, at: usize) -> Result<f64, BadExpr> {
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
        _ => (SIZES.iter().find_map(size), "a number such as 20, 1.5k or 2M"),
    };
    let (digits, times) = unit.unwrap_or((word, 1.0));
    let value = shared::point::parse_value(digits.as_bytes()).ok().map(|value| value * times);
    value.filter(|value| value.is_finite()).ok_or_else(|| match word.strip_suffix(',') {
        Some(before) if number(before, column, at).is_ok() => {
            bad(at + before.chars().count(), "expected and, or")
        }
        _ => bad(at, &format!("not {wanted}")),
    })
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, BadExpr> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        let from = at;
        let token = if c == '"' {
            let length = chars[at + 1..].iter().position(|&c| c == '"');
            let length = length.ok_or_else(|| bad(at, "a \" without its end"))?;
            let word = chars[at + 1..at + 1 + length].iter().collect();
            at += length + 2;
            Token::Quoted(word)
        } else if let Some((token, length)) = symbol(c, chars.get(at + 1).copied()) {
            at += length;
            token
        } else {
            let rest = chars[at..].iter();
            let length = rest.take_while(|&&c| !ends_word(c)).count().max(1);
            at += length;
            word(chars[from..at].iter().collect())
        };
        tokens.push((from, token));
    }
    Ok(tokens)
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, '<' | '>' | '=' | '!' | '(' | ')' | '&' | '|' | '~' | '"')
}

fn word(text: String) -> Token {
    match &*text.to_ascii_lowercase() {
        "and" => Token::And,
        "or" => Token::Or,
        "not" => Token::Not,
        _ => Token::Word(text),
    }
}

fn symbol(c: char, next: Option<char>) -> Option<(Token, usize)> {
    Some(match (c, next) {
        ('<', Some('=')) => (Token::Compare(Compare::LessOrEqual), 2),
        ('<', Some('>')) | ('!', Some('=' | '~')) => (Token::Compare(Compare::NotEqual), 2),
        ('<', _) => (Token::Compare(Compare::Less), 1),
        ('>', Some('=')) => (Token::Compare(Compare::GreaterOrEqual), 2),
        ('>', _) => (Token::Compare(Compare::Greater), 1),
        ('=', Some('=')) => (Token::Compare(Compare::Equal), 2),
        ('=', _) => (Token::Compare(Compare::Equal), 1),
        ('!', _) => (Token::Not, 1),
        ('~', _) => (Token::Like, 1),
        ('&', Some('&')) => (Token::And, 2),
        ('&', _) => (Token::And, 1),
        ('|', Some('|')) => (Token::Or, 2),
        ('|', _) => (Token::Or, 1),
        ('(', _) => (Token::Open, 1),
        (')', _) => (Token::Close, 1),
        _ => return None,
    })
}
