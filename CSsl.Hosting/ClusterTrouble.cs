using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Orleans.Runtime;
using Orleans.Runtime.Messaging;

namespace CSsl.Hosting;

/// <summary>Why a call to a grain failed, for a line that an operator reads: Orleans's own messages name activations, addresses and envelopes, on several lines.</summary>
public static class ClusterTrouble
{
    private const int MaxLength = 120;

    /// <summary>A few words, without an end mark.</summary>
    public static string ReasonOf(Exception error)
    {
        ArgumentNullException.ThrowIfNull(error);
        for (var e = error; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case TimeoutException or OperationCanceledException:
                    return "no answer in time";
                case SiloUnavailableException or OrleansMessageRejectionException or ConnectionFailedException or SocketException or ConnectionAbortedException:
                    return "its silo is gone, or not reachable";
                case ClientNotAvailableException or GatewayTooBusyException:
                    return "no silo takes calls";
                default:
                    break;
            }
        }

        // A grain's own words: the first line of them.
        var line = error.Message.AsSpan();
        if (line.IndexOfAny('\r', '\n') is >= 0 and var end)
            line = line[..end];
        return line.Length <= MaxLength ? line.TrimEnd('.').ToString() : $"{line[..MaxLength]}...";
    }
}
