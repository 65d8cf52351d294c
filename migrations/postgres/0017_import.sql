-- Imports block the writer only for short batches.

-- AC-2 (as people write it) and ac-2 (as documents do) are one control. An import looks up every control.
CREATE INDEX controls_by_upper_key ON controls (tenant, release_id, UPPER(key));

-- Evidence of a file whose findings are not all stored: no reader sees it and no proposal cites it. The partial index finds it.
ALTER TABLE evidence ADD COLUMN complete BIGINT NOT NULL DEFAULT 1;
CREATE INDEX evidence_incomplete ON evidence (tenant, id) WHERE complete = 0;

-- Running or interrupted imports of large files: the number of stored records, and the report so far. The last batch deletes the row.
CREATE TABLE imports (
    tenant TEXT COLLATE "C" NOT NULL,
    release_id TEXT COLLATE "C" NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL,
    -- SHA-256 over the records in their order. Another program version may read the same file differently.
    plan TEXT COLLATE "C" NOT NULL,
    done BIGINT NOT NULL,
    report TEXT COLLATE "C" NOT NULL,
    started_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, release_id, sha256),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id)
);

-- The bytes of a large file, in parts that are written one by one. The file's row in evidence_files is then empty.
CREATE TABLE evidence_parts (
    tenant TEXT COLLATE "C" NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL,
    part BIGINT NOT NULL,
    bytes BYTEA NOT NULL,
    PRIMARY KEY (tenant, sha256, part),
    FOREIGN KEY (tenant, sha256) REFERENCES evidence_files (tenant, sha256)
);

SELECT wall_off(place) FROM unnest(ARRAY['imports', 'evidence_parts']) AS places (place);
