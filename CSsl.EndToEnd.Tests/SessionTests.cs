using System.Security.Cryptography;
using System.Text.Json;
using CSsl.EndToEnd.Tests.Survival;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>A cluster whose sessions fall asleep soon.</summary>
public sealed class SessionSite() : ClusterSite(new ClusterSettings { Arguments = ["--Silo:HibernateAfter=300ms"] });

/// <summary><c>cssl sessions</c> and <c>cssl session</c>, on sessions awake and asleep.</summary>
[Collection(WaitingForUp.Name)]
public sealed class SessionTests(SessionSite site, ITestOutputHelper output) : ClusterTest(site.Cluster, output), IClassFixture<SessionSite>
{
    private const int Failed = 1, BadArgument = 2;
    private const long Length = 300_000_000;

    [Fact]
    public async Task Download_is_moved_twice_in_the_middle_and_every_byte_is_right()
    {
        var download = new Download();
        await using Tool curl = Tool.Start(
            "curl", ["-sSN", "--http1.1", "--limit-rate", "10M", "--cacert", Cluster.CertificateAuthority, Url($"/bytes/{Length}")], download.ReadAsync, TimeSpan.FromMinutes(3));
        await download.HasAsync(5_000_000);
        Session session = Assert.Single(await ListAsync("--top", "bytes", "--limit", "1"));
        string other = session.Silo == "data-1" ? "data-2" : "data-1";

        Assert.Equal($"{session.Id} is at {other}\n", (await CsslAsync("session", "move", session.Id, "--to", other, "--wait")).Succeeded().Output);
        await download.HasAsync(download.Bytes + 5_000_000);
        Assert.Equal($"{session.Id} is at {session.Silo}\n", (await CsslAsync("session", "move", session.Id, "--to", session.Silo!, "--wait")).Succeeded().Output);

        Assert.Contains("taken over   2 times", (await CsslAsync("session", "show", session.Id)).Succeeded().Output, StringComparison.Ordinal);
        Assert.Equal(0, (await curl.ExitAsync()).ExitCode);
        Assert.Equal((Length, OriginContent.Sha256(Length)), (download.Bytes, download.Sha256));
    }

    [Fact]
    public async Task Sleeping_session_is_shown_moved_and_ended()
    {
        using var client = new KeepAliveClient(Cluster);
        Session session = await AskAsync(client);
        await StateAsync(session.Id, "Asleep");
        Assert.Contains("silo         none: asleep", (await CsslAsync("session", "show", session.Id)).Succeeded().Output, StringComparison.Ordinal);

        foreach (string silo in (string[])["data-1", "data-2", "data-1"])
        {
            Assert.Equal($"{session.Id} moves to {silo}\n", (await CsslAsync("session", "move", session.Id, "--to", silo)).Succeeded().Output);
            await StateAsync(session.Id, "Asleep");
        }

        await client.Http.GetStringAsync("/bytes/10");
        Assert.Equal(1, client.Connections);
        await StateAsync(session.Id, "Asleep");
        Assert.Equal($"{session.Id} has ended\n", (await CsslAsync("session", "end", session.Id, "--wait")).Succeeded().Output);

        // It knows: close_notify came.
        await client.Http.GetStringAsync("/bytes/10");
        Assert.Equal(2, client.Connections);
    }

    [Fact]
    public async Task Session_that_is_awake_ends_when_its_request_is_done()
    {
        using var client = new KeepAliveClient(Cluster);
        Task<string> slow = client.Http.GetStringAsync("/slow?ms=8000");
        Session session = await FirstAsync();
        await StateAsync(session.Id, "Awake");

        Assert.Equal($"{session.Id} ends\n", (await CsslAsync("session", "end", session.Id)).Succeeded().Output);

        await slow;
        await client.Http.GetStringAsync("/bytes/10");
        Assert.Equal(2, client.Connections);
    }

