using CSsl.Gateway;
using CSsl.Grains.Hosting;

return await CsslHost.RunAsync(args, static builder => builder.AddCsslGateway());
