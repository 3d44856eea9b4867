//! The language of claims, answers and goals: reading an expression, and what it comes to.
//!
//! An expression is read once, against the names that are known there; whatever it asks for exists
//! then, and it can't fail any more.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::facts::{SERVER_FACTS, Scene, ServerFact, WORLD_FACTS, WorldFact, event_named};
pub use super::token::ExpressionError;
use super::token::{Token, tokens};
use super::value::{Kind, RoleWord, Value};
use crate::raft::{ServerId, ServerSet};

/// How deep parts may stand in parts.
const DEPTH_MAX: usize = 40;

/// An expression, and what kind of value it has.
#[derive(Clone, Debug)]
pub struct Expression {
    node: Node,
    kind: Kind,
}

/// What names are known, and what kinds of things they stand for.
pub type Names = BTreeMap<String, Kind>;

/// Whether a name can be given: it is a word that means nothing else.
pub fn is_free(name: &str) -> bool {
    let letters = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let keyword = ["and", "or", "not", "in", "nobody", "happened", "times", "size"].contains(&name);
    let known = EACH.iter().any(|(word, _)| *word == name)
        || RoleWord::ALL.into_iter().any(|role| role.name() == name)
        || WORLD_FACTS.iter().any(|fact| fact.name == name);
    letters && !keyword && !known
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// Where and why it isn't one.
    pub fn read(text: &str, names: &Names) -> Result<Expression, ExpressionError> {
        let mut reader = Reader { tokens: tokens(text)?, at: 0, names, local: Vec::new(), depth: 0 };
        let (node, kind) = reader.any()?;
        match reader.next() {
            (_, Token::End) => Ok(Expression { node, kind }),
            (column, token) => {
                Err(ExpressionError { column, why: format!("nothing may follow here, but {token} does") })
            }
        }
    }

    /// Reads an expression that says whether something is so.
    ///
    /// # Errors
    /// The same, or it is about something else.
    pub fn read_condition(text: &str, names: &Names) -> Result<Expression, ExpressionError> {
        let read = Expression::read(text, names)?;
        if read.kind == Kind::Flag {
            return Ok(read);
        }
        Err(ExpressionError {
            column: 1,
            why: format!("this is {}, and should say whether something is so", read.kind.name()),
        })
    }

    /// What kind of value it has.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its value in a world.
    pub fn value(&self, scene: &Scene) -> Value {
        value(&self.node, scene, &mut Vec::new())
    }

    /// Whether it is so.
    pub fn is_so(&self, scene: &Scene) -> bool {
        self.value(scene).is_so()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Or,
    And,
    Is,
    IsNot,
    Less,
    AtMost,
    Greater,
    AtLeast,
    In,
    Plus,
    Minus,
}

/// What is asked of the servers of a set, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Each {
    Some,
    All,
    Count,
    Those,
    First,
    Highest,
    Lowest,
}

const EACH: [(&str, Each); 7] = [
    ("some", Each::Some),
    ("all", Each::All),
    ("count", Each::Count),
    ("those", Each::Those),
    ("first", Each::First),
    ("highest", Each::Highest),
    ("lowest", Each::Lowest),
];

#[derive(Clone, Debug)]
enum Node {
    Value(Value),
    Bound(String),
    /// The nth variable of the quantifiers around, from outside.
    Local(usize),
    World(&'static WorldFact, Vec<Node>),
    Of(Box<Node>, &'static ServerFact, Vec<Node>),
    Times(&'static str, Option<Box<Node>>),
    Size(Box<Node>),
    Set(Vec<Node>),
    Not(Box<Node>),
    Two(Operator, Box<[Node; 2]>),
    Each(Each, Box<[Node; 2]>),
}

impl core::fmt::Debug for WorldFact {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name)
    }
}

impl core::fmt::Debug for ServerFact {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name)
    }
}

struct Reader<'a> {
    tokens: Vec<(usize, Token)>,
    at: usize,
    names: &'a Names,
    /// The variables of the quantifiers around.
    local: Vec<String>,
    depth: usize,
}

