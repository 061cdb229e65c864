//! System calls that reach past the program: into other processes, the kernel or the network.
//!
//! What is refused is a list, since a program of the machine may need any of the several hundred
//! others; the walls that hold whatever is called are those around files and privileges.
//!
//! The wall around files guards what lies in them and their names, not what the system keeps about
//! them: modes, times, owners, attributes. Who owns a file may change these by its path alone, so
//! nothing may change them here, not in the mounts either, which a filter can't tell from the rest.

use std::collections::BTreeMap;
use std::env::consts::ARCH;

#[cfg(target_arch = "x86_64")]
use seccompiler::sock_filter;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Refused whatever their arguments.
const NEVER: &[i64] = &[
    // Into other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    // Into the file system's own structure.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_quotactl,
    libc::SYS_fanotify_init,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    // At whose files are.
    libc::SYS_fchown,
    libc::SYS_fchownat,
    OPEN_TREE_ATTR,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lchown,
    // Into other namespaces.
    libc::SYS_setns,
    libc::SYS_unshare,
    // Into the kernel, where most of its faults have been found.
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    libc::SYS_nfsservctl,
    libc::SYS_lookup_dcookie,
    // The machine's name and time.
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    // Rings do most of what calls do, past every filter.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_kexec_file_load,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
];
/// Attributes: as on a file system that has none, which programs are used to.
const UNSUPPORTED: &[i64] = &[
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    SETXATTRAT,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    REMOVEXATTRAT,
    FILE_SETATTR,
];
/// Modes and times: nothing happens, and the program hears that all is well. Refused, they stop
/// programs that give them to files they have just made, such as git and tar, and go unnoticed with
/// others; those that depend on what they set look whether it holds.
const WITHOUT_EFFECT: &[i64] = &[
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    FCHMODAT2,
    libc::SYS_utimensat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utime,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utimes,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_futimesat,
];
/// From the kernel's table, which all of these share: the library doesn't name them everywhere.
const FCHMODAT2: i64 = 452;
const SETXATTRAT: i64 = 463;
const REMOVEXATTRAT: i64 = 466;
const OPEN_TREE_ATTR: i64 = 467;
const FILE_SETATTR: i64 = 469;
/// Flags of `clone` that make namespaces.
const NAMESPACES: i32 = libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET;
/// Families of sockets with which a network can be used; `AF_NETLINK` tells of addresses.
const NETWORK: [i32; 3] = [libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];
/// `TIOCSTI` and `TIOCLINUX`, whose type differs between C libraries and whose value doesn't.
const TERMINAL: [u64; 2] = [0x5412, 0x541c];
/// `FS_IOC_SETFLAGS`, for both sizes of its word, `FS_IOC_FSSETXATTR`, `FS_IOC_SETVERSION`,
/// `FS_IOC_SET_ENCRYPTION_POLICY` and `FS_IOC_ENABLE_VERITY`, which a file that is open for reading
/// takes from its owner.
const ATTRIBUTES: [u64; 6] = [
    0x4008_6602,
    0x4004_6602,
    0x401c_5820,
    0x4008_7602,
    0x800c_6613,
    0x4080_6685,
];
/// The second table of calls of x86-64, whose numbers carry this bit: a way around every filter on
/// the numbers of the first.
#[cfg(target_arch = "x86_64")]
const X32: u32 = 0x4000_0000;

/// Refuses such calls to this process and all that it starts. False where the kernel can't.
///
/// `signals_held` says that something else keeps signals in.
pub(super) fn confine(network: bool, signals_held: bool) -> bool {
    let own = rustix::process::getpid().as_raw_nonzero().get();
    let all = |calls: &[i64]| calls.iter().map(|call| (*call, Vec::new())).collect();
    let filters = [
        refused(network, (!signals_held).then_some(own))
            .and_then(|rules| filter(rules, libc::EPERM)),
        filter(all(UNSUPPORTED), libc::EOPNOTSUPP),
        filter(all(WITHOUT_EFFECT), 0),
        // Its flags lie in memory, where no filter sees them: libraries fall back to `clone`.
        filter(all(&[libc::SYS_clone3]), libc::ENOSYS),
        #[cfg(target_arch = "x86_64")]
        second_table(),
    ];
    // Each of them, also when one can't be.
    let applied = filters.map(|filter| filter.is_some_and(|filter| apply_filter(&filter).is_ok()));
    !applied.contains(&false)
}

