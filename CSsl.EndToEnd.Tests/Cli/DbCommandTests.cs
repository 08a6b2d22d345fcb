using CSsl.Database;
using CSsl.EndToEnd.Tests.Database;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests.Cli;

[Collection(Databases.Name)]
public sealed class DbCommandTests(Postgres postgres)
{
    public static TheoryData<DatabaseKind> Kinds => Databases.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Status_tells_what_is_missing_until_init_has_made_it(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateEmptyAsync(kind, postgres);
        string[] connection = ["--connection", database.Connection];

        var before = await Cssl.RunAsync(["db", "status", .. connection]);
        Assert.Equal(1, before.ExitCode);
        Assert.Contains("0001 queries       missing", before.Output, StringComparison.Ordinal);

        var init = (await Cssl.RunAsync(["db", "init", .. connection])).Succeeded();
        Assert.Contains("0001 queries       applied now", init.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("applied now", (await Cssl.RunAsync(["db", "init", .. connection])).Succeeded().Output, StringComparison.Ordinal);

        var after = (await Cssl.RunAsync(["db", "status", .. connection])).Succeeded();
        Assert.DoesNotContain("missing", after.Output, StringComparison.Ordinal);
        Assert.Contains("is up to date", after.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Database_that_does_not_answer_is_one_line_without_its_password()
    {
        var result = await Cssl.RunAsync(["db", "status", "--connection", $"Host=127.0.0.1;Port={Ports.Free(1)[0]};Username=u;Password=Tr0ub4dor;Database=d"]);
        Assert.Equal(1, result.ExitCode);
        Assert.Equal("", result.Output);
        Assert.Contains("postgres://127.0.0.1:", Assert.Single(result.Error.TrimEnd().Split('\n')), StringComparison.Ordinal);
        Assert.DoesNotContain("Tr0ub4dor", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_connection_it_is_the_configured_database_or_the_state_folders()
    {
        using var folder = new TempDirectory();
        (await Cssl.RunAsync(["db", "init", "--state", folder.File("state")])).Succeeded();
        Assert.True(File.Exists(folder.File("state/cluster.db")));

        await File.WriteAllTextAsync(folder.File("cssl.json"), """{ "Cluster": { "Database": "configured.db" } }""");
        (await Cssl.RunAsync(["db", "init", "--config", folder.File("cssl.json")])).Succeeded();
        Assert.True(File.Exists(folder.File("configured.db")));
    }
}
