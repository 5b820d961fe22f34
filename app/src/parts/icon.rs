use leptos::prelude::*;

/// Every icon's drawing, once per document; [`Icon`] refers to them.
pub(crate) const SPRITE: &str = include_str!("icons.svg");

macro_rules! icons {
    ($($variant:ident => $name:literal,)+) => {
        /// The icons of the design, by what they mean.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Icon { $($variant,)+ }

        impl Icon {
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Where its drawing is in the sprite.
            const fn href(self) -> &'static str {
                match self { $(Self::$variant => concat!("#i-", $name),)+ }
            }
        }
    };
}

icons! {
    Advisory => "advisory",
    Blocker => "blocker",
    Book => "book",
    Box => "box",
    Calendar => "cal",
    Check => "check",
    Clip => "clip",
    Comment => "comment",
    Commit => "commit",
    Conditional => "conditional",
    Copy => "copy",
    Critical => "critical",
    Descending => "desc",
    Unrated => "unrated",
    Up => "up",
    More => "dots",
    Download => "download",
    Fail => "fail",
    File => "file",
    Filter => "filter",
    Go => "go",
    High => "high",
    Inbox => "inbox",
    Info => "info",
    Key => "key",
    Keyboard => "keyb",
    Late => "late",
    Left => "left",
    Link => "link",
    List => "list",
    Low => "low",
    Medium => "medium",
    NotApplicable => "na",
    NoGo => "nogo",
    None => "none",
    Note => "note",
    Open => "open",
    SignOut => "out",
    Pass => "pass",
    Patch => "patch",
    Plus => "plus",
    Print => "print",
    Progress => "progress",
    Reopened => "reopened",
    Review => "review",
    Right => "right",
    Save => "save",
    Search => "search",
    Shield => "shield",
    Sign => "sign",
    Spin => "spin",
    Stale => "stale",
    Terminal => "term",
    Theme => "theme",
    Upload => "upload",
    User => "user",
    Waived => "waived",
    Warn => "warn",
    Close => "x",
}

/// One icon, sized by the text beside it. It says nothing by itself: a word stands beside it, shown or hidden.
#[component]
pub fn Ico(
    icon: Icon,
    /// `i-sm`, `i-lg`, `chev`.
    #[prop(optional)]
    class: &'static str,
) -> impl IntoView {
    let class = if class.is_empty() {
        "i".to_owned()
    } else {
        format!("i {class}")
    };
    view! {
        <svg class=class viewBox="0 0 16 16" aria-hidden="true">
            <use href=icon.href()></use>
        </svg>
    }
    .into_any()
}

/// Holdpoint's mark: the hold bar at the end of a line.
#[component]
pub fn Mark() -> impl IntoView {
    view! {
        <svg class="mark" viewBox="0 0 22 22" aria-hidden="true">
            <rect class="m-bg" width="22" height="22" rx="5"></rect>
            <path class="m-fg" d="M3.5 11h6" stroke-width="2" fill="none"></path>
            <circle class="m-dot" cx="9.6" cy="11" r="2.1"></circle>
            <path class="m-fg" d="M15.6 5v12" stroke-width="3" stroke-linecap="round" fill="none"></path>
        </svg>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_icon_is_drawn_exactly_once() {
        for icon in Icon::ALL {
            let id = format!("id=\"{}\"", icon.href().trim_start_matches('#'));
            assert_eq!(SPRITE.matches(&id).count(), 1, "{id}");
        }
        assert_eq!(SPRITE.matches("<symbol").count(), Icon::ALL.len());
    }
}
