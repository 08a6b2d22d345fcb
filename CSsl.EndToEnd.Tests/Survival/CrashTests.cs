using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests.Survival;

/// <summary>SIGKILL.</summary>
public sealed class CrashRun(SurvivalSite site) : EndRun(site, ProcFs.SigKill);

/// <summary>A data silo is killed.</summary>
[Collection(SurvivalCluster.Name)]
public sealed class CrashTests(CrashRun run, ITestOutputHelper output) : LostSiloTests(run, output), IClassFixture<CrashRun>;
