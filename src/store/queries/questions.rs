//! Questions about actions, and their answers.

use crate::domain::{ActionId, Answer, PersonId, Question, QuestionId};
use crate::store::db::query;
use crate::store::{ReadTx, StoreError, WriteTx};

impl ReadTx {
    /// The questions about an action, oldest first: at most 200.
    pub async fn questions(&mut self, action: &ActionId) -> Result<Vec<Question>, StoreError> {
        let rows = query("SELECT * FROM questions WHERE tenant = $1 AND action_id = $2 ORDER BY id LIMIT 200")
            .bind(self.tenant())
            .bind(action.as_str())
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Question {
                    id: row.read("id", |t| QuestionId::parse(t).ok())?,
                    action_id: row.read("action_id", |t| ActionId::parse(t).ok())?,
                    person_id: row.read("person_id", |t| PersonId::parse(t).ok())?,
                    text: row.text("question")?,
                    asked_at: row.time("asked_at")?,
                    answer: match row.maybe_text("answer")? {
                        None => None,
                        Some(text) => Some(Answer {
                            text,
                            at: row.time("answered_at")?,
                        }),
                    },
                })
            })
            .collect()
    }
}

impl WriteTx {
    /// Stores a question.
    pub async fn insert_question(&mut self, new: &Question) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO questions (tenant, id, action_id, person_id, question, asked_at) \
             VALUES ($1, $2, $3, $4, $5, $6)";
        query(SQL)
            .bind(self.tenant())
            .bind(new.id.as_str())
            .bind(new.action_id.as_str())
            .bind(new.person_id.as_str())
            .bind(&new.text)
            .bind(new.asked_at.0)
            .execute(&mut self.read.tx)
            .await?;
        Ok(())
    }

    /// Stores the answer to an open question. Returns `false` if the question already has an answer.
    pub async fn answer_question(&mut self, id: &QuestionId, answer: &str) -> Result<bool, StoreError> {
        const SQL: &str =
            "UPDATE questions SET answer = $3, answered_at = $4 WHERE tenant = $1 AND id = $2 AND answer IS NULL";
        let now = self.ctx.now();
        let done = query(SQL)
            .bind(self.tenant())
            .bind(id.as_str())
            .bind(answer)
            .bind(now.0)
            .execute(&mut self.read.tx)
            .await?;
        Ok(done == 1)
    }
}
