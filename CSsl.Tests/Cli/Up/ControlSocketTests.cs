using System.Net.Sockets;
using System.Text;
using CSsl.Cli.Up;
using CSsl.Cli.Up.Control;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.Tests.Cli.Up;

public sealed class ControlSocketTests : IDisposable
{
    private readonly TempDirectory _folder = new();
    private readonly StateFolder _state;

    public ControlSocketTests() => _state = StateFolder.Create(_folder.File("state"));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Request_is_answered_and_only_the_owner_may_connect()
    {
        await using (ControlSocket.Listen(_state.ControlSocket, (request, _) => Task.FromResult(new ControlAnswer { Message = $"{request.Command} {request.Name}", ExitCode = 7 })))
        {
            if (!OperatingSystem.IsWindows())
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_state.ControlSocket));
            for (var i = 0; i < 3; i++)
            {
                var answer = await ControlClient.AskAsync(_state.ControlSocket, new ControlRequest { Command = ControlRequest.Remove, Name = "data-1" }, CancellationToken.None);
                Assert.Equal(("remove data-1", 7), (answer.Message, answer.ExitCode));
            }
        }

        Assert.False(File.Exists(_state.ControlSocket));
    }

    [Fact]
    public async Task Socket_that_a_dead_process_left_is_replaced_and_nobody_there_is_said_so()
    {
        using (var left = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
            left.Bind(new UnixDomainSocketEndPoint(_state.ControlSocket));
        var nobody = await ControlClient.AskAsync(_state.ControlSocket, new ControlRequest { Command = ControlRequest.Add }, CancellationToken.None);
        Assert.Equal(1, nobody.ExitCode);
        Assert.Contains("no `cssl up` takes requests at", nobody.Message, StringComparison.Ordinal);

        await using var control = ControlSocket.Listen(_state.ControlSocket, (_, _) => Task.FromResult(new ControlAnswer { Message = "here" }));
        Assert.Equal("here", (await ControlClient.AskAsync(_state.ControlSocket, new ControlRequest { Command = ControlRequest.Add }, CancellationToken.None)).Message);
    }

    [Theory]
    [InlineData("nonsense\n")]
    [InlineData("{}\n")]
    [InlineData("null\n")]
    [InlineData("")]
    public async Task What_is_no_request_is_refused_and_the_next_one_served(string text)
    {
        await using var control = ControlSocket.Listen(_state.ControlSocket, (_, _) => Task.FromResult(new ControlAnswer { Message = "here" }));
        Assert.Contains("not a request", await SendAsync(text), StringComparison.Ordinal);
        Assert.Contains("not a request", await SendAsync(new string('x', ControlJson.MaxLine)), StringComparison.Ordinal);
        Assert.Equal("here", (await ControlClient.AskAsync(_state.ControlSocket, new ControlRequest { Command = ControlRequest.Add }, CancellationToken.None)).Message);
    }

    [Fact]
    public async Task A_slow_request_does_not_hold_up_the_next_and_only_so_many_are_served_at_once()
    {
        var released = new TaskCompletionSource();
        var begun = new SemaphoreSlim(0);
        await using var control = ControlSocket.Listen(_state.ControlSocket, async (request, _) =>
        {
            if (request.Command == ControlRequest.Add)
                return new ControlAnswer { Message = "added" };
            begun.Release();
            await released.Task;
            return new ControlAnswer { Message = "removed" };
        });

        List<Task<ControlAnswer>> slow = [];
        for (var i = 0; i < ControlSocket.MaxRequests - 1; i++)
        {
            slow.Add(AskAsync(ControlRequest.Remove));
            await begun.WaitAsync();
        }

        Assert.Equal("added", (await AskAsync(ControlRequest.Add)).Message);

        slow.Add(AskAsync(ControlRequest.Remove));
        await begun.WaitAsync();
        var waiting = AskAsync(ControlRequest.Add);
        Assert.False(waiting.IsCompleted);
        released.SetResult();
        Assert.Equal("added", (await waiting).Message);
        Assert.All(await Task.WhenAll(slow), static answer => Assert.Equal("removed", answer.Message));
    }

    private Task<ControlAnswer> AskAsync(string command)
        => ControlClient.AskAsync(_state.ControlSocket, new ControlRequest { Command = command }, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));

    private async Task<string> SendAsync(string text)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(_state.ControlSocket));
        using var reader = new StreamReader(new NetworkStream(socket));
        await socket.SendAsync(Encoding.UTF8.GetBytes(text));
        socket.Shutdown(SocketShutdown.Send);
        return await reader.ReadToEndAsync();
    }
}
