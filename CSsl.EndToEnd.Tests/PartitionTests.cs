using System.Collections.Concurrent;
using System.Net.Security;
using CSsl.Cli.Origin;
using CSsl.Cli.Status;
using CSsl.Database;
using CSsl.EndToEnd.Tests.Survival;
using CSsl.Grains.Cluster;
using CSsl.Tests.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>A part of the network is lost, and no process.</summary>
[Collection(WaitingForSilos.Name)]
public sealed class PartitionTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    private const string Cut = "cut", Whole = "whole";
    private const int AtRest = 3, Busy = 3, MostClients = 200;
    private const int Active = 3; // in Orleans's membership table

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Orleans sees the silo, and so does the cluster view; only its link port is out of reach.</summary>
    [Fact]
    public async Task Data_silo_that_no_gateway_reaches_costs_no_client_and_serves_again_when_it_is_reached()
    {
        await using CutOffAddress address = await CutOffAddress.TakeAsync();
        using var folder = new TempDirectory();
        await using TestOrigin origin = await TestOrigin.StartAsync();
        var held = new ConcurrentQueue<string>();
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        origin.Handler = async context =>
        {
            string silo = context.Request.Headers[HomePage.SiloHeader].ToString();
            if (context.Request.Path == "/held")
            {
                held.Enqueue(silo);
                await release.Task.WaitAsync(context.RequestAborted);
            }

            await context.Response.WriteAsync(silo);
        };

        await using var cluster = new StandaloneCluster("blue", folder.File("cluster.db"), certificates);
        string[] proxy =
        [
            "--Silo:HibernateAfter=0s", "--ReverseProxy:Routes:all:ClusterId=web", "--ReverseProxy:Routes:all:Match:Path={**path}",
            $"--ReverseProxy:Clusters:web:Destinations:one:Address={origin.Address}",
        ];
        cluster.StartSilo(Whole, null, proxy);
        cluster.StartSilo(Cut, null, [.. proxy, "--Silo:Roles=Data", $"--Silo:Link={address}:0"]);
        Tool gateway = cluster.StartGateway();
        await cluster.ReadyAsync();
        await gateway.Output.WaitForAsync($"Link with {Cut} at {address}", Patience);

        var clients = new List<KeepAliveClient>();
        try
        {
            // Some with a session at the silo that will be out of reach: idle ones, and ones that wait for an answer.
            for (int i = 0; clients.Count < AtRest + Busy; i++)
            {
                Assert.True(i < MostClients, $"{Cut} was given {clients.Count} of {i} clients");
                KeepAliveClient client = NewClient(cluster);
                if (await client.Http.GetStringAsync("/") == Cut)
                    clients.Add(client);
                else
                    client.Dispose();
            }

            Task<string>[] answers = [.. clients.Take(Busy).Select(static client => client.Http.GetStringAsync("/held"))];
            await Eventually.TrueAsync(() => held.Count(static silo => silo == Cut) == Busy, "the origin has their requests");
            int mark = gateway.Output.Length;

            await address.CutOffAsync();

            await gateway.Output.WaitForAsync($"Link with {Cut} was lost", Patience, mark);
            await Eventually.TrueAsync(() => held.Count(static silo => silo == Whole) == Busy, "the origin is asked again");
            release.SetResult();
            Assert.All(await Task.WhenAll(answers), static silo => Assert.Equal(Whole, silo));
            foreach (KeepAliveClient client in clients)
                Assert.Equal((Whole, 1), (await client.Http.GetStringAsync("/"), client.Connections));
            Assert.Equal(Whole, await AskAnewAsync(cluster));
            await AssertIsMemberAsync(cluster, folder.File("cluster.db"));

            mark = gateway.Output.Length;
            await address.RestoreAsync();

            await gateway.Output.WaitForAsync($"Link with {Cut} at {address}", Patience, mark);
            await Eventually.TrueAsync(async () => await AskAnewAsync(cluster) == Cut, $"{Cut} serves new clients");
            Assert.All(clients, static client => Assert.Equal(1, client.Connections));
        }
        finally
        {
            clients.ForEach(static client => client.Dispose());
        }
    }

    private static async Task AssertIsMemberAsync(StandaloneCluster cluster, string database)
    {
        Assert.Equal([Cut, Whole], await ClusterDatabase.Of(database).ReadAsync(
            new Query("SELECT SiloName FROM OrleansMembershipTable WHERE Status = @Active ORDER BY SiloName").With("Active", Active), static row => row.GetString(0)));
        using var status = new StatusClient(cluster.Admin.BaseAddress!.Authority);
        Assert.Equal(nameof(SiloState.Active), (await status.GetAsync(CancellationToken.None)).Processes.Single(static process => process.Name == Cut).State);
    }

    private KeepAliveClient NewClient(StandaloneCluster cluster)
        => new(cluster.Port, new SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = certificates.ChainPolicy });

    /// <summary>A new client's request; returns the silo that it got to.</summary>
    private async Task<string> AskAnewAsync(StandaloneCluster cluster)
    {
        using KeepAliveClient client = NewClient(cluster);
        return await client.Http.GetStringAsync("/");
    }

    /// <summary>A loopback address of its own that can be cut off: the kernel finds no way to it any more, for connections that exist too. Takes the right to change routes.</summary>
    private sealed class CutOffAddress : IAsyncDisposable
    {
        private const string Ip = "/sbin/ip";

        private readonly string _address = $"127.{Random.Shared.Next(64, 255)}.{Random.Shared.Next(256)}.{Random.Shared.Next(1, 255)}";
        private bool _isCutOff;

        /// <summary>Skips the test where routes can't be changed.</summary>
        public static async Task<CutOffAddress> TakeAsync()
        {
            Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists(Ip), $"takes root, and {Ip}, to cut a silo off");
            var address = new CutOffAddress();
            ToolResult tried = await address.RouteAsync("add");
            Assert.SkipUnless(tried.ExitCode == 0, $"takes the right to change routes: {tried.Error}");
            (await address.RouteAsync("del")).Succeeded();
            return address;
        }

        public async Task CutOffAsync()
        {
            (await RouteAsync("add")).Succeeded();
            _isCutOff = true;
        }

        public async Task RestoreAsync()
        {
            (await RouteAsync("del")).Succeeded();
            _isCutOff = false;
        }

        public override string ToString() => _address;

        public async ValueTask DisposeAsync()
        {
            if (_isCutOff)
                await RestoreAsync();
        }

        // In the table that says which addresses are this machine's own, and more exactly than its line for 127.0.0.0/8.
        private Task<ToolResult> RouteAsync(string change) => Tool.RunAsync(Ip, ["route", change, "unreachable", $"{_address}/32", "table", "local"]);
    }
}
