namespace Orchestrator.Architecture.Tests;

/// <summary>
/// docs/design: references point one way, Api ◀ Runtime ◀ {ControlPlane, HostAgent, Proxy} ◀ Cli and Api ◀ ApiServer ◀ Cli, so
/// that parts meet in the Kubernetes API and nowhere else.
/// </summary>
public sealed class ReferenceRulesTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Api"] = [],
        ["Runtime"] = ["Api"],
        ["ApiServer"] = ["Api"],
        ["ControlPlane"] = ["Runtime"],
        ["HostAgent"] = ["Runtime"],
        ["Proxy"] = ["Runtime"],
        ["Cli"] = ["ApiServer", "ControlPlane", "HostAgent", "Proxy"],
    };

    public static TheoryData<string> ProjectNames => [.. SourceTree.Projects.Select(project => project.Name)];

    [Fact]
    public void Every_project_of_the_design_exists_and_no_other() =>
        Assert.Equal(Allowed.Keys.Order(StringComparer.Ordinal), SourceTree.Projects.Select(project => project.Name));

    [Theory]
    [MemberData(nameof(ProjectNames))]
    public void A_project_refers_only_to_what_the_design_allows(string name) =>
        Assert.Empty(SourceTree.Projects.Single(project => project.Name == name).References.Except(Allowed[name]));

    [Theory]
    [InlineData("Microsoft.Data.Sqlite", "ApiServer")]
    [InlineData("Docker.DotNet.Enhanced", "HostAgent")]
    [InlineData("OpenTelemetry", "Proxy")]
    [InlineData("Yarp.ReverseProxy", "Proxy")]
    public void One_project_alone_knows_the_package(string package, string owner) =>
        Assert.Equal([owner], SourceTree.Projects.Where(project => project.Packages.Contains(package)).Select(project => project.Name));
}
