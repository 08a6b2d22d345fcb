using System.Globalization;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using CSsl.Database;
using CSsl.Hosting.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Runtime;
using Orleans.Runtime.MembershipService;

namespace CSsl.Hosting;

/// <summary>Runs a host process: what a gateway, a silo and <c>cssl serve</c> have in common.</summary>
public static partial class CsslHost
{
    /// <summary>Builds a host from the arguments and runs it until it is told to stop. What an operator can mend is one line on standard error, not a stack trace.</summary>
    /// <param name="args">Settings: see <see cref="CsslConfiguration.Load"/>.</param>
    /// <param name="add">Adds the host's parts.</param>
    /// <param name="map">Adds middleware and endpoints to what was built.</param>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync(string[] args, Action<WebApplicationBuilder> add, Action<WebApplication>? map = null)
    {
        SocketCompletions.RunInline();
        try
        {
            var builder = CsslConfiguration.CreateBuilder(args);
            builder.Services.AddSingleton(new ProcessEnd(Environment.Exit));
            add(builder);
            await using var app = builder.Build();
            map?.Invoke(app);
            var stopping = app.Lifetime.ApplicationStopping;
            var end = app.Services.GetService<HostEnd>();
            var background = app.Services.GetServices<IHostedService>().OfType<BackgroundService>().ToList();
            try
            {
                await app.RunAsync();
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                // Told to stop while it was starting.
            }

            if (end?.ExitCode is { } code)
                return code;

            // The host stops, and has logged why, when one of these fails; it does not throw.
            return background.Exists(service => service.ExecuteTask is { IsFaulted: true }) ? ExitCodes.Failure : ExitCodes.Success;
        }
        catch (Exception e)
        {
            return Report(e);
        }
    }

    /// <summary>How long a process with so much time to drain may take to stop: whoever asked it to must wait longer.</summary>
    public static TimeSpan StopTime(TimeSpan drainTime) => drainTime + TimeSpan.FromSeconds(10);

    /// <summary>Writes what went wrong on standard error and returns the exit code for it.</summary>
    public static int Report(Exception error)
    {
        var explained = Explain(error);
        ConsoleLine.Write(Console.Error, explained is { } known ? $"cssl: {known.Line}" : $"cssl: unexpected error: {error}", ConsoleLog.Patience);
        return explained?.ExitCode ?? ExitCodes.Failure;
    }

    /// <summary>The line and the exit code for an error that the operator can mend; null for any other.</summary>
    public static (string Line, int ExitCode)? Explain(Exception error)
    {
        for (var e = error; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case ConfigurationException:
                    return (e.Message, ExitCodes.BadConfiguration);
                case DatabaseException:
                    return (e.Message, ExitCodes.Failure);
                case OrleansClusterConnectivityCheckFailedException:
                    return ($"can't join the cluster: {e.Message.ReplaceLineEndings(" ")}", ExitCodes.Failure);
                case OrleansConfigurationException:
                    return (e.Message, ExitCodes.BadConfiguration);
                case InUseException:
                    return (e.Message, ExitCodes.InUse);
                case AddressInUseException or SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse }:
                    return (BoundPort().Match(error.Message) is { Success: true } port
                        ? PortOwner.Describe(int.Parse(port.ValueSpan, CultureInfo.InvariantCulture))
                        : error.Message, ExitCodes.InUse);
                case SocketException { SocketErrorCode: SocketError.AccessDenied }:
                    return ($"can't listen: {e.Message}", ExitCodes.BadConfiguration);
                case SocketException { SocketErrorCode: SocketError.AddressNotAvailable }:
                    // The machine may get the address later (DHCP, a floating one): whoever looks after the process is to try again.
                    return (ReferenceEquals(e, error) ? $"can't listen: {e.Message}" : error.Message, ExitCodes.Failure);
                default:
                    break;
            }
        }

        return null;
    }

    /// <summary>The port in "Failed to bind to address http://127.0.0.1:8443: address already in use."</summary>
    [GeneratedRegex(@"(?<=:)\d+(?=: address already in use)")]
    private static partial Regex BoundPort();
}

/// <summary>How this process's sockets call back.</summary>
public static class SocketCompletions
{
    // Read once, by the first socket of the process: https://learn.microsoft.com/dotnet/core/runtime-config/networking
    private const string Variable = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>Runs what follows a socket's readiness on the thread that noticed it. Call before the first socket; a setting of the operator's own stays.</summary>
    /// <remarks>A gateway's and a silo's answers to a readable socket are short (a frame, a record, a few header lines), shorter than the hop to
    /// another thread. Long work leaves that thread by itself: a lane's turn, the application, a link that does not stop sending.</remarks>
    public static void RunInline()
    {
        if (Environment.GetEnvironmentVariable(Variable) is null)
            Environment.SetEnvironmentVariable(Variable, "1");
    }
}
