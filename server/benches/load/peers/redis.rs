//! Redis: `APPEND key "value second\n"`, pipelined, with its append-only file.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::{PeerResult, row};
use crate::drive::{Load, Replies, Target, drive};
use crate::process::{DiskUse, Program, free_address, listens};
use crate::reply::{ReplyEnd, fetch};
use crate::series::{Form, SERIES, name};

const FORM: Form = Form {
    before: |key| format!("*3\r\n$6\r\nAPPEND\r\n${}\r\n{key}\r\n", key.len()),
    counted: true,
    after: "\n\r\n",
};

pub fn run(dir: &Path, load: Load, fsync: &str) -> Result<PeerResult> {
    let address = free_address()?;
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--port", &address.port().to_string(), "--dir"]).arg(dir);
    command.args(["--appendonly", "yes", "--appendfsync", fsync, "--save", ""]);
    let mut program = Program::start(&mut command, &dir.join("output.txt"))?;
    program.wait_until(|| listens(address))?;
    let meter = program.meter()?;
    let outcome = drive(Target { address, form: FORM, replies: Replies::Integers }, load)?;
    let mut puts = row(&format!("Redis APPEND, {fsync}"), &program, &meter, load, &outcome)?;

    let mut request = Vec::new();
    for series in 0..SERIES {
        let key = name(series);
        request.extend(format!("*2\r\n$3\r\nGET\r\n${}\r\n{key}\r\n", key.len()).bytes());
    }
    // Each value has a line with its length before it and a line end after it.
    let end = ReplyEnd::Lines(outcome.points + 2 * SERIES as u64);
    let answer = fetch(&program, address, &request, end)?;
    program.stop()?;
    puts.disk = Some(DiskUse::of(dir).total());
    let how = format!("Redis, {SERIES} pipelined GET");
    Ok(PeerResult { puts, read: Some((how, outcome.points, answer)) })
}
