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
    private static readonly CommandAnswer Unknown = new() { Outcome = CommandOutcome.UnknownSilo, Reason = "there is no such silo" };
    private static readonly CommandAnswer Last = new() { Outcome = CommandOutcome.Refused, Reason = "no other silo has its role" };
    private static readonly CommandAnswer Ordered = new() { Outcome = CommandOutcome.Ordered };

    [Fact]
    public async Task Young_grain_that_does_not_know_every_silo_yet_is_asked_again()
    {
        var grain = new ScriptedGrain(Unknown with { IsProvisional = true }, Last with { IsProvisional = true }, Ordered);
        Assert.Equal(StatusCodes.Status200OK, await PostAsync(grain));
        Assert.Equal(3, grain.Commands);
    }

    [Theory]
    [InlineData(CommandOutcome.UnknownSilo, StatusCodes.Status404NotFound)]
    [InlineData(CommandOutcome.Refused, StatusCodes.Status409Conflict)]
    public async Task Refusal_of_a_grain_that_knows_them_is_final(CommandOutcome outcome, int status)
    {
        var grain = new ScriptedGrain(Unknown with { Outcome = outcome }, Ordered);
        Assert.Equal(status, await PostAsync(grain));
        Assert.Equal(1, grain.Commands);
    }

    private static async Task<int> PostAsync(ScriptedGrain grain)
    {
        var body = """{ "silo": "data-2", "drain": true }"""u8.ToArray();
        var context = new DefaultHttpContext
        {
            RequestServices = new ServiceCollection().AddSingleton(FakeGrains.Of(_ => grain)).BuildServiceProvider(),
            Request = { Body = new MemoryStream(body), ContentLength = body.Length },
            Response = { Body = new MemoryStream() },
        };
        await OrderEndpoint.HandleAsync(context);
        return context.Response.StatusCode;
    }

    private sealed class ScriptedGrain(params CommandAnswer[] answers) : IClusterGrain
    {
        public int Commands { get; private set; }

        public ValueTask<CommandAnswer> Command(SiloCommand command, CancellationToken cancellationToken) => ValueTask.FromResult(answers[Commands++]);

        public ValueTask<ViewVersion> ReportSilo(SiloReport report, ISiloObserver? observer, ViewVersion known, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<ViewVersion> ReportGateway(GatewayReport report, IGatewayObserver? observer, ViewVersion known, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<ClusterView> GetView(CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<IReadOnlyList<KnownGateway>> GetGateways(CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<ClusterView> GetPart(string silo, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
