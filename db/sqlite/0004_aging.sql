-- States that nobody reads again, such as expired TLS sessions, go by their age: a thousand at a time, so that nobody waits long.
CREATE INDEX IF NOT EXISTS IX_OrleansStorage_Age ON OrleansStorage (GrainTypeString, ModifiedOn);

INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES ('CsslDeleteAgedKey', '
DELETE FROM OrleansStorage WHERE rowid IN
(
    SELECT rowid FROM OrleansStorage
    WHERE ServiceId = @ServiceId AND GrainTypeString = @GrainTypeString AND ModifiedOn < @ModifiedBefore
    LIMIT 1000
);
SELECT changes()
')
ON CONFLICT (QueryKey) DO UPDATE SET QueryText = excluded.QueryText;
