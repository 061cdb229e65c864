//! Off the sandbox there is no host to decide about requests, so none leaves: a test answers them.

use std::cell::RefCell;

use super::{Error, ErrorKind, Request, Response};

type Answer = Box<dyn FnMut(&Request) -> Result<Response, Error>>;

thread_local! {
    static ANSWER: RefCell<Option<Answer>> = const { RefCell::new(None) };
}

/// Answers the requests of this thread from now on. Only off the sandbox, for tests.
pub fn answer_with(answer: impl FnMut(&Request) -> Result<Response, Error> + 'static) {
    ANSWER.set(Some(Box::new(answer)));
}

pub(super) fn send(request: &Request) -> Result<Response, Error> {
    // Taken out meanwhile, so that an answer may come from another request.
    match ANSWER.take() {
        Some(mut answer) => {
            let answered = answer(request);
            ANSWER.with_borrow_mut(|place| {
                place.get_or_insert(answer);
            });
            answered
        }
        None => Err(Error::new(
            ErrorKind::Denied,
            "outside the sandbox nothing is sent; a test answers with \
             `cofferdam_sdk::http::answer_with`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_without_a_stand_in() {
        let sent = Request::get("https://example.org").and_then(Request::send);
        assert_eq!(sent.expect_err("no host").kind(), ErrorKind::Denied);
    }

    #[test]
    fn a_stand_in_sees_what_would_be_sent() {
        answer_with(|request| {
            let headers: Vec<_> = request.headers().collect();
            assert_eq!(headers, [("content-length", &b"3"[..])]);
            assert_eq!(request.content(), b"abc");
            assert_eq!(format!("{request:?}"), "POST a/b");
            Ok(Response::new(201, &[], b""))
        });
        let request = Request::post("https://a/b?key=secret").expect("a URL");
        assert_eq!(request.body("abc").send().expect("answered").status(), 201);
        answer_with(|request| {
            assert_eq!(request.headers().count(), 0);
            Ok(Response::new(204, &[], b""))
        });
        let request = Request::get("https://a/").expect("a URL");
        assert_eq!(request.send().expect("answered").status(), 204);
    }
}
