using System.Text.Json;
using CSsl.EmbeddedCluster.Activations;
using CSsl.EmbeddedCluster.Calls;
using CSsl.EmbeddedCluster.Serialization;
using CSsl.EmbeddedCluster.Wire;
using Microsoft.AspNetCore.Http;
using Orleans.Runtime;

namespace CSsl.EmbeddedCluster.Cluster;

/// <summary>Answers the messages of other processes for one run of a silo.</summary>
internal sealed class MessageDispatcher(SiloAddress self, Membership membership, CallRouter router, Catalog catalog, GrainDirectory directory)
{
    private readonly string _self = self.ToParsableString();
    private long _sentAway;

    /// <summary>Messages that were for nobody here: their senders try elsewhere.</summary>
    public long SentAway => Volatile.Read(ref _sentAway);

    public async Task<object> HandleAsync(MessageHeader header, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        // A sender that knows more than this silo may have been told things about it that this silo does not know yet.
        if (header.View > membership.Current.Version)
            await membership.RefreshAsync(header.View).ConfigureAwait(false);
        if (header.To != _self || !membership.Current.IsAlive(self))
        {
            Interlocked.Increment(ref _sentAway);
            throw new UnservedException(StatusCodes.Status410Gone);
        }

        switch (header.Path)
        {
            case Operations.Probe or Operations.Refresh:
                return Empty.Instance;
            case Operations.Call:
                return await router.ReceiveAsync(Read<CallMessage>(body), cancellationToken).ConfigureAwait(false);
            case Operations.Register:
                var (claimed, at) = Locate(Read<DirectoryEntry>(body));
                return await directory.RegisterAsync(claimed, at).ConfigureAwait(false);
            case Operations.Unregister:
                var (left, from) = Locate(Read<DirectoryEntry>(body));
                directory.Unregister(left, from);
                return Empty.Instance;
            case Operations.Recover:
                var owner = SiloAddress.FromParsableString(Read<RecoverMessage>(body).Owner);
                return new RecoverAnswer { Entries = [.. catalog.Claims(owner, membership.Current, self).Select(static c => Describe(c.Grain, c.Location))] };
            case Operations.Evict:
                var (twice, here) = Locate(Read<DirectoryEntry>(body));
                catalog.Evict(twice, here.Number);
                return Empty.Instance;
            default:
                throw new UnservedException(StatusCodes.Status404NotFound);
        }
    }

    private static T Read<T>(ReadOnlyMemory<byte> body) => (T?)ContractSerializer.Deserialize(body.Span, typeof(T)) ?? throw new JsonException();

    private static (GrainId, Location) Locate(DirectoryEntry entry)
        => (new GrainId(entry.Class, new GrainKey(entry.Key)), new Location(SiloAddress.FromParsableString(entry.Silo), entry.Number));

    private static DirectoryEntry Describe(GrainId grain, Location location)
        => new() { Class = grain.Class, Key = grain.Key.Text, Silo = location.Silo.ToParsableString(), Number = location.Number };
}
