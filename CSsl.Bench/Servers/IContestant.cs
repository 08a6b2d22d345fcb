namespace CSsl.Bench.Servers;

/// <summary>A TLS server under measurement, in front of the common origin.</summary>
internal interface IContestant : IAsyncDisposable
{
    /// <summary>As the report names it.</summary>
    string Name { get; }

    /// <summary>Its HTTPS port on 127.0.0.1.</summary>
    int Port { get; }

    /// <summary>The processes whose CPU counts: all of it, without the origin.</summary>
    IReadOnlyList<int> ProcessIds { get; }
}
