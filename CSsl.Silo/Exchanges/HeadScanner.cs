namespace CSsl.Silo.Exchanges;

/// <summary>Finds where an HTTP/1.1 response's head ends, in the pieces in which Kestrel writes it. Kestrel ends every line with CR LF.</summary>
internal struct HeadScanner
{
    // "HTTP/1.1 200": where the status code stands.
    private const int StatusAt = 9;
    private const int StatusEnd = 12;

    private int _read;
    private int _matched;

    /// <summary>The status code, once the head has ended.</summary>
    public int Status { get; private set; }

    /// <summary>Takes the next bytes of a head.</summary>
    /// <returns>How many of them belong to the head when it ends in them; -1 when it goes on.</returns>
    public int Scan(ReadOnlySpan<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            var b = bytes[i];
            if (_read is >= StatusAt and < StatusEnd)
                Status = (Status * 10) + (b - '0');
            _read++;
            _matched = (b, _matched) switch
            {
                ((byte)'\r', 2) => 3,
                ((byte)'\r', _) => 1,
                ((byte)'\n', 1) => 2,
                ((byte)'\n', 3) => 4,
                _ => 0,
            };
            if (_matched == 4)
                return i + 1;
        }

        return -1;
    }
}
