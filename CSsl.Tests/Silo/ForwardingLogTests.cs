using CSsl.Silo.Proxy;
using CSsl.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;
using Yarp.ReverseProxy.Forwarder;

namespace CSsl.Tests.Silo;

public sealed class ForwardingLogTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly TestMeters _meters = new();
    private readonly Lines _lines = new();
    private readonly ForwardingLog _log;

    public ForwardingLogTests() => _log = new ForwardingLog(_meters, _time, _lines);

    public void Dispose() => _meters.Dispose();

    [Fact]
    public void An_origin_in_trouble_is_one_line_a_second_that_counts_the_others()
    {
        for (var i = 0; i < 100; i++)
            _log.Observe(Failed(ForwarderError.Request));
        _time.Advance(TimeSpan.FromSeconds(1));
        _log.Observe(Failed(ForwarderError.Request));

        Assert.Equal(2, _lines.All.Count);
        Assert.Contains("(0 more", _lines.All[0], StringComparison.Ordinal);
        Assert.Contains("connection refused", _lines.All[0], StringComparison.Ordinal);
        Assert.Contains("(99 more", _lines.All[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ForwarderError.RequestCanceled)]
    [InlineData(ForwarderError.RequestBodyClient)]
    [InlineData(ForwarderError.ResponseBodyCanceled)]
    [InlineData(ForwarderError.UpgradeRequestClient)]
    public void What_a_client_gave_up_is_no_line(ForwarderError error)
    {
        _log.Observe(Failed(error));

        Assert.Empty(_lines.All);
    }

    [Fact]
    public void A_request_that_was_forwarded_is_no_line()
    {
        _log.Observe(new DefaultHttpContext());

        Assert.Empty(_lines.All);
    }

    private static DefaultHttpContext Failed(ForwarderError error)
    {
        var context = new DefaultHttpContext();
        context.Features.Set<IForwarderErrorFeature>(new Failure(error, new HttpRequestException("outer", new IOException("connection refused"))));
        return context;
    }

    private sealed record Failure(ForwarderError Error, Exception? Exception) : IForwarderErrorFeature;

    private sealed class Lines : ILogger<ForwardingLog>
    {
        public List<string> All { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel >= LogLevel.Information)
                All.Add(formatter(state, exception));
        }
    }
}
