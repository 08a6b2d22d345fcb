-- The statements that Orleans's ADO.NET providers look up by name.
-- Names, parameters and the names and types of results are the providers' contract; the statements are ours.
CREATE TABLE IF NOT EXISTS OrleansQuery
(
    QueryKey TEXT NOT NULL PRIMARY KEY,
    QueryText TEXT NOT NULL
);
