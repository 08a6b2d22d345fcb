using System.Text;
using CSsl.Hosting.Configuration;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CSsl.Tests.Hosting.Configuration;

public sealed class JsonSettingsTests
{
    [Fact]
    public void Byte_order_mark_is_skipped()
        => Assert.Equal("v", Assert.Single(Parse("\uFEFF{ \"k\": \"v\" }")).Value);

    [Fact]
    public void Lines_count_through_comments_and_multi_line_sections()
    {
        var settings = Parse("// 1\n{ /* 2\n 3 */ \"a\": [\n 1,\n 2 ],\n \"b\":\n true }");
        Assert.Equal([("a", null, "f:3"), ("a:0", "1", "f:4"), ("a:1", "2", "f:5"), ("b", "true", "f:7")], settings.Select(setting => (setting.Key, setting.Value, setting.Origin)));
    }

    [Fact]
    public void Empty_section_is_an_empty_value_so_that_it_clears()
        => Assert.Contains(Parse("{ \"a\": [ ] }"), setting => setting is { Key: "a", Value: "" });

    [Fact]
    public void Any_text_is_settings_or_a_configuration_error()
        => Prop.ForAll<string?>(text =>
        {
            try
            {
                Parse("{ \"a\": " + text);
                return true;
            }
            catch (ConfigurationException)
            {
                return true;
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Deep_nesting_is_refused()
        => Assert.Throws<ConfigurationException>(() => Parse(string.Concat(Enumerable.Repeat("{\"a\":", 10_000))));

    private static List<Setting> Parse(string json) => JsonSettings.Parse(Encoding.UTF8.GetBytes(json), "f", "/");
}
