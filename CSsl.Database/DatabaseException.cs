namespace CSsl.Database;

/// <summary>The database can't be used as it is: says which and why, without a password.</summary>
public sealed class DatabaseException(string message, Exception? cause = null) : Exception(message, cause);
