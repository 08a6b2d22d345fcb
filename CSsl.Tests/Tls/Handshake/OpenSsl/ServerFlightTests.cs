using CSsl.Tls.Handshake.OpenSsl;
using CSsl.Tls.Records;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CSsl.Tests.Tls.Handshake.OpenSsl;

public sealed class ServerFlightTests
{
    private static readonly byte[] ServerNameExtension = [0, 0, 0, 0];
    private static readonly byte[] EncryptThenMacExtension = [0, 22, 0, 0];

    [Fact]
    public void Records_under_the_application_key_are_those_of_the_last_step()
    {
        var flight = default(ServerFlight);
        flight.BeginStep();
        flight.Observe([.. Record(ContentType.Handshake, Hello()), .. Record(ContentType.ApplicationData, [1]), .. Record(ContentType.ApplicationData, [2])]);
        Assert.Equal(2, flight.ApplicationDataRecords);

        flight.BeginStep();
        flight.Observe(Record(ContentType.ApplicationData, [1]));
        flight.Observe(Record(ContentType.ApplicationData, [2]));
        flight.Observe(Record(ContentType.ApplicationData, [3]));
        Assert.Equal(3, flight.ApplicationDataRecords);

        flight.BeginStep();
        Assert.Equal(0, flight.ApplicationDataRecords);
    }

    [Fact]
    public void Nonce_is_the_start_of_the_record_after_change_cipher_spec()
    {
        var flight = default(ServerFlight);
        flight.Observe([.. Record(ContentType.Handshake, Hello()), .. Record(ContentType.Handshake, new byte[40])]);
        flight.Observe(Record(ContentType.ChangeCipherSpec, [1]));
        flight.Observe(Record(ContentType.Handshake, [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, .. new byte[32]]));
        flight.Observe(Record(ContentType.Handshake, new byte[40]));
        Assert.Equal(0x1122334455667788u, flight.FinishedNonce);
    }

    [Fact]
    public void Encrypt_then_mac_is_seen_in_the_server_hello_and_nowhere_else()
    {
        Assert.True(ServerHello.HasEncryptThenMac(Hello(EncryptThenMacExtension)));
        Assert.True(ServerHello.HasEncryptThenMac(Hello(ServerNameExtension, EncryptThenMacExtension)));
        Assert.True(ServerHello.HasEncryptThenMac([.. Hello(EncryptThenMacExtension), 11, 0, 0, 0]));
        Assert.False(ServerHello.HasEncryptThenMac(Hello()));
        Assert.False(ServerHello.HasEncryptThenMac(Hello(ServerNameExtension)));
        Assert.False(ServerHello.HasEncryptThenMac([.. Hello(ServerNameExtension), .. EncryptThenMacExtension]));

        var flight = default(ServerFlight);
        flight.Observe(Record(ContentType.Handshake, Hello()));
        flight.Observe(Record(ContentType.Handshake, Hello(EncryptThenMacExtension)));
        Assert.False(flight.EncryptThenMac);
    }

    [Fact]
    public void Server_hello_that_is_cut_says_nothing()
    {
        var hello = Hello(ServerNameExtension, EncryptThenMacExtension);
        for (var length = 0; length < hello.Length - EncryptThenMacExtension.Length; length++)
            Assert.False(ServerHello.HasEncryptThenMac(hello.AsSpan(0, length)));
    }

    [Fact]
    public void Server_hello_of_any_bytes_does_no_harm()
        => Prop.ForAll<byte[]>(static bytes => { ServerHello.HasEncryptThenMac([2, .. new byte[37], .. bytes]); }).QuickCheckThrowOnFailure();

    private static byte[] Record(ContentType type, byte[] payload)
        => [(byte)type, 3, 3, (byte)(payload.Length >> 8), (byte)payload.Length, .. payload];

    private static byte[] Hello(params byte[][] extensions)
    {
        byte[] all = [.. extensions.SelectMany(static e => e)];
        byte[] body = [3, 3, .. new byte[32], 4, 1, 2, 3, 4, 0xC0, 0x28, 0, 0, (byte)all.Length, .. all];
        return [2, 0, 0, (byte)body.Length, .. body];
    }
}
