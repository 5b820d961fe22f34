//! People's roles and what each role may do.

use crate::words;

words! {
    /// What a person is to the whole instance.
    InstanceRole {
        Admin => "admin",
        Member => "member",
    }
}

words! {
    /// What a person is to one service.
    ServiceRole {
        Manager => "manager",
        Reviewer => "reviewer",
        Contributor => "contributor",
        Viewer => "viewer",
        /// Reads everything, exports, verifies, changes nothing.
        Auditor => "auditor",
    }
}

impl ServiceRole {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Manager => "Manager",
            Self::Reviewer => "Reviewer",
            Self::Contributor => "Contributor",
            Self::Viewer => "Viewer",
            Self::Auditor => "Auditor",
        }
    }
}

words! {
    /// Everything that a person or a token can be allowed to do. Each service function asks for exactly one of these.
    Action {
        /// Create services and templates, invite people, change roles of the instance.
        Administer => "administer",
        /// Change the service's people, policy, reviews, due dates, owners; waive; decide on accepted risks.
        Manage => "manage",
        /// Sign an item's decision.
        Decide => "decide",
        /// Sign the release decision.
        DecideRelease => "decide_release",
        /// Attach evidence and patches, comment, work items, triage and map findings.
        Contribute => "contribute",
        /// Approve or reject another person's patch.
        ApprovePatch => "approve_patch",
        /// Import a scan, or undo one.
        ImportScans => "import_scans",
        /// See the service and all that belongs to it.
        Read => "read",
        /// Take the report and other exports, and read the activity log.
        Export => "export",
    }
}

impl ServiceRole {
    /// The table of `product.md` section 9, as the one place that says who may do what within a service.
    pub const fn may(self, action: Action) -> bool {
        match action {
            Action::Read | Action::Export => true,
            Action::Contribute | Action::ImportScans => {
                matches!(self, Self::Manager | Self::Reviewer | Self::Contributor)
            }
            Action::Decide | Action::ApprovePatch => matches!(self, Self::Manager | Self::Reviewer),
            Action::Manage | Action::DecideRelease => matches!(self, Self::Manager),
            Action::Administer => false,
        }
    }
}

impl InstanceRole {
    /// An admin may administer, read and manage everywhere. Signing needs a role on the service itself: running the
    /// machine does not make a person the reviewer.
    pub const fn may(self, action: Action) -> bool {
        match self {
            Self::Admin => matches!(
                action,
                Action::Administer | Action::Manage | Action::Read | Action::Export
            ),
            Self::Member => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_auditor_changes_nothing() {
        let allowed: Vec<_> = Action::ALL
            .iter()
            .filter(|action| ServiceRole::Auditor.may(**action))
            .collect();
        assert_eq!(allowed, [&Action::Read, &Action::Export]);
    }

    #[test]
    fn running_the_machine_does_not_make_a_person_a_reviewer() {
        assert!(!InstanceRole::Admin.may(Action::Decide));
        assert!(!InstanceRole::Admin.may(Action::DecideRelease));
    }
}
