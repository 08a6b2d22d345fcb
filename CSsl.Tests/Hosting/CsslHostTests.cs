using CSsl.Database;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Runtime;
using Xunit;

namespace CSsl.Tests.Hosting;

public sealed class CsslHostTests
{
    [Fact]
    public async Task A_background_service_that_fails_is_a_failure_of_the_process()
        => Assert.Equal(ExitCodes.Failure, await RunAsync<Failing>());

    [Fact]
    public async Task A_host_that_is_told_to_stop_succeeds()
        => Assert.Equal(ExitCodes.Success, await RunAsync<Stopping>());

    [Fact]
    public async Task A_host_that_is_ended_for_a_reason_has_its_exit_code()
        => Assert.Equal(ExitCodes.InUse, await RunAsync<Ending>(static services => services.AddSingleton<HostEnd>()));

    [Fact]
    public async Task A_host_that_is_told_to_stop_while_it_starts_succeeds()
        => Assert.Equal(ExitCodes.Success, await RunAsync<StoppingAtStart>());

    [Theory]
    [InlineData(ExitCodes.BadConfiguration)]
    [InlineData(ExitCodes.InUse)]
    [InlineData(ExitCodes.Failure)]
    public async Task An_error_of_the_setup_has_its_exit_code(int expected)
    {
        Exception error = expected switch
        {
            ExitCodes.BadConfiguration => new ConfigurationException("x"),
            ExitCodes.InUse => new IOException("no", new InUseException("y")),
            _ => new InvalidDataException("z"),
        };
        Assert.Equal(expected, await CsslHost.RunAsync(["--Cluster:Id=x"], _ => throw error));
    }

    [Fact]
    public void Trouble_with_the_database_is_one_line()
    {
        Assert.Equal(("no database", ExitCodes.Failure), CsslHost.Explain(new AggregateException(new DatabaseException("no database"))));
        Assert.Equal(("wrong key", ExitCodes.BadConfiguration), CsslHost.Explain(new OrleansConfigurationException("wrong key")));
    }

    [Fact]
    public void An_address_that_the_machine_does_not_have_yet_is_to_be_tried_again()
    {
        var error = new System.Net.Sockets.SocketException((int)System.Net.Sockets.SocketError.AddressNotAvailable);
        Assert.Equal(ExitCodes.Failure, CsslHost.Explain(error)?.ExitCode);
        Assert.Equal(("can't listen on 192.0.2.1:443: no", ExitCodes.Failure), CsslHost.Explain(new IOException("can't listen on 192.0.2.1:443: no", error)));
        Assert.Equal(ExitCodes.BadConfiguration, CsslHost.Explain(new System.Net.Sockets.SocketException((int)System.Net.Sockets.SocketError.AccessDenied))?.ExitCode);
    }

    private static Task<int> RunAsync<T>(Action<IServiceCollection>? add = null)
        where T : class, IHostedService
        => CsslHost.RunAsync(["--Cluster:Id=x"], builder =>
        {
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0));
            builder.Services.AddHostedService<T>();
            add?.Invoke(builder.Services);
        });

    private sealed class Failing : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => throw new InvalidDataException("broken");
    }

    private sealed class Ending(HostEnd end) : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken)
        {
            end.Because(new InUseException("x"));
            end.Because(new ConfigurationException("y"));
            return Task.CompletedTask;
        }
    }

    private sealed class Stopping(IHostApplicationLifetime lifetime) : IHostedLifecycleService
    {
        public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartedAsync(CancellationToken cancellationToken)
        {
            lifetime.StopApplication();
            return Task.CompletedTask;
        }

        public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class StoppingAtStart(IHostApplicationLifetime lifetime) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            lifetime.StopApplication();
            cancellationToken.ThrowIfCancellationRequested();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
