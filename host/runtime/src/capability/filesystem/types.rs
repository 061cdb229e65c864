//! The operations of `wasi:filesystem/types`.

use std::sync::{Arc, Mutex, PoisonError};

use cofferdam_files::{AtEnd, Identity, Kind, Moment, NewTime, Node, OpenHow, OpenMode, Stat};
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream};

use super::bindings::wasi::filesystem::types::{
    self, Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, ErrorCode,
    MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use super::streams::{Input, Output, Place};
use super::{Descriptor, Entries, Failure, Host, blocking, errors};
use crate::fuel;

type Directory = Arc<cofferdam_files::Directory>;
type File = Arc<cofferdam_files::File>;
type Result<T> = std::result::Result<T, Failure>;

impl Host<'_> {
    fn directory(&self, of: &Resource<Descriptor>) -> Result<Directory> {
        match self.table.get(of)? {
            Descriptor::Directory(directory) => Ok(directory.clone()),
            Descriptor::File(_) => Err(ErrorCode::NotDirectory.into()),
        }
    }

    fn file(&self, of: &Resource<Descriptor>) -> Result<File> {
        match self.table.get(of)? {
            Descriptor::File(file) => Ok(file.clone()),
            Descriptor::Directory(_) => Err(ErrorCode::IsDirectory.into()),
        }
    }
}

impl types::Host for Host<'_> {
    fn convert_error_code(&mut self, failure: Failure) -> wasmtime::Result<ErrorCode> {
        match failure {
            Failure::Code(code) => Ok(code),
            Failure::Trap(error) => Err(error),
        }
    }

    async fn filesystem_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        let error = self.table.get(&error)?;
        let code = error.downcast_ref::<cofferdam_files::Error>();
        Ok(code.and_then(|error| errors::code(*error).ok()))
    }
}

