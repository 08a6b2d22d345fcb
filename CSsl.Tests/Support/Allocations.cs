using Xunit;

namespace CSsl.Tests.Support;

/// <summary>What the calling thread allocates.</summary>
internal static class Allocations
{
    private const int Tries = 20;

    /// <summary>Fails unless <paramref name="work"/>, once it has run, allocates nothing.</summary>
    /// <remarks>A collection that other tests cause in the middle leaves the count some kilobytes too high: what is left of the thread's allocation
    /// buffer is counted. So one try of several has to count nothing; work that allocates does so in all of them.</remarks>
    public static void AssertNone(Action work)
    {
        work();
        var least = long.MaxValue;
        for (var i = 0; i < Tries && least > 0; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            work();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }
}
