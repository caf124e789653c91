//! Where a redirect may lead, and what goes along.

use url::Url;

/// Redirects followed in one request.
pub const MOST: usize = 10;

/// What to do with an answer that says "look elsewhere".
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// It is no redirect, or has nowhere to lead: it is the answer.
    Answer,
    /// Ask there, with the same method and form.
    Follow(Url),
    /// Not followed; the text says why and what to do.
    Refuse(String),
}

/// True for the same scheme, host and port.
pub fn same_origin(a: &Url, b: &Url) -> bool {
    a.origin() == b.origin()
}

/// What the answer `status` with `location` to a request for `from` means. `post`: the request has a form.
pub fn step(from: &Url, post: bool, status: u16, location: Option<&str>) -> Step {
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return Step::Answer;
    }
    let Some(location) = location else { return Step::Answer };
    let Ok(mut to) = from.join(location) else {
        return Step::Refuse(format!("answered {status} with a redirect to something that is no address"));
    };
    to.set_fragment(None);
    if !matches!(to.scheme(), "http" | "https") || !to.has_host() {
        return Step::Refuse(format!("answered {status} with a redirect to something that is neither http nor https"));
    }
    if !to.username().is_empty() || to.password().is_some() {
        return Step::Refuse(format!("answered {status} with a redirect to an address with a user in it; not followed"));
    }
    let shown = shown(&to);
    if from.scheme() == "https" && to.scheme() == "http" {
        return Step::Refuse(format!("redirected from https to {shown}, without TLS; not followed"));
    }
    if post && !(matches!(status, 307 | 308) && same_origin(from, &to)) {
        // 301 to 303 would turn the query into a GET without its parameters.
        return Step::Refuse(format!("redirected a query ({status}) to {shown}; put the new address into the estate file"));
    }
    Step::Follow(to)
}

/// An address without its query.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(step: Step) -> String {
        match step {
            Step::Refuse(why) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn https_is_never_left_for_http() {
        let from = Url::parse("https://am.example/api").unwrap();
        assert!(refused(step(&from, false, 302, Some("http://am.example/api"))).contains("without TLS"));
        assert_eq!(step(&from, false, 302, Some("/x#f")), Step::Follow(Url::parse("https://am.example/x").unwrap()));
    }

    #[test]
    fn a_post_is_repeated_at_the_same_origin_only() {
        let from = Url::parse("http://prom:9090/api/v1/query").unwrap();
        assert!(matches!(step(&from, true, 307, Some("/p/api/v1/query")), Step::Follow(_)));
        for (status, to) in [(301, "/x"), (302, "/x"), (303, "/x"), (308, "http://prom:9091/x"), (307, "https://prom:9090/x")] {
            assert!(refused(step(&from, true, status, Some(to))).contains("estate file"), "{status} {to}");
        }
    }

    #[test]
    fn strange_places_are_refused_and_a_users_name_is_not_repeated() {
        let from = Url::parse("http://prom:9090/").unwrap();
        for to in ["file:///etc/passwd", "ftp://a/", "http://", "http://me:hunter2@prom:9090/"] {
            assert!(!refused(step(&from, false, 302, Some(to))).contains("hunter2"));
        }
        assert_eq!(step(&from, false, 304, Some("/x")), Step::Answer);
        assert_eq!(step(&from, false, 302, None), Step::Answer);
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let url = |text: &str| Url::parse(text).unwrap();
        assert!(same_origin(&url("http://a/x"), &url("http://a:80/y")));
        assert!(!same_origin(&url("http://a/"), &url("http://a:81/")));
        assert!(!same_origin(&url("http://a/"), &url("https://a/")));
        assert!(!same_origin(&url("http://a/"), &url("http://b/")));
    }
}
