using System.Collections.Immutable;
using System.Globalization;
using System.Reflection;

namespace CSsl.Database.Migrations;

/// <summary>One step of the schema: a file of db/sqlite or db/postgres, "NNNN_name.sql". It is never changed once it was released; it may run twice.</summary>
/// <param name="Version">Its number: from 1, without gaps.</param>
/// <param name="Name">What it makes.</param>
/// <param name="Sql">Its statements.</param>
public sealed record Migration(int Version, string Name, string Sql)
{
    private static readonly Assembly Source = typeof(Migration).Assembly;

    /// <summary>The migrations of a database, in order.</summary>
    public static ImmutableArray<Migration> Of(DatabaseKind kind)
    {
#pragma warning disable CA1308 // Names of folders.
        var folder = kind.ToString().ToLowerInvariant() + "/";
#pragma warning restore CA1308
        return [.. Source.GetManifestResourceNames().Where(name => name.StartsWith(folder, StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(name => Read(name, name[folder.Length..]))];
    }

    private static Migration Read(string resource, string file)
    {
        using var reader = new StreamReader(Source.GetManifestResourceStream(resource)!);
        var underscore = file.IndexOf('_', StringComparison.Ordinal);
        return new Migration(int.Parse(file[..underscore], CultureInfo.InvariantCulture), Path.GetFileNameWithoutExtension(file[(underscore + 1)..]), reader.ReadToEnd());
    }
}

/// <summary>A migration that a database has had.</summary>
public sealed record AppliedMigration(int Version, string Name, DateTimeOffset AppliedAt);

/// <summary>How a database stands.</summary>
/// <param name="Applied">What it has had, in order. May name migrations that this build does not know: a newer one has been here.</param>
/// <param name="Pending">What it lacks, in order.</param>
public sealed record SchemaStatus(ImmutableArray<AppliedMigration> Applied, ImmutableArray<Migration> Pending);
