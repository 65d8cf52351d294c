-- What is around the rows of the inbox.
-- $1 tenant, $2 the person, $3 since when decisions count.

-- part: count
-- The number of actions in each state, and how many of them other people proposed.
SELECT state, CAST(SUM(count) AS BIGINT) AS count,
       CAST(SUM(CASE WHEN caller_id <> $2 THEN count ELSE 0 END) AS BIGINT) AS others
  FROM action_counts
 WHERE tenant = $1
 GROUP BY state

-- part: team
SELECT id, name FROM teams WHERE tenant = $1 ORDER BY name LIMIT 500

-- part: release
SELECT id, key FROM releases WHERE tenant = $1 ORDER BY key LIMIT 200

-- part: decided
SELECT COUNT(*) AS count FROM decisions WHERE tenant = $1 AND decided_at > $3
