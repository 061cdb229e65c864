use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// What a host writes to its log, kept to be searched, and shown with the test that fails.
#[derive(Debug)]
pub(crate) struct Log {
    text: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Log {
    /// Reads until the host closes it.
    pub(crate) fn follow(stderr: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let kept = text.clone();
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                show(&line);
                let mut text = kept.lock().unwrap_or_else(PoisonError::into_inner);
                text.push_str(&line);
                text.push('\n');
            }
        });
        Self {
            text,
            reader: Some(reader),
        }
    }

    /// What has come so far.
    pub(crate) fn text(&self) -> String {
        let text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        text.clone()
    }

    /// All of it, once the host has ended.
    pub(crate) fn end(mut self) -> String {
        if let Some(reader) = self.reader.take() {
            // A reader that panicked leaves what it had read.
            drop(reader.join());
        }
        self.text()
    }
}

/// The harness keeps what a test's threads print, and prints it when the test fails.
#[expect(clippy::print_stderr, reason = "the log of the host under test")]
fn show(line: &str) {
    eprintln!("{line}");
}
