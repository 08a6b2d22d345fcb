using System.Text;
using CSsl.Tls.Handshake.OpenSsl;
using Xunit;

namespace CSsl.Tests.Tls.Handshake.OpenSsl;

public sealed class TrafficSecretsTests
{
    private static readonly string Random = new('0', 64);
    private static readonly byte[] Secret = [.. Enumerable.Range(0x10, 32).Select(static i => (byte)i)];

    [Fact]
    public void Three_lines_of_the_key_log_are_taken_and_all_others_left()
    {
        using var secrets = new TrafficSecrets();
        Add(secrets, "CLIENT_HANDSHAKE_TRAFFIC_SECRET", new byte[32]);
        Add(secrets, "SERVER_HANDSHAKE_TRAFFIC_SECRET", new byte[32]);
        Add(secrets, "CLIENT_RANDOM", new byte[48]);
        Add(secrets, "EXPORTER_SECRET", new byte[48]);
        Add(secrets, "SERVER_TRAFFIC_SECRET_0", [.. Secret.Reverse()]);
        Assert.False(secrets.IsComplete);
        Assert.Throws<InvalidOperationException>(() => secrets.Take());
        Add(secrets, "CLIENT_TRAFFIC_SECRET_0", Secret);

        var (client, server, exporter) = secrets.Take();

        Assert.Equal(Secret, client.Span);
        Assert.Equal(Secret.Reverse(), server.Span.ToArray());
        Assert.Equal(48, exporter.Length);
        Assert.False(secrets.IsComplete);
        client.Dispose();
        server.Dispose();
        exporter.Dispose();
    }

    [Theory]
    [InlineData("")]
    [InlineData("CLIENT_TRAFFIC_SECRET_0")]
    [InlineData("# a comment of some length")]
    public void Line_of_another_form_is_left(string line)
    {
        using var secrets = new TrafficSecrets();
        secrets.Add(Encoding.ASCII.GetBytes(line));
        Assert.False(secrets.IsComplete);
    }

    [Theory]
    [InlineData("00")]
    [InlineData("")]
    [InlineData("zz00000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000")]
    public void Secret_that_is_none_is_refused(string digits)
    {
        using var secrets = new TrafficSecrets();
        Assert.Throws<FormatException>(() => secrets.Add(Encoding.ASCII.GetBytes($"CLIENT_TRAFFIC_SECRET_0 {Random} {digits}")));
        Assert.False(secrets.IsComplete);
    }

    private static void Add(TrafficSecrets secrets, string label, byte[] secret)
        => secrets.Add(Encoding.ASCII.GetBytes($"{label} {Random} {Convert.ToHexStringLower(secret)}"));
}
