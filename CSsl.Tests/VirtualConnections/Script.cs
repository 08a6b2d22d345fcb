using CSsl.Tests.Tls.Records;
using CSsl.Tls;

namespace CSsl.Tests.VirtualConnections;

/// <summary>What a client does next.</summary>
internal enum StepKind
{
    /// <summary>It asks, and waits for all answers.</summary>
    Ask,

    /// <summary>It asks; before it has the answers, the silos are told to let the session go.</summary>
    AskAndDrain,

    /// <summary>It is silent for so long that it falls asleep.</summary>
    Sleep,

    /// <summary>Its silo has no patience: it lets it go as soon as it may, and whatever comes next is under way already.</summary>
    Doze,

    /// <summary>Its silo lets it go.</summary>
    Drain,

    /// <summary>It changes its key (TLS 1.3).</summary>
    KeyUpdate,
}

/// <param name="Kind">What.</param>
/// <param name="Requests">Sent one behind the other, without waiting.</param>
/// <param name="Pieces">Records that they are sent in, at least.</param>
/// <param name="IsRequested">A KeyUpdate asks for one of the server's.</param>
internal sealed record Step(StepKind Kind, SampleRequest[] Requests, int Pieces, bool IsRequested);

/// <summary>A connection and everything that happens to it, from a seed. What depends on threads does not come again with it: where a cut falls in a response may differ by a frame.</summary>
internal sealed class Script
{
    private const int MostLosses = 10;

    private readonly int _seed;
    private int _requests;

    /// <param name="seed">Everything follows from it.</param>
    /// <param name="isSafe">Only requests that no loss may cost the client: GET with a length and a strong validator, and HEAD; never two at once.</param>
    public Script(int seed, bool isSafe)
    {
        (_seed, IsSafe) = (seed, isSafe);
        var random = new Random(seed);
        var suites = TestSessions.Suites.ToArray();
        (Suite, EncryptThenMac) = suites[random.Next(suites.Length)];
        Losses = random.Next(MostLosses + 1);
        Steps = [.. Enumerable.Range(0, random.Next(2, 8)).Select(_ => NewStep(random))];
    }

    /// <summary>See the constructor.</summary>
    public bool IsSafe { get; }

    public CipherSuite Suite { get; }

    public bool EncryptThenMac { get; }

    /// <summary>How many links may be lost in all.</summary>
    public int Losses { get; }

    public IReadOnlyList<Step> Steps { get; }

    public IReadOnlyList<SampleRequest> Requests => [.. Steps.SelectMany(static step => step.Requests)];

    /// <summary>When the next link is lost.</summary>
    /// <param name="number">Which link of this connection it is, 0 for the first.</param>
    public LossPlan PlanLoss(int number)
    {
        var random = new Random(unchecked((_seed * 31) + number));
        var isSilent = random.Next(2) == 0;

        // The first frames are the interesting ones: Attached, the announced key, the KeyUpdate, the note, the head.
        return random.Next(6) switch
        {
            0 => new LossPlan(random.Next(1, 1500), int.MaxValue, isSilent),
            1 => new LossPlan(int.MaxValue, random.Next(1, 60), isSilent),
            2 => new LossPlan(int.MaxValue, random.Next(1, 1500), isSilent),
            3 => new LossPlan(int.MaxValue, random.Next(1, 20_000), isSilent),
            _ => new LossPlan(int.MaxValue, random.Next(1, 120_000), isSilent),
        };
    }

    public override string ToString()
        => $"new Script({_seed}, isSafe: {IsSafe}): {Suite}, at most {Losses} losses: {string.Join("; ", Steps.Select(static step => $"{step.Kind} {string.Join(", ", step.Requests.AsEnumerable())}"))}";

    private Step NewStep(Random random)
    {
        var isTls13 = CipherSuiteInfo.Get(Suite).Version == TlsVersion.Tls13;
        var kind = random.Next(12) switch
        {
            < 6 => StepKind.Ask,
            6 => StepKind.AskAndDrain,
            7 => StepKind.Drain,
            8 => StepKind.Doze,
            < 11 when isTls13 => StepKind.KeyUpdate,
            _ => StepKind.Sleep,
        };
        var count = kind is not (StepKind.Ask or StepKind.AskAndDrain) ? 0 : IsSafe || random.Next(3) > 0 ? 1 : random.Next(2, 4);
        return new Step(kind, [.. Enumerable.Range(0, count).Select(_ => NewRequest(random))], random.Next(1, 4), random.Next(2) == 0);
    }

    private SampleRequest NewRequest(Random random)
    {
        var id = ((long)_seed * 1000) + _requests++;
        var length = random.Next(4) switch
        {
            0 => random.Next(1, 100),
            1 => random.Next(1, 20_000),
            _ => random.Next(20_000, 200_000),
        };
        var content = IsSafe ? SampleContent.Validated : random.Next(6) switch
        {
            0 => SampleContent.Chunked,
            1 => SampleContent.Unvalidated,
            _ => SampleContent.Validated,
        };
        var method = random.Next(IsSafe ? 5 : 8) switch
        {
            0 => "HEAD",
            < 5 => "GET",
            5 => "PUT",
            _ => "POST",
        };
        var upload = method is not ("PUT" or "POST") ? 0 : random.Next(8) == 0 ? 300_000 : random.Next(0, 30_000);
        return new SampleRequest(id, method, content, length, upload);
    }
}
