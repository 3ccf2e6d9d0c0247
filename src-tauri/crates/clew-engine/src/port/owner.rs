//! Which process listens on a port.

/// The name and id of the process that listens on `port`, if it can be found: on Linux, among the processes whose open
/// files this user may see.
#[cfg(target_os = "linux")]
pub(super) fn of_port(port: u16) -> Option<String> {
    let sockets = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .flat_map(|table| listeners(&table, port))
        .map(|inode| format!("socket:[{inode}]"))
        .collect::<Vec<_>>();
    if sockets.is_empty() {
        return None;
    }
    let holds = |process: &std::path::Path| {
        std::fs::read_dir(process.join("fd")).is_ok_and(|files| {
            files
                .flatten()
                .filter_map(|file| std::fs::read_link(file.path()).ok())
                .any(|target| {
                    sockets
                        .iter()
                        .any(|socket| target.as_os_str() == socket.as_str())
                })
        })
    };
    std::fs::read_dir("/proc")
        .ok()?
        .flatten()
        .find_map(|entry| {
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            let process = entry.path();
            if !holds(&process) {
                return None;
            }
            let name = std::fs::read_to_string(process.join("comm")).unwrap_or_default();
            Some(format!("{} (pid {pid})", name.trim()))
        })
}

/// Nowhere else without a privileged call.
#[cfg(not(target_os = "linux"))]
pub(super) fn of_port(_port: u16) -> Option<String> {
    None
}

/// Inodes of the listening sockets on `port` in a table as `/proc/net/tcp` has it.
#[cfg(target_os = "linux")]
fn listeners(table: &str, port: u16) -> Vec<String> {
    const LISTEN: &str = "0A";
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            let (_, hex) = fields.get(1)?.rsplit_once(':')?;
            let same = u16::from_str_radix(hex, 16).ok()? == port && *fields.get(3)? == LISTEN;
            same.then(|| fields.get(9).map(|inode| (*inode).to_owned()))?
        })
        .collect()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn listening_sockets_are_told_from_connections() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             \x20  0: 0100007F:10DD 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100\n\
             \x20  1: 0100007F:10DD 0100007F:9999 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 100\n\
             \x20  2: 0100007F:10DE 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4713 1 0 100\n\
             nonsense\n";
        assert_eq!(listeners(table, 4317), ["4711"]);
        assert_eq!(listeners(table, 80), Vec::<String>::new());
    }
}
