//! One host after the other on the same directory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cofferdam_policy::Describe;
use cofferdam_testing::Guest;
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};

use super::*;
use crate::{Compiler, Error, Options, Runtime, Source};

/// A component, and how often its bytes were asked for.
struct Upload {
    bytes: Vec<u8>,
    asked: Arc<AtomicUsize>,
}

impl Upload {
    fn new(version: &str) -> Self {
        let guest = Guest::well_behaved().named("guest", version);
        Self {
            bytes: guest.component().expect("a component"),
            asked: Arc::default(),
        }
    }

    fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Source for Upload {
    fn bytes(&self, _: &Digest) -> BoxFuture<'static, Result<Vec<u8>, Error>> {
        let (bytes, asked) = (self.bytes.clone(), self.asked.clone());
        async move {
            asked.fetch_add(1, Ordering::SeqCst);
            Ok(bytes)
        }
        .boxed()
    }
}

impl World {
    /// A compiler of this one component that counts how often it runs, and waits while a file `held`
    /// is there.
    fn compiler(&self, upload: &Upload) -> Compiler {
        let root = self.root.path().display();
        let artifact = self.root.path().join("artifact");
        let code = self.engine.precompile_component(&upload.bytes);
        fs::write(&artifact, code.expect("compiled")).expect("written");
        let script = self.root.path().join("compile");
        let text = format!(
            "echo run >> {root}/runs\n/bin/cat > /dev/null\n\
             while [ -e {root}/held ]; do /bin/sleep 0.01; done\nexec /bin/cat {root}/artifact\n"
        );
        fs::write(&script, text).expect("written");
        Compiler {
            program: "/bin/sh".into(),
            argument: script.display().to_string(),
        }
    }

    /// How often the compiler ran.
    fn runs(&self) -> usize {
        let runs = fs::read_to_string(self.root.path().join("runs"));
        runs.map_or(0, |text| text.lines().count())
    }

    fn host(&self, compiler: Compiler) -> Runtime {
        let mut options = Options::new(compiler);
        options.live_calls = 8;
        options.artifacts = Some(self.artifacts(KEY));
        Runtime::new(options).expect("a small sandbox")
    }
}

/// A host with this one can compile nothing.
fn no_compiler() -> Compiler {
    Compiler {
        program: "/nonexistent".into(),
        argument: String::new(),
    }
}

async fn describe(host: &Runtime, upload: &Upload) -> Result<String, Error> {
    let grant = Describe::new(upload.digest());
    host.describe(&grant, upload).await.answer
}

#[tokio::test]
async fn a_second_start_needs_neither_compiler_nor_bytes() {
    let (world, upload) = (World::new(), Upload::new("1.0.0"));
    let first = world.host(world.compiler(&upload));
    let manifest = describe(&first, &upload).await.expect("described");
    assert_eq!((world.runs(), upload.asked()), (1, 1));
    drop(first);
    let second = world.host(no_compiler());
    assert_eq!(describe(&second, &upload).await, Ok(manifest));
    assert_eq!((world.runs(), upload.asked()), (1, 1));
    // The same without the directory, to see that the compiler is missing indeed.
    fs::remove_file(world.only_file()).expect("removed");
    let third = world.host(no_compiler());
    let refused = describe(&third, &upload).await;
    assert!(matches!(refused, Err(Error::Internal(_))), "{refused:?}");
}

#[tokio::test]
async fn a_damaged_artifact_is_compiled_again() {
    let (world, upload) = (World::new(), Upload::new("1.0.0"));
    let manifest = describe(&world.host(world.compiler(&upload)), &upload).await;
    for (round, position) in [0, 20, 48, 4_000].into_iter().enumerate() {
        flip(&world.only_file(), position);
        let host = world.host(world.compiler(&upload));
        assert_eq!(describe(&host, &upload).await, manifest);
        assert_eq!(world.runs(), round + 2);
        let next = world.host(no_compiler());
        assert_eq!(describe(&next, &upload).await, manifest);
    }
}

#[tokio::test]
async fn a_digest_is_compiled_once_however_many_ask() {
    let (world, upload) = (World::new(), Upload::new("1.0.0"));
    let host = world.host(world.compiler(&upload));
    let answers = join_all((0..100).map(|_| describe(&host, &upload))).await;
    assert!(
        answers
            .iter()
            .all(|answer| *answer == answers[0] && answer.is_ok())
    );
    assert_eq!((world.runs(), upload.asked()), (1, 1));
}

#[tokio::test]
async fn what_was_refused_is_gone_from_the_disk() {
    let (world, upload) = (World::new(), Upload::new("1.0.0"));
    let host = world.host(world.compiler(&upload));
    describe(&host, &upload).await.expect("described");
    host.forget(&upload.digest()).await;
    assert!(world.files().is_empty());
    describe(&host, &upload).await.expect("described");
    assert_eq!(world.runs(), 2);
}

#[tokio::test]
async fn bytes_of_another_digest_leave_nothing() {
    let (world, upload) = (World::new(), Upload::new("1.0.0"));
    let host = world.host(world.compiler(&upload));
    let report = host
        .describe(&Describe::new(digest("other")), &upload)
        .await;
    assert!(matches!(report.answer, Err(Error::Component(_))));
    assert!(world.files().is_empty() && world.runs() == 0);
}

#[tokio::test]
async fn a_directory_that_is_gone_stops_nobody() {
    let (world, upload) = (World::new(), Upload::new("1.0.0"));
    let host = world.host(world.compiler(&upload));
    fs::remove_dir(world.directory()).expect("removed");
    describe(&host, &upload).await.expect("described");
}

#[tokio::test]
async fn loading_does_not_wait_for_the_compiler() {
    let (world, upload) = (World::new(), Upload::new("1.0.0"));
    describe(&world.host(world.compiler(&upload)), &upload)
        .await
        .expect("described");
    let slow = Upload::new("2.0.0");
    let host = world.host(world.compiler(&slow));
    let held = world.root.path().join("held");
    fs::write(&held, "").expect("written");
    let mut compiling = Box::pin(describe(&host, &slow));
    while world.runs() < 2 {
        let soon = tokio::time::timeout(Duration::from_millis(5), &mut compiling).await;
        assert!(soon.is_err(), "{soon:?}");
    }
    describe(&host, &upload).await.expect("loaded");
    assert!(compiling.as_mut().now_or_never().is_none());
    fs::remove_file(&held).expect("removed");
    compiling.await.expect("compiled");
}

#[tokio::test]
async fn a_host_that_stops_compiles_nothing_more() {
    let (world, upload) = (World::new(), Upload::new("1.0.0"));
    let host = world.host(world.compiler(&upload));
    host.stop_compiling();
    let refused = describe(&host, &upload).await;
    assert_eq!(refused, Err(Error::Busy("the host is stopping")));
    assert_eq!((world.runs(), upload.asked()), (0, 0));
}
