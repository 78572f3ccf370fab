//! What differs by operating system, with the same function names for each.

mod facts;
#[cfg(target_os = "linux")]
mod linux;

pub use facts::{EndedProcess, Mount, ProcessStat, ReachError, TcpSocket, TcpState, Witness};
#[cfg(target_os = "linux")]
pub use linux::{
    ProcessHandle, TICKS_PER_SECOND, boot_id, booted_at_seconds, command_line, control_groups,
    emulated, ended, environment_block, environment_text, executable, has_acl, is_alive,
    is_container, is_frozen, kernel_release, kernel_sockets, listeners, managers, mounts,
    open_file, output, pid_limit, process_ids, process_stat, process_user, resident_bytes,
    socket_owners, sockets_of, table_sockets, tracer_of, uptime_ms, waits_for_reader,
    working_directory,
};
