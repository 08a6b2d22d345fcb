using System.CommandLine;
using CSsl.Cli.Operations;
using CSsl.Grains.Cluster;

namespace CSsl.Cli.Commands;

/// <summary><c>cssl drain</c>: a silo takes nothing new and lets go of what it has, without a lost request.</summary>
internal static class DrainCommand
{
    public static Command Create()
    {
        var silo = OperatorCommand.Silo();
        var off = new Option<bool>("--off") { Description = "Let it serve again." };
        var wait = OperatorCommand.Wait("it has no connection and no handshake left (with --off: when it serves)");
        var timeout = OperatorCommand.Timeout();
        var force = OperatorCommand.Force();
        var target = new ClusterTarget();
        var command = new Command("drain", """
            Makes a silo take nothing new and let go of its connections as their requests end, so that it can be stopped.
            It holds until --off, or until the silo is started again.
            """)
        {
            silo, off, wait, timeout, force,
        };
        target.AddTo(command);
        command.SetAction((result, cancellationToken) => OperatorCommand.RunAsync(target, result, client => RunAsync(
            client, new OrderRequest { Silo = result.GetValue(silo)!, Drain = !result.GetValue(off), Force = result.GetValue(force) },
            result.GetValue(wait) ? result.GetValue(timeout) : null, cancellationToken)));
        return command;
    }

    private static async Task<string> RunAsync(OperatorClient client, OrderRequest order, TimeSpan? wait, CancellationToken cancellationToken)
    {
        var version = await client.OrderAsync(order, cancellationToken);
        if (wait is not { } timeout)
            return order.Drain == true ? $"{order.Silo} drains" : $"{order.Silo} serves again";

        if (order.Drain == false)
        {
            await client.WaitAsync(order.Silo, process => process is { State: nameof(SiloState.Active) } && process.OrderVersion >= version, timeout, cancellationToken);
            return $"{order.Silo} serves";
        }

        var drained = await client.WaitAsync(order.Silo, process => OperatorClient.IsDrained(process, version), timeout, cancellationToken);
        return drained is null ? $"{order.Silo} is gone" : $"{order.Silo} is drained";
    }
}
