using System.Collections.Immutable;
using Orleans.Runtime;

namespace CSsl.Tests.Support;

/// <summary>Orleans's membership, as a test says it is.</summary>
internal sealed class FakeMembership : IClusterMembershipService
{
    private ImmutableDictionary<SiloAddress, ClusterMember> _members = ImmutableDictionary<SiloAddress, ClusterMember>.Empty;
    private long _version;

    public ClusterMembershipSnapshot CurrentSnapshot => new(_members, new MembershipVersion(_version));

    IAsyncEnumerable<ClusterMembershipSnapshot> IClusterMembershipService.MembershipUpdates => throw new NotSupportedException();

    public void Set(SiloAddress silo, SiloStatus status)
    {
        _members = _members.SetItem(silo, new ClusterMember(silo, status, $"{silo}"));
        _version++;
    }

    ValueTask IClusterMembershipService.Refresh(MembershipVersion minimumVersion, CancellationToken cancellationToken) => throw new NotSupportedException();

    Task<bool> IClusterMembershipService.TryKill(SiloAddress siloAddress) => throw new NotSupportedException();
}
