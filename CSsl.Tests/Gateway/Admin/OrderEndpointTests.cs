using System.Text;
using CSsl.Gateway.Admin;
using CSsl.Grains.Cluster;
using CSsl.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace CSsl.Tests.Gateway.Admin;

/// <summary>An operator's command on its way to the cluster grain.</summary>
public sealed class OrderEndpointTests
{
    private readonly ClusterViewHolder _view = new();
    private readonly YoungGrain _grain = new();

    [Fact]
    public async Task Silo_that_a_young_grain_does_not_know_yet_is_asked_for_again()
    {
        _view.Update(Reports.View(1, Reports.Silo("data-2")));
        Assert.Equal(StatusCodes.Status200OK, await PostAsync("data-2"));
        Assert.Equal(3, _grain.Commands);
    }

    [Fact]
    public async Task Silo_that_nobody_knows_is_refused_at_once()
    {
        _view.Update(Reports.View(1, Reports.Silo("data-1"), Reports.Silo("data-2", state: SiloState.Silent)));
        Assert.Equal(StatusCodes.Status404NotFound, await PostAsync("data-2"));
        Assert.Equal(1, _grain.Commands);
    }

    private async Task<int> PostAsync(string silo)
    {
        var body = Encoding.UTF8.GetBytes($$"""{ "silo": "{{silo}}", "drain": true }""");
        var context = new DefaultHttpContext
        {
            RequestServices = new ServiceCollection().AddSingleton(FakeGrains.Of(_ => _grain)).AddSingleton(_view).BuildServiceProvider(),
            Request = { Body = new MemoryStream(body), ContentLength = body.Length },
            Response = { Body = new MemoryStream() },
        };
        await OrderEndpoint.HandleAsync(context);
        return context.Response.StatusCode;
    }

    /// <summary>Knows every silo from the third question on.</summary>
    private sealed class YoungGrain : IClusterGrain
    {
        public int Commands { get; private set; }

        public ValueTask<CommandAnswer> Command(SiloCommand command, CancellationToken cancellationToken)
            => ValueTask.FromResult(new CommandAnswer { Outcome = ++Commands < 3 ? CommandOutcome.UnknownSilo : CommandOutcome.Ordered, Reason = "there is no such silo" });

        public ValueTask<ClusterView> ReportSilo(SiloReport report, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<ClusterView> ReportGateway(GatewayReport report, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<ClusterView> GetView(CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
