//! The table.

use std::fs;

use serde_json::Value;

/// Resident memory of this process now, in kB; 0 where the system does not tell.
pub fn memory_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn middle(mut numbers: Vec<u64>) -> u64 {
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied().unwrap_or(0)
}

/// Prints one line per client: the median of its runs, all its runs, its memory.
pub fn print(events: u32, rows: &[Value]) {
    println!("\n{events} change events, decoded and recorded durably, over TLS on this machine\n");
    println!("{:<12} {:>10}   {:<26} {:>10}", "client", "events/s", "runs", "memory MB");
    let mut medians = Vec::new();
    for client in ["countersign", "node"] {
        let of = |key: &str| -> Vec<u64> {
            let own = rows.iter().filter(|row| row["client"] == client);
            own.filter_map(|row| row[key].as_u64()).collect()
        };
        let rates: Vec<u64> =
            of("millis").iter().map(|millis| u64::from(events) * 1_000 / (*millis).max(1)).collect();
        let runs: Vec<String> = rates.iter().map(u64::to_string).collect();
        let median = middle(rates);
        let memory = middle(of("memory_kb")) / 1_024;
        println!("{client:<12} {median:>10}   {:<26} {memory:>10}", runs.join(" "));
        medians.push(median);
    }
    if let [ours, node] = medians[..]
        && node > 0
    {
        println!(
            "\ncountersign reads {}.{} times as fast as the Node client",
            ours / node,
            ours * 10 / node % 10
        );
    }
    for row in rows.iter().filter(|row| row["events"] != u64::from(events)) {
        println!("INCOMPLETE: {row}");
    }
}
