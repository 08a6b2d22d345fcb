namespace CSsl.Tls.Engines.Managed;

/// <summary>A key in the hands of System.Security.Cryptography, which knows how to run a job.</summary>
internal abstract class ManagedKey : RecordKey
{
    public static ManagedKey Create(in RecordKeyMaterial material) => (material.Suite.IsAead, material.EncryptThenMac, material.Direction) switch
    {
        (true, _, var direction) => new ManagedAeadKey(AeadCipher.Create(material.Suite.Kind, material.Key), direction),
        (_, true, var direction) => new ManagedEncryptThenMacKey(material, direction),
        (_, _, RecordDirection.Seal) => new ManagedMacThenEncryptKey(material),
        _ => new ManagedDecryptThenVerifyKey(material),
    };

    /// <summary>Runs a job that is ready.</summary>
    public abstract void Run(ref RecordJob job);
}