type Read = Result<(Node, Kind), ExpressionError>;

impl Reader<'_> {
    fn peek(&self) -> &Token {
        &self.tokens[self.at].1
    }

    fn next(&mut self) -> (usize, Token) {
        let token = self.tokens[self.at].clone();
        // The end stays.
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn column(&self) -> usize {
        self.tokens[self.at].0
    }

    fn error<T>(&self, column: usize, why: impl Into<String>) -> Result<T, ExpressionError> {
        Err(ExpressionError { column, why: why.into() })
    }

    fn takes_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(next) if *next == sign);
        if found {
            self.next();
        }
        found
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Token::Word(next) if next == word);
        if found {
            self.next();
        }
        found
    }

    fn needs_sign(&mut self, sign: &'static str, after: &str) -> Result<(), ExpressionError> {
        let column = self.column();
        if self.takes_sign(sign) {
            return Ok(());
        }
        let found = self.peek().clone();
        self.error(column, format!("“{sign}” is missing {after}: here stands {found}"))
    }

    fn expect(&self, column: usize, found: Kind, wanted: Kind) -> Result<(), ExpressionError> {
        if found == wanted {
            return Ok(());
        }
        self.error(column, format!("this is {}, not {}", found.name(), wanted.name()))
    }

    fn any(&mut self) -> Read {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return self.error(self.column(), "too many parts stand in one another");
        }
        let read = self.joined(0);
        self.depth -= 1;
        read
    }

    /// Conditions with `or` between them; with `and`, if `level` is 1.
    fn joined(&mut self, level: usize) -> Read {
        let (word, operator) = [("or", Operator::Or), ("and", Operator::And)][level];
        let column = self.column();
        let (mut node, kind) = if level == 0 { self.joined(1)? } else { self.negated()? };
        while matches!(self.peek(), Token::Word(next) if next == word) {
            self.expect(column, kind, Kind::Flag)?;
            self.next();
            let column = self.column();
            let (right, other) = if level == 0 { self.joined(1)? } else { self.negated()? };
            self.expect(column, other, Kind::Flag)?;
            node = Node::Two(operator, Box::new([node, right]));
        }
        Ok((node, kind))
    }

    fn negated(&mut self) -> Read {
        if !self.takes_word("not") {
            return self.compared();
        }
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return self.error(self.column(), "too many parts stand in one another");
        }
        let column = self.column();
        let (node, kind) = self.negated()?;
        self.depth -= 1;
        self.expect(column, kind, Kind::Flag)?;
        Ok((Node::Not(Box::new(node)), Kind::Flag))
    }

    fn compared(&mut self) -> Read {
        let (left, kind) = self.summed()?;
        let column = self.column();
        let operator = match self.peek() {
            Token::Sign("=") => Operator::Is,
            Token::Sign("!=") => Operator::IsNot,
            Token::Sign("<") => Operator::Less,
            Token::Sign("<=") => Operator::AtMost,
            Token::Sign(">") => Operator::Greater,
            Token::Sign(">=") => Operator::AtLeast,
            Token::Word(word) if word == "in" => Operator::In,
            _ => return Ok((left, kind)),
        };
        self.next();
        let at = self.column();
        // Elsewhere that word is the server that leads.
        let (right, other) = if kind == Kind::Role && self.takes_word("leader") {
            (Node::Value(Value::Role(RoleWord::Leader)), Kind::Role)
        } else {
            self.summed()?
        };
        if operator == Operator::In {
            self.expect(column, kind, Kind::Server)?;
            self.expect(at, other, Kind::Servers)?;
        } else {
            self.expect(at, other, kind)?;
            let ordered = matches!(kind, Kind::Number | Kind::Time);
            if !ordered && !matches!(operator, Operator::Is | Operator::IsNot) {
                return self.error(column, format!("{} can’t be smaller or larger than another", kind.name()));
            }
        }
        Ok((Node::Two(operator, Box::new([left, right])), Kind::Flag))
    }

    fn summed(&mut self) -> Read {
        let (mut node, kind) = self.part()?;
        loop {
            let column = self.column();
            let operator = match self.peek() {
                Token::Sign("+") => Operator::Plus,
                Token::Sign("-") => Operator::Minus,
                _ => return Ok((node, kind)),
            };
            if !matches!(kind, Kind::Number | Kind::Time | Kind::Servers) {
                return self.error(column, format!("nothing can be added to {}", kind.name()));
            }
            self.next();
            let at = self.column();
            let (right, other) = self.part()?;
            self.expect(at, other, kind)?;
            node = Node::Two(operator, Box::new([node, right]));
        }
    }

    /// A value, and facts about it.
    fn part(&mut self) -> Read {
        let column = self.column();
        let (mut node, mut kind) = self.first()?;
        while self.takes_sign(".") {
            self.expect(column, kind, Kind::Server)?;
            let (at, token) = self.next();
            let Token::Word(word) = &token else {
                return self.error(at, format!("a fact about the server is missing here, where {token} stands"));
            };
            let Some(fact) = SERVER_FACTS.iter().find(|fact| fact.name == word) else {
                let known: Vec<&str> = SERVER_FACTS.iter().map(|fact| fact.name).collect();
                return self.error(at, format!("a server has no “{word}”: it has {}", known.join(", ")));
            };
            let given = self.given(word, fact.takes)?;
            node = Node::Of(Box::new(node), fact, given);
            kind = fact.kind;
        }
        Ok((node, kind))
    }

    /// What stands in parentheses after a name.
    fn given(&mut self, name: &str, takes: &[Kind]) -> Result<Vec<Node>, ExpressionError> {
        let mut given = Vec::new();
        for (place, wanted) in takes.iter().enumerate() {
            let sign = if place == 0 { "(" } else { "," };
            self.needs_sign(sign, &format!("after “{name}”, which takes {}", wanted.name()))?;
            let column = self.column();
            let (node, kind) = self.any()?;
            self.expect(column, kind, *wanted)?;
            given.push(node);
        }
        if !takes.is_empty() {
            self.needs_sign(")", &format!("after what “{name}” takes"))?;
        }
        Ok(given)
    }

    fn first(&mut self) -> Read {
        let (column, token) = self.next();
        match token {
            Token::Server(server) => Ok((Node::Value(server.into()), Kind::Server)),
            Token::Number(number) => Ok((Node::Value(Value::Number(number)), Kind::Number)),
            Token::Time(micros) => Ok((Node::Value(Value::Time(micros)), Kind::Time)),
            Token::Text(text) => Ok((Node::Value(Value::Text(text)), Kind::Text)),
            Token::Sign("(") => {
                let read = self.any()?;
                self.needs_sign(")", "at the end of what “(” begins")?;
                Ok(read)
            }
            Token::Sign("{") => self.set(),
            Token::Word(word) => self.word(column, &word),
            token => self.error(column, format!("something is missing here, where {token} stands")),
        }
    }

    /// `{S1, leader}`.
    fn set(&mut self) -> Read {
        let mut members = Vec::new();
        while !self.takes_sign("}") {
            if !members.is_empty() {
                self.needs_sign(",", "between two servers of a set")?;
            }
            let column = self.column();
            let (node, kind) = self.any()?;
            self.expect(column, kind, Kind::Server)?;
            members.push(node);
        }
        Ok((Node::Set(members), Kind::Servers))
    }

    fn word(&mut self, column: usize, word: &str) -> Read {
        if let Some(place) = self.local.iter().rposition(|name| name == word) {
            return Ok((Node::Local(place), Kind::Server));
        }
        if let Some(kind) = self.names.get(word) {
            return Ok((Node::Bound(word.to_string()), *kind));
        }
        if let Some((_, each)) = EACH.iter().find(|(name, _)| *name == word) {
            return self.each(*each);
        }
        if let Some(role) = RoleWord::ALL.into_iter().find(|role| role.name() == word && *role != RoleWord::Leader) {
            return Ok((Node::Value(Value::Role(role)), Kind::Role));
        }
        match word {
            "nobody" => return Ok((Node::Value(Value::Server(None)), Kind::Server)),
            "happened" => {
                let times = self.times()?;
                let none = Node::Value(Value::Number(0));
                return Ok((Node::Two(Operator::Greater, Box::new([times, none])), Kind::Flag));
            }
            "times" => return Ok((self.times()?, Kind::Number)),
            "size" => {
                let given = self.given(word, &[Kind::Servers])?;
                return Ok((
                    given.into_iter().next().map_or(Node::Set(Vec::new()), |set| Node::Size(Box::new(set))),
                    Kind::Number,
                ));
            }
            _ => {}
        }
        let Some(fact) = WORLD_FACTS.iter().find(|fact| fact.name == word) else {
            let mut known: Vec<&str> = WORLD_FACTS.iter().map(|fact| fact.name).collect();
            known.extend(self.names.keys().map(String::as_str));
            let why = format!(
                "nothing is called “{}” here: there are {}",
                crate::format::units::quote(word),
                known.join(", ")
            );
            return self.error(column, why);
        };
        let given = self.given(word, fact.takes)?;
        Ok((Node::World(fact, given), fact.kind))
    }

    /// `(became-leader)`, `(vote-refused, S2)`.
    fn times(&mut self) -> Result<Node, ExpressionError> {
        self.needs_sign("(", "before the name of what may happen")?;
        let (column, token) = self.next();
        let kind = match &token {
            Token::Word(word) => event_named(word),
            _ => None,
        };
        let Some(kind) = kind else {
            return self.error(column, format!("nothing of the name {token} happens: docs/lessons.md lists what does"));
        };
        let mut server = None;
        if self.takes_sign(",") {
            let column = self.column();
            let (node, kind) = self.any()?;
            self.expect(column, kind, Kind::Server)?;
            server = Some(Box::new(node));
        }
        self.needs_sign(")", "after the name of what may happen")?;
        Ok(Node::Times(kind, server))
    }

    /// `some s in up: s.leads`.
    fn each(&mut self, each: Each) -> Read {
        let (column, token) = self.next();
        let Token::Word(name) = token else {
            return self.error(
                column,
                format!("a name for each server is missing here, where {token} stands: some s in up: s.leads"),
            );
        };
        if !self.takes_word("in") {
            return self
                .error(self.column(), format!("“in” is missing after “{name}”: some {name} in up: {name}.leads"));
        }
        let column = self.column();
        let (set, kind) = self.summed()?;
        self.expect(column, kind, Kind::Servers)?;
        self.needs_sign(":", "after the servers that are asked about")?;
        self.local.push(name);
        let column = self.column();
        let read = self.any();
        self.local.pop();
        let (body, kind) = read?;
        let (wanted, is) = match each {
            Each::Some | Each::All => (Kind::Flag, Kind::Flag),
            Each::Count => (Kind::Flag, Kind::Number),
            Each::Those => (Kind::Flag, Kind::Servers),
            Each::First => (Kind::Flag, Kind::Server),
            Each::Highest | Each::Lowest => (Kind::Number, Kind::Number),
        };
        self.expect(column, kind, wanted)?;
        Ok((Node::Each(each, Box::new([set, body])), is))
    }
}

