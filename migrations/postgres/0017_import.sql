-- Imports hold the writer for short batches only.

-- People write AC-2 and documents ac-2; both mean one control, and an import of many looks up each.
CREATE INDEX controls_by_upper_key ON controls (tenant, release_id, UPPER(key));

-- Evidence of a file whose findings are not all there yet: nobody sees or cites it. The few of them are found by an index of their own.
ALTER TABLE evidence ADD COLUMN complete BIGINT NOT NULL DEFAULT 1;
CREATE INDEX evidence_incomplete ON evidence (tenant, id) WHERE complete = 0;

-- Imports of large files that are under way, or were interrupted: how many of the file's records are kept, and what came of them so far. The last
-- batch deletes its row.
CREATE TABLE imports (
    tenant TEXT COLLATE "C" NOT NULL,
    release_id TEXT COLLATE "C" NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL,
    -- SHA-256 over what is to be kept, in its order: another version may read the same file in another way.
    plan TEXT COLLATE "C" NOT NULL,
    done BIGINT NOT NULL,
    report TEXT COLLATE "C" NOT NULL,
    started_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, release_id, sha256),
    FOREIGN KEY (tenant, release_id) REFERENCES releases (tenant, id)
);

-- The bytes of a large file, in parts that are written one by one; its row in evidence_files holds none then.
CREATE TABLE evidence_parts (
    tenant TEXT COLLATE "C" NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL,
    part BIGINT NOT NULL,
    bytes BYTEA NOT NULL,
    PRIMARY KEY (tenant, sha256, part),
    FOREIGN KEY (tenant, sha256) REFERENCES evidence_files (tenant, sha256)
);

SELECT wall_off(place) FROM unnest(ARRAY['imports', 'evidence_parts']) AS places (place);
