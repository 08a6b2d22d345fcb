using CSsl.Hosting.Configuration;
using CSsl.Tls.Engines;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CSsl.Hosting;

/// <summary>The record engine of a process: a silo's for its clients' records, everybody's for data links.</summary>
public static class RecordEngineHosting
{
    /// <summary>Adds it, once per process.</summary>
    /// <exception cref="ConfigurationException">The engine that was asked for can't be had.</exception>
    public static void AddRecordEngine(this IServiceCollection services, EngineChoice choice)
    {
        if (services.Any(static service => service.ServiceType == typeof(IRecordEngine)))
            return;
        IRecordEngine engine;
        string reason;
        try
        {
            engine = RecordEngines.Create(choice, out reason);
        }
        catch (RecordEngineException e)
        {
            throw new ConfigurationException($"Engine: {e.Message}", e);
        }

        // Through a function, so that the container disposes it.
        services.AddSingleton(_ => engine);
        services.AddHostedService(provider => new EngineLog(choice, engine, reason, provider.GetRequiredService<ILogger<EngineLog>>()));
    }
}

/// <summary>Tells at the start which engine it is, and why it is not the fastest if it isn't.</summary>
internal sealed partial class EngineLog(EngineChoice choice, IRecordEngine engine, string reason, ILogger<EngineLog> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (choice == EngineChoice.Auto && engine is ManagedEngine)
            LogSlower(reason);
        else
            LogEngine(reason);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Information, Message = "record engine {Reason}")]
    private partial void LogEngine(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "record engine {Reason}")]
    private partial void LogSlower(string reason);
}