fn value(node: &Node, scene: &Scene, local: &mut Vec<ServerId>) -> Value {
    match node {
        Node::Value(value) => value.clone(),
        Node::Bound(name) => scene.bound.get(name).cloned().unwrap_or(Value::Server(None)),
        Node::Local(place) => Value::Server(local.get(*place).copied()),
        Node::World(fact, given) => {
            let given: Vec<Value> = given.iter().map(|one| value(one, scene, local)).collect();
            (fact.read)(scene, &given)
        }
        Node::Of(server, fact, given) => {
            let given: Vec<Value> = given.iter().map(|one| value(one, scene, local)).collect();
            match server_of(server, scene, local).and_then(|id| scene.world.machine(id)) {
                Some(machine) => (fact.read)(scene, machine, &given),
                None => Value::nothing(fact.kind),
            }
        }
        Node::Times(kind, of) => {
            let of = of.as_ref().map(|of| server_of(of, scene, local));
            let counts = |one: &&super::facts::Happened| one.kind == *kind && of.is_none_or(|of| one.server == of);
            scene.happened.iter().filter(counts).count().into()
        }
        Node::Size(set) => servers_of(set, scene, local).len().into(),
        Node::Set(members) => {
            let set: ServerSet = members.iter().filter_map(|one| server_of(one, scene, local)).collect();
            set.into()
        }
        Node::Not(condition) => (!value(condition, scene, local).is_so()).into(),
        Node::Two(Operator::Or, two) => {
            (value(&two[0], scene, local).is_so() || value(&two[1], scene, local).is_so()).into()
        }
        Node::Two(Operator::And, two) => {
            (value(&two[0], scene, local).is_so() && value(&two[1], scene, local).is_so()).into()
        }
        Node::Two(operator, two) => {
            let [left, right] = [value(&two[0], scene, local), value(&two[1], scene, local)];
            combined(*operator, left, right)
        }
        Node::Each(each, two) => {
            let set = servers_of(&two[0], scene, local);
            of_each(*each, set, &mut |server| {
                local.push(server);
                let value = value(&two[1], scene, local);
                local.pop();
                value
            })
        }
    }
}

