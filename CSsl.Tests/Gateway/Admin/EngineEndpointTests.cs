using System.Text;
using System.Text.Json;
using CSsl.Gateway.Admin;
using CSsl.Grains.Aggregation;
using CSsl.Grains.Cluster;
using CSsl.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace CSsl.Tests.Gateway.Admin;

/// <summary>An operator's question about record engines on its way to the silos.</summary>
public sealed class EngineEndpointTests
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private readonly Dictionary<string, ScriptedGrain> _grains = new() { ["data-1"] = new("data-1"), ["data-2"] = new("data-2") };

    [Fact]
    public async Task All_data_silos_are_shown_with_what_they_say_themselves()
    {
        var (status, answer) = await AskAsync("GET", "", EngineEndpoint.ShowAsync);
        Assert.Equal(StatusCodes.Status200OK, status);
        Assert.Equal([("data-1", "engine of data-1"), ("data-2", "engine of data-2")], answer.Engines.Select(static engine => (engine.Silo, engine.Status!.Engine)));
    }

    [Fact]
    public async Task Silo_that_does_not_answer_is_named_and_the_others_are_shown()
    {
        _grains["data-1"].Failure = new TimeoutException("no answer");
        var (status, answer) = await AskAsync("GET", "", EngineEndpoint.ShowAsync);
        Assert.Equal(StatusCodes.Status503ServiceUnavailable, status);
        Assert.Contains("no answer", answer.Engines[0].Error, StringComparison.Ordinal);
        Assert.NotNull(answer.Engines[1].Status);
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("handshake-1")]
    public async Task Silo_without_an_engine_is_not_asked(string silo)
        => Assert.Equal(StatusCodes.Status404NotFound, (await AskAsync("GET", $"?silo={silo}", EngineEndpoint.ShowAsync)).Status);

    [Fact]
    public async Task Change_reaches_the_silo_that_is_named()
    {
        var (status, answer) = await AskAsync("POST", "", EngineEndpoint.ChangeAsync, """{ "silo": "data-2", "recordsPerCall": 8, "maxDelay": "00:00:00.0001" }""");
        Assert.Equal((StatusCodes.Status200OK, "data-2"), (status, Assert.Single(answer.Engines).Silo));
        Assert.Equal(new AggregationChange { RecordsPerCall = 8, MaxDelay = TimeSpan.FromMicroseconds(100) }, _grains["data-2"].Changed);
        Assert.Null(_grains["data-1"].Changed);
    }

    [Theory]
    [InlineData("""{ "recordsPerCall": 0 }""")]
    [InlineData("""{ "maxDelay": "00:00:01" }""")]
    [InlineData("""{ "maxDelay": "soon" }""")]
    [InlineData("null")]
    [InlineData("no JSON")]
    public async Task Settings_that_can_not_be_reach_nobody(string body)
    {
        Assert.Equal(StatusCodes.Status400BadRequest, (await AskAsync("POST", "", EngineEndpoint.ChangeAsync, body)).Status);
        Assert.All(_grains.Values, static grain => Assert.Null(grain.Changed));
    }

    [Fact]
    public async Task Request_that_is_too_long_is_not_read()
        => Assert.Equal(StatusCodes.Status400BadRequest, (await AskAsync("POST", "", EngineEndpoint.ChangeAsync, new string(' ', 4097))).Status);

    private async Task<(int Status, EngineResponse Answer)> AskAsync(string method, string query, RequestDelegate handle, string body = "")
    {
        var view = new ClusterViewHolder();
        var engine = new EngineLoad { Name = "managed" };
        view.Update(new ClusterView
        {
            Version = new ViewVersion(1, 1),
            Silos =
            [
                Reports.Silo("data-2") with { Engine = engine },
                Reports.Silo("handshake-1"),
                Reports.Silo("data-1") with { Engine = engine },
            ],
        });
        var bytes = Encoding.UTF8.GetBytes(body);
        using var response = new MemoryStream();
        var context = new DefaultHttpContext
        {
            RequestServices = new ServiceCollection().AddSingleton(FakeGrains.Of(key => _grains[(string)key])).AddSingleton(view).BuildServiceProvider(),
            Request = { Method = method, QueryString = new QueryString(query), Body = new MemoryStream(bytes), ContentLength = bytes.Length },
            Response = { Body = response },
        };
        await handle(context);
        return (context.Response.StatusCode, JsonSerializer.Deserialize<EngineResponse>(response.ToArray(), Json)!);
    }

    private sealed class ScriptedGrain(string name) : IAggregationGrain
    {
        public Exception? Failure { get; set; }

        public AggregationChange? Changed { get; private set; }

        public ValueTask<AggregationStatus> Show(CancellationToken cancellationToken) => Failure is { } failure
            ? ValueTask.FromException<AggregationStatus>(failure)
            : ValueTask.FromResult(new AggregationStatus { Engine = $"engine of {name}", Lanes = 8, RecordsPerCall = 1024, MaxDelay = TimeSpan.Zero, Batches = [1] });

        public ValueTask<AggregationStatus> Change(AggregationChange change, CancellationToken cancellationToken)
        {
            Changed = change;
            return Show(cancellationToken);
        }
    }
}
