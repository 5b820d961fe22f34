use leptos::prelude::*;

/// The first letters of the first and last name, in capitals.
pub fn initials(name: &str) -> String {
    let mut words = name
        .split_whitespace()
        .filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let first = words.next();
    let last = words.next_back();
    first
        .into_iter()
        .chain(last)
        .flat_map(char::to_uppercase)
        .collect()
}

/// One of eight hues, always the same for one name.
fn hue(name: &str) -> u32 {
    let sum = name.bytes().fold(0_u32, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u32::from(byte))
    });
    sum % 8 + 1
}

/// Initials in a circle; the name stands beside it or is hidden text.
#[component]
pub fn Avatar(#[prop(into)] name: String, #[prop(optional)] large: bool) -> impl IntoView {
    let class = if large { "av av-lg" } else { "av" };
    view! { <span class=class data-hue=hue(&name).to_string() aria-hidden="true">{initials(&name)}</span> }
}

/// A person: initials and name.
#[component]
pub fn Who(#[prop(into)] name: String) -> impl IntoView {
    view! {
        <span class="who">
            <Avatar name=name.clone() />
            {name}
        </span>
    }
    .into_any()
}

/// Where nobody is named.
#[component]
pub fn Nobody() -> impl IntoView {
    view! {
        <span class="who">
            <span class="av av-none" aria-hidden="true">"?"</span>
            "Nobody"
        </span>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_of_the_first_and_last_name() {
        for (name, expected) in [
            ("Mira Okafor", "MO"),
            ("Jonas von der Linde", "JL"),
            ("ana", "A"),
            ("", ""),
            ("  (Ops) 2nd shift ", "OS"),
            ("żaneta ß", "ŻSS"),
        ] {
            assert_eq!(initials(name), expected, "{name}");
        }
    }
}
