use std::collections::{BTreeMap, BTreeSet};

use wasip2::clocks::wall_clock::Datetime;
use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{
    Advice, Descriptor, DescriptorFlags, ErrorCode, NewTimestamp, OpenFlags, PathFlags,
};

use crate::{How, Step};

type Open = BTreeMap<String, Descriptor>;

/// Does the steps. The directories that the host offers are open under their paths.
pub(crate) fn run(steps: &[Step]) -> Vec<String> {
    let mut open = Open::new();
    for (directory, path) in get_directories() {
        open.insert(path, directory);
    }
    steps.iter().map(|step| repeat(&mut open, step)).collect()
}

fn repeat(open: &mut Open, step: &Step) -> String {
    let mut seen = BTreeSet::new();
    let mut answer = "ok".to_owned();
    for n in 0..step.times.max(1) {
        let number = n.to_string();
        let step = Step {
            path: step.path.replace("{}", &number),
            to: step.to.replace("{}", &number),
            name: step.name.replace("{}", &number),
            ..step.clone()
        };
        let came = once(open, &step);
        let is_done = match step.how {
            How::WhileItWorks => came.is_err(),
            How::UntilItWorks => came.is_ok(),
            How::Whatever => false,
        };
        answer = came.unwrap_or_else(word);
        if is_done {
            return answer;
        }
        if let How::Whatever = step.how {
            seen.insert(answer.clone());
        }
    }
    match step.how {
        How::Whatever => Vec::from_iter(seen).join(","),
        How::WhileItWorks | How::UntilItWorks => answer,
    }
}

fn once(open: &mut Open, step: &Step) -> Result<String, ErrorCode> {
    if step.op == "open" {
        let opened = opened(open, step)?;
        open.insert(step.name.clone(), opened);
        return Ok("ok".to_owned());
    }
    if step.op == "close" {
        open.remove(&step.on);
        return Ok("ok".to_owned());
    }
    if step.op == "roots" {
        let paths: Vec<String> = get_directories()
            .into_iter()
            .map(|(_, path)| path)
            .collect();
        return Ok(paths.join(" "));
    }
    if step.op == "peek" {
        let (bytes, _) = opened(open, step)?.read(1 << 16, 0)?;
        return Ok(text(bytes));
    }
    let on = found(open, &step.on)?;
    let answer = match step.op.as_str() {
        "mkdir" => on.create_directory_at(&step.path).map(done),
        "rmdir" => on.remove_directory_at(&step.path).map(done),
        "unlink" => on.unlink_file_at(&step.path).map(done),
        "rename" => on
            .rename_at(&step.path, found(open, &step.into)?, &step.to)
            .map(done),
        "link" => {
            let into = found(open, &step.into)?;
            on.link_at(PathFlags::empty(), &step.path, into, &step.to)
                .map(done)
        }
        "symlink" => on.symlink_at(&step.to, &step.path).map(done),
        "readlink" => on.readlink_at(&step.path),
        "stat" => on.stat().map(|stat| stat.size.to_string()),
        "stat-at" => on
            .stat_at(follow(step), &step.path)
            .map(|stat| stat.size.to_string()),
        "hash" => on.metadata_hash().map(|_| "ok".to_owned()),
        "hash-at" => on
            .metadata_hash_at(follow(step), &step.path)
            .map(|_| "ok".to_owned()),
        "read" => on.read(1 << 16, step.number).map(|(bytes, _)| text(bytes)),
        "write" => on
            .write(step.text.as_bytes(), step.number)
            .map(|written| written.to_string()),
        "append" => append(on, &step.text),
        "set-size" => on.set_size(step.number).map(done),
        "set-times" => on.set_times(NewTimestamp::Now, time(step)).map(done),
        "set-times-at" => on
            .set_times_at(follow(step), &step.path, NewTimestamp::NoChange, time(step))
            .map(done),
        "advise" => on.advise(0, u64::MAX, Advice::DontNeed).map(done),
        "sync" => on.sync().map(done),
        "list" => list(on),
        other => Ok(format!("unknown operation {other}")),
    };
    if step.enter {
        let flags = OpenFlags::DIRECTORY;
        let read = DescriptorFlags::READ;
        let inner = on.open_at(PathFlags::empty(), &step.path, flags, read)?;
        open.insert(key(&step.on).to_owned(), inner);
    }
    answer
}

fn done((): ()) -> String {
    "ok".to_owned()
}

fn found<'a>(open: &'a Open, name: &str) -> Result<&'a Descriptor, ErrorCode> {
    open.get(key(name)).ok_or(ErrorCode::BadDescriptor)
}

fn key(name: &str) -> &str {
    if name.is_empty() { "/workspace" } else { name }
}

fn opened(open: &Open, step: &Step) -> Result<Descriptor, ErrorCode> {
    let (mut how, mut mode) = (OpenFlags::empty(), DescriptorFlags::empty());
    for flag in &step.flags {
        match flag.as_str() {
            "create" => how |= OpenFlags::CREATE,
            "exclusive" => how |= OpenFlags::EXCLUSIVE,
            "truncate" => how |= OpenFlags::TRUNCATE,
            "directory" => how |= OpenFlags::DIRECTORY,
            "read" => mode |= DescriptorFlags::READ,
            "write" => mode |= DescriptorFlags::WRITE,
            _ => {}
        }
    }
    found(open, &step.on)?.open_at(follow(step), &step.path, how, mode)
}

fn follow(step: &Step) -> PathFlags {
    if step.flags.iter().any(|flag| flag == "follow") {
        PathFlags::SYMLINK_FOLLOW
    } else {
        PathFlags::empty()
    }
}

fn time(step: &Step) -> NewTimestamp {
    NewTimestamp::Timestamp(Datetime {
        seconds: step.number,
        nanoseconds: 0,
    })
}

fn append(on: &Descriptor, text: &str) -> Result<String, ErrorCode> {
    let stream = on.append_via_stream()?;
    let bytes = text.as_bytes();
    match stream.blocking_write_and_flush(bytes) {
        Ok(()) => Ok(bytes.len().to_string()),
        Err(_) => Err(ErrorCode::Io),
    }
}

fn list(on: &Descriptor) -> Result<String, ErrorCode> {
    let stream = on.read_directory()?;
    let mut count = 0;
    while stream.read_directory_entry()?.is_some() {
        count += 1;
    }
    Ok(count.to_string())
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

/// As the interface spells it.
fn word(error: ErrorCode) -> String {
    error.name().to_owned()
}
