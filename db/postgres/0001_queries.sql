-- The statements that whoever uses the tables looks up by name: Orleans's ADO.NET providers and the embedded cluster engine alike.
-- Names, parameters and the names and types of results are the providers' contract; the statements are ours.
CREATE TABLE IF NOT EXISTS OrleansQuery
(
    QueryKey varchar(64) NOT NULL,
    QueryText text NOT NULL,
    CONSTRAINT PK_OrleansQuery PRIMARY KEY (QueryKey)
);
