using CSsl.Gateway.Admission;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace CSsl.Gateway.Connections;

/// <summary>Kestrel hands every accepted client here.</summary>
internal sealed class GatewayConnectionHandler(ConnectionServices services) : ConnectionHandler
{
    /// <inheritdoc/>
    public override Task OnConnectedAsync(ConnectionContext connection)
    {
        services.Meters.CountAccepted();
        var place = connection.Features.GetRequiredFeature<ClientPlace>();
        var client = new ClientConnection(new ClientSocket(connection), place.Id, services);
        services.Table.Add(client);
        return client.RunAsync();
    }
}
