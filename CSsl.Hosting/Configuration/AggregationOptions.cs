using System.ComponentModel.DataAnnotations;
using CSsl.Grains.Aggregation;
using CSsl.Link;

namespace CSsl.Hosting.Configuration;

/// <summary>Section <c>Aggregation</c>: how a silo puts the records of its connections together for the record engine.</summary>
public sealed class AggregationOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Aggregation";

    /// <summary>The most records that one engine call seals or opens. 1: every record has a call of its own, as without aggregation.</summary>
    [Range(1, AggregationChange.MostRecordsPerCall)]
    public int RecordsPerCall { get; set; } = RecordBatch.UsualRecords;

    /// <summary>How long an engine call waits for the records of more links while it has fewer than the engine has lanes; 0: it doesn't wait. At most 10 ms.</summary>
    [Range(typeof(TimeSpan), "00:00:00", AggregationChange.LongestDelay)]
    public TimeSpan MaxDelay { get; set; }
}
