//! The machine, and what of it this process or another one has used. Linux: everything is read from `/proc`.

use anyhow::Context;
use std::fmt;
use std::fs;
use std::time::Duration;

/// What a figure was measured on.
#[derive(Debug, Clone)]
pub struct Machine {
    cores: usize,
    cpu: String,
    kernel: String,
    load: String,
}

impl Machine {
    /// This one, and how busy it is now.
    pub fn here() -> Machine {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Machine {
            cores: cores(),
            cpu: model.map_or("unknown processor", |(_, model)| model).to_owned(),
            kernel: kernel.trim().to_owned(),
            load: load.split_whitespace().next().unwrap_or("unknown").to_owned(),
        }
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::json!({ "cores": self.cores, "cpu": self.cpu, "kernel": self.kernel, "load_before": self.load })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { cores, cpu, kernel, load } = self;
        write!(f, "{cores} cores of {cpu}, Linux {kernel}, load average before {load}")
    }
}

/// Cores that this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Processor time that all threads of a process have used, ended ones too; in steps of 10 ms.
pub fn process_cpu(pid: &str) -> anyhow::Result<Duration> {
    /// What `/proc` counts processor time in, whatever the kernel's own tick is.
    const USER_HZ: u64 = 100;
    let stat =
        fs::read_to_string(format!("/proc/{pid}/stat")).context("read the process's processor time")?;
    // The second field is the program's name in brackets and may hold anything.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let mut times = after_name.split_whitespace().skip(11).map(str::parse::<u64>);
    let (Some(Ok(user)), Some(Ok(system))) = (times.next(), times.next()) else {
        anyhow::bail!("/proc/{pid}/stat has no processor times");
    };
    Ok(Duration::from_millis((user + system) * 1_000 / USER_HZ))
}

/// A process and those that it has started, as far as they still run.
pub fn family(pid: &str) -> anyhow::Result<Vec<String>> {
    let mut family = vec![pid.to_owned()];
    for task in fs::read_dir(format!("/proc/{pid}/task")).context("read the process's threads")? {
        let children = fs::read_to_string(task?.path().join("children")).unwrap_or_default();
        family.extend(children.split_whitespace().map(str::to_owned));
    }
    Ok(family)
}

/// Bytes that a process has made the disk write.
pub fn written_bytes(pid: &str) -> anyhow::Result<u64> {
    let io = fs::read_to_string(format!("/proc/{pid}/io")).context("read what the process has written")?;
    let bytes = io.lines().find_map(|line| line.strip_prefix("write_bytes:")).context("no write_bytes")?;
    Ok(bytes.trim().parse()?)
}

/// Processor time that this thread has used.
pub fn thread_cpu() -> anyhow::Result<Duration> {
    let stat =
        fs::read_to_string("/proc/thread-self/schedstat").context("read the thread's processor time")?;
    let nanos = stat.split_whitespace().next().unwrap_or_default().parse()?;
    Ok(Duration::from_nanos(nanos))
}

/// Memory of a process that is in RAM, in bytes.
pub fn resident_bytes(pid: &str) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("read the process's memory")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_used_time_and_memory() {
        let mut spent = 0_u64;
        while thread_cpu().unwrap() < Duration::from_millis(30) {
            spent = spent.wrapping_add(1);
        }
        assert!(process_cpu("self").unwrap() >= Duration::from_millis(20), "{spent}");
        assert!(resident_bytes("self").unwrap() > 100_000);
    }
}
