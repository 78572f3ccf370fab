//! The lines of `/proc/net/tcp` and `/proc/net/tcp6`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::platform::{TcpSocket, TcpState};

/// The sockets of a table; a line that is no socket is left out.
///
/// A line: `0: 0100007F:0FA0 00000000:0000 0A 00000000:00000000 00:00000000 00000000 1000 0 31337 …`.
pub fn parse(table: &[u8]) -> Vec<TcpSocket> {
    table
        .split(|byte| *byte == b'\n')
        .filter_map(|line| parse_line(std::str::from_utf8(line).ok()?))
        .collect()
}

fn parse_line(line: &str) -> Option<TcpSocket> {
    let mut fields = line.split_ascii_whitespace();
    let (address, port) = parse_end(fields.nth(1)?)?;
    let remote = parse_end(fields.next()?)?;
    let state = match fields.next()? {
        "0A" => TcpState::Listen,
        "01" => TcpState::Established,
        _ => TcpState::Other,
    };
    let uid = fields.nth(3)?.parse().ok()?;
    let inode = fields.nth(1)?.parse().ok()?;
    Some(TcpSocket {
        address,
        port,
        remote: (state == TcpState::Established).then_some(remote),
        state,
        inode,
        uid,
    })
}

/// `0100007F:0FA0`: each 32-bit word of the address stands in the byte order of this machine.
fn parse_end(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    if !address.is_ascii() {
        return None;
    }
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |index: usize| {
        let digits = address.get(index * 8..index * 8 + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    let address = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let mut bytes = [0; 16];
            for (index, part) in bytes.chunks_exact_mut(4).enumerate() {
                part.copy_from_slice(&word(index)?);
            }
            IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical()
        }
        _ => return None,
    };
    Some((address, port))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hex(address: IpAddr) -> String {
        let words = |bytes: &[u8]| {
            bytes
                .chunks_exact(4)
                .map(|word| {
                    format!(
                        "{:08X}",
                        u32::from_ne_bytes([word[0], word[1], word[2], word[3]])
                    )
                })
                .collect::<String>()
        };
        match address {
            IpAddr::V4(address) => words(&address.octets()),
            IpAddr::V6(address) => words(&address.octets()),
        }
    }

    proptest! {
        #[test]
        fn every_written_socket_is_read_back(
            v6 in any::<bool>(), bits in any::<u128>(), port in any::<u16>(),
            uid in any::<u32>(), inode in any::<u64>(), listens in any::<bool>(),
        ) {
            let address = if v6 {
                IpAddr::V6(Ipv6Addr::from(bits))
            } else {
                IpAddr::V4(Ipv4Addr::from(bits as u32))
            };
            let state = if listens { "0A" } else { "06" };
            let table = format!(
                "  sl  local_address rem_address   st tx_queue\n   0: {}:{port:04X} 00000000:0000 {state} \
                 00000000:00000000 00:00000000 00000000  {uid}        0 {inode} 1 0 100 0 0 10 0\n",
                hex(address)
            );
            prop_assert_eq!(parse(table.as_bytes()), vec![TcpSocket {
                address: address.to_canonical(), port, inode, uid, remote: None,
                state: if listens { TcpState::Listen } else { TcpState::Other },
            }]);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            parse(&bytes);
        }

        #[test]
        fn no_text_makes_it_panic(text in "( ?[0-9A-Fé:]{0,40} ){0,12}") {
            parse(text.as_bytes());
        }
    }
}
