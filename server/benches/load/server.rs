//! The server under test: the program that this package builds.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::drive::{Load, Outcome, Replies, Target, drive};
use crate::process::{Program, free_address};
use crate::reply::{Reply, ReplyEnd, fetch};
use crate::series::{Form, SERIES, verify};

const SERVER: &str = env!("CARGO_BIN_EXE_server");

/// `put <key> <value> <timestamp>`
pub const FORM: Form = Form { before: |key| format!("put {key} "), counted: false, after: "\n" };

/// How durable the server is to be.
#[derive(Debug, Clone)]
pub struct Mode {
    /// For the tables.
    pub name: String,
    options: Vec<String>,
    /// It keeps its data in a directory.
    pub durable: bool,
}

/// The modes that this server knows, or the one that is asked for; each with `more` options.
pub fn modes(only: Option<&str>, more: &[String]) -> Result<Vec<Mode>> {
    let help = Command::new(SERVER).arg("--help").output().context("server --help")?;
    let help = String::from_utf8_lossy(&help.stdout);
    let durable = help.contains("--data-dir");
    let with = |name: &str, options: &[&str]| {
        let options = options.iter().map(|&option| option.to_owned()).chain(more.iter().cloned());
        Mode { name: name.to_owned(), options: options.collect(), durable }
    };
    if !help.contains("--durability") {
        return Ok(vec![with(if durable { "default" } else { "memory" }, &[])]);
    }
    let known = ["sync", "interval"].into_iter();
    let modes: Vec<_> = known
        .filter(|name| only.is_none_or(|only| only == *name))
        .map(|name| with(name, &["--durability", name]))
        .collect();
    ensure!(!modes.is_empty(), "--mode is sync or interval");
    Ok(modes)
}

impl Mode {
    /// `--durability interval`, with `more` options.
    pub fn interval(more: &[String]) -> Self {
        let options = ["--durability", "interval"].map(str::to_owned);
        let options = options.into_iter().chain(more.iter().cloned()).collect();
        Self { name: "interval".to_owned(), options, durable: true }
    }

    /// The same with one more option.
    pub fn with(mut self, option: &str) -> Self {
        self.options.push(option.to_owned());
        self
    }
}

/// A running server.
pub struct Server {
    /// The process.
    pub program: Program,
    /// Where it listens.
    pub address: SocketAddr,
    /// From its start to its first answer.
    pub ready: Duration,
}

impl Server {
    /// Starts it on `dir` and waits for its first answer.
    pub fn start(mode: &Mode, dir: &Path) -> Result<Self> {
        let address = free_address()?;
        let mut command = Command::new(SERVER);
        command.args(["--host", &address.ip().to_string()]);
        command.args(["--port", &address.port().to_string()]);
        if mode.durable {
            command.arg("--data-dir").arg(dir.join("data"));
        }
        command.args(&mode.options);
        let mut program = Program::start(&mut command, &dir.join("output.txt"))?;
        let ready = program.wait_until(|| first_answer(address).is_ok())?;
        Ok(Self { program, address, ready })
    }

    /// Puts load on it.
    pub fn drive(&self, load: Load) -> Result<Outcome> {
        drive(Target { address: self.address, form: FORM, replies: Replies::Ok }, load)
    }

    /// Reads everything back and compares it with what `load` has put.
    pub fn get_all(&self, load: Load) -> Result<(Reply, usize)> {
        let answer = fetch(&self.program, self.address, b"get *\n", ReplyEnd::EmptyLine)?;
        let points = answer.lines - 2;
        let expected = load.seconds * SERIES as u64;
        ensure!(points == expected, "{points} points of {expected} acknowledged ones are there");
        let checked = verify(&answer.samples, load.connections)?;
        Ok((answer, checked))
    }
}

fn first_answer(address: SocketAddr) -> Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"get nowhere.at.all\n")?;
    let mut reply = [0; 4];
    stream.read_exact(&mut reply)?;
    ensure!(reply == *b"ok\n\n", "an odd first answer");
    Ok(())
}
