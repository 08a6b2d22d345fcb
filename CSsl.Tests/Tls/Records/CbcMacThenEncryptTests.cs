using System.Buffers.Binary;
using System.Security.Cryptography;
using CSsl.Tls;
using CSsl.Tls.Engines;
using CSsl.Tls.Engines.Managed;
using CSsl.Tls.Keys;
using CSsl.Tls.Records;
using CSsl.Tls.Sessions;
using Xunit;

namespace CSsl.Tests.Tls.Records;

public sealed class CbcMacThenEncryptTests
{
    private const int HeaderLength = 13;

    [Theory]
    [InlineData(CipherSuite.EcdheRsaAes128CbcSha256)]
    [InlineData(CipherSuite.EcdheRsaAes256CbcSha384)]
    public void Constant_time_hmac_is_hmac_for_every_length_and_padding(CipherSuite suite)
    {
        var info = CipherSuiteInfo.Get(suite);
        using var key = new SecretBytes(TestSessions.Bytes(info.MacLength, 7));
        using var hmac = ConstantTimeHmac.Create(info, key.Span);
        var header = TestSessions.Bytes(HeaderLength, 8);
        var text = TestSessions.Bytes(700, 9);
        var mac = new byte[info.MacLength];

        // Every length of text, and of data in it that leaves room for a MAC and at most 256 bytes of padding.
        for (var textLength = info.MacLength; textLength <= text.Length; textLength++)
        {
            var longest = textLength - info.MacLength;
            for (var length = Math.Max(0, longest - 256); length <= longest; length += textLength < 400 ? 1 : 17)
            {
                hmac.Compute(header, text.AsSpan(0, textLength), length, mac);
                if (!mac.AsSpan().SequenceEqual(Expected(info, key, [.. header, .. text[..length]])))
                    Assert.Fail($"Differs for {length} of {textLength} bytes.");
            }
        }
    }

    [Theory]
    [InlineData(CipherSuite.EcdheRsaAes128CbcSha256)]
    [InlineData(CipherSuite.EcdheEcdsaAes256CbcSha384)]
    public void Mac_is_found_wherever_the_padding_leaves_it(CipherSuite suite)
    {
        var macLength = CipherSuiteInfo.Get(suite).MacLength;
        var mac = new byte[macLength];
        foreach (var textLength in (int[])[64, 80, 256, 304, 320, 512, 1024])
        {
            var text = TestSessions.Bytes(textLength, textLength);
            for (var start = Math.Max(0, textLength - macLength - 256); start <= textLength - macLength; start++)
            {
                CbcPadding.ExtractMac(text, start, mac);
                Assert.Equal(text[start..(start + macLength)], mac);
            }
        }
    }

    [Theory]
    [InlineData(CipherSuite.EcdheRsaAes128CbcSha256)]
    [InlineData(CipherSuite.EcdheRsaAes256CbcSha384)]
    public void Record_opens_with_every_padding_that_fits(CipherSuite suite)
    {
        using var forge = new Forge(suite);
        for (var contentLength = 0; contentLength < 300; contentLength += 19)
        {
            for (var padding = forge.ShortestPadding(contentLength); padding <= 255; padding += 16)
            {
                var content = TestSessions.Bytes(contentLength, padding);
                var record = forge.Record(content, Enumerable.Repeat((byte)padding, padding + 1));
                Assert.Equal(content, forge.Open(record));
            }
        }
    }

    [Theory]
    [InlineData(CipherSuite.EcdheRsaAes128CbcSha256)]
    [InlineData(CipherSuite.EcdheRsaAes256CbcSha384)]
    public void Padding_and_mac_errors_are_the_same_error(CipherSuite suite)
    {
        using var forge = new Forge(suite);
        var content = TestSessions.Bytes(100, 1);
        var shortest = forge.ShortestPadding(content.Length);
        var errors = new List<TlsException>();
        for (var padding = shortest; padding <= 255; padding += 16)
        {
            // Every byte of the padding, its length byte last, wrong by one bit.
            for (var wrong = 0; wrong <= padding; wrong++)
            {
                var bytes = Enumerable.Repeat((byte)padding, padding + 1).ToArray();
                bytes[wrong] ^= 1;
                errors.Add(forge.Refusal(forge.Record(content, bytes)));
            }

            // The padding right, the MAC wrong in its first, middle and last byte.
            foreach (var wrong in (int[])[0, 16, 31])
                errors.Add(forge.Refusal(forge.Record(content, Enumerable.Repeat((byte)padding, padding + 1), wrong)));
        }

        // A padding longer than the record.
        errors.Add(forge.Refusal(forge.Record(content, Enumerable.Repeat((byte)255, shortest + 1))));

        Assert.All(errors, error => Assert.Equal(AlertDescription.BadRecordMac, error.Alert));
        Assert.Single(errors.Select(error => error.Message).Distinct());
    }

