using CSsl.Hosting.Configuration;
using CSsl.Tls.Sessions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CSsl.Silo.Sessions;

/// <summary>
/// Reads <see cref="ClusterOptions.SealingKeyFile"/> again when it has changed, while the silo serves. A new key opens at once, and seals when all silos have it
/// (<see cref="SealingKeyFollower"/>). Wipes what was taken out when <see cref="ClusterOptions.SealingKeyRetention"/> is over.
/// </summary>
/// <remarks>It looks at what is in the file and not at its date: files that are mounted or linked change without one.</remarks>
internal sealed partial class SealingKeyKeeper(SharedKeyRing keys, ClusterOptions options, TimeProvider time, ILogger<SealingKeyKeeper> logger) : BackgroundService
{
    /// <summary>Time between two looks.</summary>
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private byte[] _seen = KeyFiles.Digest(options.SealingKeyFile!);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                Look();
                Wipe();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    private void Look()
    {
        var digest = KeyFiles.Digest(options.SealingKeyFile!);
        if (digest.AsSpan().SequenceEqual(_seen))
            return;
        _seen = digest;
        try
        {
            var before = keys.KeyIds;
            keys.Replace(KeyFiles.ReadSealingKeys(options));
            var after = string.Join(", ", keys.KeyIds);
            if (string.Join(", ", before.Except(keys.KeyIds)) is { Length: > 0 } gone)
                LogTakenOut(after, gone, options.SealingKeyRetention);
            else
                LogChanged(after);
        }
        catch (ConfigurationException e)
        {
            // Perhaps in the middle of being written: then it changes again.
            LogBad(e.Message);
        }
    }

    private void Wipe()
    {
        var before = keys.RetiredKeyIds;
        keys.WipeRetired();
        if (string.Join(", ", before.Except(keys.RetiredKeyIds)) is { Length: > 0 } gone)
            LogWiped(gone);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "sealing keys, newest first: {Keys}")]
    private partial void LogChanged(string keys);

    [LoggerMessage(Level = LogLevel.Information, Message = "sealing keys, newest first: {Keys}; taken out, and to be wiped after {Retention}: {Gone}")]
    private partial void LogTakenOut(string keys, string gone, TimeSpan retention);

    [LoggerMessage(Level = LogLevel.Information, Message = "sealing keys that were taken out are wiped: {Gone}")]
    private partial void LogWiped(string gone);

    [LoggerMessage(Level = LogLevel.Error, Message = "the sealing keys have changed and can't be used; those that were read before still are: {Reason}")]
    private partial void LogBad(string reason);
}
