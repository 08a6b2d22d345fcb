namespace CSsl.Tls.Engines;

/// <summary>Where a job stands.</summary>
public enum RecordJobStatus : byte
{
    /// <summary>Nothing for an engine to do: not prepared, released, or a record that is refused for its form alone. Engines pass over it.</summary>
    Idle,

    /// <summary>Prepared; the next engine call that it is given to runs it.</summary>
    Ready,

    /// <summary>Sealed, or found authentic and decrypted.</summary>
    Done,

    /// <summary>Opened, and not authentic. Where the plaintext would be there are zeros.</summary>
    NotAuthentic,
}
