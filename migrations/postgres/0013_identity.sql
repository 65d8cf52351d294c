-- `people.email` is a verified address in lower case, or a claim that ends with ` (not verified)` and equals no address. Earlier versions did
-- not store whether the provider had verified an address, so existing addresses become valid at the person's next sign-in.
-- `same_as`: the first of the accounts that operators have linked as one person; the first account names itself.
ALTER TABLE people ADD COLUMN same_as TEXT COLLATE "C";
CREATE INDEX people_of_one_human ON people (tenant, same_as) WHERE same_as IS NOT NULL;

-- Every address of an account, and since when. An account that gets the former address of another account cannot decide until operators
-- have identified it. 0: the address is older than this table.
CREATE TABLE person_addresses (
    tenant TEXT COLLATE "C" NOT NULL,
    address TEXT COLLATE "C" NOT NULL,
    person_id TEXT COLLATE "C" NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (tenant, address, person_id),
    FOREIGN KEY (tenant, person_id) REFERENCES people (tenant, id)
);
CREATE INDEX person_addresses_by_person ON person_addresses (tenant, person_id, address, since);
INSERT INTO person_addresses (tenant, address, person_id, since)
SELECT tenant, lower(trim(email)), id, 0 FROM people WHERE instr(email, '@') > 0;
UPDATE people SET email = email || ' (not verified)';

-- Accounts that share an address and, as operators have stated, belong to different people. `one` < `other`.
CREATE TABLE people_apart (
    tenant TEXT COLLATE "C" NOT NULL,
    one TEXT COLLATE "C" NOT NULL,
    other TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, one, other),
    FOREIGN KEY (tenant, one) REFERENCES people (tenant, id),
    FOREIGN KEY (tenant, other) REFERENCES people (tenant, id)
);
SELECT wall_off(place) FROM unnest(ARRAY['person_addresses', 'people_apart']) AS place;
