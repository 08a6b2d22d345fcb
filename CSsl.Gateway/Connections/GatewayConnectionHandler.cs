using Microsoft.AspNetCore.Connections;

namespace CSsl.Gateway.Connections;

/// <summary>Kestrel hands every accepted client here.</summary>
internal sealed class GatewayConnectionHandler(ConnectionServices services) : ConnectionHandler
{
    /// <inheritdoc/>
    public override Task OnConnectedAsync(ConnectionContext connection)
    {
        services.Meters.CountAccepted();
        var socket = new ClientSocket(connection);
        var id = services.Table.TryEnter();
        if (id == 0)
        {
            services.Refusals.Refused(RefusalReason.TooManyConnections, socket.Remote);
            socket.Reset("Too many connections.");
            return Task.CompletedTask;
        }

        var client = new ClientConnection(socket, id, services);
        services.Table.Add(client);
        return client.RunAsync();
    }
}
