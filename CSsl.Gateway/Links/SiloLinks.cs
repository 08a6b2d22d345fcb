using CSsl.Grains.Cluster;
using CSsl.Link;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CSsl.Gateway.Links;

/// <summary>
/// The gateway's links: one with every silo of the cluster view, whatever its role, so that a dead silo is known at once and a hung one
/// within two seconds, and nobody ever waits for a connection to be made.
/// </summary>
/// <remarks>A silo that the view loses keeps its link until that breaks: the bytes of clients don't depend on the control plane.</remarks>
internal sealed partial class SiloLinks : BackgroundService
{
    private readonly ClusterViewHolder _view;
    private readonly LinkSetup _setup;
    private readonly ILogger<SiloLinks> _logger;
    private readonly SiloPicker _picker;
    private readonly Lock _gate = new();
    private readonly Dictionary<Guid, Task> _running = [];
    private volatile IReadOnlyDictionary<Guid, SiloLink> _links = new Dictionary<Guid, SiloLink>();
    private ChangeNotice _nextChange = new();
    private CancellationToken _stopping;

    public SiloLinks(ClusterViewHolder view, LinkSetup setup, ILogger<SiloLinks> logger, Random? random = null)
    {
        (_view, _setup, _logger) = (view, setup, logger);
        _picker = new SiloPicker(view, IsUp, setup.Time, random);
    }

    /// <summary>True when both roles have a silo that can be reached: a client would be served.</summary>
    public bool CanServe => _picker.CanPick(SiloRoles.Handshake) && _picker.CanPick(SiloRoles.Data);

    /// <summary>True when that run of the silo can be given new channels.</summary>
    public bool IsUp(SiloReport silo) => Find(silo) is { IsUsable: true };

    /// <summary>The next of what <see cref="Changed"/> tells.</summary>
    public ChangeNotice NextChange => Volatile.Read(ref _nextChange);

    /// <summary>Raised when a link came up or was lost, and when the view changed; handlers don't block.</summary>
    public event Action? Changed;

    /// <summary>The link with a silo for <paramref name="role"/>; null when there is none.</summary>
    /// <param name="role">What it is to do.</param>
    /// <param name="tried">Names of silos that have failed this client already.</param>
    public SiloLink? Pick(SiloRoles role, IReadOnlyCollection<string>? tried = null)
    {
        while (_picker.Pick(role, tried) is { } silo)
        {
            if (Find(silo) is { IsUsable: true } link)
                return link;

            // It went down, or said goodbye, since the picker's last look.
            tried = [.. tried ?? [], silo.Name];
        }

        return null;
    }

    /// <summary>The link with the data silo of that name; null when there is none, or it takes no sessions.</summary>
    public SiloLink? Find(string name)
        => _view.Current.Silos.FirstOrDefault(silo => silo.Name == name && silo.State == SiloState.Active && silo.Roles.HasFlag(SiloRoles.Data)) is { } silo && Find(silo) is { IsUsable: true } link ? link : null;

    /// <inheritdoc/>
    public override void Dispose()
    {
        _picker.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        _stopping = stoppingToken;
        _view.Changed += OnViewChanged;
        OnViewChanged(_view.Current);
        await Task.Delay(Timeout.Infinite, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _view.Changed -= OnViewChanged;
        Task[] running;
        lock (_gate)
            running = [.. _running.Values];
        await Task.WhenAll(running);
    }

    private SiloLink? Find(SiloReport silo) => _links.GetValueOrDefault(silo.Incarnation);

    private void OnViewChanged(ClusterView view)
    {
        lock (_gate)
        {
            if (_stopping.IsCancellationRequested)
                return;

            // Not the one that was told of: who comes late must not bring an older view back.
            var silos = _view.Current.Silos.ToDictionary(static silo => silo.Incarnation);
            foreach (var (incarnation, link) in _links)
            {
                if (!silos.Remove(incarnation))
                    link.Forget();
            }

            if (silos.Count > 0)
                Add(silos);
        }

        // Also for the picker: a new link may have come up before it could be found here.
        OnLinkChanged();
    }

    private void Add(Dictionary<Guid, SiloReport> silos)
    {
        var links = new Dictionary<Guid, SiloLink>(_links);
        foreach (var (incarnation, silo) in silos)
        {
            var link = new SiloLink(silo, _setup, OnLinkChanged, _logger);
            links.Add(incarnation, link);
            _running.Add(incarnation, KeepAsync(incarnation, link));
        }

        _links = links;
    }

    private async Task KeepAsync(Guid incarnation, SiloLink link)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await link.RunAsync(_stopping);
        }
        catch (Exception e)
        {
            LogFailed(_logger, link.Name, e);
        }

        lock (_gate)
        {
            _links = _links.Where(entry => entry.Key != incarnation).ToDictionary();
            _running.Remove(incarnation);
            link.Dispose();
        }

        OnLinkChanged();
    }

    private void OnLinkChanged()
    {
        _picker.Refresh();
        Interlocked.Exchange(ref _nextChange, new ChangeNotice()).Raise();
        Changed?.Invoke();
    }

    [LoggerMessage(EventId = 224, Level = LogLevel.Error, Message = "Link with {Silo} failed")]
    private static partial void LogFailed(ILogger logger, string silo, Exception cause);
}
