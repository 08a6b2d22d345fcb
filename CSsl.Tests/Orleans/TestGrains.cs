using Orleans;
using Orleans.Placement;
using Orleans.Runtime;

namespace CSsl.Tests.Orleans;

/// <summary>A value of every kind that contracts use.</summary>
[GenerateSerializer]
public sealed record Parcel
{
    [Id(0)] public required string Name { get; init; }
    [Id(1)] public ReadOnlyMemory<byte> Bytes { get; init; }
    [Id(2)] public ulong Number { get; init; }
    [Id(3)] public IReadOnlyList<Guid> Ids { get; init; } = [];
    [Id(4)] public DayOfWeek Day { get; init; }
    [Id(5)] public DateTimeOffset At { get; init; }
    [Id(6)] public Parcel? Inner { get; init; }
}

public interface IEchoGrain : IGrainWithStringKey
{
    ValueTask<Parcel> Echo(Parcel parcel, CancellationToken cancellationToken);
    Task<int> Add(int number);
    Task Fail(string type);
    ValueTask<string> Where();
    ValueTask<int> Calls();
    Task Wait(string gate, CancellationToken cancellationToken);
    Task DeactivateSoon();
}

/// <summary>Placed by the engine. Notes what happened to it in <see cref="GrainEvents"/>.</summary>
public class EchoGrain(ILocalSiloDetails silo, GrainEvents events) : Grain, IEchoGrain
{
    private int _sum;
    private int _calls;
    private int _inside;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        events.Add($"activated {this.GetPrimaryKeyString()} {silo.Name}");
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        events.Add($"deactivated {this.GetPrimaryKeyString()} {silo.Name} {reason.ReasonCode}");
        return Task.CompletedTask;
    }

    public ValueTask<Parcel> Echo(Parcel parcel, CancellationToken cancellationToken) => new(parcel);

    public async Task<int> Add(int number)
    {
        if (Interlocked.Increment(ref _inside) != 1)
            events.Add("overlap");
        var sum = _sum;
        await Task.Yield();
        _sum = sum + number;
        Interlocked.Decrement(ref _inside);
        return _sum;
    }

    public async Task Fail(string type)
    {
        await Task.Yield();
        throw type switch
        {
            "argument" => new ArgumentException("bad argument"),
            "own" => new ParcelLostException("lost"),
            "strange" => new StrangeException(7),
            _ => new InvalidOperationException(type),
        };
    }

    public ValueTask<string> Where() => new(silo.Name);

    public ValueTask<int> Calls() => new(++_calls);

    public async Task Wait(string gate, CancellationToken cancellationToken)
    {
        events.Add($"waiting {gate}");
        try
        {
            await events.Gate(gate).WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            events.Add($"canceled {gate}");
            throw;
        }
    }

    public Task DeactivateSoon()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }
}

public interface ILocalGrain : IGrainWithGuidKey
{
    ValueTask<string> Where();
}

/// <summary>Placed where it is called.</summary>
[PreferLocalPlacement]
public class LocalGrain(ILocalSiloDetails silo, GrainEvents events) : Grain, ILocalGrain
{
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        events.Add($"deactivated {this.GetPrimaryKey():N} {silo.Name} {reason.ReasonCode}");
        return Task.CompletedTask;
    }

    public ValueTask<string> Where() => new(silo.Name);
}

/// <summary>An exception of the application that can be made from its message.</summary>
public sealed class ParcelLostException(string message) : Exception(message);

/// <summary>An exception of the application that can't.</summary>
public sealed class StrangeException(int code) : Exception($"code {code}");