fn server_of(node: &Node, scene: &Scene, local: &mut Vec<ServerId>) -> Option<ServerId> {
    if let Value::Server(server) = value(node, scene, local) { server } else { None }
}

fn servers_of(node: &Node, scene: &Scene, local: &mut Vec<ServerId>) -> ServerSet {
    if let Value::Servers(servers) = value(node, scene, local) { servers } else { ServerSet::EMPTY }
}

/// The reader has made sure that they are of one kind.
fn combined(operator: Operator, left: Value, right: Value) -> Value {
    let so = match (operator, &left, &right) {
        (Operator::Is, ..) => left == right,
        (Operator::IsNot, ..) => left != right,
        (Operator::In, Value::Server(one), Value::Servers(set)) => one.is_some_and(|one| set.contains(one)),
        (Operator::Plus, Value::Servers(a), Value::Servers(b)) => return Value::Servers(a.union(*b)),
        (Operator::Minus, Value::Servers(a), Value::Servers(b)) => return Value::Servers(a.difference(*b)),
        (Operator::Plus, Value::Number(a), Value::Number(b)) => return Value::Number(a.saturating_add(*b)),
        (Operator::Minus, Value::Number(a), Value::Number(b)) => return Value::Number(a.saturating_sub(*b)),
        (Operator::Plus, Value::Time(a), Value::Time(b)) => return Value::Time(a.saturating_add(*b)),
        (Operator::Minus, Value::Time(a), Value::Time(b)) => return Value::Time(a.saturating_sub(*b)),
        (_, Value::Number(a), Value::Number(b)) | (_, Value::Time(a), Value::Time(b)) => match operator {
            Operator::Less => a < b,
            Operator::AtMost => a <= b,
            Operator::Greater => a > b,
            _ => a >= b,
        },
        _ => false,
    };
    Value::Flag(so)
}

fn of_each(each: Each, set: ServerSet, ask: &mut dyn FnMut(ServerId) -> Value) -> Value {
    let mut those = ServerSet::EMPTY;
    let mut extreme = None;
    for server in set.iter() {
        match ask(server) {
            Value::Flag(true) => {
                those.insert(server);
            }
            Value::Number(number) => {
                let best: i64 = extreme.unwrap_or(number);
                extreme = Some(if each == Each::Highest { best.max(number) } else { best.min(number) });
            }
            _ => {}
        }
    }
    match each {
        Each::Some => (!those.is_empty()).into(),
        Each::All => (those == set).into(),
        Each::Count => those.len().into(),
        Each::Those => those.into(),
        Each::First => those.iter().next().into(),
        Each::Highest | Each::Lowest => Value::Number(extreme.unwrap_or(0)),
    }
}
