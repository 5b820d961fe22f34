use std::future::Future;

use leptos::prelude::*;

use super::PageError;

/// Waits for a page's content; what went wrong becomes an error page with its status.
///
/// ```text
/// page(async move {
///     let (visit, person) = Visit::signed_in()?;
///     let item = services().item(&person, &id).await?;
///     Ok(view! { <Frame title=item.title.clone()>…</Frame> })
/// })
/// ```
pub fn page<V>(
    content: impl Future<Output = Result<V, PageError>> + Send + 'static,
) -> impl IntoView
where
    V: IntoView + 'static,
{
    let content = async move {
        match content.await {
            Ok(content) => content.into_any(),
            Err(error) => error.page().into_any(),
        }
    };
    view! { <Suspense>{Suspend::new(content)}</Suspense> }
}
