using CSsl.Tls;
using CSsl.Tls.Records;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CSsl.Tests.Tls.Records;

/// <summary>Whatever a client sends, Read returns or throws <see cref="TlsException"/>.</summary>
public sealed class DataPhaseFuzzTests
{
    [Theory]
    [MemberData(nameof(TestSessions.All), MemberType = typeof(TestSessions))]
    public void Mutated_records_never_throw_anything_else(CipherSuite suite, bool encryptThenMac)
    {
        var random = new Random((int)suite);
        var client = new TestClient(TestSessions.Create(suite, encryptThenMac));
        var record = client.SealData(60);
        client.Dispose();
        for (var round = 0; round < 300; round++)
        {
            using var server = new DataPhase(TestSessions.Create(suite, encryptThenMac));
            var mutant = record.ToArray();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
                mutant[random.Next(mutant.Length)] = (byte)random.Next(256);
            if (random.Next(4) == 0)
                mutant = mutant[..random.Next(RecordHeader.Size, mutant.Length)];

            // The gateway passes whole records only: make it one.
            mutant[3] = (byte)((mutant.Length - RecordHeader.Size) >> 8);
            mutant[4] = (byte)(mutant.Length - RecordHeader.Size);
            var outcome = Read(server, mutant);
            Assert.True(outcome is not null || mutant.AsSpan().SequenceEqual(record));
        }
    }

    [Theory]
    [InlineData(CipherSuite.Aes128GcmSha256)]
    [InlineData(CipherSuite.ChaCha20Poly1305Sha256)]
    [InlineData(CipherSuite.EcdheRsaAes128GcmSha256)]
    [InlineData(CipherSuite.EcdheEcdsaAes256CbcSha384)]
    public void Authentic_records_of_any_content_never_throw_anything_else(CipherSuite suite)
    {
        Prop.ForAll<(byte Type, byte[] Content)[]>(records =>
        {
            using var server = new DataPhase(TestSessions.Create(suite));
            using var client = new TestClient(TestSessions.Create(suite));
            TlsException? failure = null;
            foreach (var (type, content) in records)
            {
                // Mostly types that exist; in TLS 1.3 also those that don't, which its header would not show.
                var contentType = type < 200 ? (ContentType)(21 + (type % 3)) : suite < (CipherSuite)0x2000 ? (ContentType)type : ContentType.Handshake;
                var again = Read(server, client.Seal(contentType, content));
                if (failure is not null && again?.Alert != failure.Alert)
                    return false;
                failure = again;
            }

            return true;
        }).QuickCheckThrowOnFailure();
    }

    private static TlsException? Read(DataPhase server, byte[] record)
    {
        try
        {
            server.Read(record, new byte[record.Length], out _);
            return null;
        }
        catch (TlsException refusal)
        {
            return refusal;
        }
    }
}
