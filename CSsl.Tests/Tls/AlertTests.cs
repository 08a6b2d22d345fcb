using CSsl.Tls;
using CSsl.Tls.Records;
using Xunit;

namespace CSsl.Tests.Tls;

public sealed class AlertTests
{
    [Fact]
    public void Alert_has_the_level_of_its_description()
    {
        Assert.Equal(AlertLevel.Warning, Alert.Of(AlertDescription.CloseNotify).Level);
        Assert.Equal(AlertLevel.Warning, Alert.Of(AlertDescription.NoRenegotiation).Level);
        Assert.Equal(AlertLevel.Fatal, Alert.Of(AlertDescription.BadRecordMac).Level);
    }

    [Fact]
    public void Alert_is_fatal_by_level_in_tls_1_2_and_by_description_in_tls_1_3()
    {
        var warning = new Alert(AlertLevel.Warning, AlertDescription.BadCertificate);
        Assert.False(warning.IsFatal(TlsVersion.Tls12));
        Assert.True(warning.IsFatal(TlsVersion.Tls13));

        var canceled = new Alert(AlertLevel.Fatal, AlertDescription.UserCanceled);
        Assert.True(canceled.IsFatal(TlsVersion.Tls12));
        Assert.False(canceled.IsFatal(TlsVersion.Tls13));

        Assert.False(new Alert(AlertLevel.Fatal, AlertDescription.CloseNotify).IsFatal(TlsVersion.Tls12));
    }

    [Fact]
    public void Plaintext_record_is_what_a_client_expects_before_there_are_keys()
    {
        var record = Alert.Of(AlertDescription.ProtocolVersion).ToPlaintextRecord();

        Assert.Equal([21, 3, 3, 0, 2, 2, 70], record);
        Assert.Equal(RecordStatus.Complete, RecordHeader.Peek(record, RecordHeader.MaxPlaintext, out _));
        Assert.True(Alert.TryRead(record.AsSpan(RecordHeader.Size), out var alert));
        Assert.Equal(Alert.Of(AlertDescription.ProtocolVersion), alert);
    }

    [Fact]
    public void Every_description_has_the_name_of_the_registry()
    {
        foreach (var description in Enum.GetValues<AlertDescription>())
        {
            // bad_record_mac is BadRecordMac.
            var words = Alert.NameOf(description).Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..]);
            Assert.Equal(description.ToString(), string.Concat(words));
        }

        Assert.Equal("alert_99", Alert.NameOf((AlertDescription)99));
    }
}
