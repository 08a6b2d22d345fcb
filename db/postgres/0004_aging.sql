-- States that nobody reads again, such as expired TLS sessions, go by their age: a thousand at a time, so that nobody waits long.
CREATE INDEX IF NOT EXISTS IX_OrleansStorage_Age ON OrleansStorage (GrainTypeString, ModifiedOn);

INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES ('CsslDeleteAgedKey', '
WITH gone AS
(
    DELETE FROM OrleansStorage WHERE ctid IN
    (
        SELECT ctid FROM OrleansStorage
        WHERE ServiceId = @ServiceId AND GrainTypeString = @GrainTypeString AND ModifiedOn < @ModifiedBefore
        LIMIT 1000
    )
    RETURNING 1
)
SELECT COUNT(*)::integer FROM gone
')
ON CONFLICT (QueryKey) DO UPDATE SET QueryText = excluded.QueryText;
