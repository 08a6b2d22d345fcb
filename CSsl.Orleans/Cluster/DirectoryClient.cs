using CSsl.EmbeddedCluster.Activations;
using CSsl.EmbeddedCluster.Calls;
using CSsl.EmbeddedCluster.Wire;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace CSsl.EmbeddedCluster.Cluster;

/// <summary>Enters this silo's activations in the directory, at whichever silo owns their keys.</summary>
internal sealed partial class DirectoryClient(SiloAddress self, Membership membership, SiloTransport transport, TimeSpan timeout, ILogger log)
{
    /// <summary>This silo's own part of the directory.</summary>
    public GrainDirectory Local { get; set; } = null!;

    /// <exception cref="SiloUnavailableException">Nobody is active.</exception>
    public static SiloAddress OwnerOf(GrainKey key, ClusterSnapshot view)
        => view.OwnerOf(key) ?? throw new SiloUnavailableException("The cluster has no active silo.");

    /// <summary>Claims a grain for an activation of this silo; returns the silo that has it already, or null when the claim holds.</summary>
    public async ValueTask<SiloAddress?> RegisterAsync(Activation activation)
    {
        while (true)
        {
            var view = membership.Current;
            var owner = OwnerOf(activation.Key, view);
            var answer = owner.Equals(self)
                ? await Local.RegisterAsync(activation.Id, new Location(self, activation.Number)).ConfigureAwait(false)
                : await AskAsync(owner, activation).ConfigureAwait(false);
            if (answer.Elsewhere is { } elsewhere)
                return SiloAddress.FromParsableString(elsewhere);

            // In this order: whoever recovers the directory now either sees the mark, or is seen here as the new owner.
            activation.IsRegistered = answer.IsOwner;
            if (answer.IsOwner && owner.Equals(membership.Current.OwnerOf(activation.Key)))
                return null;
            await membership.RefreshAsync(view.Version + 1).ConfigureAwait(false);
        }
    }

    /// <summary>Gives a claim up, if it still holds. Never throws: a claim that stays is overruled when the grain is not found.</summary>
    public async ValueTask UnregisterAsync(Activation activation)
    {
        if (!activation.IsRegistered || membership.Current.OwnerOf(activation.Key) is not { } owner)
            return;
        activation.IsRegistered = false;
        if (owner.Equals(self))
        {
            Local.Unregister(activation.Id, new Location(self, activation.Number));
            return;
        }
        try
        {
            await transport.SendAsync<Empty>(owner, Operations.Unregister, EntryOf(activation), timeout, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is UndeliveredException or OrleansException or TimeoutException)
        {
            LogUnregisterFailed(log, activation.Id, owner, e.Message);
        }
    }

    private async Task<RegisterAnswer> AskAsync(SiloAddress owner, Activation activation)
    {
        try
        {
            return await transport.SendAsync<RegisterAnswer>(owner, Operations.Register, EntryOf(activation), timeout, CancellationToken.None).ConfigureAwait(false);
        }
        catch (UndeliveredException e)
        {
            // Somebody else is the owner by now, or nobody can say where the grain is until the silo is declared dead.
            var view = await membership.RefreshAsync().ConfigureAwait(false);
            return owner.Equals(view.OwnerOf(activation.Key)) ? throw e.ToUnavailable() : new RegisterAnswer { IsOwner = false };
        }
    }

    private DirectoryEntry EntryOf(Activation activation)
        => new() { Class = activation.Id.Class, Key = activation.Key.Text, Silo = self.ToParsableString(), Number = activation.Number };

    [LoggerMessage(50, LogLevel.Debug, "Grain {Grain} is gone, but silo {Owner} could not be told: {Reason}")]
    private static partial void LogUnregisterFailed(ILogger logger, GrainId grain, SiloAddress owner, string reason);
}
