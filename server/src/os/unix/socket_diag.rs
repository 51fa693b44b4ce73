//! What Linux tells of a TCP connection: the netlink protocol of `ss`, as `linux/inet_diag.h` has it.

use std::net::{IpAddr, SocketAddr};

use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::net::{recv, sendto, socket_with};

/// `SOCK_DIAG_BY_FAMILY`, the type of request and answer.
const BY_FAMILY: u16 = 20;

/// `NLM_F_REQUEST`.
const REQUEST: u16 = 1;

/// `IPPROTO_TCP`.
const TCP: u8 = 6;

/// `nlmsghdr`, then `inet_diag_req_v2`.
const REQUEST_LENGTH: u32 = 16 + 56;

/// Where the type of the answer is: in `nlmsghdr`.
const TYPE_AT: usize = 4;

/// Where the bytes are that were sent and not acknowledged: `idiag_wqueue` behind `nlmsghdr`.
const UNACKNOWLEDGED_AT: usize = 16 + 60;

/// Bytes that were written to a connection of this machine and that its other end has not
/// acknowledged; `None` where the system does not tell.
pub fn unacknowledged(near: SocketAddr, far: SocketAddr) -> Option<u32> {
    let flags = SocketFlags::CLOEXEC;
    let socket =
        socket_with(AddressFamily::NETLINK, SocketType::DGRAM, flags, Some(SOCK_DIAG)).ok()?;
    let kernel = SocketAddrNetlink::new(0, 0);
    sendto(&socket, &request(near, far), SendFlags::empty(), &kernel).ok()?;
    let mut answer = [0; 1024];
    // The kernel has answered when the request is sent.
    let (_, length) = recv(&socket, &mut answer, RecvFlags::DONTWAIT).ok()?;
    find_unacknowledged(answer.get(..length)?)
}

fn find_unacknowledged(answer: &[u8]) -> Option<u32> {
    let kind = u16::from_ne_bytes(answer.get(TYPE_AT..)?.first_chunk().copied()?);
    if kind != BY_FAMILY {
        return None;
    }
    answer.get(UNACKNOWLEDGED_AT..)?.first_chunk().copied().map(u32::from_ne_bytes)
}

fn request(near: SocketAddr, far: SocketAddr) -> Vec<u8> {
    let family = match near {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let link = match near {
        SocketAddr::V4(_) => 0,
        SocketAddr::V6(near) => near.scope_id(),
    };
    let mut bytes = Vec::with_capacity(REQUEST_LENGTH as usize);
    bytes.extend(REQUEST_LENGTH.to_ne_bytes());
    bytes.extend(BY_FAMILY.to_ne_bytes());
    bytes.extend(REQUEST.to_ne_bytes());
    // Sequence and port of this end.
    bytes.extend([0; 8]);
    // No further answers.
    bytes.extend([family.as_raw().to_le_bytes()[0], TCP, 0, 0]);
    // In any state.
    bytes.extend(u32::MAX.to_ne_bytes());
    for port in [near.port(), far.port()] {
        bytes.extend(port.to_be_bytes());
    }
    for ip in [near.ip(), far.ip()] {
        let mut place = [0; 16];
        match ip {
            IpAddr::V4(ip) => place[..4].copy_from_slice(&ip.octets()),
            IpAddr::V6(ip) => place = ip.octets(),
        }
        bytes.extend(place);
    }
    bytes.extend(link.to_ne_bytes());
    // No cookie: whichever socket it is.
    bytes.extend([0xff; 8]);
    bytes
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn what_nothing_has_taken_is_unacknowledged() {
        for host in ["127.0.0.1:0", "[::1]:0", "[::]:0"] {
            let Ok(listener) = TcpListener::bind(host) else {
                eprintln!("SKIPPED {host}: there is no such address");
                continue;
            };
            let port = listener.local_addr().unwrap().port();
            let to = if host == "[::1]:0" { "::1" } else { "127.0.0.1" };
            let mut far = TcpStream::connect((to, port)).unwrap();
            let (mut near, _) = listener.accept().unwrap();
            let told = |near: &TcpStream| {
                unacknowledged(near.local_addr().unwrap(), near.peer_addr().unwrap())
            };
            if told(&near).is_none() {
                eprintln!("SKIPPED {host}: this kernel does not tell");
                continue;
            }
            assert_eq!(told(&near), Some(0));
            near.set_nonblocking(true).unwrap();
            let mut written = 0;
            loop {
                match near.write(&[1; 4096]) {
                    Ok(count) => written += count,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => panic!("{error}"),
                }
            }
            let left = told(&near).unwrap();
            assert!(left > 0, "{host}");
            far.read_exact(&mut vec![0; written]).unwrap();
            while told(&near) != Some(0) {
                std::thread::yield_now();
            }
        }
    }

    #[test]
    fn an_error_or_a_short_answer_tells_nothing() {
        let near = "127.0.0.1:1".parse().unwrap();
        assert_eq!(unacknowledged(near, near), None);
        let mut answer = vec![0; UNACKNOWLEDGED_AT + 4];
        answer[TYPE_AT..TYPE_AT + 2].copy_from_slice(&BY_FAMILY.to_ne_bytes());
        answer[UNACKNOWLEDGED_AT..].copy_from_slice(&7_u32.to_ne_bytes());
        assert_eq!(find_unacknowledged(&answer), Some(7));
        answer.pop();
        assert_eq!(find_unacknowledged(&answer), None);
    }
}
