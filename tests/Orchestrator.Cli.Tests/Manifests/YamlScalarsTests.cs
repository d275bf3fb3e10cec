using Orchestrator.Cli.Manifests;

namespace Orchestrator.Cli.Tests.Manifests;

/// <summary>The meanings are those that kubectl gives the same words (sigs.k8s.io/yaml on go-yaml v2).</summary>
public sealed class YamlScalarsTests
{
    [Theory]
    [InlineData("yes", "true")]
    [InlineData("On", "true")]
    [InlineData("y", "true")]
    [InlineData("off", "false")]
    [InlineData("N", "false")]
    [InlineData("~", "null")]
    [InlineData("", "null")]
    [InlineData("NULL", "null")]
    [InlineData("nULL", "\"nULL\"")]
    [InlineData("12", "12")]
    [InlineData("+12", "12")]
    [InlineData("-12", "-12")]
    [InlineData("1_000", "1000")]
    [InlineData("010", "8")]
    [InlineData("0o10", "8")]
    [InlineData("0x1F", "31")]
    [InlineData("0b101", "5")]
    [InlineData("09", "9")]
    [InlineData("1.0", "1")]
    [InlineData("1.5e3", "1500")]
    [InlineData(".5", "0.5")]
    [InlineData("18446744073709551615", "18446744073709552000")]
    [InlineData("1.2.3", "\"1.2.3\"")]
    [InlineData("10m", "\"10m\"")]
    [InlineData("1Gi", "\"1Gi\"")]
    [InlineData("12:30", "\"12:30\"")]
    [InlineData("2026-01-02", "\"2026-01-02\"")]
    [InlineData("--1", "\"--1\"")]
    [InlineData("0x", "\"0x\"")]
    [InlineData("Infinity", "\"Infinity\"")]
    public void A_plain_word_means_what_it_means_to_kubectl(string word, string json) =>
        Assert.Equal(json, GoJson.Write(YamlScalars.Resolve(word)));

    [Theory]
    [InlineData("5", "tag:yaml.org,2002:str", "\"5\"")]
    [InlineData("aGk=", "tag:yaml.org,2002:binary", "\"hi\"")]
    [InlineData("7", "tag:yaml.org,2002:int", "7")]
    [InlineData("7", "tag:yaml.org,2002:float", "7")]
    public void A_tag_decides(string word, string tag, string json) => Assert.Equal(json, GoJson.Write(YamlScalars.Resolve(word, tag)));

    [Theory]
    [InlineData("seven", "tag:yaml.org,2002:int")]
    [InlineData("7", "!mine")]
    public void A_word_that_is_not_of_its_tag_is_refused(string word, string tag) =>
        Assert.Throws<FormatException>(() => YamlScalars.Resolve(word, tag));
}