    [Fact]
    public void Padding_longer_than_the_data_and_its_mac_is_refused()
    {
        // 64 decrypted bytes: 32 of MAC leave at most 31 of padding and its length.
        using var forge = new Forge(CipherSuite.EcdheRsaAes128CbcSha256);
        for (var padding = 0; padding <= 255; padding++)
        {
            var text = Enumerable.Repeat((byte)padding, 64).ToArray();
            Assert.Equal(AlertDescription.BadRecordMac, forge.Refusal(forge.Encrypt(text)).Alert);
        }
    }

    [Fact]
    public void Plaintext_that_does_not_authenticate_is_not_left_behind()
    {
        using var forge = new Forge(CipherSuite.EcdheRsaAes128CbcSha256);
        var record = forge.Record(new byte[100], Enumerable.Repeat((byte)11, 12), wrongMacByte: 3);
        var plaintext = Enumerable.Repeat((byte)0xEE, record.Length).ToArray();

        using var reader = forge.Reader();
        Assert.Throws<TlsException>(() => reader.Open(record, plaintext));

        Assert.All(plaintext[..(record.Length - 21)], b => Assert.Equal(0, b));
    }

    private static byte[] Expected(CipherSuiteInfo info, SecretBytes key, byte[] message)
        => info.MacLength == 48 ? HMACSHA384.HashData(key.Span, message) : HMACSHA256.HashData(key.Span, message);

    /// <summary>Makes first records of a client with any content, MAC and padding.</summary>
    private sealed class Forge : IDisposable
    {
        private readonly CipherSuiteInfo _info;
        private readonly TrafficKeys _keys;
        private readonly Aes _aes = Aes.Create();

        public Forge(CipherSuite suite)
        {
            _info = CipherSuiteInfo.Get(suite);
            using var session = TestSessions.Create(suite);
            (_keys, var server) = KeyBlock.Derive(_info, session.ClientSecret.Span, session.ClientRandom, session.ServerRandom);
            server.Dispose();
            _aes.SetKey(_keys.Key.Span);
        }

        public int ShortestPadding(int contentLength) => 15 - ((contentLength + _info.MacLength) % 16);

        public byte[] Record(byte[] content, IEnumerable<byte> padding, int? wrongMacByte = null)
        {
            var header = new byte[HeaderLength];
            header[7] = 1; // the first record after Finished
            header[8] = 23;
            header[9] = 3;
            header[10] = 3;
            BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(11), (ushort)content.Length);
            var mac = Expected(_info, _keys.MacKey, [.. header, .. content]);
            if (wrongMacByte is { } index)
                mac[index] ^= 0x80;
            return Encrypt([.. content, .. mac, .. padding]);
        }

        public byte[] Encrypt(byte[] text)
        {
            var iv = TestSessions.Bytes(16, 5);
            var ciphertext = _aes.EncryptCbc(text, iv, PaddingMode.None);
            var record = new byte[RecordHeader.Size + iv.Length + ciphertext.Length];
            new RecordHeader(ContentType.ApplicationData, 0x0303, iv.Length + ciphertext.Length).Write(record);
            iv.CopyTo(record, RecordHeader.Size);
            ciphertext.CopyTo(record, RecordHeader.Size + iv.Length);
            return record;
        }

        public byte[] Open(byte[] record)
        {
            using var reader = Reader();
            return TestClient.Open(reader, record).Content;
        }

        public TlsException Refusal(byte[] record)
        {
            using var reader = Reader();
            return Assert.Throws<TlsException>(() => reader.Open(record, new byte[record.Length]));
        }

        public RecordReadState Reader()
        {
            using var session = TestSessions.Create(_info.Suite);
            var (reader, writer) = RecordStates.Create(session, TlsEndpoint.Server);
            writer.Dispose();
            return reader;
        }

        public void Dispose()
        {
            _keys.Dispose();
            _aes.Dispose();
        }
    }
}
