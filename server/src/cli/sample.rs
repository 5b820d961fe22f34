use std::fmt::Write as _;

use anyhow::bail;
use holdpoint_service::ServiceError;
use serde_json::json;

use super::{Answer, config::Flags, terminal, work};

/// Load the sample service, review and scans into the configured database. The passwords of its people are printed once.
#[derive(Debug, clap::Args)]
pub(super) struct Sample {
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

impl Sample {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        let Self { json, flags } = self;
        work(&flags, async |services| {
            let loaded = match services.load_sample(None).await {
                Err(ServiceError::Rejected { message, .. }) => bail!(message),
                other => other?,
            };
            if json {
                let people: Vec<_> = loaded
                    .people
                    .iter()
                    .map(|person| {
                        json!({ "name": person.name, "email": person.email, "part": person.part, "password": person.password })
                    })
                    .collect();
                terminal::json(&json!({ "review": loaded.review, "people": people }))?;
            } else {
                let width = |of: fn(&holdpoint_service::sample::SamplePerson) -> &str| {
                    loaded
                        .people
                        .iter()
                        .map(|person| of(person).chars().count())
                        .max()
                        .unwrap_or(0)
                };
                let (part, email) = (width(|person| person.part), width(|person| &person.email));
                let mut text = String::new();
                for person in &loaded.people {
                    writeln!(
                        text,
                        "{:part$}  {:email$}  {}",
                        person.part, person.email, person.password
                    )
                    .expect("a string takes all");
                }
                terminal::text(&text)?;
                super::say(&format!(
                    "loaded the sample: the review is at {}. These passwords are not shown again.",
                    holdpoint_app::paths::review(loaded.review.as_str())
                ));
            }
            Ok(Answer::Done)
        })
    }
}
