//! InfluxDB 1.x: the line protocol over HTTP, a batch in a request; it syncs each batch.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use super::{PeerResult, row};
use crate::drive::{Load, Replies, Target, drive};
use crate::http;
use crate::process::{DiskUse, Program, free_address};
use crate::series::Form;

const FORM: Form =
    Form { before: |key| format!("points,key={key} value="), counted: false, after: "\n" };

pub fn run(dir: &Path, load: Load) -> Result<PeerResult> {
    let (http, rpc) = (free_address()?, free_address()?);
    let data = dir.join("data");
    let root = data.display();
    let config = dir.join("influxdb.conf");
    // The defaults, but: no usage reports, no log line for each request, and what
    // is in memory and in small files goes to its final form soon after the last write.
    let text = format!(
        "reporting-disabled = true\n\
         bind-address = \"{rpc}\"\n\
         [meta]\ndir = \"{root}/meta\"\n\
         [data]\ndir = \"{root}/data\"\nwal-dir = \"{root}/wal\"\n\
         cache-snapshot-write-cold-duration = \"1s\"\n\
         compact-full-write-cold-duration = \"3s\"\n\
         query-log-enabled = false\n\
         [monitor]\nstore-enabled = false\n\
         [http]\nbind-address = \"{http}\"\nlog-enabled = false\n"
    );
    std::fs::write(&config, text)?;
    let mut command = Command::new("influxd");
    command.arg("-config").arg(&config);
    let mut program = Program::start(&mut command, &dir.join("output.txt"))?;
    program.wait_until(|| http::fetch(http, "/ping").is_ok())?;
    let created = http::post(http, "/query?q=CREATE%20DATABASE%20load")?;
    ensure!(created.contains(" 200 "), "{created}");
    let path = "/write?db=load&precision=s";
    let target = Target { address: http, form: FORM, replies: Replies::Http(path) };
    let meter = program.meter()?;
    let outcome = drive(target, load)?;
    let mut puts = row("InfluxDB, HTTP", &program, &meter, load, &outcome)?;
    DiskUse::settled(&data);
    program.stop()?;
    puts.disk = Some(DiskUse::of(&data).total());
    Ok(PeerResult { puts, read: None })
}
