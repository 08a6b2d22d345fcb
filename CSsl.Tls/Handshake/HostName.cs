using System.Globalization;

namespace CSsl.Tls.Handshake;

/// <summary>Host names as they are compared: in ASCII, as clients send them.</summary>
public static class HostName
{
    private const char FirstCombiningMark = '\u0300';
    private const char LastCombiningMark = '\u036F';

    private static readonly IdnMapping Idn = new();

    /// <summary>A configured name in ASCII: "bücher.example" is "xn--bcher-kva.example" in every hello (RFC 5890 section 2.3.2.1).</summary>
    /// <exception cref="ArgumentException">No host name, or one whose A-label is not certain: says why.</exception>
    public static string ToAscii(string name)
    {
        if (name.Length == 0 || System.Text.Ascii.IsValid(name))
            return name;

        // Without ICU (InvariantGlobalization) nothing is composed here, and the label would be another one.
        if (name.AsSpan().ContainsAnyInRange(FirstCombiningMark, LastCombiningMark))
            throw new ArgumentException($"Host name '{name}' is written with combining marks: write it with composed letters, or as its A-label (xn--…).");
        try
        {
            return Idn.GetAscii(name.ToLowerInvariant());
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"Host name '{name}' has no A-label: {e.Message}", e);
        }
    }

    /// <summary>Whether a certificate's DNS name is for a host (RFC 6125 section 6.4): equal to it, or a wildcard for its first label.</summary>
    /// <param name="pattern">What the certificate says.</param>
    /// <param name="host">In ASCII; may be a wildcard itself, for which only the same wildcard is good.</param>
    public static bool Matches(string pattern, string host)
    {
        if (pattern.Equals(host, StringComparison.OrdinalIgnoreCase))
            return true;
        var dot = host.IndexOf('.', StringComparison.Ordinal);
        return pattern.StartsWith("*.", StringComparison.Ordinal) && dot > 0 && host[0] != '*' && pattern.AsSpan(1).Equals(host.AsSpan(dot), StringComparison.OrdinalIgnoreCase);
    }
}