impl types::HostDescriptor for Host<'_> {
    async fn read_via_stream(
        &mut self,
        of: Resource<Descriptor>,
        offset: u64,
    ) -> Result<Resource<DynInputStream>> {
        let file = self.file(&of)?;
        if !file.mode().read {
            return Err(ErrorCode::BadDescriptor.into());
        }
        let stream: DynInputStream = Box::new(Input::new(file, offset));
        Ok(self.table.push(stream)?)
    }

    async fn write_via_stream(
        &mut self,
        of: Resource<Descriptor>,
        offset: u64,
    ) -> Result<Resource<DynOutputStream>> {
        self.output(&of, Place::At(offset))
    }

    async fn append_via_stream(
        &mut self,
        of: Resource<Descriptor>,
    ) -> Result<Resource<DynOutputStream>> {
        self.output(&of, Place::End)
    }

    /// A hint, and none that this host takes: it would reach the page cache that all share.
    async fn advise(&mut self, of: Resource<Descriptor>, _: u64, _: u64, _: Advice) -> Result<()> {
        let mode = self.file(&of)?.mode();
        if mode.read || mode.write {
            Ok(())
        } else {
            Err(ErrorCode::BadDescriptor.into())
        }
    }

    async fn sync_data(&mut self, of: Resource<Descriptor>) -> Result<()> {
        match self.table.get(&of)? {
            Descriptor::Directory(_) => Ok(()),
            Descriptor::File(file) => {
                let file = file.clone();
                blocking(move || file.sync()).await
            }
        }
    }

    async fn sync(&mut self, of: Resource<Descriptor>) -> Result<()> {
        self.sync_data(of).await
    }

    async fn get_flags(&mut self, of: Resource<Descriptor>) -> Result<DescriptorFlags> {
        Ok(match self.table.get(&of)? {
            Descriptor::Directory(_) => DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY,
            Descriptor::File(file) => {
                let mode = file.mode();
                let mut flags = DescriptorFlags::empty();
                if mode.read {
                    flags |= DescriptorFlags::READ;
                }
                if mode.write {
                    flags |= DescriptorFlags::WRITE;
                }
                flags
            }
        })
    }

    async fn get_type(&mut self, of: Resource<Descriptor>) -> Result<DescriptorType> {
        Ok(match self.table.get(&of)? {
            Descriptor::Directory(_) => DescriptorType::Directory,
            Descriptor::File(_) => DescriptorType::RegularFile,
        })
    }

    async fn set_size(&mut self, of: Resource<Descriptor>, size: u64) -> Result<()> {
        let file = self.file(&of)?;
        blocking(move || file.set_size(size)).await
    }

    async fn set_times(
        &mut self,
        of: Resource<Descriptor>,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> Result<()> {
        let (accessed, modified) = (new_time(accessed), new_time(modified));
        match self.table.get(&of)? {
            Descriptor::File(file) => {
                let file = file.clone();
                blocking(move || file.set_times(accessed, modified)).await
            }
            Descriptor::Directory(directory) => {
                let directory = directory.clone();
                blocking(move || directory.set_times(accessed, modified)).await
            }
        }
    }

    async fn read(
        &mut self,
        of: Resource<Descriptor>,
        len: u64,
        offset: u64,
    ) -> Result<(Vec<u8>, bool)> {
        let file = self.file(&of)?;
        let bytes = blocking(move || file.read(len, offset)).await?;
        self.meter.charge(fuel::bytes(bytes.len()));
        let is_end = bytes.is_empty() && len > 0;
        Ok((bytes, is_end))
    }

    async fn write(
        &mut self,
        of: Resource<Descriptor>,
        bytes: Vec<u8>,
        offset: u64,
    ) -> Result<u64> {
        let file = self.file(&of)?;
        self.meter.charge(fuel::bytes(bytes.len()));
        let written = blocking(move || file.write(&bytes, offset)).await?;
        Ok(written as u64)
    }

    async fn read_directory(&mut self, of: Resource<Descriptor>) -> Result<Resource<Entries>> {
        let directory = self.directory(&of)?;
        let listing = blocking(move || directory.list()).await?;
        Ok(self.table.push(Entries(Arc::new(Mutex::new(listing))))?)
    }

    async fn create_directory_at(&mut self, of: Resource<Descriptor>, path: String) -> Result<()> {
        let directory = self.directory(&of)?;
        blocking(move || directory.create_directory(&path)).await
    }

    async fn stat(&mut self, of: Resource<Descriptor>) -> Result<DescriptorStat> {
        let stat = match self.table.get(&of)? {
            Descriptor::File(file) => {
                let file = file.clone();
                blocking(move || file.stat()).await?
            }
            Descriptor::Directory(directory) => {
                let directory = directory.clone();
                blocking(move || directory.stat()).await?
            }
        };
        Ok(described(&stat))
    }

    async fn stat_at(
        &mut self,
        of: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> Result<DescriptorStat> {
        let directory = self.directory(&of)?;
        let stat = blocking(move || directory.stat_at(&path, at_end(flags))).await?;
        Ok(described(&stat))
    }

    async fn set_times_at(
        &mut self,
        of: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> Result<()> {
        let directory = self.directory(&of)?;
        let (accessed, modified) = (new_time(accessed), new_time(modified));
        blocking(move || directory.set_times_at(&path, at_end(flags), accessed, modified)).await
    }

    async fn link_at(
        &mut self,
        of: Resource<Descriptor>,
        flags: PathFlags,
        from: String,
        into: Resource<Descriptor>,
        to: String,
    ) -> Result<()> {
        if flags.contains(PathFlags::SYMLINK_FOLLOW) {
            return Err(ErrorCode::Invalid.into());
        }
        let (directory, into) = (self.directory(&of)?, self.directory(&into)?);
        blocking(move || directory.link(&from, &into, &to)).await
    }

    async fn open_at(
        &mut self,
        of: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
        open: OpenFlags,
        mode: DescriptorFlags,
    ) -> Result<Resource<Descriptor>> {
        let directory = self.directory(&of)?;
        let synced = DescriptorFlags::FILE_INTEGRITY_SYNC
            | DescriptorFlags::DATA_INTEGRITY_SYNC
            | DescriptorFlags::REQUESTED_WRITE_SYNC;
        if mode.intersects(synced) {
            return Err(ErrorCode::Unsupported.into());
        }
        let how = OpenHow {
            at_end: at_end(flags),
            create: open.contains(OpenFlags::CREATE),
            exclusive: open.contains(OpenFlags::EXCLUSIVE),
            directory: open.contains(OpenFlags::DIRECTORY),
            truncate: open.contains(OpenFlags::TRUNCATE),
            mode: OpenMode {
                read: mode.contains(DescriptorFlags::READ),
                write: mode.contains(DescriptorFlags::WRITE),
            },
        };
        let node = blocking(move || directory.open(&path, how)).await?;
        let descriptor = match node {
            Node::File(file) => Descriptor::File(Arc::new(file)),
            Node::Directory(directory) => Descriptor::Directory(Arc::new(directory)),
        };
        Ok(self.table.push(descriptor)?)
    }

    async fn readlink_at(&mut self, of: Resource<Descriptor>, path: String) -> Result<String> {
        let directory = self.directory(&of)?;
        blocking(move || directory.read_link(&path)).await
    }

    async fn remove_directory_at(&mut self, of: Resource<Descriptor>, path: String) -> Result<()> {
        let directory = self.directory(&of)?;
        blocking(move || directory.remove_directory(&path)).await
    }

    async fn rename_at(
        &mut self,
        of: Resource<Descriptor>,
        from: String,
        into: Resource<Descriptor>,
        to: String,
    ) -> Result<()> {
        let (directory, into) = (self.directory(&of)?, self.directory(&into)?);
        blocking(move || directory.rename(&from, &into, &to)).await
    }

    async fn symlink_at(
        &mut self,
        of: Resource<Descriptor>,
        target: String,
        path: String,
    ) -> Result<()> {
        let directory = self.directory(&of)?;
        blocking(move || directory.symlink(&target, &path)).await
    }

    async fn unlink_file_at(&mut self, of: Resource<Descriptor>, path: String) -> Result<()> {
        let directory = self.directory(&of)?;
        blocking(move || directory.remove_file(&path)).await
    }

    async fn is_same_object(
        &mut self,
        a: Resource<Descriptor>,
        b: Resource<Descriptor>,
    ) -> wasmtime::Result<bool> {
        let same = match (self.table.get(&a)?, self.table.get(&b)?) {
            (Descriptor::File(a), Descriptor::File(b)) => a.is_same(b),
            (Descriptor::Directory(a), Descriptor::Directory(b)) => a.is_same(b),
            _ => Ok(false),
        };
        Ok(same.unwrap_or(false))
    }

    async fn metadata_hash(&mut self, of: Resource<Descriptor>) -> Result<MetadataHashValue> {
        let identity = match self.table.get(&of)? {
            Descriptor::File(file) => {
                let file = file.clone();
                blocking(move || file.identity()).await?
            }
            Descriptor::Directory(directory) => {
                let directory = directory.clone();
                blocking(move || directory.identity()).await?
            }
        };
        Ok(hashed(identity))
    }

    async fn metadata_hash_at(
        &mut self,
        of: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> Result<MetadataHashValue> {
        let directory = self.directory(&of)?;
        let identity = blocking(move || directory.identity_at(&path, at_end(flags))).await?;
        Ok(hashed(identity))
    }

    async fn drop(&mut self, of: Resource<Descriptor>) -> wasmtime::Result<()> {
        self.table.delete(of)?;
        Ok(())
    }
}

impl Host<'_> {
    fn output(
        &mut self,
        of: &Resource<Descriptor>,
        place: Place,
    ) -> Result<Resource<DynOutputStream>> {
        let file = self.file(of)?;
        if !file.mode().write {
            return Err(ErrorCode::BadDescriptor.into());
        }
        let stream: DynOutputStream = Box::new(Output::new(file, place));
        Ok(self.table.push(stream)?)
    }
}

impl types::HostDirectoryEntryStream for Host<'_> {
    async fn read_directory_entry(
        &mut self,
        of: Resource<Entries>,
    ) -> Result<Option<DirectoryEntry>> {
        let listing = self.table.get(&of)?.0.clone();
        let ready = listing.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let entry = match ready {
            Some(entry) => Some(entry),
            None => {
                blocking(move || {
                    listing
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .next()
                })
                .await?
            }
        };
        let Some(entry) = entry else {
            return Ok(None);
        };
        Ok(Some(DirectoryEntry {
            type_: kind(entry.kind),
            name: entry.name?,
        }))
    }

    async fn drop(&mut self, of: Resource<Entries>) -> wasmtime::Result<()> {
        self.table.delete(of)?;
        Ok(())
    }
}

fn at_end(flags: PathFlags) -> AtEnd {
    if flags.contains(PathFlags::SYMLINK_FOLLOW) {
        AtEnd::Target
    } else {
        AtEnd::Link
    }
}

fn kind(kind: Kind) -> DescriptorType {
    match kind {
        Kind::Directory => DescriptorType::Directory,
        Kind::File => DescriptorType::RegularFile,
        Kind::Link => DescriptorType::SymbolicLink,
        Kind::Other => DescriptorType::Unknown,
    }
}

fn described(stat: &Stat) -> DescriptorStat {
    let time = |moment: Option<Moment>| {
        moment.map(|moment| Datetime {
            seconds: moment.seconds,
            nanoseconds: moment.nanoseconds,
        })
    };
    DescriptorStat {
        type_: kind(stat.kind),
        link_count: stat.links,
        size: stat.size,
        data_access_timestamp: time(stat.accessed),
        data_modification_timestamp: time(stat.modified),
        status_change_timestamp: time(stat.changed),
    }
}

fn new_time(time: NewTimestamp) -> NewTime {
    match time {
        NewTimestamp::NoChange => NewTime::Keep,
        NewTimestamp::Now => NewTime::Now,
        NewTimestamp::Timestamp(Datetime {
            seconds,
            nanoseconds,
        }) => NewTime::At(Moment {
            seconds,
            nanoseconds,
        }),
    }
}

fn hashed(identity: Identity) -> MetadataHashValue {
    MetadataHashValue {
        lower: identity.lower,
        upper: identity.upper,
    }
}
