//! What is decided by the policies of a service's reviews, and what makes one of them stricter, come one after the other.
//!
//! Both lock the service and not its reviews, so that a review that is just being begun counts too. It is the first lock of
//! a unit of work, before roles and findings; otherwise two would wait for each other. SQLite has one writer at a time anyway.

use holdpoint_domain::{FindingId, ReviewId, ServiceId, TriageBatchId};

use crate::{StorageError, Tx, execute};

impl Tx {
    /// Keeps the policies of a service's reviews as they are until this unit of work ends.
    pub async fn keep_policies_of(&mut self, service: &ServiceId) -> Result<(), StorageError> {
        const SQL: &str = "select id from service where id = $1 for share";
        if !self.is_sqlite() {
            execute!(self, SQL, service.as_str());
        }
        Ok(())
    }

    /// As [`Tx::keep_policies_of`], for the service of a finding.
    pub async fn keep_policies_of_finding(
        &mut self,
        finding: &FindingId,
    ) -> Result<(), StorageError> {
        const SQL: &str = "select id from service \
            where id = (select service_id from finding where id = $1) for share";
        if !self.is_sqlite() {
            execute!(self, SQL, finding.as_str());
        }
        Ok(())
    }

    /// As [`Tx::keep_policies_of`], for the service of a review.
    pub async fn keep_policies_of_review(&mut self, review: &ReviewId) -> Result<(), StorageError> {
        const SQL: &str = "select id from service \
            where id = (select service_id from review where id = $1) for share";
        if !self.is_sqlite() {
            execute!(self, SQL, review.as_str());
        }
        Ok(())
    }

    /// As [`Tx::keep_policies_of`], for the service of a decision about many findings.
    pub async fn keep_policies_of_batch(
        &mut self,
        batch: &TriageBatchId,
    ) -> Result<(), StorageError> {
        const SQL: &str = "select id from service \
            where id = (select service_id from triage_batch where id = $1) for share";
        if !self.is_sqlite() {
            execute!(self, SQL, batch.as_str());
        }
        Ok(())
    }

    /// As [`Tx::lock_policies_of`], for the service of a review. Asked before the review itself is locked: everybody else asks in
    /// this order.
    pub async fn lock_policies_of_review(&mut self, review: &ReviewId) -> Result<(), StorageError> {
        const SQL: &str = "select id from service \
            where id = (select service_id from review where id = $1) for no key update";
        if !self.is_sqlite() {
            execute!(self, SQL, review.as_str());
        }
        Ok(())
    }

    /// Lets nobody else decide by the policies of a service's reviews, change one, or change the service or who has which role
    /// there, until this unit of work ends.
    pub async fn lock_policies_of(&mut self, service: &ServiceId) -> Result<(), StorageError> {
        const SQL: &str = "select id from service where id = $1 for no key update";
        if !self.is_sqlite() {
            execute!(self, SQL, service.as_str());
        }
        Ok(())
    }
}
