//! Binds one port on every address it is asked for, or says why not.

mod owner;

use std::io::{Error, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1_024;
/// How often another port is drawn where port 0 was free on one address only.
const DRAWS: usize = 16;

/// Sockets of one port; none accepts before it is served.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) sockets: Vec<TcpListener>,
    pub(crate) addresses: Vec<SocketAddr>,
}

/// Addresses to bind: both loopbacks, for `localhost` may resolve to either and whoever holds the other gets the
/// prompts (reliability.md C14); with `host` that one as well, and for "any address" both families.
pub(crate) fn addresses(host: Option<IpAddr>) -> Vec<IpAddr> {
    let loopbacks = [
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::LOCALHOST),
    ];
    let any = match host {
        None => return loopbacks.to_vec(),
        Some(IpAddr::V6(ip)) if ip.is_unspecified() => {
            return vec![
                IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            ];
        }
        Some(host) => host,
    };
    let mut addresses = vec![any];
    addresses.extend(
        loopbacks
            .into_iter()
            .filter(|ip| *ip != any && !(any.is_unspecified() && ip.is_ipv4())),
    );
    addresses
}

/// Binds `port` on both loopbacks (0: the same free one), IPv4 first. Must be called within a Tokio runtime.
///
/// # Errors
/// A sentence that names port, address, the owner where it can be found, and the way out by `flag`.
pub fn bind_loopback(port: u16, flag: &str) -> Result<Vec<tokio::net::TcpListener>, String> {
    let bound = bind(port, &addresses(None), flag)?;
    bound
        .sockets
        .into_iter()
        .map(tokio::net::TcpListener::from_std)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("cannot listen on port {port}: {error}"))
}

/// Binds `port` (0: the same free one everywhere) on all `addresses`. Only a family that this machine does not have
/// may be missing.
///
/// # Errors
/// A sentence that names port, address, the owner where it can be found, and the way out by `flag`.
pub(crate) fn bind(port: u16, addresses: &[IpAddr], flag: &str) -> Result<Bound, String> {
    let mut draws = DRAWS;
    loop {
        match bind_all(port, addresses) {
            Ok(bound) => return Ok(bound),
            Err((_, error)) if port == 0 && error.kind() == ErrorKind::AddrInUse && draws > 0 => {
                draws -= 1;
            }
            Err((address, error)) => return Err(problem(address, &error, flag)),
        }
    }
}

fn bind_all(port: u16, addresses: &[IpAddr]) -> Result<Bound, (SocketAddr, Error)> {
    let mut port = port;
    let mut bound = Bound {
        sockets: Vec::new(),
        addresses: Vec::new(),
    };
    let mut missing = None;
    for ip in addresses {
        let address = SocketAddr::new(*ip, port);
        match bind_one(address) {
            Ok(socket) => {
                let local = socket.local_addr().map_err(|error| (address, error))?;
                port = local.port();
                bound.addresses.push(local);
                bound.sockets.push(socket);
            }
            Err(error) if is_absent(*ip, &error) => {
                tracing::info!(%address, %error, "this machine has no such address");
                missing = Some((address, error));
            }
            Err(error) => return Err((address, error)),
        }
    }
    match missing {
        Some(missing) if bound.sockets.is_empty() => Err(missing),
        _ => Ok(bound),
    }
}

fn bind_one(address: SocketAddr) -> Result<TcpListener, Error> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // On Unix this only lets a restart pass connections in TIME_WAIT; on Windows it would let others share the port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Whether the loopback of one family is not there at all (IPv6 switched off), which is no reason not to listen.
fn is_absent(ip: IpAddr, error: &Error) -> bool {
    (ip.is_loopback() || ip.is_unspecified())
        && matches!(
            error.kind(),
            ErrorKind::AddrNotAvailable | ErrorKind::Unsupported
        )
        // EAFNOSUPPORT has no kind of its own in std.
        || error.raw_os_error() == Some(97) && cfg!(target_os = "linux")
}

fn problem(address: SocketAddr, error: &Error, flag: &str) -> String {
    let port = address.port();
    let ip = address.ip();
    match error.kind() {
        ErrorKind::AddrInUse => {
            let owner = match owner::of_port(port) {
                Some(owner) => format!(" by {owner}"),
                None => " by another program".to_owned(),
            };
            format!(
                "port {port} on {ip} is in use{owner}: stop it, or start Clew with {flag} <another port>"
            )
        }
        ErrorKind::PermissionDenied => format!(
            "port {port} on {ip} may not be bound: ports below 1024 are reserved; start Clew with {flag} <a higher port>"
        ),
        ErrorKind::AddrNotAvailable => format!(
            "{ip} is not an address of this machine: start Clew with an address of one of its interfaces"
        ),
        _ => format!("cannot listen on port {port} of {ip}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn loopback_is_always_held_in_both_families() {
        for (host, expected) in [
            (None, &["127.0.0.1", "::1"][..]),
            (Some("127.0.0.1"), &["127.0.0.1", "::1"]),
            (Some("192.168.1.20"), &["192.168.1.20", "127.0.0.1", "::1"]),
            (Some("0.0.0.0"), &["0.0.0.0", "::1"]),
            (Some("::"), &["0.0.0.0", "::"]),
            (Some("::1"), &["::1", "127.0.0.1"]),
        ] {
            let expected: Vec<_> = expected.iter().copied().map(ip).collect();
            assert_eq!(addresses(host.map(ip)), expected, "{host:?}");
        }
    }

    #[test]
    fn port_zero_is_one_port_for_both_families() {
        let bound = bind(0, &addresses(None), "--grpc").expect("a free port");
        let port = bound.addresses[0].port();
        assert_ne!(port, 0);
        assert!(bound.addresses.iter().all(|address| address.port() == port));
    }

    #[test]
    fn a_taken_port_is_named_with_its_owner_and_never_swapped() {
        for taken in ["127.0.0.1", "::1"] {
            let Ok(squatter) = TcpListener::bind((ip(taken), 0)) else {
                continue;
            };
            let port = squatter.local_addr().expect("bound").port();
            let problem = bind(port, &addresses(None), "--http").expect_err("the port is taken");
            assert!(problem.contains(&port.to_string()), "{problem}");
            assert!(problem.contains(taken), "{problem}");
            assert!(problem.contains("--http"), "{problem}");
            if cfg!(target_os = "linux") {
                let owner = format!("pid {}", std::process::id());
                assert!(problem.contains(&owner), "{problem}");
            }
        }
    }
}