    [Fact]
    public async Task List_shows_what_is_asked_for_and_mistakes_are_one_line()
    {
        using var client = new KeepAliveClient(Cluster);
        Session session = await AskAsync(client);
        await StateAsync(session.Id, "Asleep");

        Assert.Contains(session.Id, (await ListAsync("--client", "127.0.0.0/8")).Select(static other => other.Id));
        Assert.Empty(await ListAsync("--client", "203.0.113.7"));
        Assert.Empty(await ListAsync("--name", "nobody.example"));
        Assert.Empty(await ListAsync("--silo", "handshake-1"));
        Assert.Contains(session.Id, (await CsslAsync("sessions")).Succeeded().Output, StringComparison.Ordinal);

        await RefusedAsync(BadArgument, "is not an address such as", "sessions", "--client", "nobody");
        await RefusedAsync(BadArgument, "--limit takes a number from 1 to 5000", "sessions", "--limit", "0");
        await RefusedAsync(BadArgument, "there is no session 00000000-", "session", "show", $"{Guid.Empty}");
        await RefusedAsync(BadArgument, "there is no session 00000000-", "session", "end", $"{Guid.Empty}");
        await RefusedAsync(BadArgument, "there is no session 00000000-", "session", "move", $"{Guid.Empty}", "--to", "data-1");
        await RefusedAsync(BadArgument, "'x' is not the id of a session", "session", "show", "x");
        await RefusedAsync(BadArgument, "there is no silo 'data-9'; there are data-1, data-2, handshake-1", "session", "move", session.Id, "--to", "data-9");
        await RefusedAsync(Failed, "handshake-1 does not have the role data", "session", "move", session.Id, "--to", "handshake-1");

        // HTTP/2 stays.
        await using Tool curl = Tool.Start("curl", ["-sSN", "--http2", "--limit-rate", "1M", "--cacert", Cluster.CertificateAuthority, "-o", "/dev/null", Url("/bytes/100000000")]);
        Session http2 = await FirstAsync(static other => other.Protocol == "h2");
        await RefusedAsync(Failed, "speaks HTTP/2", "session", "move", http2.Id, "--to", "data-1");
    }

    /// <summary>One request on a new connection: its session.</summary>
    private async Task<Session> AskAsync(KeepAliveClient client)
    {
        await client.Http.GetStringAsync("/bytes/10");
        return await FirstAsync();
    }

    /// <summary>The newest that there is.</summary>
    private async Task<Session> FirstAsync(Func<Session, bool>? isIt = null)
    {
        Session? found = null;
        await Eventually.TrueAsync(async () => (found = (await ListAsync("--limit", "1000")).LastOrDefault(isIt ?? (static _ => true))) is not null, "the session is listed");
        return found!;
    }

    private async Task StateAsync(string id, string state)
        => await Eventually.TrueAsync(async () => (await ListAsync("--limit", "1000")).Any(session => session.Id == id && session.State == state), $"the session is {state}");

    private async Task<IReadOnlyList<Session>> ListAsync(params string[] arguments)
    {
        using JsonDocument json = JsonDocument.Parse((await CsslAsync(["sessions", "--json", .. arguments])).Succeeded().Output);
        return [.. json.RootElement.GetProperty("sessions").EnumerateArray().Select(static session => new Session(
            session.GetProperty("sessionId").GetString()!, session.GetProperty("state").GetString()!, session.GetProperty("silo").GetString(), session.GetProperty("protocol").GetString()))];
    }

    private async Task RefusedAsync(int exitCode, string reason, params string[] arguments)
    {
        ToolResult result = await CsslAsync(arguments);
        Assert.Equal(exitCode, result.ExitCode);
        Assert.Contains(reason, result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
    }

    private Task<ToolResult> CsslAsync(params string[] arguments) => Cssl.RunAsync([.. arguments, "--admin", $"{Cluster.AdminPort}"]);

    private sealed record Session(string Id, string State, string? Silo, string? Protocol);

    /// <summary>What curl wrote so far.</summary>
    private sealed class Download
    {
        private long _bytes;

        public long Bytes => Volatile.Read(ref _bytes);

        public string Sha256 { get; private set; } = "";

        public Task HasAsync(long bytes) => Eventually.TrueAsync(() => Bytes >= bytes, $"{bytes} bytes are there", TimeSpan.FromSeconds(60));

        public async Task ReadAsync(Stream output, CancellationToken cancellation)
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            byte[] buffer = new byte[64 * 1024];
            for (int read; (read = await output.ReadAsync(buffer, cancellation)) > 0;)
            {
                hash.AppendData(buffer.AsSpan(0, read));
                Volatile.Write(ref _bytes, _bytes + read);
            }

            Sha256 = Convert.ToHexStringLower(hash.GetHashAndReset());
        }
    }
}
