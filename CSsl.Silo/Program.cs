using CSsl.Hosting;
using CSsl.Silo;

return await CsslHost.RunAsync(args, static builder => builder.AddCsslSilo());
