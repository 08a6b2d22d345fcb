using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using CSsl.Link;
using CSsl.Silo.Exchanges;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace CSsl.Silo.Transport;

/// <summary>What a <see cref="DecryptedConnection"/> tells the end that does the TLS. From any thread.</summary>
internal interface IDecryptedConnectionOwner
{
    /// <summary>The application consumed so many bytes of input.</summary>
    void InputConsumed(int bytes);

    /// <summary>The application waits for input.</summary>
    void InputAwaited();

    /// <summary>The application gives up: nobody must take what was sent for the whole.</summary>
    void Abort(string reason);

    /// <summary>The application threw when it was told that the connection is closed.</summary>
    void CallbackFailed(Exception error);

    /// <summary>The application is done; what it wrote may still be on its way.</summary>
    void ApplicationDone();
}

/// <summary>A client connection as Kestrel sees it: plaintext pipes, the client's real address, and what TLS agreed on.</summary>
internal sealed class DecryptedConnection : ConnectionContext,
    IConnectionIdFeature, IConnectionTransportFeature, IConnectionItemsFeature, IConnectionLifetimeFeature, IConnectionEndPointFeature, IMemoryPoolFeature
{
    // The output may run ahead of the link by this much; the input is limited by the link's credit alone.
    private const int OutputPause = 64 * 1024;

    private readonly CancellationTokenSource _closed = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly IDecryptedConnectionOwner _owner;
    private readonly Pipe _input;
    private readonly Pipe _output;
    private readonly CreditedPipeReader _applicationInput;
    private IDictionary<object, object?>? _items;
    private string? _id;

    /// <param name="attach">Who is at the other end.</param>
    /// <param name="tls">What TLS agreed on.</param>
    /// <param name="pool">For the pipes, and for Kestrel's own.</param>
    /// <param name="owner">The end that does the TLS.</param>
    public DecryptedConnection(Attach attach, TlsFeatures tls, MemoryPool<byte> pool, IDecryptedConnectionOwner owner)
    {
        _owner = owner;
        MemoryPool = pool;
        SessionId = attach.SessionId;
        RemoteEndPoint = Plain(attach.Client);
        LocalEndPoint = Plain(attach.Server);
        ConnectionClosed = _closed.Token;

        // Whatever wakes the application goes through the thread pool: it never runs on a link's read loop or in a link's turn. What wakes us runs at once.
        _input = new Pipe(new PipeOptions(pool, readerScheduler: PipeScheduler.ThreadPool, writerScheduler: PipeScheduler.Inline,
            pauseWriterThreshold: 0, resumeWriterThreshold: 0, useSynchronizationContext: false));
        _output = new Pipe(new PipeOptions(pool, readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.ThreadPool,
            pauseWriterThreshold: OutputPause, resumeWriterThreshold: OutputPause / 2, useSynchronizationContext: false));
        _applicationInput = new CreditedPipeReader(_input.Reader, owner.InputConsumed, owner.InputAwaited);
        Transport = new Duplex(_applicationInput, _output.Writer);

        Features = new FeatureCollection(initialCapacity: 24);
        Features.Set<IConnectionIdFeature>(this);
        Features.Set<IConnectionTransportFeature>(this);
        Features.Set<IConnectionItemsFeature>(this);
        Features.Set<IConnectionLifetimeFeature>(this);
        Features.Set<IConnectionEndPointFeature>(this);
        Features.Set<IMemoryPoolFeature>(this);
        Features.Set<ITlsConnectionFeature>(tls);
        Features.Set<ITlsHandshakeFeature>(tls);
        Features.Set<ITlsApplicationProtocolFeature>(tls);
        Features.Set<IDecryptedConnectionFeature>(tls);
    }

    public Guid SessionId { get; }

    public override string ConnectionId
    {
        get => _id ??= SessionId.ToString();
        set => _id = value;
    }

    public override IFeatureCollection Features { get; }

    public override IDictionary<object, object?> Items
    {
        get => _items ??= new ConnectionItems();
        set => _items = value;
    }

    public override IDuplexPipe Transport { get; set; }

    public MemoryPool<byte> MemoryPool { get; }

    /// <summary>Where what the client sent goes in.</summary>
    public PipeWriter Input => _input.Writer;

    /// <summary>Where what the application wrote comes out.</summary>
    public PipeReader Output => _output.Reader;

    /// <summary>True while the application waits for input. Any thread may ask.</summary>
    public bool IsInputAwaited => _applicationInput.IsWaiting;

    /// <summary>Lets an HTTP/1.1 connection's exchanges be told, between the application and the pipes. Before the application has it.</summary>
    public HttpExchanges Count(IExchangeOwner owner, Takeover? takeover)
    {
        var exchanges = new HttpExchanges(_output.Writer, owner, takeover);
        Transport = new Duplex(_applicationInput, exchanges.Output);
        Features.Set(exchanges);
        return exchanges;
    }

    /// <summary>Ends the connection in order without the application ever having it.</summary>
    /// <param name="response">What the client is told before that.</param>
    public void EndUnseen(ReadOnlySpan<byte> response)
    {
        _input.Reader.Complete();
        _output.Writer.Write(response);
        _output.Writer.Complete();
    }

    /// <summary>Asks the application to finish; false before it has seen the connection.</summary>
    public bool TryRequestClose()
    {
        if (Features.Get<IConnectionLifetimeNotificationFeature>() is not { } lifetime)
            return false;
        lifetime.RequestClose();
        return true;
    }

    /// <param name="abortReason">Kestrel has none when a connection is closed that was over anyway.</param>
    public override void Abort(ConnectionAbortedException? abortReason) => _owner.Abort(abortReason?.Message ?? "the application gave up");

    public override void Abort() => Abort(abortReason: null);

    /// <summary>Tells the application, on the thread pool, that no request can be answered any more.</summary>
    public void SignalClosed() => ThreadPool.UnsafeQueueUserWorkItem(static self => self.CancelClosed(), this, preferLocal: false);

    /// <summary>The connection is over.</summary>
    public void End()
    {
        SignalClosed();
        _ended.TrySetResult();
    }

    /// <summary>The application is done with it. Returns once the client has all that the application wrote, or is gone.</summary>
    public override async ValueTask DisposeAsync()
    {
        await Transport.Input.CompleteAsync();
        await Transport.Output.CompleteAsync();
        _owner.ApplicationDone();
        await _ended.Task;
        await base.DisposeAsync();
    }

    private void CancelClosed()
    {
        try
        {
            _closed.Cancel();
        }
        catch (AggregateException e)
        {
            // On a pool thread: nobody above would catch it.
            _owner.CallbackFailed(e);
        }
    }

    /// <summary>Without the detour through IPv6 that a dual-stack socket gives an IPv4 address: it goes into X-Forwarded-For.</summary>
    private static IPEndPoint Plain(IPEndPoint endpoint)
        => endpoint.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(endpoint.Address.MapToIPv4(), endpoint.Port) : endpoint;

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}

/// <summary>Set on every connection that came over a data link: who decrypts it, and how.</summary>
public interface IDecryptedConnectionFeature
{
    /// <summary>The session's id in the cluster.</summary>
    Guid SessionId { get; }

    /// <summary>The silo that serves the session.</summary>
    string SiloName { get; }

    /// <summary>Version and suite for people, such as "TLSv1.3 TLS_AES_128_GCM_SHA256", with " resumed" behind it when the handshake was an abbreviated one.</summary>
    string TlsDescription { get; }
}
