//! Ports of this machine: binding them on loopback, and saying who holds one.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

/// How often a free port is sought that both address families can have.
const ATTEMPTS: usize = 16;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 256;

/// Binds 127.0.0.1 and ::1 on `port`, IPv4 first; port 0 is any port that is free on both.
///
/// Both, because `localhost` may be either, and what Clew leaves free another user could take. `SO_REUSEADDR` lets a
/// restart have the port at once; `SO_REUSEPORT`, which would let another process share it, stays off.
///
/// Must be called within a Tokio runtime.
///
/// # Errors
/// When either is taken. A machine without IPv6 gets 127.0.0.1 alone.
pub fn bind_loopback(port: u16) -> io::Result<Vec<TcpListener>> {
    let mut last = None;
    for _ in 0..ATTEMPTS {
        let v4 = listen((Ipv4Addr::LOCALHOST, port).into())?;
        match listen((Ipv6Addr::LOCALHOST, v4.local_addr()?.port()).into()) {
            Ok(v6) => return Ok(vec![v4, v6]),
            Err(error) if port == 0 && error.kind() == io::ErrorKind::AddrInUse => {
                last = Some(error);
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(_) => return Ok(vec![v4]),
        }
    }
    Err(last.unwrap_or_else(|| io::Error::from(io::ErrorKind::AddrInUse)))
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // On Windows this option means that others may take the port away.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Says why `what` cannot listen on `port`, who holds it, and which flag chooses another.
#[must_use]
pub fn explain(what: &str, flag: &str, port: u16, error: &io::Error) -> String {
    if error.kind() != io::ErrorKind::AddrInUse {
        return format!("cannot listen on port {port} for {what}: {error}");
    }
    let owner = owner(port).map_or_else(String::new, |owner| {
        format!(" by {} (pid {})", owner.name, owner.pid)
    });
    format!(
        "port {port}, wanted for {what}, is in use{owner}: stop that program or choose another port with {flag}"
    )
}

/// A process that listens on a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Its process id.
    pub pid: u32,
    /// Its name, as the operating system cuts it.
    pub name: String,
}

/// Finds who listens on a TCP port of this machine: on Linux, among the processes that this user may inspect.
#[must_use]
pub fn owner(port: u16) -> Option<Owner> {
    #[cfg(target_os = "linux")]
    return linux::owner(port);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = port;
        None
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;

    use super::Owner;

    /// State `TCP_LISTEN` in `/proc/net/tcp`.
    const LISTEN: &str = "0A";

    pub(super) fn owner(port: u16) -> Option<Owner> {
        let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
            .iter()
            .filter_map(|table| fs::read_to_string(table).ok())
            .flat_map(|table| listening(&table, port))
            .collect();
        let sockets: Vec<String> = inodes
            .iter()
            .map(|inode| format!("socket:[{inode}]"))
            .collect();
        let processes = fs::read_dir("/proc").ok()?;
        processes.filter_map(Result::ok).find_map(|process| {
            let pid = process.file_name().to_str()?.parse().ok()?;
            let holds = fs::read_dir(process.path().join("fd"))
                .ok()?
                .filter_map(|file| fs::read_link(file.ok()?.path()).ok())
                .any(|target| {
                    target
                        .to_str()
                        .is_some_and(|target| sockets.iter().any(|each| each == target))
                });
            let name = fs::read_to_string(process.path().join("comm")).ok()?;
            holds.then(|| Owner {
                pid,
                name: name.trim().to_owned(),
            })
        })
    }

    /// Inodes of the sockets of a `/proc/net/tcp` table that listen on `port`.
    fn listening(table: &str, port: u16) -> Vec<String> {
        let suffix = format!(":{port:04X}");
        table
            .lines()
            .skip(1)
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
            .filter(|fields| {
                fields.get(1).is_some_and(|local| local.ends_with(&suffix))
                    && fields.get(3) == Some(&LISTEN)
            })
            .filter_map(|fields| fields.get(9).map(|inode| (*inode).to_owned()))
            .collect()
    }

    #[cfg(test)]
    mod tests {
        use super::listening;

        #[test]
        fn only_listening_sockets_of_the_port_count() {
            let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
                0: 0100007F:10DD 00000000:0000 0A 00000000:00000000 00:00000000 00000000 1000 0 111 1\n\
                1: 0100007F:10DD 0100007F:9999 01 00000000:00000000 00:00000000 00000000 1000 0 222 1\n\
                2: 0100007F:10DE 00000000:0000 0A 00000000:00000000 00:00000000 00000000 1000 0 333 1\n";
            assert_eq!(listening(table, 4317), ["111"]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_is_refused_and_its_owner_named() {
        let held = bind_loopback(0).expect("binds");
        let port = held[0].local_addr().expect("has an address").port();
        let error = bind_loopback(port).expect_err("is taken");
        let message = explain("OTLP over gRPC", "--grpc", port, &error);
        assert!(
            message.contains(&format!("port {port}")) && message.contains("--grpc"),
            "{message}"
        );
        #[cfg(target_os = "linux")]
        assert!(
            message.contains(&format!("pid {}", std::process::id())),
            "{message}"
        );
    }

    #[tokio::test]
    async fn both_families_get_the_same_free_port() {
        let held = bind_loopback(0).expect("binds");
        let ports: Vec<u16> = held
            .iter()
            .map(|each| each.local_addr().expect("has an address").port())
            .collect();
        assert!(ports.iter().all(|port| *port == ports[0] && *port != 0));
    }
}
