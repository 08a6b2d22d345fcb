using System.Collections.Immutable;
using System.Data.Common;
using System.Net;
using Orleans.Runtime;

namespace CSsl.EmbeddedCluster.Cluster;

/// <summary>A silo's row, and when it last said that it is alive.</summary>
internal sealed record MembershipRow(Member Member, DateTimeOffset AliveAt);

/// <summary>The membership table as it was at one version.</summary>
internal sealed record MembershipRows(int Version, ImmutableArray<MembershipRow> Rows)
{
    public ClusterSnapshot Snapshot => new(Version, [.. Rows.Select(static row => row.Member)]);

    public MembershipRow? Find(SiloAddress silo) => Rows.FirstOrDefault(row => row.Member.Address.Equals(silo));

    public SiloStatus StatusOf(SiloAddress silo) => Find(silo)?.Member.Status ?? SiloStatus.Dead;

    /// <summary>From the rows of MembershipReadAllKey: each has the version, and the first may have no silo.</summary>
    public static MembershipRows From(List<(int Version, MembershipRow? Row)> read)
        => read.Count == 0 ? new MembershipRows(0, []) : new MembershipRows(read[0].Version, [.. read.Select(static r => r.Row).OfType<MembershipRow>()]);

    public static (int Version, MembershipRow? Row) Read(DbDataReader row)
    {
        var version = row.GetInt32(row.GetOrdinal("Version"));
        var address = row.GetOrdinal("Address");
        if (row.IsDBNull(address))
            return (version, null);
        var silo = SiloAddress.New(new IPEndPoint(IPAddress.Parse(row.GetString(address)), row.GetInt32(row.GetOrdinal("Port"))), row.GetInt32(row.GetOrdinal("Generation")));
        var member = new Member(silo, row.GetString(row.GetOrdinal("SiloName")), (SiloStatus)row.GetInt32(row.GetOrdinal("Status")));
        return (version, new MembershipRow(member, new DateTimeOffset(DateTime.SpecifyKind(row.GetDateTime(row.GetOrdinal("IAmAliveTime")), DateTimeKind.Utc))));
    }
}
