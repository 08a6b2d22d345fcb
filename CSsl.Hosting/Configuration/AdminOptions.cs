namespace CSsl.Hosting.Configuration;

/// <summary>Section <c>Admin</c>: what admin endpoints serve beyond what they always do.</summary>
public sealed class AdminOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Admin";

    /// <summary>Orleans's dashboard, at /orleans of the silos' admin endpoints. It asks for no password, so <see cref="SiloOptions.Admin"/> must be a loopback address.</summary>
    public bool OrleansDashboard { get; set; }
}
