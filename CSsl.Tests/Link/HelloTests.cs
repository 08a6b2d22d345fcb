using CSsl.Link;
using Xunit;

namespace CSsl.Tests.Link;

public class HelloTests
{
    private static readonly Hello Sample = new(LinkEnd.Silo, 262144, Enumerable.Range(1, 32).Select(i => (byte)i).ToArray(), new LinkIdentity("silo-1", "test"));

    [Fact]
    public void Hello_decodes_to_what_was_encoded()
    {
        var got = Hello.Decode(Sample.Encode());

        Assert.Equal(Sample with { KeyShare = got.KeyShare }, got);
        Assert.True(Sample.KeyShare.Span.SequenceEqual(got.KeyShare.Span));
    }

    [Fact]
    public void Hello_is_never_longer_than_its_limit()
    {
        var longest = Sample with { Identity = new LinkIdentity(new string('n', 255), new string('c', 255)) };

        Assert.Equal(Hello.MaxLength, longest.Encode().Length);
        Assert.Throws<ArgumentException>(() => (Sample with { Identity = new LinkIdentity(new string('n', 256), "c") }).Encode());
    }

    [Theory]
    [InlineData(0, 'X', "no C-SSL process")]
    [InlineData(4, 2, "version 2 of the data link; this end speaks version 3")]
    [InlineData(6, 3, "which end")]
    [InlineData(6, 0, "which end")]
    [InlineData(7, 1, "which end")]
    [InlineData(11, 0x80, "out of range")]
    [InlineData(44, 0, "no usable name")]
    [InlineData(45, '\n', "no usable name")]
    [InlineData(45, 0xFF, "not UTF-8")]
    public void Hello_is_refused_when_a_field_is_wrong(int at, int value, string why)
    {
        var payload = Sample.Encode();
        payload[at] = (byte)value;
        if (at == 44)
            payload = [.. payload[..45], .. payload[51..]];

        Assert.Contains(why, Assert.Throws<LinkException>(() => Hello.Decode(payload)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Hello_is_refused_when_it_grants_nothing()
    {
        var payload = Sample.Encode();
        payload.AsSpan(8, 4).Clear();

        Assert.Contains("grants no credit", Assert.Throws<LinkException>(() => Hello.Decode(payload)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Hello_is_refused_or_exactly_what_it_encodes_to_after_any_mutation()
    {
        var sample = Sample.Encode();
        var random = new Random(1);
        var refused = 0;
        for (var round = 0; round < 20_000; round++)
        {
            var mutant = Mutation.Of(sample, random);
            try
            {
                Assert.Equal(mutant, Hello.Decode(mutant).Encode());
            }
            catch (LinkException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1, 19_999);
    }
}
