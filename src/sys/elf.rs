//! The header of an ELF file, from its first bytes.

/// What the headers of an ELF file say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElfHeader {
    /// The number of the machine: 62 is x86_64, 183 is aarch64.
    pub machine: u16,
    /// Whether it is a 64-bit file.
    pub is_64_bit: bool,
    /// Whether its numbers are little-endian.
    pub is_little_endian: bool,
    /// The operating system in its identification; 0 and 3 are Linux.
    pub system: u8,
    /// The dynamic loader that it asks for.
    pub loader: Option<String>,
    /// The size that its headers promise: up to the end of the last segment and of the section table.
    pub promised_size: u64,
}

/// No program has more segments; the table is not followed further.
const SEGMENTS: u64 = 512;

/// The longest path that the kernel takes.
const PATH: u64 = 4096;

const LOAD: u64 = 1;
const INTERPRETER: u64 = 3;

/// Reads the headers from the first bytes of a file; none when it is no ELF file or its header is cut.
pub fn parse_elf(head: &[u8]) -> Option<ElfHeader> {
    if !head.starts_with(b"\x7fELF") {
        return None;
    }
    let is_64_bit = match head.get(4)? {
        1 => false,
        2 => true,
        _ => return None,
    };
    let is_little_endian = match head.get(5)? {
        1 => true,
        2 => false,
        _ => return None,
    };
    let file = Fields {
        bytes: head,
        is_little_endian,
    };
    let word = |in_64: (u64, u64), in_32: (u64, u64)| {
        let (at, size) = if is_64_bit { in_64 } else { in_32 };
        file.number(at, size)
    };
    let segment_table = word((32, 8), (28, 4))?;
    let section_table = word((40, 8), (32, 4))?;
    let segment_size = word((54, 2), (42, 2))?;
    let segment_count = word((56, 2), (44, 2))?;
    let section_size = word((58, 2), (46, 2))?;
    let section_count = word((60, 2), (48, 2))?;

    let mut header = ElfHeader {
        machine: file.number(18, 2)? as u16,
        is_64_bit,
        is_little_endian,
        system: *head.get(7)?,
        loader: None,
        promised_size: section_table.saturating_add(section_size.saturating_mul(section_count)),
    };
    for index in 0..segment_count.min(SEGMENTS) {
        let start = segment_table.saturating_add(index.saturating_mul(segment_size));
        let field = |in_64: (u64, u64), in_32: (u64, u64)| {
            let (at, size) = if is_64_bit { in_64 } else { in_32 };
            file.number(start.saturating_add(at), size)
        };
        // A table behind the first bytes is left out; programs have it right behind the header.
        let (Some(kind), Some(offset), Some(size)) = (
            file.number(start, 4),
            field((8, 8), (4, 4)),
            field((32, 8), (16, 4)),
        ) else {
            break;
        };
        if kind == LOAD {
            header.promised_size = header.promised_size.max(offset.saturating_add(size));
        }
        if kind == INTERPRETER {
            header.loader = file.text(offset, size.min(PATH));
        }
    }
    Some(header)
}

struct Fields<'a> {
    bytes: &'a [u8],
    is_little_endian: bool,
}

impl Fields<'_> {
    fn slice(&self, at: u64, size: u64) -> Option<&[u8]> {
        let at = usize::try_from(at).ok()?;
        let end = at.checked_add(usize::try_from(size).ok()?)?;
        self.bytes.get(at..end)
    }

    fn number(&self, at: u64, size: u64) -> Option<u64> {
        let bytes = self.slice(at, size)?;
        let fold = |sum: u64, byte: &u8| (sum << 8) | u64::from(*byte);
        Some(if self.is_little_endian {
            bytes.iter().rev().fold(0, fold)
        } else {
            bytes.iter().fold(0, fold)
        })
    }

    fn text(&self, at: u64, size: u64) -> Option<String> {
        let bytes = self.slice(at, size)?;
        let end = bytes.iter().position(|byte| *byte == 0)?;
        Some(String::from_utf8_lossy(&bytes[..end]).into_owned())
    }
}

impl ElfHeader {
    /// The machine in Rust's words where there is one: `x86_64`, else `machine 243`.
    pub fn machine_name(&self) -> String {
        let name = match (self.machine, self.is_64_bit) {
            (3, false) => "x86",
            (40, false) => "arm",
            (62, true) => "x86_64",
            (183, true) => "aarch64",
            (21, true) => "powerpc64",
            (22, true) => "s390x",
            (258, true) => "loongarch64",
            (243, true) => "riscv64",
            (number, _) => return format!("machine {number}"),
        };
        match self.system {
            9 => format!("{name} of FreeBSD"),
            12 => format!("{name} of OpenBSD"),
            2 => format!("{name} of NetBSD"),
            _ => name.to_owned(),
        }
    }

