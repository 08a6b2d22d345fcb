using System.Collections.Frozen;
using System.Reflection;
using Orleans.Runtime;
using Orleans.Storage;

namespace CSsl.EmbeddedCluster.Wire;

/// <summary>
/// Exceptions that cross the wire as type name and message. A known type comes back as itself, any other as <see cref="OrleansException"/>:
/// a peer names a type, it never makes this process load or construct one that was not listed before.
/// </summary>
internal sealed class RemoteExceptions
{
    private static readonly Dictionary<string, Func<string, Exception>> WellKnown = new()
    {
        [typeof(ArgumentException).FullName!] = static m => new ArgumentException(m),
        [typeof(ArgumentNullException).FullName!] = static m => new ArgumentNullException(null, m),
        [typeof(ArgumentOutOfRangeException).FullName!] = static m => new ArgumentOutOfRangeException(null, m),
        [typeof(InvalidOperationException).FullName!] = static m => new InvalidOperationException(m),
        [typeof(NotSupportedException).FullName!] = static m => new NotSupportedException(m),
        [typeof(KeyNotFoundException).FullName!] = static m => new KeyNotFoundException(m),
        [typeof(UnauthorizedAccessException).FullName!] = static m => new UnauthorizedAccessException(m),
        [typeof(FormatException).FullName!] = static m => new FormatException(m),
        [typeof(IOException).FullName!] = static m => new IOException(m),
        [typeof(TimeoutException).FullName!] = static m => new TimeoutException(m),
        [typeof(OperationCanceledException).FullName!] = static m => new OperationCanceledException(m),
        [typeof(TaskCanceledException).FullName!] = static m => new TaskCanceledException(m),
        [typeof(OrleansException).FullName!] = static m => new OrleansException(m),
        [typeof(OrleansMessageRejectionException).FullName!] = static m => new OrleansMessageRejectionException(m),
        [typeof(SiloUnavailableException).FullName!] = static m => new SiloUnavailableException(m),
        [typeof(InconsistentStateException).FullName!] = static m => new InconsistentStateException(m),
    };

    private readonly FrozenDictionary<string, Func<string, Exception>> _known;

    /// <param name="application">Their public exceptions that are made from a message alone are known too.</param>
    public RemoteExceptions(IEnumerable<Assembly> application)
    {
        var known = new Dictionary<string, Func<string, Exception>>(WellKnown);
        foreach (var type in application.SelectMany(static a => a.GetExportedTypes()).Where(static t => t is { IsAbstract: false, IsGenericType: false } && t.IsSubclassOf(typeof(Exception))))
        {
            if (type.GetConstructor([typeof(string)]) is { } constructor)
                known.TryAdd(type.FullName!, m => (Exception)constructor.Invoke([m]));
        }
        _known = known.ToFrozenDictionary();
    }

    public static RemoteFailure Describe(Exception exception) => new() { Type = exception.GetType().FullName!, Message = exception.Message };

    public Exception Restore(RemoteFailure failure) => _known.TryGetValue(failure.Type, out var make)
        ? make(failure.Message)
        : new OrleansException($"{failure.Type}: {failure.Message}");
}
