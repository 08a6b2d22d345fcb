using System.Runtime.InteropServices;

namespace CSsl.Tls.Engines.IpsecMb;

/// <summary>libIPSec_MB as it was found: its version, the instructions that it chose for this processor, and its functions. Thread-safe.</summary>
/// <remarks>
/// The versions from 1.3 (the first with these lanes for HMAC and CBC on all its architectures) to 1.5 (the last under this name) have the layouts
/// that are used here: see <see cref="ImbFunctions"/> and <see cref="ImbJob"/>. What they can't promise, <see cref="Check"/> and the self-test check.
/// </remarks>
internal sealed unsafe class IpsecMbLibrary
{
    private const uint OldestVersion = 0x10300;
    private const uint FirstVersionWithLongerKeys = 0x10400;
    private const uint FirstUnknownVersion = 0x10600;

    private readonly delegate* unmanaged<ulong, void*> _allocate;
    private readonly delegate* unmanaged<void*, void> _free;
    private readonly delegate* unmanaged<void*, int*, void> _initialize;
    private readonly delegate* unmanaged<void*, int> _error;
    private readonly nuint _managerSize;

    /// <exception cref="RecordEngineException">It can't be used; says why.</exception>
    public IpsecMbLibrary(IIpsecMbExports exports)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
            throw new RecordEngineException($"{IpsecMbExports.Library} is for x86-64 only");

        var version = ((delegate* unmanaged<uint>)exports.Find("imb_get_version"))();
        Version = $"{version >> 16}.{(version >> 8) & 0xFF}.{version & 0xFF}";
        if (version is < OldestVersion or >= FirstUnknownVersion)
            throw new RecordEngineException($"{IpsecMbExports.Library} is version {Version}, and 1.3 to 1.5 are needed");

        _allocate = (delegate* unmanaged<ulong, void*>)exports.Find("alloc_mb_mgr");
        _free = (delegate* unmanaged<void*, void>)exports.Find("free_mb_mgr");
        _initialize = (delegate* unmanaged<void*, int*, void>)exports.Find("init_mb_mgr_auto");
        _error = (delegate* unmanaged<void*, int>)exports.Find("imb_get_errno");
        _managerSize = ((delegate* unmanaged<nuint>)exports.Find("imb_get_mb_mgr_size"))();
        GcmKeyLength = version < FirstVersionWithLongerKeys ? 1024 : 1280;

        using var manager = CreateManager();
        Instructions = *(int*)(manager.Pointer + ImbFunctions.ArchitectureOffset) switch
        {
            1 => "no AES-NI",
            2 => "SSE",
            3 => "AVX",
            4 => "AVX2",
            5 => "AVX512",
            var other => throw new RecordEngineException($"{IpsecMbExports.Library} {Version} chose an unknown architecture, {other}"),
        };
        Lanes = Instructions switch { "AVX512" => 16, "AVX2" => 8, _ => 4 };
        Functions = Check(manager);
    }

    /// <summary>For example "1.3.0".</summary>
    public string Version { get; }

    /// <summary>For example "AVX512".</summary>
    public string Instructions { get; }

    /// <summary>How many records of one kind its widest lanes hold.</summary>
    public int Lanes { get; }

    /// <summary>Bytes of a gcm_key_data.</summary>
    public int GcmKeyLength { get; }

    public ImbFunctions Functions { get; }

    /// <exception cref="RecordEngineException">No memory, or not for this processor.</exception>
    public ImbManager CreateManager()
    {
        var pointer = _allocate(0);
        if (pointer == null)
            throw new RecordEngineException($"{IpsecMbExports.Library} has no memory for a manager");
        var manager = new ImbManager((nint)pointer, _free);
        _initialize(pointer, null);
        if (_error(pointer) is var error and not 0)
        {
            manager.Dispose();
            throw new RecordEngineException($"{IpsecMbExports.Library} {Version} does not run on this processor (error {error})");
        }

        return manager;
    }

    /// <summary>Whether the manager is laid out as it should be: functions where they are expected, and a ring of jobs inside it.</summary>
    private ImbFunctions Check(ImbManager manager)
    {
        for (var offset = ImbFunctions.FirstOffset; offset <= ImbFunctions.LastOffset; offset += sizeof(nint))
        {
            if (*(nint*)(manager.Pointer + offset) == 0)
                throw Unexpected();
        }

        var functions = new ImbFunctions(manager.Pointer);
        var job = (byte*)functions.GetNextJob(manager.Pointer);
        if (job < manager.Pointer + ImbFunctions.LastOffset || job + sizeof(ImbJob) > manager.Pointer + _managerSize)
            throw Unexpected();
        return functions;
    }

    private RecordEngineException Unexpected() => new($"{IpsecMbExports.Library} {Version} is not laid out as its version is");
}

/// <summary>Where the functions of libIPSec_MB come from: the library, or in tests what stands for a library that is old, broken or not there.</summary>
internal interface IIpsecMbExports
{
    /// <summary>Address of an exported function.</summary>
    /// <exception cref="RecordEngineException">There is no such library or function.</exception>
    nint Find(string function);
}

/// <summary>The shared library, found as the system finds libraries. Loaded once and kept: keys and managers hold addresses in it.</summary>
internal sealed class IpsecMbExports(string library = IpsecMbExports.Library) : IIpsecMbExports
{
    /// <summary>The name of every 1.x (Debian and Ubuntu: package libipsec-mb1).</summary>
    public const string Library = "libIPSec_MB.so.1";

    private readonly Lazy<nint> _handle = new(() => NativeLibrary.TryLoad(library, out var handle)
        ? handle
        : throw new RecordEngineException($"{library} is not installed"));

    public nint Find(string function) => NativeLibrary.TryGetExport(_handle.Value, function, out var address)
        ? address
        : throw new RecordEngineException($"{library} has no function {function}");
}
