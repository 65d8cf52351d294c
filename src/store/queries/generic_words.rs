//! Generic words: words that a tenant has added to the built-in words that are too general for a title.

use crate::store::db::query;
use crate::store::row::list;
use crate::store::{ReadTx, StoreError, WriteTx};

impl ReadTx {
    /// The tenant's generic words in alphabetical order, at most 5,000.
    pub async fn generic_words(&mut self) -> Result<Vec<String>, StoreError> {
        let rows = query("SELECT word FROM generic_words WHERE tenant = $1 ORDER BY word LIMIT 5000")
            .bind(self.tenant())
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(|row| row.text("word")).collect()
    }
}

impl WriteTx {
    /// Adds words. Words that are already stored cause no error.
    pub async fn add_generic_words(&mut self, words: &[String]) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO generic_words (tenant, word) SELECT $1, w.value FROM json_each($2) w WHERE 1 = 1 \
             ON CONFLICT (tenant, word) DO NOTHING";
        self.words(SQL, words).await
    }

    /// Removes words. Words that are not stored cause no error.
    pub async fn remove_generic_words(&mut self, words: &[String]) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM generic_words WHERE tenant = $1 AND word IN (SELECT value FROM json_each($2))";
        self.words(SQL, words).await
    }

    async fn words(&mut self, sql: &'static str, words: &[String]) -> Result<(), StoreError> {
        query(sql)
            .bind(self.tenant())
            .bind(list(words))
            .execute(&mut self.read.tx)
            .await?;
        Ok(())
    }
}
