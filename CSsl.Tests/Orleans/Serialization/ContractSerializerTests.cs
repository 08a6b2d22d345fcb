using System.Text;
using System.Text.Json;
using CSsl.EmbeddedCluster.Serialization;
using FsCheck;
using FsCheck.Fluent;
using Orleans;
using Xunit;

namespace CSsl.Tests.Orleans.Serialization;

public sealed class ContractSerializerTests
{
    [Fact]
    public void Member_is_known_by_its_number_when_it_was_renamed()
    {
        var written = ContractSerializer.Serialize(new Before { Name = "x", Size = 3 }, typeof(Before));

        var read = (After)ContractSerializer.Deserialize(written, typeof(After))!;

        Assert.Equal(("x", 3L), (read.Title, read.Length));
    }

    [Fact]
    public void Unknown_number_is_skipped_and_a_missing_one_keeps_its_default()
    {
        var read = (After)ContractSerializer.Deserialize("""{"9":{"a":[1,{}]},"0":"x"}"""u8, typeof(After))!;

        Assert.Equal(("x", -1L), (read.Title, read.Length));
    }

    [Fact]
    public void Members_of_a_base_type_do_not_collide_with_those_of_the_derived()
    {
        var read = (Derived)ContractSerializer.Deserialize(ContractSerializer.Serialize(new Derived { Name = "n", Size = 1, Extra = "e" }, typeof(Derived)), typeof(Derived))!;

        Assert.Equal(("n", 1, "e"), (read.Name, read.Size, read.Extra));
    }

    [Fact]
    public void Private_field_and_read_only_property_are_written_when_they_have_a_number()
    {
        var read = (Hidden)ContractSerializer.Deserialize(ContractSerializer.Serialize(new Hidden(4, 5), typeof(Hidden)), typeof(Hidden))!;

        Assert.Equal((4, 5), (read.Field, read.Property));
    }

    [Fact]
    public void Struct_keeps_its_members()
    {
        var read = (Point)ContractSerializer.Deserialize(ContractSerializer.Serialize(new Point { X = 1, Y = double.NaN }, typeof(Point)), typeof(Point))!;

        Assert.Equal((1, double.NaN), (read.X, read.Y));
    }

    [Theory]
    [InlineData(typeof(WithoutContract))]
    [InlineData(typeof(object))]
    [InlineData(typeof(WithoutNumbers))]
    [InlineData(typeof(NumberTwice))]
    public void Type_is_refused_when_Orleans_would_lose_or_refuse_it(Type type)
        => Assert.Throws<NotSupportedException>(() => ContractSerializer.Serialize(Activator.CreateInstance(type), type));

    [Fact]
    public void Any_parcel_survives_the_wire()
        => Prop.ForAll<Tuple<string, byte[]>, Tuple<ulong, Guid[], DateTimeOffset>>((first, second) =>
        {
            var (name, bytes) = first;
            var (number, ids, at) = second;
            var parcel = new Parcel { Name = name, Bytes = bytes, Number = number, Ids = ids, At = at };
            var read = (Parcel)ContractSerializer.Deserialize(ContractSerializer.Serialize(parcel, typeof(Parcel)), typeof(Parcel))!;
            return read.Name == name && read.Bytes.Span.SequenceEqual(bytes) && read.Number == number && read.Ids.SequenceEqual(ids) && read.At == at;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Any_text_is_a_value_or_a_JsonException()
        => Prop.ForAll<string>(text =>
        {
            var thrown = Record.Exception(() => ContractSerializer.Deserialize(Encoding.UTF8.GetBytes("{\"0\":" + text + "}"), typeof(Parcel)));
            return thrown is null or JsonException;
        }).QuickCheckThrowOnFailure();

    [GenerateSerializer]
    public record Before
    {
        [Id(0)] public required string Name { get; init; }
        [Id(1)] public int Size { get; set; }
    }

    [GenerateSerializer]
    public sealed class After
    {
        [Id(1)] public long Length { get; set; } = -1;
        [Id(0)] public string? Title { get; set; }
    }

    [GenerateSerializer]
    public sealed record Derived : Before
    {
        [Id(0)] public string? Extra { get; init; }
    }

    [GenerateSerializer]
    public sealed class Hidden(int field, int property)
    {
        [Id(0)] private readonly int _field = field;

        public int Field => _field;

        [Id(1)] public int Property { get; } = property;
    }

    [GenerateSerializer]
    public struct Point
    {
        [Id(0)] public int X { get; set; }
        [Id(1)] public double Y { get; set; }
    }

    public sealed class WithoutContract
    {
        public int Value { get; set; }
    }

    [GenerateSerializer]
    public sealed class WithoutNumbers
    {
        public int Value { get; set; }
    }

    [GenerateSerializer]
    public sealed class NumberTwice
    {
        [Id(0)] public int Value { get; set; }
        [Id(0)] public int Other { get; set; }
    }
}
