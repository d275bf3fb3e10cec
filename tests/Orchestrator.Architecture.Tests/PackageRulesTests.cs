namespace Orchestrator.Architecture.Tests;

/// <summary>Packages are pinned in one place, and each is justified where a reader looks first.</summary>
public sealed class PackageRulesTests
{
    public static TheoryData<string> Pinned =>
        [.. SourceTree.Load("Directory.Packages.props").Descendants("PackageVersion").Select(package => package.Attribute("Include")!.Value)];

    [Fact]
    public void No_project_file_pins_a_version_of_its_own()
    {
        var pinned = Directory.EnumerateFiles(Repository.Root, "*.csproj", SearchOption.AllDirectories)
            .Where(path => File.ReadLines(path).Any(line => line.Contains("PackageReference", StringComparison.Ordinal) && line.Contains("Version", StringComparison.Ordinal)));

        Assert.Empty(pinned);
    }

    [Theory]
    [MemberData(nameof(Pinned))]
    public void The_readme_says_why_a_package_is_used(string package)
    {
        var readme = File.ReadAllText(Repository.At("README.md"));

        Assert.Contains($"| {package} |", readme, StringComparison.Ordinal);
    }
}
