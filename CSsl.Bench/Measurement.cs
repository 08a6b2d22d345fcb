using System.Diagnostics;

namespace CSsl.Bench;

/// <summary>One round of one contestant.</summary>
/// <param name="Units">Handshakes or gigabytes.</param>
/// <param name="ServerSeconds">CPU of all its processes.</param>
/// <param name="OriginSeconds">CPU of the origin behind it.</param>
/// <param name="WallSeconds">Time on the clock.</param>
internal sealed record Measurement(double Units, double ServerSeconds, double OriginSeconds, double WallSeconds)
{
    public double ServerPerUnit => ServerSeconds / Units;

    public double OriginPerUnit => OriginSeconds / Units;

    public double UnitsPerSecond => Units / WallSeconds;

    /// <summary>Measures what <paramref name="work"/> costs.</summary>
    /// <param name="server">Processes of the contestant.</param>
    /// <param name="origin">Processes of the origin.</param>
    /// <param name="work">Loads the contestant; returns how many units were done.</param>
    public static async Task<Measurement> TakeAsync(IReadOnlyList<int> server, IReadOnlyList<int> origin, Func<Task<double>> work)
    {
        double serverBefore = CpuTime.Of(server), originBefore = CpuTime.Of(origin);
        long start = Stopwatch.GetTimestamp();
        double units = await work();
        return new Measurement(units, CpuTime.Of(server) - serverBefore, CpuTime.Of(origin) - originBefore, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }
}

/// <summary>All rounds of one contestant.</summary>
internal sealed record Series(string Name, IReadOnlyList<Measurement> Rounds)
{
    public double Median(Func<Measurement, double> value) => Rounds.Select(value).Median();

    /// <summary>The median over rounds of this contestant's cost divided by the other's in the same round.</summary>
    public double MedianRatioTo(Series other) => Rounds.Zip(other.Rounds, (mine, theirs) => mine.ServerPerUnit / theirs.ServerPerUnit).Median();
}
