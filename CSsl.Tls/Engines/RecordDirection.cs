namespace CSsl.Tls.Engines;

/// <summary>What a key is for: a connection has one of each.</summary>
public enum RecordDirection
{
    /// <summary>Our write key.</summary>
    Seal,

    /// <summary>The peer's write key.</summary>
    Open,
}
