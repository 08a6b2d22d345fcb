namespace Orleans.Runtime;

/// <summary>The silo of this process.</summary>
public interface ILocalSiloDetails
{
    string Name { get; }

    string ClusterId { get; }

    /// <exception cref="InvalidOperationException">The silo has not started: it has no address yet.</exception>
    SiloAddress SiloAddress { get; }
}
