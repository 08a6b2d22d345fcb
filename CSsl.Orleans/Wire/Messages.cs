using System.Text.Json;
using Orleans;

namespace CSsl.EmbeddedCluster.Wire;

/// <summary>The paths that a silo answers.</summary>
internal static class Operations
{
    public const string Call = "/call";
    public const string Probe = "/probe";
    public const string Refresh = "/refresh";
    public const string Register = "/directory/register";
    public const string Unregister = "/directory/unregister";
    public const string Recover = "/directory/recover";
    public const string Evict = "/directory/evict";
}

/// <summary>A message without content; also the answer where there is nothing to say.</summary>
[GenerateSerializer]
internal sealed record Empty
{
    public static Empty Instance { get; } = new();
}

/// <summary>A grain call.</summary>
[GenerateSerializer]
internal sealed record CallMessage
{
    [Id(0)] public required string Interface { get; init; }
    [Id(1)] public required string Key { get; init; }
    [Id(2)] public required string Method { get; init; }
    [Id(3)] public required JsonElement[] Arguments { get; init; }

    /// <summary>Silos that passed it on.</summary>
    [Id(4)] public required int Hops { get; init; }

    /// <summary>The directory says that the grain is at the receiver, so it is activated there if it is not.</summary>
    [Id(5)] public required bool Placed { get; init; }
}

/// <summary>What a call returned or threw.</summary>
[GenerateSerializer]
internal sealed record CallAnswer
{
    [Id(0)] public JsonElement? Result { get; init; }
    [Id(1)] public RemoteFailure? Failure { get; init; }
}

/// <summary>An exception on the wire.</summary>
[GenerateSerializer]
internal sealed record RemoteFailure
{
    [Id(0)] public required string Type { get; init; }
    [Id(1)] public required string Message { get; init; }
}

/// <summary>One activation, as the directory knows it.</summary>
[GenerateSerializer]
internal sealed record DirectoryEntry
{
    [Id(0)] public required string Class { get; init; }
    [Id(1)] public required string Key { get; init; }
    [Id(2)] public required string Silo { get; init; }
    [Id(3)] public required long Number { get; init; }
}

/// <summary>The answer to Register.</summary>
[GenerateSerializer]
internal sealed record RegisterAnswer
{
    /// <summary>False: ask somebody else, the membership has changed.</summary>
    [Id(0)] public required bool IsOwner { get; init; }

    /// <summary>The silo that has the grain already.</summary>
    [Id(1)] public string? Elsewhere { get; init; }
}

/// <summary>Activations that the silo holds and that the asking silo is the owner of.</summary>
[GenerateSerializer]
internal sealed record RecoverAnswer
{
    [Id(0)] public required DirectoryEntry[] Entries { get; init; }
}

/// <summary>Asks a silo for its part of the directory.</summary>
[GenerateSerializer]
internal sealed record RecoverMessage
{
    /// <summary>The asking silo.</summary>
    [Id(0)] public required string Owner { get; init; }
}
