-- What the checks need besides the records of a plan. Limits bound the time of the statements; the checks name only the first few of each
-- kind. Only open actions have targets.
-- $1 tenant, $2 release, $3 people, $4 findings, $5 words, $6 targets, $7 the superseded action, $8 now, $9 evidence,
-- $10 the action before which clients proposed the open actions, $11 title keys, $12 the most work items per word.

-- part: member
SELECT team_id, person_id
  FROM team_members
 WHERE tenant = $1 AND person_id IN (SELECT value FROM json_each($3))

-- part: team
SELECT team_id
  FROM release_teams
 WHERE tenant = $1 AND release_id = $2

-- part: component
SELECT component_id
  FROM release_components
 WHERE tenant = $1 AND release_id = $2

-- part: item_of_finding
SELECT record_id, work_item_id
  FROM work_item_references
 WHERE tenant = $1 AND record_id IN (SELECT value FROM json_each($4))
 LIMIT 500

-- part: word
-- The work items of each word, as a JSON list.
SELECT (SELECT json_group_array(work_item_id)
          FROM (SELECT work_item_id FROM work_item_words WHERE tenant = $1 AND word = w.value LIMIT 0 + $12) AS first) AS items
  FROM json_each($5) w

-- part: item_of_title
SELECT x.work_item_id
  FROM work_item_words x
 WHERE x.tenant = $1 AND x.word IN (SELECT value FROM json_each($11))
   AND (SELECT i.release_id FROM work_items i WHERE i.tenant = $1 AND i.id = x.work_item_id) = $2
 LIMIT 200

-- part: blocker
SELECT b.id, b.key, b.release_id, b.finding_id, b.control_id, b.status, b.version,
       COALESCE(f.title, c.title) AS title, COALESCE(f.severity, 'high') AS severity
  FROM blockers b
  LEFT JOIN findings f ON f.tenant = b.tenant AND f.id = b.finding_id
  LEFT JOIN controls c ON c.tenant = b.tenant AND c.id = b.control_id
 WHERE b.tenant = $1 AND b.release_id = $2 AND b.status = 'open'
 ORDER BY b.id LIMIT 1000

-- part: open
SELECT a.id, a.headline, a.state, o.record_id
  FROM (SELECT record_id, action_id FROM action_targets
         WHERE tenant = $1 AND record_id IN (SELECT value FROM json_each($6))
           AND expires_at > $8 AND action_id <> $7 AND ($10 = '' OR action_id < $10)
         ORDER BY action_id LIMIT 60) AS o
  JOIN actions a ON a.tenant = $1 AND a.id = o.action_id

-- part: newer
-- Evidence of the same kind that was collected later.
SELECT DISTINCT n.id, n.key, n.release_id, n.provider, n.kind, n.name, n.sha256, n.size, n.collected_at, n.collected_from,
       n.imported_at, n.commit_id, n.component
  FROM evidence e
  JOIN evidence n ON n.tenant = e.tenant AND n.release_id = e.release_id AND n.provider = e.provider AND n.kind = e.kind
       AND n.collected_at > e.collected_at AND n.complete = 1
 WHERE e.tenant = $1 AND e.id IN (SELECT value FROM json_each($9))
 ORDER BY n.collected_at DESC LIMIT 100

-- part: verified
-- The result of the last time that the bytes of evidence were hashed.
SELECT e.id, v.state
  FROM evidence e
  JOIN evidence_verifications v ON v.tenant = e.tenant AND v.sha256 = e.sha256
 WHERE e.tenant = $1 AND e.id IN (SELECT value FROM json_each($9))

-- part: generic
SELECT word
  FROM generic_words
 WHERE tenant = $1
