using System.CommandLine;
using CSsl.Cli.Operations;
using CSsl.Grains.Cluster;

namespace CSsl.Cli.Commands;

/// <summary><c>cssl roles</c>: what a silo does, from now on.</summary>
internal static class RolesCommand
{
    private const string Auto = "auto";
    private const string None = "none";

    public static Command Create()
    {
        var silo = OperatorCommand.Silo();
        var roles = Roles("roles");
        var wait = OperatorCommand.Wait("it has exactly these roles");
        var timeout = OperatorCommand.Timeout();
        var force = OperatorCommand.Force();
        var target = new ClusterTarget();
        var command = new Command("roles", """
            Gives a silo other roles at run time: handshake, data, both (handshake,data) or none; they hold, also when it is started again under its name.
            auto leaves the choice to the cluster, which moves silos between roles as the load asks for it.
            """)
        {
            silo, roles, wait, timeout, force,
        };
        target.AddTo(command);
        command.SetAction((result, cancellationToken) => OperatorCommand.RunAsync(target, result, client => RunAsync(
            client, ToOrder(result.GetValue(silo)!, result.GetValue(roles)!, result.GetValue(force)),
            result.GetValue(wait) ? result.GetValue(timeout) : null, cancellationToken)));
        return command;
    }

    private static Argument<string[]> Roles(string name)
    {
        var argument = new Argument<string[]>(name)
        {
            Description = "handshake, data, handshake,data, none, or auto",
            Arity = ArgumentArity.ExactlyOne,
            CustomParser = static result =>
            {
                var words = result.Tokens[0].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
                if (words.Length == 0 || words.Any(static word => !IsRole(word) && (word is not (Auto or None))) || (words.Length > 1 && words.Any(static word => word is Auto or None)))
                    result.AddError($"'{result.Tokens[0].Value}' is not handshake, data, handshake,data, none, or auto.");
                return words;
            },
        };
        return argument;
    }

    private static OrderRequest ToOrder(string silo, string[] words, bool force) => words switch
    {
        [Auto] => new OrderRequest { Silo = silo, Mode = nameof(RoleMode.Auto) },
        [None] => new OrderRequest { Silo = silo, Roles = [], Mode = nameof(RoleMode.Fixed), Force = force },
        _ => new OrderRequest { Silo = silo, Roles = words, Mode = nameof(RoleMode.Fixed), Force = force },
    };

    private static async Task<string> RunAsync(OperatorClient client, OrderRequest order, TimeSpan? wait, CancellationToken cancellationToken)
    {
        var version = await client.OrderAsync(order, cancellationToken);
        if (order.Roles is null)
            return $"{order.Silo}: the cluster decides";

        var wanted = order.Roles.Count > 0 ? string.Join(", ", order.Roles) : None;
        if (wait is not { } timeout)
            return $"{order.Silo} becomes {wanted}";

        await client.WaitAsync(order.Silo, process => process is not null && process.OrderVersion >= version && Same(process.Roles, order.Roles), timeout, cancellationToken);
        return $"{order.Silo} is {wanted}";
    }

    private static bool IsRole(string word) => word.Equals(nameof(SiloRoles.Handshake), StringComparison.OrdinalIgnoreCase) || word.Equals(nameof(SiloRoles.Data), StringComparison.OrdinalIgnoreCase);

    private static bool Same(IEnumerable<string> a, IEnumerable<string> b) => a.ToHashSet(StringComparer.OrdinalIgnoreCase).SetEquals(b);
}