    /// Whether a host of this architecture (in Rust's words) runs the machine natively; a 64-bit
    /// host is taken to run its 32-bit sister, because whether it does is seen at the loader.
    pub fn is_native(&self, arch: &str) -> bool {
        let name = self.machine_name();
        let is_byte_order_right = self.is_little_endian == cfg!(target_endian = "little");
        is_byte_order_right
            && (name == arch
                || matches!(
                    (name.as_str(), arch),
                    ("x86", "x86_64") | ("arm", "aarch64")
                ))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Read;

    use proptest::prelude::*;

    use super::*;

    /// A 64-bit little-endian ELF file with one loaded segment and, if asked for, a loader.
    pub fn sample(machine: u16, loader: Option<&str>, size: u64) -> Vec<u8> {
        let mut bytes = vec![0; 64 + 2 * 56];
        bytes[..8].copy_from_slice(b"\x7fELF\x02\x01\x01\x00");
        bytes[18..20].copy_from_slice(&machine.to_le_bytes());
        bytes[32..40].copy_from_slice(&64u64.to_le_bytes());
        bytes[54..56].copy_from_slice(&56u16.to_le_bytes());
        bytes[56..58].copy_from_slice(&2u16.to_le_bytes());
        bytes[64..68].copy_from_slice(&1u32.to_le_bytes());
        bytes[64 + 32..64 + 40].copy_from_slice(&size.to_le_bytes());
        if let Some(loader) = loader {
            let at = bytes.len() as u64;
            bytes.extend(loader.as_bytes());
            bytes.push(0);
            bytes[120..124].copy_from_slice(&3u32.to_le_bytes());
            bytes[120 + 8..120 + 16].copy_from_slice(&at.to_le_bytes());
            bytes[120 + 32..120 + 40].copy_from_slice(&(loader.len() as u64 + 1).to_le_bytes());
        }
        let len = bytes.len().max(size as usize);
        bytes.resize(len, 0);
        bytes
    }

    #[test]
    fn the_running_test_is_read_and_is_native_and_whole() {
        let path = std::env::current_exe().unwrap();
        let mut head = Vec::new();
        std::fs::File::open(&path)
            .unwrap()
            .take(64 * 1024)
            .read_to_end(&mut head)
            .unwrap();
        let header = parse_elf(&head).unwrap();
        assert_eq!(header.machine_name(), std::env::consts::ARCH);
        assert!(header.is_native(std::env::consts::ARCH));
        let size = path.metadata().unwrap().len();
        assert!(header.promised_size <= size && header.promised_size > size / 2);
        if let Some(loader) = header.loader {
            assert!(std::path::Path::new(&loader).exists());
        }
    }

    #[test]
    fn machine_loader_and_promised_size_are_read() {
        let bytes = sample(183, Some("/lib/ld-linux-aarch64.so.1"), 9000);
        let header = parse_elf(&bytes[..300]).unwrap();
        assert_eq!(header.machine_name(), "aarch64");
        assert!(!header.is_native("x86_64"));
        assert_eq!(header.loader.as_deref(), Some("/lib/ld-linux-aarch64.so.1"));
        assert_eq!(header.promised_size, 9000);
        let header = parse_elf(&sample(62, None, 10)).unwrap();
        assert_eq!(header.loader, None);
        assert!(header.is_native("x86_64"));
        assert_eq!(parse_elf(&bytes[..20]), None);
    }

    #[test]
    fn a_file_of_another_system_is_not_native() {
        let mut bytes = sample(62, None, 10);
        bytes[7] = 9;
        let header = parse_elf(&bytes).unwrap();
        assert_eq!(header.machine_name(), "x86_64 of FreeBSD");
        assert!(!header.is_native("x86_64"));
    }

    proptest! {
        #[test]
        fn no_bytes_behind_the_magic_make_it_panic(
            class in 0u8..4, order in 0u8..4, rest in prop::collection::vec(any::<u8>(), 0..400)
        ) {
            let mut bytes = b"\x7fELF".to_vec();
            bytes.extend([class, order]);
            bytes.extend(rest);
            if let Some(header) = parse_elf(&bytes) {
                header.machine_name();
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            parse_elf(&bytes);
        }
    }
}