/// Refuses every call of the second table, whatever its number: it has some of its own, and new ones
/// come to both.
#[cfg(target_arch = "x86_64")]
fn second_table() -> Option<BpfProgram> {
    let instruction = |code: u32, otherwise: u8, k: u32| {
        let code = u16::try_from(code).ok()?;
        Some(sock_filter {
            code,
            jt: 0,
            jf: otherwise,
            k,
        })
    };
    let answer = |action: SeccompAction| instruction(libc::BPF_RET | libc::BPF_K, 0, action.into());
    // The number is the first word of what a filter is shown.
    let number = instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0);
    let program = [
        number,
        instruction(libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K, 1, X32),
        answer(SeccompAction::Errno(libc::EPERM.cast_unsigned())),
        answer(SeccompAction::Allow),
    ];
    program.into_iter().collect()
}

fn refused(network: bool, only_signals_to: Option<i32>) -> Option<Rules> {
    let mut rules: Rules = NEVER.iter().map(|call| (*call, Vec::new())).collect();
    let namespaces = flags(NAMESPACES)
        .map(|flag| rule(&[(0, SeccompCmpOp::MaskedEq(flag), flag)]))
        .collect::<Option<Vec<_>>>()?;
    rules.insert(libc::SYS_clone, namespaces);
    // A character put into a terminal is a command of whoever sits there.
    let requests = TERMINAL.iter().chain(&ATTRIBUTES);
    let requests = requests.map(|request| rule(&[(1, SeccompCmpOp::Eq, *request)]));
    rules.insert(libc::SYS_ioctl, requests.collect::<Option<_>>()?);
    let sockets = if network {
        let foreign = NETWORK.map(|family| (0, SeccompCmpOp::Ne, word(family)));
        vec![rule(&foreign)?]
    } else {
        Vec::new()
    };
    rules.insert(libc::SYS_socket, sockets);
    if let Some(own) = only_signals_to {
        signals(&mut rules, own)?;
    }
    Some(rules)
}

/// Where nothing else keeps signals in: only to itself and its own group, and no reaching for the
/// limits and priorities of others.
fn signals(rules: &mut Rules, own: i32) -> Option<()> {
    let not_own = |argument: u8| rule(&[(argument, SeccompCmpOp::Ne, word(own))]);
    let neither = |argument: u8| {
        rule(&[
            (argument, SeccompCmpOp::Ne, word(own)),
            (argument, SeccompCmpOp::Ne, 0),
        ])
    };
    for call in [libc::SYS_tkill, libc::SYS_tgkill, libc::SYS_rt_sigqueueinfo] {
        rules.insert(call, vec![not_own(0)?]);
    }
    rules.insert(libc::SYS_rt_tgsigqueueinfo, vec![not_own(0)?]);
    rules.insert(libc::SYS_pidfd_send_signal, Vec::new());
    for call in [
        libc::SYS_kill,
        libc::SYS_prlimit64,
        libc::SYS_sched_setaffinity,
        libc::SYS_sched_setparam,
        libc::SYS_sched_setscheduler,
        libc::SYS_sched_setattr,
    ] {
        rules.insert(call, vec![neither(0)?]);
    }
    for call in [libc::SYS_setpriority, libc::SYS_ioprio_set] {
        rules.insert(call, vec![neither(1)?]);
    }
    let owner = [libc::F_SETOWN, F_SETSIG, F_SETOWN_EX]
        .map(|command| rule(&[(1, SeccompCmpOp::Eq, word(command))]));
    rules.insert(libc::SYS_fcntl, owner.into_iter().collect::<Option<_>>()?);
    Some(())
}

/// From the kernel's `fcntl.h`; they make the kernel send signals on a program's behalf.
const F_SETSIG: i32 = 10;
const F_SETOWN_EX: i32 = 15;

fn rule(conditions: &[(u8, SeccompCmpOp, u64)]) -> Option<SeccompRule> {
    let conditions = conditions
        .iter()
        .map(|(argument, op, value)| {
            SeccompCondition::new(*argument, SeccompCmpArgLen::Dword, op.clone(), *value).ok()
        })
        .collect::<Option<Vec<_>>>()?;
    SeccompRule::new(conditions).ok()
}

/// An argument of 32 bits as filters compare it.
fn word(value: i32) -> u64 {
    u64::from(value.cast_unsigned())
}

fn flags(mask: i32) -> impl Iterator<Item = u64> {
    (0..32)
        .map(|bit| 1_u64 << bit)
        .filter(move |flag| word(mask) & flag != 0)
}

fn filter(rules: Rules, errno: i32) -> Option<BpfProgram> {
    let architecture = TargetArch::try_from(ARCH).ok()?;
    let refused = SeccompAction::Errno(errno.cast_unsigned());
    SeccompFilter::new(rules, SeccompAction::Allow, refused, architecture)
        .ok()?
        .try_into()
        .ok()
}
