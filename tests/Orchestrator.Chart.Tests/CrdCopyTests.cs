namespace Orchestrator.Chart.Tests;

/// <summary><c>crds/</c> is the source of truth; the chart has to hold copies, since helm packages no link that leads out of it.</summary>
public sealed class CrdCopyTests
{
    [Fact]
    public void The_chart_carries_the_CRDs_of_the_repository()
    {
        var source = Contents(Repository.At("crds"));
        var copy = Contents(Path.Combine(Chart.Folder, "crds"));

        Assert.NotEmpty(source);
        Assert.True(source.SequenceEqual(copy), "charts/orchestrator/crds is not what crds is: `make chart` copies it");
    }

    [Fact]
    public void The_chart_runs_the_version_of_the_repository()
    {
        var properties = File.ReadAllText(Repository.At("Directory.Build.props"));
        var chart = File.ReadAllLines(Path.Combine(Chart.Folder, "Chart.yaml"));

        var version = Assert.Single(chart, line => line.StartsWith("appVersion: ", StringComparison.Ordinal))["appVersion: ".Length..];
        Assert.Contains($"<VersionPrefix>{version}</VersionPrefix>", properties, StringComparison.Ordinal);
    }

    private static List<(string Name, string Content)> Contents(string folder) =>
        [.. Directory.GetFiles(folder).Order(StringComparer.Ordinal).Select(file => (Path.GetFileName(file), File.ReadAllText(file)))];
}
