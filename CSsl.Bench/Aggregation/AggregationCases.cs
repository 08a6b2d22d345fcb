namespace CSsl.Bench.Aggregation;

/// <summary>A way to run a silo.</summary>
/// <param name="Name">As the report names it.</param>
/// <param name="Settings">Of the command line.</param>
internal sealed record AggregationVariant(string Name, IReadOnlyList<string> Settings)
{
    /// <summary>The first is the yardstick.</summary>
    public static IReadOnlyList<AggregationVariant> All { get; } =
    [
        new("managed, a call per record", ["--Engine=Managed", "--Aggregation:RecordsPerCall=1"]),
        new("managed, aggregated", ["--Engine=Managed"]),
        new("ipsec-mb, a call per record", ["--Engine=IpsecMb", "--Aggregation:RecordsPerCall=1"]),
        new("ipsec-mb, aggregated", ["--Engine=IpsecMb"]),
    ];
}

/// <summary>What clients ask for.</summary>
/// <param name="Suite">OpenSSL's name of a TLS 1.2 suite; null for TLS_AES_128_GCM_SHA256.</param>
/// <param name="Bytes">Size of an object.</param>
internal sealed record AggregationLoad(string? Suite, int Bytes)
{
    public static IReadOnlyList<AggregationLoad> All { get; } =
    [
        new(null, 1024),
        new(null, 1 << 20),
        new("ECDHE-RSA-AES256-SHA384", 1024),
        new("ECDHE-RSA-AES256-SHA384", 1 << 20),
    ];

    public string Name => $"{Suite ?? "TLS_AES_128_GCM_SHA256"}, {(Bytes >= 1 << 20 ? $"{Bytes >> 20} MB" : $"{Bytes >> 10} KB")}";

    public string Path => $"/bytes/{Bytes}";
}

/// <summary>One round.</summary>
/// <param name="CpuPerGigabyte">CPU seconds of the data silo per 10^9 bytes of objects.</param>
/// <param name="CpuPerMillionRecords">CPU seconds of it per million records to clients.</param>
/// <param name="RequestsPerSecond">Requests that were answered.</param>
/// <param name="RecordsPerCall">Records of an engine call, both directions, in the last second of the load.</param>
internal sealed record AggregationResult(double CpuPerGigabyte, double CpuPerMillionRecords, double RequestsPerSecond, double RecordsPerCall);
