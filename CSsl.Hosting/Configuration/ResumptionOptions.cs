using System.ComponentModel.DataAnnotations;

namespace CSsl.Hosting.Configuration;

/// <summary>Section <c>Resumption</c>: how clients come back without a full handshake. The same in every silo.</summary>
public sealed class ResumptionOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Resumption";

    /// <summary>How long after its handshake a session may be resumed.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "7.00:00:00")]
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromHours(2);

    /// <summary>How long the cluster issues tickets under one key. The two keys before it still open tickets.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "365.00:00:00")]
    public TimeSpan TicketKeyRotation { get; set; } = TimeSpan.FromHours(12);

    /// <summary>Keep TLS 1.2 sessions for clients that know session ids but no tickets.</summary>
    public bool SessionIds { get; set; } = true;

    /// <summary>How long a client waits for its session to be found; then it shakes hands in full.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:00:05")]
    public TimeSpan LookupTime { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Sessions that a silo stores or removes in a second; more are not kept.</summary>
    [Range(1, 100_000)]
    public int WritesPerSecond { get; set; } = 200;

    /// <summary>How often a silo asks for the ticket keys.</summary>
    public TimeSpan TicketKeyRefresh => TimeSpan.FromTicks(Math.Clamp(TicketKeyRotation.Ticks / 40, TimeSpan.TicksPerMillisecond * 100, TimeSpan.TicksPerSecond * 30));

    /// <summary>How long a ticket key is known before anybody issues under it: a silo may miss a few answers.</summary>
    public TimeSpan TicketKeyLead => 4 * TicketKeyRefresh;
}
