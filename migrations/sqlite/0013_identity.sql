-- `people.email` is a verified address in lower case, or a text that ends with ` (not verified)`: such a claim equals no address. Whether the
-- provider had verified what is here was never kept, so each counts again from that person's next sign-in.
-- `same_as`: operators have said that several accounts are one human being; each of these accounts names the first of them, itself included.
ALTER TABLE people ADD COLUMN same_as TEXT;
CREATE INDEX people_of_one_human ON people (tenant, same_as) WHERE same_as IS NOT NULL;

-- Every address that an account has been known by, and since when. An account that comes to an address which another one had before cannot
-- decide until operators have said who it is. 0: from before this was kept.
CREATE TABLE person_addresses (
    tenant TEXT NOT NULL,
    address TEXT NOT NULL,
    person_id TEXT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (tenant, address, person_id),
    FOREIGN KEY (tenant, person_id) REFERENCES people (tenant, id)
);
CREATE INDEX person_addresses_by_person ON person_addresses (tenant, person_id, address, since);
INSERT INTO person_addresses (tenant, address, person_id, since)
SELECT tenant, lower(trim(email)), id, 0 FROM people WHERE instr(email, '@') > 0;
UPDATE people SET email = email || ' (not verified)';

-- Accounts that share an address and belong to different human beings, as operators have said. `one` < `other`.
CREATE TABLE people_apart (
    tenant TEXT NOT NULL,
    one TEXT NOT NULL,
    other TEXT NOT NULL,
    PRIMARY KEY (tenant, one, other),
    FOREIGN KEY (tenant, one) REFERENCES people (tenant, id),
    FOREIGN KEY (tenant, other) REFERENCES people (tenant, id)
);
