using System.Collections.Concurrent;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;
using CSsl.Link;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CSsl.Silo.Links;

/// <summary>The silo's end of the links that gateways make: the listener, and all links while they live.</summary>
internal sealed partial class SiloLinks(
    LinkSetup setup,
    ILinkAcceptor acceptor,
    LinkMetrics metrics,
    IOptions<SiloOptions> options,
    DescriptorBudget budget,
    ILogger<SiloLinks> logger) : IHostedService
{
    private readonly ConcurrentDictionary<DataLink, bool> _links = new();
    private LinkListener? _listener;
    private volatile bool _leaving;

    /// <summary>Where gateways connect, with the real port.</summary>
    public string Endpoint => _listener?.Endpoint ?? throw new InvalidOperationException("The link listener has not been started.");

    /// <summary>Asks every gateway, also those that connect later, for no new channels.</summary>
    public void SayGoodbye()
    {
        _leaving = true;
        foreach (var link in _links.Keys)
            link.SayGoodbye();
    }

    /// <summary>Closes every link, as <see cref="SayGoodbye"/> has announced: what is queued leaves first.</summary>
    public Task DropAsync() => Task.WhenAll(_links.Keys.Select(static link => link.DisposeAsync().AsTask()));

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            _listener = LinkListener.Start(options.Value.Link, acceptor, setup, RunAsync, budget.Links);
            LogRoom(budget.Links, budget.Origins, budget.Limit, budget.Reserve);
        }
        catch (LinkException e)
        {
            throw new ConfigurationException($"{SiloOptions.Section}:{nameof(SiloOptions.Link)}: {e.Message}", e);
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_listener is not null)
            await _listener.DisposeAsync();
    }

    private async Task RunAsync(DataLink link, CancellationToken cancellationToken)
    {
        _links.TryAdd(link, true);
        metrics.Add(link);
        LogUp(link.Peer.Name);
        if (_leaving)
            link.SayGoodbye();

        // At the end of the silo, what is queued leaves first.
        await using var stopping = cancellationToken.UnsafeRegister(static state => _ = ((DataLink)state!).DisposeAsync().AsTask(), link);
        var reason = await link.RunAsync(CancellationToken.None);
        _links.TryRemove(link, out _);
        metrics.Remove(link);
        LogDown(link.Peer.Name, reason.Message);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "room for {Links} links and {Origins} connections to origins: this process may open {Limit} files, of which {Reserve} are reserved")]
    private partial void LogRoom(int links, int origins, int limit, int reserve);

    [LoggerMessage(Level = LogLevel.Information, Message = "link with {Gateway} is up")]
    private partial void LogUp(string gateway);

    [LoggerMessage(Level = LogLevel.Information, Message = "link with {Gateway} is down: {Reason}")]
    private partial void LogDown(string gateway, string reason);
}
