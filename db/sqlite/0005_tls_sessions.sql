-- TLS 1.2 sessions that clients resume by id, in a table of ours: they expire by the thousand, and what Orleans keeps in its own is left to Orleans.
-- session_id is lower-case hex, expires_at is Unix time in milliseconds. Reading, writing and deleting: ResumptionStorage.
CREATE TABLE IF NOT EXISTS tls_session
(
    service_id varchar(150) NOT NULL,
    session_id varchar(64) NOT NULL,
    sealed blob NOT NULL,
    expires_at bigint NOT NULL,
    CONSTRAINT PK_tls_session PRIMARY KEY (service_id, session_id)
);

CREATE INDEX IF NOT EXISTS IX_tls_session_expires_at ON tls_session (service_id, expires_at);

-- What 0004 added for them to Orleans's table.
DROP INDEX IF EXISTS IX_OrleansStorage_Age;
DELETE FROM OrleansQuery WHERE QueryKey = 'CsslDeleteAgedKey';
