using System.Text;
using CSsl.Hosting;
using Xunit;

namespace CSsl.Tests.Hosting;

public sealed class ConsoleLineTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Nobody_waits_for_a_reader_that_is_not_there()
    {
        using var output = new BlockedWriter();
        await Task.Run(() => ConsoleLine.Write(output, "ready")).WaitAsync(Patience);
        await Task.Run(() => ConsoleLine.Write(output, "why it ends", TimeSpan.FromMilliseconds(10))).WaitAsync(Patience);
        Assert.Empty(output.Lines);

        output.Open();
        await output.WroteAsync(2);
        Assert.Equal(["ready", "why it ends"], output.Lines.Order());
    }

    [Fact]
    public void A_line_is_written_when_this_returns_if_somebody_reads()
    {
        using var output = new StringWriter();
        ConsoleLine.Write(output, "why it ends", Patience);
        Assert.Equal($"why it ends{output.NewLine}", output.ToString());
    }

    [Fact]
    public void Output_that_is_closed_is_no_error()
    {
        var output = new StreamWriter(new MemoryStream());
        output.Dispose();
        ConsoleLine.Write(output, "why it ends", Patience);
    }

    private sealed class BlockedWriter : TextWriter
    {
        private readonly ManualResetEventSlim _gate = new();
        private readonly SemaphoreSlim _wrote = new(0);

        public List<string?> Lines { get; } = [];

        public override Encoding Encoding => Encoding.UTF8;

        public void Open() => _gate.Set();

        public async Task WroteAsync(int lines)
        {
            for (var i = 0; i < lines; i++)
                Assert.True(await _wrote.WaitAsync(Patience));
        }

        public override void WriteLine(string? value)
        {
            _gate.Wait(Patience);
            lock (Lines)
                Lines.Add(value);
            _wrote.Release();
        }

        protected override void Dispose(bool disposing)
        {
            _gate.Dispose();
            _wrote.Dispose();
            base.Dispose(disposing);
        }
    }
}
