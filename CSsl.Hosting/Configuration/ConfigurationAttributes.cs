namespace CSsl.Hosting.Configuration;

/// <summary>Marks an option that is a path: a relative one in a file is relative to that file, elsewhere to the working directory.</summary>
/// <remarks>A value with '=' in it is a connection string and stays as it is.</remarks>
[AttributeUsage(AttributeTargets.Property)]
public sealed class FilePathAttribute : Attribute;

/// <summary>Marks an option that is the name of a silo or gateway (<see cref="Grains.Cluster.ProcessName"/>).</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ProcessNameAttribute : Attribute;

/// <summary>Marks an option (or the elements of a list) that is "host:port" with an IP address, "localhost", or "*" for all addresses.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class HostPortAttribute : Attribute;
