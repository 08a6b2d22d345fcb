// The engine pins the jobs of a call, and writes no reference through a pointer.
#pragma warning disable CS8500

using System.Security.Cryptography;
using CSsl.Tls.Engines.Managed;

namespace CSsl.Tls.Engines.IpsecMb;

/// <summary>
/// libIPSec_MB: AES-GCM and ChaCha20-Poly1305 with the widest instructions that the processor has, and AES-CBC with HMAC in lanes, one record in
/// each, which makes the slowest suites several times as fast as one record after the other can be.
/// </summary>
/// <remarks>
/// <para>A CBC record that has no company is left to .NET's ciphers: a lane alone is slower than they are. <see cref="Crossover"/> says from how many
/// records of a kind on lanes are worth it.</para>
/// <para>MAC-then-encrypt records are opened by <see cref="ManagedDecryptThenVerifyKey"/>: their opening must take the same time whatever the
/// padding, and the library's does not.</para>
/// </remarks>
internal sealed unsafe class IpsecMbEngine : IRecordEngine
{
    private const int Kinds = 4;

    private readonly IpsecMbLibrary _library;
    private readonly IpsecMbWorkers _workers;

    private IpsecMbEngine(IpsecMbLibrary library)
    {
        _library = library;
        _workers = new IpsecMbWorkers(library);
        Name = $"ipsec-mb {library.Version} ({library.Instructions})";
    }

    /// <summary>Loads the library and tests it.</summary>
    /// <exception cref="RecordEngineException">It can't be used; says why.</exception>
    public static IpsecMbEngine Create(IIpsecMbExports exports)
    {
        var engine = new IpsecMbEngine(new IpsecMbLibrary(exports));
        try
        {
            EngineSelfTest.Run(engine, ManagedEngine.Instance);
            engine.Crossover = Crossover.Measure(engine);
            return engine;
        }
        catch
        {
            engine.Dispose();
            throw;
        }
    }

    public string Name { get; }

    public int Lanes => _library.Lanes;

    /// <summary>From how many records of a kind on they go to the lanes.</summary>
    public Crossover Crossover { get; set; } = Crossover.Always;

    public RecordKey CreateKey(in RecordKeyMaterial material) => material.Suite.Kind switch
    {
        CipherKind.AesGcm => new GcmKey(_library, material),
        CipherKind.ChaCha20Poly1305 => new ChaChaKey(material),
        _ when material is { EncryptThenMac: false, Direction: RecordDirection.Open } => ManagedKey.Create(material),
        _ => new CbcKey(_library, material),
    };

    public void Run(Span<RecordJob> jobs)
    {
        IpsecMbWorker? worker = null;
        try
        {
            fixed (RecordJob* first = jobs)
                Run(first, jobs.Length, ref worker);
            if (worker is { IsBroken: true })
                throw new RecordEngineException($"{Name} failed.");
        }
        finally
        {
            if (worker is not null)
                _workers.Return(worker);
        }
    }

    public void Dispose() => _workers.Dispose();

    private void Run(RecordJob* jobs, int count, ref IpsecMbWorker? worker)
    {
        var context = stackalloc byte[GcmKey.ContextLength];
        var waiting = stackalloc int[Kinds];
        new Span<int>(waiting, Kinds).Clear();
        for (var job = jobs; job < jobs + count; job++)
        {
            if (job->Status != RecordJobStatus.Ready)
                continue;
            switch (job->Key)
            {
                case GcmKey key:
                    key.Run(job, context);
                    break;
                case ChaChaKey key:
                    (worker ??= _workers.Rent()).Run(key, job);
                    break;
                case CbcKey key:
                    waiting[(int)key.Kind]++;
                    break;
                case ManagedKey key:
                    key.Run(ref *job);
                    break;
                default:
                    throw new ArgumentException("A key of another engine.", nameof(jobs));
            }
        }

        CryptographicOperations.ZeroMemory(new Span<byte>(context, GcmKey.ContextLength));
        for (var kind = 0; kind < Kinds; kind++)
        {
            if (waiting[kind] == 0)
                continue;
            if (waiting[kind] >= Crossover.Of((CbcKind)kind))
                (worker ??= _workers.Rent()).Run(jobs, count, (CbcKind)kind);
            else
                RunAlone(jobs, count, (CbcKind)kind);
        }
    }

    private static void RunAlone(RecordJob* jobs, int count, CbcKind kind)
    {
        for (var job = jobs; job < jobs + count; job++)
        {
            if (job->Status == RecordJobStatus.Ready && job->Key is CbcKey key && key.Kind == kind)
                key.Alone.Run(ref *job);
        }
    }
}
