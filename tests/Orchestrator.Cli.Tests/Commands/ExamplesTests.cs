namespace Orchestrator.Cli.Tests.Commands;

/// <summary>What a user copies first must be accepted as it is.</summary>
public sealed class ExamplesTests(ServerFixture server)
{
    public static TheoryData<string> Examples => [.. Directory.EnumerateFiles(Repository.At("examples"), "*.yaml").Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Examples))]
    public async Task Each_example_is_accepted_by_the_server(string name)
    {
        var applied = await server.OrcAsync(["apply", "-f", Repository.At($"examples/{name}"), "--dry-run=server"]);

        Assert.Contains("created (server dry run)", applied.OrThrow().Output, StringComparison.Ordinal);
        Assert.Equal("", applied.Errors);
    }
}
