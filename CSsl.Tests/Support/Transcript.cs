using System.Text;

namespace CSsl.Tests.Support;

/// <summary>What a process has written so far. Tests wait for a text in it instead of sleeping. Thread-safe.</summary>
public sealed class Transcript
{
    private readonly Lock _gate = new();
    private readonly StringBuilder _text = new();
    private readonly List<Waiter> _waiters = [];
    private int _lineStart;
    private bool _ended;

    /// <summary>Raised with every whole line, on the thread that read it.</summary>
    public event Action<string>? LineAdded;

    /// <summary>Characters so far: a place to wait from.</summary>
    public int Length
    {
        get
        {
            lock (_gate)
                return _text.Length;
        }
    }

    /// <summary>Everything so far, or what follows <paramref name="from"/>.</summary>
    public string Text(int from = 0)
    {
        lock (_gate)
            return _text.ToString(from, _text.Length - from);
    }

    /// <summary>The last lines, for a failure's message.</summary>
    public string Tail(int lines = 60)
    {
        string[] all = Text().TrimEnd().Split('\n');
        return string.Join('\n', all.Skip(Math.Max(0, all.Length - lines)));
    }

    /// <summary>Completes with the line in which <paramref name="text"/> stands, once it stands there, at or after <paramref name="from"/>.</summary>
    /// <exception cref="TimeoutException">It did not come in time, or the process ended without it.</exception>
    public async Task<string> WaitForAsync(string text, TimeSpan? deadline = null, int from = 0)
    {
        Waiter waiter = new(text, from);
        lock (_gate)
        {
            if (!TryComplete(waiter))
                _waiters.Add(waiter);
        }

        TimeSpan limit = deadline ?? TimeSpan.FromSeconds(30);
        try
        {
            return await waiter.Found.Task.WaitAsync(limit);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"\"{text}\" was not written {(_ended ? "before the end" : $"within {limit}")}; the last lines:\n{Tail()}");
        }
    }

    /// <summary>Adds what was read.</summary>
    public void Append(string chunk)
    {
        List<string> lines = [];
        lock (_gate)
        {
            _text.Append(chunk);
            int fresh = _text.Length - chunk.Length;
            for (int at = chunk.IndexOf('\n', StringComparison.Ordinal); at >= 0; at = chunk.IndexOf('\n', at + 1))
            {
                lines.Add(_text.ToString(_lineStart, fresh + at - _lineStart));
                _lineStart = fresh + at + 1;
            }

            _waiters.RemoveAll(TryComplete);
        }

        foreach (string line in lines)
            LineAdded?.Invoke(line);
    }

    /// <summary>Nothing more will come: whoever still waits is told so.</summary>
    public void End()
    {
        lock (_gate)
        {
            _ended = true;
            foreach (Waiter waiter in _waiters)
                waiter.Found.TrySetException(new TimeoutException());
            _waiters.Clear();
        }
    }

    private bool TryComplete(Waiter waiter)
    {
        string text = _text.ToString(waiter.From, _text.Length - waiter.From);
        int at = text.IndexOf(waiter.Text, StringComparison.Ordinal);
        if (at < 0)
        {
            waiter.From += Math.Max(0, text.Length - waiter.Text.Length);
            return _ended && waiter.Found.TrySetException(new TimeoutException());
        }

        int end = text.IndexOf('\n', at);
        int start = text.LastIndexOf('\n', at) + 1;
        return waiter.Found.TrySetResult(text[start..(end < 0 ? text.Length : end)]);
    }

    private sealed class Waiter(string text, int from)
    {
        public string Text { get; } = text;

        public int From { get; set; } = from;

        public TaskCompletionSource<string> Found { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
