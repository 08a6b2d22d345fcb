using System.Security.Cryptography;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests.Survival;

/// <summary>What curl saw.</summary>
/// <param name="ExitCode">0: it took what it got for the whole.</param>
/// <param name="Error">What it says otherwise.</param>
/// <param name="Bytes">Of the body.</param>
/// <param name="Sha256">Of them.</param>
internal sealed record CurlEnding(int ExitCode, string Error, long Bytes, string Sha256)
{
    /// <summary>Every byte came, and curl knows.</summary>
    public void AssertIsWhole(long length)
    {
        Assert.True(ExitCode == 0, $"curl: {ExitCode} after {Bytes} bytes: {Error}");
        Assert.Equal(length, Bytes);
        Assert.Equal(OriginContent.Sha256(length), Sha256);
    }

    /// <summary>It has a part, and knows that it is one.</summary>
    public void AssertIsBroken(long length)
    {
        Assert.True(ExitCode != 0, "curl took a part for the whole");
        Assert.InRange(Bytes, 1, length - 1);
    }
}

/// <summary>curl in the middle of a response.</summary>
internal sealed class CurlExchange(SurvivalSite site, Scene scene, long least, params string[] arguments) : Exchange<CurlEnding>(site, scene)
{
    private readonly TaskCompletionSource _underWay = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Tool? _curl;
    private long _bytes;
    private string _sha256 = "";

    /// <inheritdoc/>
    public override async Task StartAsync()
    {
        _curl = Tool.Start("curl", ["-sSN", "--cacert", Site.Cluster.CertificateAuthority, .. arguments, Site.Url(Path)], ReadAsync);
        if (await Task.WhenAny(InTime(_underWay.Task), _curl.ExitAsync()) is Task<ToolResult> early)
            throw new InvalidOperationException($"it ended before the fault: {await early}");
    }

    protected override async Task<CurlEnding> EndAsync()
    {
        ToolResult result = await _curl!.ExitAsync();
        return new CurlEnding(result.ExitCode, result.Error, _bytes, _sha256);
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        if (_curl is not null)
            await _curl.DisposeAsync();
    }

    private async Task ReadAsync(Stream output, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[64 * 1024];
        for (int read; (read = await output.ReadAsync(buffer, cancellation)) > 0;)
        {
            hash.AppendData(buffer.AsSpan(0, read));
            if ((_bytes += read) >= least)
                _underWay.TrySetResult();
        }

        _sha256 = Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
