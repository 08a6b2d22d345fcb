using System.Text;

namespace CSsl.Tls.Sessions;

/// <summary>What is sealed: it opens for the same purpose only. One instance for each, beside what is sealed.</summary>
public sealed class SealingPurpose
{
    /// <summary>The most bytes of a label.</summary>
    public const int MaxLabelLength = 64;

    private readonly byte[] _label;

    /// <param name="label">Goes into the derivation of its keys: no two purposes share one. ASCII, 1 to <see cref="MaxLabelLength"/> characters.</param>
    /// <param name="maxLength">The most bytes of its content.</param>
    public SealingPurpose(string label, int maxLength)
    {
        ArgumentException.ThrowIfNullOrEmpty(label);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(label.Length, MaxLabelLength);
        (_label, MaxLength) = (Encoding.ASCII.GetBytes(label), maxLength);
    }

    /// <summary>The most bytes of what is sealed.</summary>
    public int MaxLength { get; }

    internal ReadOnlySpan<byte> Label => _label;
}
