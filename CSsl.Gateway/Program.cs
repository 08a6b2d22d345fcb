using CSsl.Gateway;
using CSsl.Hosting;

return await CsslHost.RunAsync(args, static builder => builder.AddCsslGateway());
