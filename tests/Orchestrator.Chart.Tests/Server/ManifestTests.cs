using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Orchestrator.Chart.Tests.Server;

/// <summary>
/// Manifests under <c>tests/testdata</c>: what a real API server makes of them with our CRDs is what the embedded one must make of
/// them too.
/// </summary>
public abstract partial class ManifestTests
{
    public static TheoryData<string> Valid() => Cases("valid-manifests");

    public static TheoryData<string> Invalid() => Cases("invalid-manifests");

    public static TheoryData<string> Unknown() => Cases("unknown-fields");

    [Theory]
    [MemberData(nameof(Valid))]
    public async Task A_good_one_is_taken_and_gets_its_defaults(string name)
    {
        var created = await KubectlAsync("create", "--dry-run=server", "-o", "json", "-f", Manifest("valid-manifests", name));

        Assert.Equal("", created.Errors);
        var spec = JsonNode.Parse(created.Output)!["spec"];
        var expected = JsonNode.Parse(Read("valid-manifests", name, "expected.json"));
        Assert.True(JsonNode.DeepEquals(expected, spec), spec?.ToJsonString());
    }

    /// <summary>
    /// The path is without indices: older servers leave most of them out. <c>--validate=false</c> keeps kubectl's own look at the
    /// manifest out of the way.
    /// </summary>
    [Theory]
    [MemberData(nameof(Invalid))]
    public async Task A_bad_one_is_refused_by_the_path_of_the_field(string name)
    {
        var refused = await KubectlAsync(
            "create", "--dry-run=server", "--validate=false", "-f", Manifest("invalid-manifests", name));

        Assert.Equal(1, refused.ExitCode);
        var path = Read("invalid-manifests", name, "expect.txt").Trim();
        Assert.Matches($"""(^|[ \n]){Regex.Escape(path)}: """, Index().Replace(refused.Errors, ""));
    }

    [Theory]
    [MemberData(nameof(Unknown))]
    public async Task A_field_that_does_not_exist_is_refused_by_name(string name)
    {
        var refused = await KubectlAsync("create", "--dry-run=server", "-f", Manifest("unknown-fields", name));

        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("unknown field", refused.Errors, StringComparison.Ordinal);
        Assert.Contains(Read("unknown-fields", name, "expect.txt").Trim(), refused.Errors, StringComparison.Ordinal);
    }

    protected abstract Task<Command> KubectlAsync(params IReadOnlyList<string> arguments);

    [GeneratedRegex(@"\[\d+\]")]
    private static partial Regex Index();

    private static TheoryData<string> Cases(string kind) =>
        [.. Directory.GetDirectories(Repository.At("tests/testdata/" + kind)).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)];

    private static string Manifest(string kind, string name) => Repository.At($"tests/testdata/{kind}/{name}/manifest.yaml");

    private static string Read(string kind, string name, string file) => File.ReadAllText(Repository.At($"tests/testdata/{kind}/{name}/{file}"));
}
