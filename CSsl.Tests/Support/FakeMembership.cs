using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Orleans.Runtime;

namespace CSsl.Tests.Support;

/// <summary>Orleans's membership, as a test says it is.</summary>
internal sealed class FakeMembership : IClusterMembershipService
{
    private ImmutableDictionary<SiloAddress, ClusterMember> _members = ImmutableDictionary<SiloAddress, ClusterMember>.Empty;
    private long _version;
    private TaskCompletionSource _changed = new();

    public ClusterMembershipSnapshot CurrentSnapshot => new(_members, new MembershipVersion(_version));

    /// <summary>Who reads them has read this one when it returns.</summary>
    public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => UpdatesAsync(CancellationToken.None);

    public void Set(SiloAddress silo, SiloStatus status)
    {
        _members = _members.SetItem(silo, new ClusterMember(silo, status, $"{silo}"));
        _version++;
        var changed = _changed;
        _changed = new TaskCompletionSource();
        changed.SetResult();
    }

    public ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;

    public Task<bool> TryKill(SiloAddress siloAddress) => throw new NotSupportedException();

    private async IAsyncEnumerable<ClusterMembershipSnapshot> UpdatesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            var changed = _changed.Task;
            yield return CurrentSnapshot;
            await changed.WaitAsync(cancellationToken);
        }
    }
}
